"""Template tags for what every page shows: the cup-shaped clock, codes as people read them."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from sessions.phases import Facts, Phase, left_at, phase_at
from sessions.qr import svg

register = template.Library()

MINUTE = 60_000
SHOWN_IN = (Phase.LOBBY, Phase.SEATING, Phase.RUNNING, Phase.OVER)


@register.inclusion_tag("clock.html")
def clock(stage: dict[str, Any] | None, now: int, size: str = "") -> dict[str, Any]:
    """The clock as it stands at `now` (ms) for the part `now` of the stream `stage`; `static/js/clock.js` goes on."""
    return {"clock": face(stage, now), "size": size}


def face(stage: dict[str, Any] | None, now: int) -> dict[str, Any]:
    """What the clock shows: `figures` MM:SS, `share` of the cup still full (0 to 100), `word`, `state`, `hidden`."""
    if stage is None:
        return {"hidden": True}
    facts = Facts(
        phase=Phase(stage["phase"]),
        session=stage["session"],
        ends_at=stage["ends_at"],
        paused_left=stage["paused_left"],
        sessions=stage["sessions"],
        by_hand=stage["by_hand"],
    )
    phase, whole = phase_at(facts, now), (stage.get("minutes") or 0) * MINUTE
    left, word = remaining(facts, now, phase, whole)
    return {
        "hidden": phase not in SHOWN_IN,
        "figures": figures(left),
        "share": min(100, round(100 * left / whole)) if whole else 0,
        "word": word,
        "state": word if word in {"paused", "last"} else "",
    }


def remaining(facts: Facts, now: int, phase: Phase, whole: int) -> tuple[int, str]:
    """Milliseconds on the clock and the word beside them."""
    if phase in {Phase.LOBBY, Phase.SEATING}:
        return whole, "waiting"
    left = left_at(facts, now) or 0
    if phase is not Phase.RUNNING:
        return 0, "over"
    if facts.paused_left is not None:
        return left, "paused"
    return left, "last" if left <= MINUTE else "left"


def figures(ms: int) -> str:
    """Milliseconds as MM:SS, the last begun second counted: 59,001 ms are 01:00."""
    seconds = -(-ms // 1000)
    return f"{seconds // 60:02d}:{seconds % 60:02d}"


@register.filter
def spoken(code: str) -> str:
    """A code in two groups, as people read it out: `K7M2 QXHB`."""
    return f"{code[:4]} {code[4:]}".strip()


@register.simple_tag
def qr(text: str) -> SafeString:
    """The text as a QR code; made of numbers only, so safe in a page."""
    return SafeString(svg(text))
