"""Everybody comes at once by the join page, what it costs those who write meanwhile, and what memory a seat takes.

One arrival is what a browser does: the join page, its form, the two redirects to the lobby, the lobby, and its socket
until the welcome. Sheets and scripts, which browsers keep, are not fetched.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import threading
import time
from collections.abc import Iterable
from typing import Any

from tests.bench import web
from tests.bench.backlog import Backlog
from tests.bench.cafe import Figures, Step, plan, quantiles
from tests.bench.cost import memory, used
from tests.bench.crowd import Crowd, Person, body_of, people, seated, settle, together
from tests.bench.loop import Loop
from tests.bench.ours import notes
from tests.bench.peers.peer import Rooms
from tests.bench.site import Site

MARK = re.compile(r"""data-(live|streams|epoch)=(?:"([^"]*)"|'([^']*)')""")
WRITING = Step(20, seconds=120, warm=0)  # notes a second of those who sit
SLICE_S = 0.1
REST_S = 2.0
MOST_REDIRECTS = 4
WARM_PEOPLE = 60
WRITING_TABLES = 10


def storm(site: Site, *, arrivals: int, seats: int, at_once: int) -> Figures:
    """`arrivals` people come in, `at_once` at any time, while others write at their tables."""
    tables = WRITING_TABLES + -(-arrivals // seats)
    crowd = Crowd(site, site.event(tables=tables, seats=seats), people(WRITING_TABLES, seats))
    asyncio.run(settle(crowd))
    loop = crowd.loop()
    coming = Crowd(site, crowd.event, people(1, arrivals))
    with Writers(crowd, loop, seats) as writers, Backlog(site.where[1]) as backlog:
        before = used(site.pids)
        busy = asyncio.run(arrive(coming, at_once=at_once))
        after = used(site.pids)
    found = came([person.joined_in for person in coming.people], after.at - before.at) | after.since(before)
    coming.leave()
    loop.close()
    crowd.leave()
    return found | {"at_once": at_once, "busy": busy, "meanwhile": writers.found, "backlog": backlog.found(arrivals)}


async def arrive(crowd: Crowd, *, at_once: int) -> int:
    """How often the server was too busy for a page."""
    await together([arrival(crowd, person) for person in crowd.people], at_once=at_once)
    return len(crowd.busy)


async def arrival(crowd: Crowd, person: Person) -> None:
    began = time.monotonic()
    await crowd.join(person)
    page = await follow(crowd.site.where, f"/e/{crowd.event['key']}/", cookies=person.cookies, busy=crowd.busy)
    main = {name: html.unescape(one or other) for name, one, other in MARK.findall(body_of(page).decode())}
    headers = {"Cookie": person.cookies, "Sec-Fetch-Site": "same-origin"}
    person.wire = await web.Wire.open(crowd.site.where, main["live"], headers=headers)
    hello = {"t": "hello", "v": 1, "epoch": main["epoch"], "streams": json.loads(main["streams"])}
    await person.wire.say(hello)
    await crowd.hears(person, lambda frame: frame["t"] == "welcome")
    person.joined_in = time.monotonic() - began


async def follow(where: web.Address, path: str, *, cookies: str, busy: list[float]) -> web.Answer:
    """The page at the end of the redirects. Raises `ConnectionError` when there is none."""
    for _redirect in range(MOST_REDIRECTS):
        answer = await web.ask_again(where, path, busy, cookies=cookies)
        if answer.status == 200:
            return answer
        path = answer.header("location") or path
    raise ConnectionError(f"{path} answered {answer.status}")


class Writers:
    """In a thread of their own: people at some tables write until the block ends. `found` tells how long it took."""

    def __init__(self, crowd: Crowd, loop: Loop, seats: int) -> None:
        self.loop, self.seats, self.ends = loop, seats, threading.Event()
        made = plan(WRITING, len(crowd.people), notes(crowd, WRITING), first_mark=0)
        loop.plan(made, per_note=seats, start=time.monotonic())
        self.thread = threading.Thread(target=self.write, name="writers")
        self.found: Figures = {}

    def __enter__(self) -> Writers:
        self.thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.ends.set()
        self.thread.join()
        counts = self.loop.counts
        late = self.loop.latency[: counts.booked]
        self.found = {"notes": counts.sent, **quantiles("", late), "refused": counts.refusals, "hung_up": counts.ended}

    def write(self) -> None:
        while not self.ends.is_set():
            self.loop.rest(SLICE_S)


def back(site: Site, *, tables: int, seats: int, at_once: int) -> Figures:
    """Everybody sits at a table, loses the connection, and comes back at once with cookie and cursors, as after a
    restart: a socket, rights and the first parts of the streams that are anew.
    """
    crowd = Crowd(site, site.event(tables=tables, seats=seats), people(tables, seats))
    asyncio.run(settle(crowd))
    crowd.leave()
    time.sleep(REST_S)
    with Backlog(site.where[1]) as backlog:
        before = used(site.pids)
        asyncio.run(together([return_of(crowd, person) for person in crowd.people], at_once=at_once))
        after = used(site.pids)
    found = came([person.joined_in for person in crowd.people], after.at - before.at) | after.since(before)
    crowd.leave()
    return found | {"at_once": at_once, "backlog": backlog.found(len(crowd.people))}


async def return_of(crowd: Crowd, person: Person) -> None:
    began = time.monotonic()
    await crowd.open(person, room=crowd.room_head, **{crowd.board(person): 0})
    await crowd.hears(person, lambda frame: frame.get("s") == "me" and frame["to"] == frame["head"])
    person.joined_in = time.monotonic() - began


def came(seconds: Iterable[float], span: float) -> Figures:
    each = sorted(seconds)
    return {"arrivals": len(each), "took_s": round(span, 2), "per_s": round(len(each) / span, 1), **quantiles("", each)}


def storm_at(rooms: Rooms, *, at_once: int) -> Figures:
    """The same for a peer, where nobody signs in: the socket, and the first sync."""
    rooms.steps += 1
    began = time.monotonic()
    asyncio.run(rooms.enter(rooms.seats_of(), at_once=at_once))
    span = time.monotonic() - began
    found = came(rooms.joined_in, span)
    rooms.close()
    return found | {"at_once": at_once}


def idle(site: Site, *, tables: int, seats: int) -> Figures:
    """Server memory for each seat, all connected and silent, above what it had when everybody had come in."""
    warm = seated(site, tables=WARM_PEOPLE // seats, seats=seats)
    crowd = Crowd(site, site.event(tables=tables, seats=seats), people(tables, seats))
    asyncio.run(crowd.come_in())
    before = memory(site.pids)
    asyncio.run(crowd.sit_down())
    loop = crowd.loop()
    loop.rest(REST_S)
    after = memory(site.pids)
    loop.close()
    crowd.leave()
    warm.leave()
    return grown(before, after, len(crowd.people))


def idle_at(rooms: Rooms) -> Figures:
    rooms.steps += 1
    before = memory([rooms.pid])
    asyncio.run(rooms.enter(rooms.seats_of()))
    time.sleep(REST_S)
    after = memory([rooms.pid])
    rooms.close()
    return grown(before, after, rooms.tables * rooms.seats)


def grown(before: float, after: float, seats: int) -> dict[str, Any]:
    each = round((after - before) / seats, 1)
    return {"seats": seats, "base_mib": round(before / 1024, 1), "kib_per_seat": each}
