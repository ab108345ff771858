"""Template tags of live pages: their parts, filled and blank, and what the browser needs to go on from there."""

from collections.abc import Mapping
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django import template
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from sessions.live import marks
from sessions.live.compact import compact
from sessions.live.uuid7 import uuid7
from sessions.phases import Facts, Phase, left_at, phase_at

register = template.Library()


class LivePage(Protocol):
    """What `sessions.live.reading.page` gives."""

    event_key: str
    epoch: object
    now: int
    zone: object
    me: Mapping[str, Any]
    streams: Mapping[str, int]
    parts: Mapping[str, list[dict[str, Any]]]


@register.simple_tag(takes_context=True)
def part(context: Context, name: str, value: Mapping[str, object], prefix: str = "") -> SafeString:
    """The part template `name` filled with `value`; times in the zone of the page's event."""
    live = context.get("live")
    zone = ZoneInfo(str(live.zone)) if live else timezone.get_current_timezone()
    return marks.part_template(name, prefix=prefix).render(value, zone)


@register.simple_tag
def part_template(kind: str, name: str) -> SafeString:
    """The same template blank, where the browser finds it."""
    return format_html('<template id="part-{}">{}</template>', kind, marks.part_template(name).blank)


@register.simple_tag
def live_attrs(live: LivePage) -> SafeString:
    """The attributes of `<main>` from which `static/js/live.js` starts."""
    query = "?as=moderator" if live.me.get("role") == "moderator" else ""
    return format_html(
        'data-live="/live/{}/{}" data-event="{}" data-epoch="{}" data-now="{}" data-zone="{}" data-lang="{}"'
        " data-me='{}' data-streams='{}' data-parts='{}'",
        live.event_key,
        query,
        live.event_key,
        live.epoch,
        live.now,
        live.zone,
        get_language() or "en",
        _json(live.me),
        _json(live.streams),
        _json(live.parts),
    )


@register.simple_tag
def op_id() -> str:
    """A new operation's id for a plain form."""
    return str(uuid7())


@register.filter
def as_of(stage: Mapping[str, Any], now: int) -> dict[str, Any]:
    """The part `now` with the phase at `now` (ms) in the place of the stored one, and `left` in ms."""
    facts = Facts(
        phase=Phase(stage["phase"]),
        session=stage["session"],
        ends_at=stage["ends_at"],
        paused_left=stage["paused_left"],
        sessions=stage["sessions"],
        by_hand=stage["by_hand"],
    )
    return {**stage, "phase": phase_at(facts, now).value, "left": left_at(facts, now)}


def _json(value: object) -> SafeString:
    """JSON for an attribute in single quotes: double quotes stay as they are, which keeps pages small."""
    text = compact(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;")
    return mark_safe(text)  # noqa: S308  escaped above
