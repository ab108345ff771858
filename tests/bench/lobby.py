"""The lobby rush: everybody sits down within some seconds while everybody watches the tables fill."""

from __future__ import annotations

import array
import asyncio
import random
import time

from tests.bench import web
from tests.bench.cafe import Figures, quantiles
from tests.bench.cost import used
from tests.bench.crowd import AT_ONCE, Crowd, Person, numbered, people, together
from tests.bench.loop import Loop, Plan
from tests.bench.site import Site

TO_SEATING = 2  # steps from the draft
WITHIN_S = 10.0
PATIENCE_S = 30.0
SLICE_S = 0.05
CALM_S = 0.6  # more than twice the time that the lobby waits between two words


def rush(site: Site, *, tables: int, seats: int, within: float = WITHIN_S) -> Figures:
    """`behind_ms`: how long after the last answer the last page showed every seat; `five_frames_ms`: the least time in
    which one page was told of tables five times.
    """
    crowd = Crowd(site, site.event(tables=tables, seats=seats, steps=TO_SEATING), people(tables, seats))
    asyncio.run(gather(crowd))
    loop = crowd.loop("room")
    loop.rest(CALM_S)
    made = sitting(crowd, within)
    loop.plan(made, per_note=1, start=time.monotonic())
    before = used(site.pids)
    loop.until(time.monotonic() + within + PATIENCE_S, answers=len(made.due))
    answered, after = time.monotonic(), used(site.pids)
    settled = alike(loop)
    span, counts, watching = settled - before.at, loop.counts, len(crowd.people)
    found = {
        "people": watching,
        **quantiles("", [each for each in loop.acked[: len(made.due)] if each >= 0]),
        "refused": counts.refusals,
        "unanswered": len(made.due) - counts.acks - counts.refusals,
        "gaps": counts.gaps,
        "hung_up": counts.ended,
        "behind_ms": round(1000 * (settled - answered), 1),
        "frames_per_watcher_per_s": round(counts.stream_frames / watching / span, 2),
        "five_frames_ms": round(1000 * counts.close, 1),
        "kib_per_watcher": round(counts.stream_bytes / watching / 1024, 1),
        **after.since(before),
    }
    loop.close()
    crowd.leave()
    return found


async def gather(crowd: Crowd) -> None:
    """Everybody is in the lobby and has seen all tables."""
    await crowd.come_in()
    await together([look(crowd, person) for person in crowd.people], at_once=AT_ONCE)


async def look(crowd: Crowd, person: Person) -> None:
    await crowd.open(person, "room")
    frame = await crowd.hears(person, lambda frame: frame.get("s") == "room" and frame["to"] == frame["head"])
    person.cursor = frame["head"]


def sitting(crowd: Crowd, within: float) -> Plan:
    """Everybody takes a seat at the table meant for them, at some moment, in an order of chance."""
    dice, now = random.Random(1), int(time.time() * 1000)
    due = array.array("d", sorted(dice.uniform(0, within) for _person in crowd.people))
    senders = list(range(len(crowd.people)))
    dice.shuffle(senders)
    frames = []
    for number, sender in enumerate(senders):
        table = crowd.event["tables"][crowd.people[sender].table][0]
        wish = {"id": numbered(number, at_ms=now, dice=dice), "s": "room", "k": "seat.take", "d": {"table": table}}
        frames.append(web.text_frame({"t": "op", **wish}))
    return Plan(due, array.array("i", senders), frames, first_mark=0)


def alike(loop: Loop) -> float:
    """The moment from which on all stood at the same place, and nobody moved any more for a while."""
    since, stands, end = time.monotonic(), loop.cursors(), time.monotonic() + PATIENCE_S
    while time.monotonic() < end and (len(set(stands)) > 1 or time.monotonic() - since < CALM_S):
        loop.rest(SLICE_S)
        now = loop.cursors()
        if now != stands:
            since, stands = time.monotonic(), now
    return since
