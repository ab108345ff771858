"""People at tables: they come in by the join page, sit down by an operation, and follow what their page would."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import random
import re
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sessions.live.uuid7 import uuid7
from tests.bench import web
from tests.bench.loop import Line, Loop
from tests.bench.moderator import Moderator
from tests.bench.site import Site

AT_ONCE = 40
ROOM, NOWHERE = "room", -1
PATIENCE_S = 60.0
HIDDEN = re.compile(rb'name="(csrfmiddlewaretoken|ticket)"[^>]*value="([^"]+)"')
Result = TypeVar("Result")


@dataclass(slots=True)
class Person:
    """Somebody with a cookie; once seated, with an open socket."""

    number: int
    table: int  # position, from 0
    place: int
    cookies: str = ""
    wire: web.Wire | None = None
    handled: int = 0  # `parts` frames on this socket
    cursor: int = 0
    joined_in: float = 0.0  # seconds

    @property
    def name(self) -> str:
        return f"Guest {self.number}"


@dataclass
class Crowd:
    """Everybody in one event. `spent` notes were written there so far."""

    site: Site
    event: dict[str, Any]
    people: list[Person] = field(default_factory=list)
    watchers: list[web.Wire] = field(default_factory=list)  # console and screen
    busy: list[float] = field(default_factory=list)  # the moments at which the server was too busy for a page
    window: int = 256
    room_head: int = 0
    spent: int = 0

    @property
    def seats(self) -> int:
        """At each table."""
        return len(self.people) // len(self.event["tables"])

    def board(self, person: Person) -> str:
        return f"board:{self.event['tables'][person.table][1]}"

    async def come_in(self, *, at_once: int = AT_ONCE) -> None:
        await together([self.join(person) for person in self.people], at_once=at_once)

    async def sit_down(self, *, at_once: int = AT_ONCE) -> None:
        await together([self.sit(person) for person in self.people], at_once=at_once)

    async def join(self, person: Person) -> None:
        """The join page, its form with the name in it, and the cookie."""
        path, began = f"/j/{self.event['code']}/", time.monotonic()
        page = await web.ask_again(self.site.where, path, self.busy)
        jar = page.cookies()
        hidden = {name.decode(): value.decode() for name, value in HIDDEN.findall(body_of(page))}
        typed = {**hidden, "name": person.name}
        answer = await web.ask_again(self.site.where, path, self.busy, method="POST", typed=typed, cookies=header(jar))
        if answer.status != 302:
            raise ConnectionError(f"the join page answered {answer.status}")
        person.cookies, person.joined_in = header(jar | answer.cookies()), time.monotonic() - began

    async def open(self, person: Person, *streams: str, **cursors: int) -> None:
        """A page's socket that follows these streams from their beginning, besides `stage` and `me`, and others from
        their cursors.
        """
        headers = {"Cookie": person.cookies, "Sec-Fetch-Site": "same-origin"}
        person.wire = await web.Wire.open(self.site.where, f"/live/{self.event['key']}/", headers=headers)
        await person.wire.say({"t": "hello", "v": 1, "streams": dict.fromkeys(("stage", "me", *streams), 0) | cursors})
        welcome = await self.hears(person, lambda frame: frame["t"] == "welcome")
        self.window = welcome["limits"]["window"]

    async def sit(self, person: Person) -> None:
        """Takes a seat; then the socket follows what a table's page follows."""
        await self.open(person)
        assert person.wire is not None
        table = self.event["tables"][person.table][0]
        await person.wire.say(op("room", "seat.take", {"table": table}))
        answer = await self.hears(person, lambda frame: frame["t"] in {"ack", "err"})
        if answer["t"] == "err":
            raise ConnectionError(f"no seat: {answer}")
        for stream in ("room", self.board(person)):
            await person.wire.say({"t": "sub", "s": stream, "after": 0})
        seen = await self.hears(person, lambda frame: frame.get("s") == "room" and frame["to"] == frame["head"])
        self.room_head = max(self.room_head, seen["head"])
        await person.wire.say({"t": "ping", "c": 1})
        await self.hears(person, lambda frame: frame["t"] == "pong")

    async def hears(self, person: Person, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first frame of that kind; `parts` before it are counted."""
        assert person.wire is not None
        while True:
            _opcode, payload = await person.wire.hear()
            frame: dict[str, Any] = json.loads(payload)
            person.handled += frame["t"] == "parts"
            if wanted(frame):
                return frame

    def lines(self, stream: str = "") -> list[Line]:
        """For the hot loop; each watches its board, or `stream`."""
        found = []
        for person in self.people:
            assert person.wire is not None
            watched = f'"s":"{stream or self.board(person)}"'
            fd = person.wire.socket.fileno()
            found.append(Line(fd, person.table, person.place, person.wire.rest, person.handled, watched, person.cursor))
        watched = f'"s":"{ROOM}"'
        return found + [Line(wire.socket.fileno(), NOWHERE, 0, wire.rest, 0, watched) for wire in self.watchers]

    def loop(self, stream: str = "") -> Loop:
        return Loop(self.lines(stream), speaks=True, window=self.window)

    async def watch(self) -> None:
        """The moderator opens the console and the screen."""
        for _page in ("console", "screen"):
            moderator = await Moderator.comes(self.site, self.event["key"], ROOM, "gallery")
            self.watchers.append(moderator.wire)

    def leave(self) -> None:
        for wire in self.watchers:
            wire.close()
        self.watchers.clear()
        for person in self.people:
            if person.wire is not None:
                with contextlib.suppress(OSError):
                    person.wire.socket.send(web.frame(b"\x03\xe8", opcode=web.CLOSE))
                person.wire.close()
                person.wire = None


def seated(site: Site, *, tables: int, seats: int) -> Crowd:
    """A new event in which everybody sits and looks at the board."""
    crowd = Crowd(site, site.event(tables=tables, seats=seats), people(tables, seats))
    asyncio.run(settle(crowd))
    return crowd


async def settle(crowd: Crowd) -> None:
    await crowd.come_in()
    await crowd.sit_down()
    await crowd.watch()


def people(tables: int, seats: int) -> list[Person]:
    return [Person(n, n // seats, n % seats) for n in range(tables * seats)]


async def together(doings: Iterable[Coroutine[Any, Any, Result]], *, at_once: int) -> list[Result]:
    gate = asyncio.Semaphore(at_once)

    async def through(doing: Coroutine[Any, Any, Result]) -> Result:
        async with gate, asyncio.timeout(PATIENCE_S):
            return await doing

    return await asyncio.gather(*(through(doing) for doing in doings))


def op(stream: str, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"t": "op", "id": str(uuid7()), "s": stream, "k": kind, "d": data}


def numbered(number: int, *, at_ms: int, dice: random.Random) -> str:
    """The id of an operation, whose last eight digits are its number in the plan."""
    return str(uuid7(at_ms, dice.getrandbits(42) << 32 | number))


def header(jar: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in jar.items())


def body_of(answer: web.Answer) -> bytes:
    return gzip.decompress(answer.body) if answer.header("content-encoding") == "gzip" else answer.body
