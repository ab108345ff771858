"""Simulated guests: they come in through the join page, sit, write at human pace, change tables, take a word home."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sessions.live.client import Client, Ended, Frame, Refusal
from sessions.live.visitor import Page, Visitor
from sessions.phases import Facts, Phase, phase_at
from tables.models import COLOURS
from tables.samples.content import Content

OWN_COLOUR = 0.7
THINKING = (12.0, 60.0)  # seconds between two notes of one guest
ARRIVING = 20.0  # seconds within which everybody comes in
DOOR = 8  # how many come through it at once
KNOCKS = 10  # how often a guest tries to come in while the server does not answer
SERVER_TROUBLE = 500
OVER = frozenset({Phase.CLOSED, Phase.ARCHIVED})


class ShutOut(Exception):  # noqa: N818 - an answer, not an error
    """The join page did not let anybody in; says why."""


@dataclass
class Rehearsal:
    """One group of simulated guests at one event, `pace` times as quick as people. `tally` counts what they did."""

    base_url: str
    code: str
    content: Content
    names: Iterator[str]
    dice: random.Random
    pace: float = 1.0
    tally: Counter[str] = field(default_factory=Counter)
    door: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DOOR))
    unsaid: dict[tuple[int, int], list[str]] = field(default_factory=dict)

    async def run(self, count: int) -> None:
        """Until the event is closed; cancelled from outside when it shall end earlier. `ShutOut` if nobody came in."""
        guests = [Guest(self, next(self.names)) for _ in range(count)]
        async with asyncio.TaskGroup() as group:
            for i, guest in enumerate(guests):
                group.create_task(guest.take_part(after=i * ARRIVING / count / self.pace))
        if not self.tally["came in"]:
            raise ShutOut(guests[0].shut_out)

    def thought(self, session: int, question: int) -> str:
        """Something to write: what nobody said yet, or an echo of what somebody did. Numbers count from 0."""
        texts = self.content.texts(session, question)
        unsaid = self.unsaid.setdefault((session, question), [])
        if not unsaid or self.dice.random() < 0.2:
            unsaid[:] = unsaid or self.dice.sample(texts, len(texts))
            return self._echo(self.dice.choice(texts))
        return unsaid.pop()

    def _echo(self, text: str) -> str:
        frame = self.dice.choice(self.content.echoes)
        if frame.startswith("{}") and text[-1] not in ".!?":
            text += "."
        return frame.replace("{}", text)


class Guest:
    """One simulated guest with a browser of their own."""

    def __init__(self, rehearsal: Rehearsal, name: str) -> None:
        self.rehearsal, self.name = rehearsal, name
        self.dice = random.Random(rehearsal.dice.random())  # noqa: S311 - decides what is played, keeps no secret
        self.visitor = Visitor(rehearsal.base_url, language=rehearsal.content.language)
        self.colour = self.dice.choice(COLOURS)
        self.visited: set[int] = set()  # tables
        self.taken_home = False
        self.shut_out = ""  # why, if the door stayed shut
        self.client: Client

    async def take_part(self, *, after: float) -> None:
        await asyncio.sleep(after)
        try:
            page = await self.come_in()
        except ShutOut as reason:
            self.shut_out = str(reason)
            self._count("shut out")
            return
        self._count("came in")
        await self.follow_the_event(page)

    async def follow_the_event(self, page: Page) -> None:
        self.client = Client.of_page(
            self.rehearsal.base_url, page.main, cookies=self.visitor.cookie_header, dice=self.dice
        )
        try:
            async with self.client:
                for stream in {"stage", "me", "room"} - self.client.cursors.keys():
                    await self.client.follow(stream)
                await self.client.until(lambda: bool(self.stage and self.tables))
                await self.stay()
        except Ended:
            self._count("sent away")
        except TimeoutError:
            self._count("gave up")
        finally:
            for code in self.client.closes:
                self._count(f"lost connections ({code})")

    async def come_in(self) -> Page:
        """The page a guest is led to after giving a name. Knocks again while the server is away or too busy."""
        answer = f"nobody answers at {self.rehearsal.base_url}"
        for _ in range(KNOCKS):
            try:
                async with self.rehearsal.door:
                    page = await self.visitor.get(f"/j/{self.rehearsal.code}/")
                    if page.form("name"):
                        page = await self.visitor.submit(page, {"name": self.name})
            except (OSError, TimeoutError):
                await asyncio.sleep(self.dice.uniform(1, 3))
                continue
            if "data-live" in page.main:
                return page
            answer = f"{page.address} answered {page.status}"
            if page.status < SERVER_TROUBLE:
                break
            await asyncio.sleep(self.dice.uniform(1, 3))
        raise ShutOut(answer)

    async def stay(self) -> None:
        """Does what the phase asks for, until the event is closed."""
        while (phase := self.phase) not in OVER:
            try:
                await self.act(phase)
            except Refusal as refusal:
                self._count(f"refused ({refusal.code})")
                await self.rest(1, 5)

    async def act(self, phase: Phase) -> None:
        if phase in {Phase.SEATING, Phase.RUNNING} and self.seat is None:
            await self.rest(0.5, 8)
            await self.sit_down()
        elif phase is Phase.RUNNING and self.seat:
            await self.rest(*THINKING, until=lambda: self.phase is not Phase.RUNNING)
            await self.write()
        elif phase is Phase.GALLERY and not self.taken_home:
            await self.rest(5, 60)
            await self.take_home()
        else:
            await self.rest(2, 6, until=lambda: self.phase is not phase)

    async def sit_down(self) -> None:
        """Mostly at a table not visited yet, sometimes wherever there is a place."""
        free = [table for table in self.tables if not table["full"]]
        if self.phase not in {Phase.SEATING, Phase.RUNNING} or self.seat or not free:
            return
        fresh = [table for table in free if table["table"] not in self.visited]
        if fresh and self.dice.random() < 0.7:
            await self.client.do("room", "seat.take", {"table": self.dice.choice(fresh)["table"]})
        else:
            await self.client.do("room", "seat.any", {})
        self._count("seats")
        await self.client.until(lambda: self.seat is not None or self.phase not in {Phase.SEATING, Phase.RUNNING})

    async def write(self) -> None:
        """A note, now and then a second thought about one written before."""
        seat = self.seat
        if self.phase is not Phase.RUNNING or seat is None:
            return
        board = f"board:{seat['board']}"
        await self.look_at(board)
        self.visited.add(seat["table"])
        own = [note for note in self.client.parts.get(board, {}).values() if note.get("by") == self.client.me["id"]]
        if own and self.dice.random() < 0.15:
            await self.reconsider(board, self.dice.choice(own))
            return
        questions = self.questions(seat["table"])
        i = self.dice.randrange(len(questions))
        text = self.rehearsal.thought((self.stage["session"] or 1) - 1, i)
        colour = self.colour if self.dice.random() < OWN_COLOUR else self.dice.choice(COLOURS)
        await self.client.do(board, "note.add", {"q": questions[i]["id"], "text": text, "colour": colour})
        self._count("notes")

    async def look_at(self, board: str) -> None:
        """Follows this board and no other one."""
        for other in [name for name in self.client.cursors if name.startswith("board:") and name != board]:
            await self.client.leave(other)
        if board not in self.client.cursors:
            await self.client.follow(board)

    async def reconsider(self, board: str, note: Frame) -> None:
        match self.dice.choice(("edit", "edit", "move", "colour", "delete")):
            case "edit":
                text = f"{note['text'].rstrip('!.')}!"
                await self.client.do(board, "note.edit", {"note": note["note"], "text": text}, base=note["edited"])
            case "colour":
                await self.client.do(
                    board, "note.edit", {"note": note["note"], "colour": self.dice.choice(COLOURS)}, base=note["edited"]
                )
            case "move":
                await self.client.do(board, "note.move", {"note": note["note"], "after": None})
            case "delete":
                await self.client.do(board, "note.gone", {"note": note["note"]})
        self._count("second thoughts")

    async def take_home(self) -> None:
        self.taken_home = True
        if self.dice.random() < 0.85:
            text = self.dice.choice(self.rehearsal.content.takeaways())
            await self.client.follow("gallery")
            await self.client.do("gallery", "takeaway.set", {"text": text})
            self._count("takeaways")

    @property
    def stage(self) -> Frame:
        return self.client.parts["stage"].get("now", {})

    @property
    def tables(self) -> list[Frame]:
        return list(self.client.parts["room"].values())

    @property
    def phase(self) -> Phase:
        stage = self.stage
        facts = Facts(
            phase=Phase(stage["phase"]),
            session=stage["session"],
            ends_at=stage["ends_at"],
            paused_left=stage["paused_left"],
            sessions=stage["sessions"],
            by_hand=stage["by_hand"],
        )
        return phase_at(facts, round(self.client.now()))

    @property
    def seat(self) -> Frame | None:
        """The own seat in the session that is seated or runs."""
        seat = self.client.parts["me"].get("seat")
        here = seat is not None and seat["table"] is not None and seat["session"] == self.stage["session"]
        return seat if here else None

    def questions(self, table: int) -> list[Frame]:
        own: list[Frame] = next((part["questions"] for part in self.tables if part["table"] == table), [])
        return own or list(self.stage["questions"])

    async def rest(self, least: float, most: float, *, until: Callable[[], bool] | None = None) -> None:
        """Waits as people do; shorter when something they wait for happens."""
        pause = self.dice.uniform(least, most) / self.rehearsal.pace
        if until is None:
            await asyncio.sleep(pause)
            return
        try:
            await self.client.until(until, within=pause)
        except TimeoutError:
            return

    def _count(self, what: str) -> None:
        self.rehearsal.tally[what] += 1
