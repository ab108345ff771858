"""The steps of an event as the console shows them: the next one, and all of them with the times to expect.

`next_step` also runs in the browser (`static/js/steps.js`); `tests/vectors/steps.json` holds both to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sessions.models import Session
from sessions.phases import Facts, Phase, left_at, phase_at

MINUTE = 60_000
CHANGE = 5  # minutes people need to find a seat
WALK = 20  # minutes of gallery walk


@dataclass(frozen=True, slots=True)
class Step:
    """Where the event can go; `session` is null outside sessions. `minutes` is how long it takes, as planned."""

    phase: Phase
    session: int | None = None
    title: str = ""
    minutes: int = 0

    @property
    def what(self) -> str:
        """What people do inside a session: `seats` for the first time, `change` later, `talk`; else nothing."""
        if self.phase is Phase.SEATING:
            return "seats" if self.session == 1 else "change"
        return "talk" if self.phase is Phase.RUNNING else ""


def next_step(facts: Facts, now: int) -> Step | None:
    """What the console's primary button does at `now` (ms); null when the event is closed."""
    number = facts.session or 0
    match phase_at(facts, now):
        case Phase.DRAFT:
            return Step(Phase.LOBBY)
        case Phase.SEATING:
            return Step(Phase.RUNNING, number)
        case Phase.RUNNING:
            return Step(Phase.OVER, number)
        case Phase.LOBBY | Phase.OVER:
            return Step(Phase.SEATING, number + 1) if number < facts.sessions else Step(Phase.GALLERY)
        case Phase.GALLERY:
            return Step(Phase.CLOSED)
    return None


def all_steps(sessions: list[Session]) -> list[Step]:
    """From the doors to the end. A session that is over is no step of its own: people change tables then."""
    talks = [
        step
        for s in sessions
        for step in (
            Step(Phase.SEATING, s.number, minutes=CHANGE),
            Step(Phase.RUNNING, s.number, title=s.title, minutes=s.minutes),
        )
    ]
    return [Step(Phase.LOBBY), *talks, Step(Phase.GALLERY, minutes=WALK), Step(Phase.CLOSED)]


def run_sheet(steps: list[Step], facts: Facts, *, starts: int, now: int) -> Iterator[dict[str, Any]]:
    """A row per step: `state` is done, now or ahead; `at` (ms) is when one still ahead is to be expected."""
    here = _place(steps, facts, now)
    times = _expected(steps, facts, here, starts=starts, now=now)
    for i, step in enumerate(steps):
        state = "done" if i < here else "now" if i == here else "ahead"
        yield {
            "phase": str(step.phase),
            "session": step.session,
            "what": step.what,
            "title": step.title,
            "state": state,
            "current": "step" if state == "now" else None,
            "at": times.get(i),
        }


def _place(steps: list[Step], facts: Facts, now: int) -> int:
    """The step the event stands at; -1 before the doors open. What is over counts as its session."""
    phase = phase_at(facts, now)
    if phase is Phase.DRAFT:
        return -1
    if phase is Phase.ARCHIVED:
        return len(steps) - 1
    wanted = Phase.RUNNING if phase is Phase.OVER else phase
    number = facts.session if wanted in {Phase.SEATING, Phase.RUNNING} else None
    return next((i for i, s in enumerate(steps) if (s.phase, s.session) == (wanted, number)), -1)


def _expected(steps: list[Step], facts: Facts, here: int, *, starts: int, now: int) -> dict[int, int]:
    """Times (ms, whole minutes) of the steps after `here`: as planned, or later when the event is late."""
    planned = _planned(steps, starts)
    ahead = range(max(here + 1, 1), len(steps))
    if not ahead:
        return {}
    first = ahead[0]
    left = left_at(facts, now)
    anchor = max(planned[first], now) if left is None or phase_at(facts, now) is not Phase.RUNNING else now + left
    anchor -= anchor % MINUTE
    return {i: anchor + planned[i] - planned[first] for i in ahead}


def _planned(steps: list[Step], starts: int) -> list[int]:
    times = [starts]
    for before, _step in pairwise(steps):
        times.append(times[-1] + before.minutes * MINUTE)
    return times
