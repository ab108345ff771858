"""The gallery opens while everybody sits at a board: how soon all know, and how soon all have the page."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tests.bench.arriving import follow
from tests.bench.cafe import Figures, quantiles
from tests.bench.cost import used
from tests.bench.crowd import Crowd, Person, op, people, settle, together
from tests.bench.moderator import Moderator
from tests.bench.site import Site

NOTICE_S = 1.0  # after which our pages go to the gallery


def opens(site: Site, *, tables: int, seats: int, notes: int) -> Figures:
    """`told` from the moderator's tap to each page, `seen` from the tap to each page's gallery but for the notice."""
    event = site.event(tables=tables, seats=seats + 1)
    writers = min(tables, max(1, notes // 100))
    site.runs(f"opening.fill({event['key']!r}, notes={notes}, writers={writers})")
    crowd = Crowd(site, event, people(tables, seats))
    asyncio.run(settle(crowd))
    return asyncio.run(measure(crowd))


async def measure(crowd: Crowd) -> Figures:
    moderator = await Moderator.comes(crowd.site, crowd.event["key"])
    waiting = [asyncio.create_task(waits(crowd, person)) for person in crowd.people]
    await asyncio.sleep(NOTICE_S)
    before, began = used(crowd.site.pids), time.monotonic()
    await moderator.does(op("stage", "phase.go", {"phase": "gallery"}))
    told = await asyncio.gather(*waiting)
    crowd.busy.clear()
    looking = [look(crowd, person) for person in crowd.people]
    await asyncio.sleep(NOTICE_S)
    noticed = time.monotonic()
    seen = await together(looking, at_once=len(looking))
    after = used(crowd.site.pids)
    moderator.close()
    crowd.leave()
    return {
        "people": len(crowd.people),
        **quantiles("told_", [moment - began for moment in told]),
        **quantiles("seen_", [moment - noticed for moment in seen]),
        "busy": len(crowd.busy),
        **after.since(before),
    }


async def waits(crowd: Crowd, person: Person) -> float:
    """The moment at which the page knows."""
    await crowd.hears(person, lambda frame: frame.get("s") == "stage" and phase_in(frame) == "gallery")
    return time.monotonic()


def phase_in(frame: dict[str, Any]) -> str:
    return next((str(part["phase"]) for part in frame["parts"] if part["id"] == "now"), "")


async def look(crowd: Crowd, person: Person) -> float:
    await follow(crowd.site.where, f"/e/{crowd.event['key']}/", cookies=person.cookies, busy=crowd.busy)
    return time.monotonic()
