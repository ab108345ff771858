"""The phase of an event as a pure function of stored facts and the time.

The same rule runs in the browser (`static/js/phase.js`); `tests/vectors/phase.json` holds both to it.
"""

from dataclasses import dataclass
from enum import StrEnum

GRACE_MS = 3_000
LATE_MS = 600_000


class Phase(StrEnum):
    DRAFT = "draft"
    LOBBY = "lobby"
    SEATING = "seating"
    RUNNING = "running"
    OVER = "over"
    GALLERY = "gallery"
    CLOSED = "closed"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is stored about where an event stands. Times are ms since the epoch, server clock.

    `session` is the number of the session that is being seated, runs or is over (null before the first),
    `ends_at` and `paused_left` belong to a running session, `sessions` counts the event's sessions,
    `by_hand` says that the moderator opens the gallery.
    """

    phase: Phase
    session: int | None
    ends_at: int | None
    paused_left: int | None
    sessions: int
    by_hand: bool


def phase_at(facts: Facts, now: int) -> Phase:
    """The phase at `now` (ms). Only a running session moves on by itself: to over, after the last one to gallery."""
    if facts.phase is not Phase.RUNNING or facts.paused_left is not None or facts.ends_at is None:
        return facts.phase
    if now < facts.ends_at:
        return Phase.RUNNING
    if is_last(facts) and not facts.by_hand and now >= facts.ends_at + GRACE_MS:
        return Phase.GALLERY
    return Phase.OVER


def is_last(facts: Facts) -> bool:
    return facts.session == facts.sessions


def left_at(facts: Facts, now: int) -> int | None:
    """Milliseconds left in the running session, never negative; null when none runs."""
    if facts.phase is not Phase.RUNNING or facts.ends_at is None:
        return None
    if facts.paused_left is not None:
        return facts.paused_left
    return max(0, facts.ends_at - now)
