"""What lies on the moderator's desk beside the live parts: the next step, the run sheet, codes, numbers."""

from typing import Any

from sessions.clock import as_ms, now_ms
from sessions.live.kinds import KINDS
from sessions.models import Event
from sessions.phases import Phase
from sessions.steps import all_steps, next_step, run_sheet

Fields = dict[str, Any]
SITTING_DOWN = frozenset({Phase.DRAFT, Phase.LOBBY, Phase.SEATING, Phase.RUNNING})
NOBODY: Fields = {"tables": {}, "people": 0, "seated": 0, "lobby": []}


def desk(event: Event) -> Fields:
    """What concerns joining and the way through the event; no query when `event.sessions` is prefetched."""
    steps = all_steps(list(event.sessions.all()))
    rows = run_sheet(steps, event.facts(), starts=as_ms(event.starts_at), now=now_ms())
    code = event.join_code
    halves = {"code": code, "first": code[:4], "second": code[4:]}
    return {"id": "desk", "seq": 0, **halves, "doors": event.doors_open, "entry": _entry(event), "steps": list(rows)}


def _entry(event: Event) -> str:
    """Who can come in: nobody before the doors are opened (`early`), nobody at the end, else as the doors stand."""
    phase = event.phase_at()
    if phase is Phase.DRAFT:
        return "early"
    if phase in {Phase.CLOSED, Phase.ARCHIVED}:
        return "ended"
    return "open" if event.doors_open else "closed"


def glance(event: Event) -> Fields:
    """The console's numbers as its socket brings them once a second."""
    found = dict(NOBODY)
    for kind in KINDS.values():
        found |= kind.glance([event.pk]).get(event.pk, {})
    return found


def cards(room: list[Fields], numbers: Fields) -> list[Fields]:
    """The parts of the room, each with its notes and the newest one."""
    return [part | numbers["tables"].get(str(part["table"]), {"notes": 0, "last": ""}) for part in room]


def sums(room: list[Fields], numbers: Fields, phase: str) -> Fields:
    """Seats and people in all, as `sums` in `static/js/steps.js`.

    `lacking` people find no seat at an open table, as long as people sit down; a chair kept for a host is that host's.
    """
    standing = max(0, numbers["people"] - numbers["seated"])
    seated = {seat["p"] for table in room for seat in table["seats"]}
    kept = sum(1 for table in room if table["open"] and table["host"] and table["host"] not in seated)
    free = sum(table["free"] for table in room if table["open"])
    lacking = max(0, standing - free - kept) if phase in SITTING_DOWN else 0
    return {
        "id": "sums",
        "seq": 0,
        "tables": len(room),
        "taken": sum(table["taken"] for table in room),
        "seats": sum(table["cap"] for table in room if table["open"]),
        "free": free,
        "standing": standing,
        "waiting": numbers["lobby"],
        "more": max(0, standing - len(numbers["lobby"])),
        "lacking": lacking,
        "written": sum(table["notes"] for table in numbers["tables"].values()),
    }


def lead(stage: Fields, event: Event, now: int) -> Fields:
    """The stage as of `now` (ms) and where it can go next, as `lead` in `static/js/steps.js`.

    `clock` says that minutes can be added, `talk` is running or paused while people talk.
    """
    phase, step = event.phase_at(now), next_step(event.facts(), now)
    paused = stage["paused_left"] is not None
    return {
        **stage,
        "id": "step",
        "phase": str(phase),
        "next": str(step.phase) if step else "",
        "next_no": step.session if step else None,
        "clock": stage["phase"] == Phase.RUNNING and phase in {Phase.RUNNING, Phase.OVER},
        "paused": paused,
        "talk": ("paused" if paused else "running") if phase is Phase.RUNNING else "",
        "ended": phase in {Phase.CLOSED, Phase.ARCHIVED},
    }


def harvest(gallery: list[Fields]) -> Fields:
    """What the walls of the gallery hold, in numbers."""
    return {
        "id": "harvest",
        "seq": 0,
        "notes": sum(part["count"] for part in gallery if part["id"].startswith("exhibit:")),
        "takeaways": sum(1 for part in gallery if part["id"].startswith("takeaway:")),
        "text": next((part["text"] for part in gallery if part["id"] == "closing"), ""),
    }


def map_size(tables: int) -> str:
    """How the projector draws the tables, as `mapSize` in `static/js/steps.js`: pictures, numbers, or sums alone."""
    if tables < 10:
        return "few"
    return "some" if tables < 24 else "many"
