"""What happens once the storm is over: short scenes, each aimed at one rule, while nothing else goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from sessions.live.client import Frame
from sessions.live.uuid7 import uuid7
from tests.chaos.crowd import Guest, Moderator
from tests.chaos.history import History
from tests.chaos.people import Wish
from tests.chaos.site import Neighbour, Site

SOON_S = 60.0
LOOK_S = 0.05
PROBES = 8
REMOVALS = 4
BURST = 6
CONTENDERS, AT_ONCE, ROUNDS = 8, 2, 4
ROUND_S = 10.0


@dataclass
class Drills:
    """Who takes part, and what the scenes found out beside what the history tells."""

    site: Site
    event: int
    guests: list[Guest]
    moderator: Moderator
    history: History
    tells: Callable[[str], None]
    beside: set[str] = field(default_factory=set)
    brought_by_beat: list[bool] = field(default_factory=list)
    contended: tuple[int, int] = (0, 0)

    async def run(self) -> None:
        scenes = [self.everything_again, self.last_seat, self.sent_away, self.quiet_hour, self.word_from_beside]
        if self.site.profile == "sqlite":
            scenes.insert(-2, self.contention)
        for scene in scenes:
            self.tells(scene.__name__.replace("_", " "))
            await scene()

    async def everything_again(self) -> None:
        """Everybody's first note arrives once more, long after it was acknowledged."""
        first: dict[str, Frame] = {}
        acknowledged = {line.said["id"] for line in self.history.lines if line.what == "ack"}
        for line in self.history.lines:
            if line.what == "sends" and line.said["k"] == "note.add" and line.said["id"] in acknowledged:
                first.setdefault(line.who, dict(line.said))
        await asyncio.gather(*(self._again(guest, first[guest.name]) for guest in self.guests if guest.name in first))

    async def _again(self, guest: Guest, op: Frame) -> None:
        guest.outbox[op["id"]] = op
        guest._send(op)
        await self._until(lambda: op["id"] not in guest.outbox)

    async def last_seat(self) -> None:
        """One seat at a full table becomes free and many want it at once; those in browsers stay where they sit."""
        room = self._room()
        if not room:
            return
        table = max(room, key=lambda part: part["taken"] - part["cap"])
        free = [seat["p"] for seat in table["seats"] if seat["p"] not in self.moderator.leaves_alone]
        if table["full"] and free:
            await self._moderates(Wish("room", "seat.put", {"p": free[0], "table": None}))
        wish = Wish("room", "seat.take", {"table": table["table"]})
        await self._all([guest.wants(wish) for guest in self.guests if guest.page is not None])

    async def sent_away(self) -> None:
        """The moderator removes somebody in the middle of what they say, and lets them in again."""
        for guest in [guest for guest in self.guests if guest.seat][:REMOVALS]:
            out = Wish("room", "person.set", {"p": guest.id, "removed": True})
            before = [self._note(guest) for _note in range(BURST)]
            removal = asyncio.create_task(self._moderates(out))
            await asyncio.sleep(0)
            after = [self._note(guest) for _note in range(BURST)]
            await removal
            await self._moderates(Wish("room", "person.set", {"p": guest.id, "removed": False}))
            await self._until(lambda guest=guest: guest.page is not None and guest.page.is_connected)  # type: ignore[misc]
            await self._all([op for op in before + after if op])

    async def contention(self) -> None:
        """Another process writes to the same file again and again, briefly."""
        writers = [guest for guest in self.guests if guest.seat and guest.page][:CONTENDERS]
        begin = len(self.history.lines)
        with Neighbour(self.site.file):
            for _round in range(ROUNDS):
                ops = [self._note(guest) for guest in writers for _note in range(AT_ONCE)]
                await self._all([op for op in ops if op], within=ROUND_S)
        said = [line.said for line in self.history.lines[begin:] if line.what in {"ack", "err"}]
        busy = sum(frame.get("code") in {"busy", "internal"} for frame in said)
        self.contended = (len(said), busy)

    async def quiet_hour(self) -> None:
        """Notes one after the other: what brings them to their author's page?"""
        await self._until(lambda: all(guest.follows_its_board() for guest in self.guests))
        writers = [guest for guest in self.guests if guest.seat]
        for guest in (writers * PROBES)[:PROBES]:
            await self._probe(guest)

    async def _probe(self, guest: Guest) -> None:
        guest.frames = []
        op = self._note(guest)
        if op is not None:
            await self._until(lambda: op not in guest.outbox)
            answer = [frame["t"] for frame in guest.frames if frame.get("id") == op]
            if "ack" in answer:
                await self._until(lambda: how_it_came(guest.frames, op) is not None)
                self.brought_by_beat.append(how_it_came(guest.frames, op) is not False)

    async def word_from_beside(self) -> None:
        """A process of which no server knows puts a word on the stage."""
        op = str(uuid7())
        self.beside.add(op)
        await asyncio.to_thread(self.site.runs, f"opening.said_beside({self.event}, {op!r}, 'From beside')")

    def _room(self) -> list[Frame]:
        return list(self.moderator.page.parts["room"].values()) if self.moderator.page else []

    def _note(self, guest: Guest) -> str | None:
        wish = guest.note() if guest.seat and guest.page else None
        return guest.wants(wish) if wish else None

    async def _moderates(self, wish: Wish) -> None:
        """Until it is done or refused."""
        await self._all([self.moderator.wants(wish)])

    async def _all(self, ops: list[str], *, within: float = SOON_S) -> None:
        """Until all of these are out of the outboxes, or too long."""
        people = [self.moderator, *self.guests]
        await self._until(lambda: not any(op in person.outbox for person in people for op in ops), within=within)

    async def _until(self, holds: Callable[[], bool], *, within: float = SOON_S) -> None:
        """Goes on as well when it takes too long: the checker finds what is missing."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while not holds():
                    await asyncio.sleep(LOOK_S)


def how_it_came(frames: list[Frame], op: str) -> bool | None:
    """Whether an acknowledged note waited for a beat on its author's page; null while it is not there."""
    acks = [at for at, frame in enumerate(frames) if frame["t"] == "ack" and frame["id"] == op]
    there = [
        at for at, frame in enumerate(frames) if any(part["id"] == f"note:{op}" for part in frame.get("parts", ()))
    ]
    if not acks or not there:
        return None
    return any(frame["t"] == "beat" for frame in frames[acks[0] : there[0]])
