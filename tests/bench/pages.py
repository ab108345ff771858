"""How long each page takes, one after the other on a server that has nothing else to do."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

from tests.bench import web
from tests.bench.arriving import follow
from tests.bench.cafe import TEXT, Figures
from tests.bench.cost import used
from tests.bench.crowd import Crowd, op, people
from tests.bench.moderator import Moderator
from tests.bench.site import Site

TIMES = 12
FULL_BOARD, FULL_GALLERY = 1_000, 5_000
TABLES, SPARE = 50, 30  # notes that fit onto a full board
Change = Callable[[], Awaitable[None]]


def pages(site: Site) -> Figures:
    """For each page: `ms` until it is here, the middle of twelve, `cpu_ms` of the server, `kib` as sent."""
    return asyncio.run(measure(site))


async def measure(site: Site) -> Figures:
    board = await full_board(site)
    walk = await full_gallery(site)
    return board | walk


async def full_board(site: Site) -> Figures:
    """The pages of one table with 1,000 notes."""
    crowd, moderator = await at_full_board(site)
    key, [guest] = crowd.event["key"], crowd.people
    found = {
        "join": await timed(site, f"/j/{crowd.event['code']}/", ""),
        "lobby, 2 tables": await timed(site, f"/e/{key}/lobby/", guest.cookies),
        "table, 1,000 notes": await timed(site, f"/e/{key}/table/", guest.cookies),
    }
    moderator.close()
    crowd.leave()
    return found


async def at_full_board(site: Site) -> tuple[Crowd, Moderator]:
    """One guest, who sits at a table on which nearly as many notes lie as may."""
    crowd = Crowd(site, site.event(tables=2, seats=8), people(1, 1))
    site.runs(f"opening.fill({crowd.event['key']!r}, notes={2 * (FULL_BOARD - SPARE)}, writers=14)")
    await crowd.come_in()
    await crowd.sit_down()
    return crowd, await Moderator.comes(site, crowd.event["key"])


async def before_full_gallery(site: Site) -> tuple[Crowd, Moderator]:
    """One guest of an event with 50 tables and 5,000 notes, whose gallery is not open yet."""
    crowd = Crowd(site, site.event(tables=TABLES, seats=6), people(1, 1))
    site.runs(f"opening.fill({crowd.event['key']!r}, notes={FULL_GALLERY}, writers={TABLES})")
    await crowd.come_in()
    return crowd, await Moderator.comes(site, crowd.event["key"])


async def full_gallery(site: Site) -> Figures:
    crowd, moderator = await before_full_gallery(site)
    key, [guest] = crowd.event["key"], crowd.people
    found = {
        "lobby, 50 tables": await timed(site, f"/e/{key}/lobby/", guest.cookies),
        "console, 50 tables": await timed(site, f"/events/{key}/console/", moderator.cookies),
        "screen, 50 tables": await timed(site, f"/events/{key}/screen/", moderator.cookies),
    }
    await moderator.does(op("stage", "phase.go", {"phase": "gallery"}))

    async def write() -> None:
        data = {"q": crowd.event["question"], "text": TEXT.format(0), "colour": "mint"}
        await moderator.does(op(f"board:{crowd.event['tables'][0][1]}", "note.add", data))

    gallery = f"/e/{key}/gallery/"
    found["gallery, 5,000 notes"] = await timed(site, gallery, guest.cookies)
    found["gallery, one board changed"] = await timed(site, gallery, guest.cookies, before=write)
    moderator.close()
    return found


async def timed(site: Site, path: str, cookies: str, *, before: Change | None = None) -> Figures:
    """The first one, which may fill caches, is not counted."""
    spans, costs, size = [], [], 0
    await follow(site.where, path, cookies=cookies, busy=[])
    for _time in range(TIMES):
        if before is not None:
            await before()
        cpu, began = used(site.pids), time.monotonic()
        answer: web.Answer = await follow(site.where, path, cookies=cookies, busy=[])
        spans.append(time.monotonic() - began)
        costs.append(used(site.pids).servers - cpu.servers)
        size = len(answer.body)
    middle, cost = statistics.median(spans), statistics.median(costs)
    return {"ms": round(1000 * middle, 1), "cpu_ms": round(1000 * cost, 1), "kib": round(size / 1024, 1)}
