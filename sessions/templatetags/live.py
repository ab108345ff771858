"""Template tags of live pages: their parts, filled and blank, and what the browser needs to go on from there."""

import secrets
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import tzinfo
from functools import lru_cache, partial
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.template import Context
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, override

from sessions.live import marks
from sessions.live.compact import compact
from sessions.live.shared import LONG, Shared
from sessions.live.shown import Several, Shown, Stretch
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
    return marks.part_template(name, prefix=prefix).render(value, zone_in(context))


@register.simple_tag(takes_context=True)
def parts(context: Context, name: str, values: list[dict[str, Any]], prefix: str = "") -> SafeString:
    """`part` for each of the values."""
    zone, template = zone_in(context), marks.part_template(name, prefix=prefix)
    made = _shared(context, values, (template, zone), lambda those: "".join([template.render(v, zone) for v in those]))
    return mark_safe("".join(made))  # noqa: S308  each is safe


@register.simple_tag(takes_context=True)
def shared(context: Context, markup: SafeString) -> SafeString:
    """The markup; where it is kept for many and long, its token."""
    return _told(context, markup) if isinstance(markup, Shared) else markup


@register.simple_tag(takes_context=True)
def together(context: Context, pieces: Sequence[SafeString]) -> SafeString:
    """`shared` for each of these, which stand side by side: where all are kept for many and long, one token for all."""
    kept = [piece for piece in pieces if isinstance(piece, Shared) and len(piece) >= LONG]
    if kept and len(kept) == len(pieces):
        return _token(context, kept)
    return mark_safe("".join([shared(context, piece) for piece in pieces]))  # noqa: S308  each is safe


@register.simple_tag
def lasting(name: str, event_key: str = "") -> SafeString:
    """The template `name`, in which only the language and the event's key differ: rendered once for each."""
    render = _lasting.__wrapped__ if settings.DEBUG else _lasting
    return render(name, event_key, get_language() or "en")


def zone_in(context: Context) -> tzinfo:
    live = context.get("live")
    return ZoneInfo(str(live.zone)) if live else timezone.get_current_timezone()


@register.simple_tag
def part_template(kind: str, name: str) -> SafeString:
    """The same template blank, where the browser finds it."""
    return format_html('<template id="part-{}">{}</template>', kind, marks.part_template(name).blank)


@register.simple_tag(takes_context=True)
def live_attrs(context: Context, live: LivePage) -> SafeString:
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
        _json_of_streams(context, live.parts),
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


@lru_cache(maxsize=256)
def _lasting(name: str, event_key: str, language: str) -> SafeString:
    with override(language):
        return render_to_string(name, {"live": {"event_key": event_key}})


def _shared(
    context: Context, values: list[dict[str, Any]], key: Hashable, make: Callable[[list[dict[str, Any]]], str]
) -> list[SafeString]:
    """Safe markup of these parts. That of parts that many get is made once; where it is long a token stands for it."""
    if not isinstance(values, Several):
        return [mark_safe(make(values))]  # noqa: S308  the caller's
    return [_told(context, those.once(key, partial(_made_of, those, make))) for those in values.stretches]


def _made_of(those: Stretch, make: Callable[[list[dict[str, Any]]], str]) -> Shared:
    return Shared(make(those))


def _told(context: Context, made: Shared) -> SafeString:
    return made if len(made) < LONG else _token(context, [made])


def _token(context: Context, made: Sequence[Shared]) -> SafeString:
    """What stands in the page until it is put together (`zoomcafe/packing.py`); outside of a request the markup."""
    request = context.get("request")
    if request is None:
        return mark_safe("".join(made))  # noqa: S308  each is safe
    token = secrets.token_hex(16)
    request.__dict__.setdefault("shared", {})[token] = made
    return mark_safe(token)  # noqa: S308  letters and digits


def _json_of_streams(context: Context, streams: Mapping[str, list[dict[str, Any]]]) -> SafeString:
    said = [f"{_json(name)}:[{_json_of_parts(context, those)}]" for name, those in streams.items()]
    return mark_safe(f"{{{','.join(said)}}}")  # noqa: S308  escaped piece by piece


def _json_of_parts(context: Context, values: list[dict[str, Any]]) -> str:
    if not isinstance(values, Several):  # of which nothing is kept
        return _json(values)[1:-1]
    return ",".join(_shared(context, values, "json", lambda those: ",".join(map(_json_of_part, those))))


def _json_of_part(part: Mapping[str, Any]) -> str:
    return part.once("json", lambda: _json(part)) if isinstance(part, Shown) else _json(part)


def _json(value: object) -> SafeString:
    """JSON for an attribute in single quotes: double quotes stay as they are, which keeps pages small."""
    text = compact(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;")
    return mark_safe(text)  # noqa: S308  escaped above
