"""People at the café: each has a page that dies and comes back, and an outbox that outlives it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from uuid import UUID

from sessions.live.client import Client, Ended, Frame, Refusal
from sessions.live.uuid7 import uuid7
from sessions.live.visitor import Visitor
from tests.chaos.evidence import View
from tests.chaos.history import History

MOST_WAITING = 6  # operations somebody has on their way before they think again
MOST_BOARDS = 4  # a page follows at most eight streams
TROUBLE = (OSError, TimeoutError, LookupError, ValueError, Ended)  # what opening a page may end in while things break


class Wish(NamedTuple):
    """Something to do; `base` as in the protocol."""

    stream: str
    kind: str
    data: dict[str, Any]
    base: int | None = None


class Page(Client):
    """A page that tells what it sends and hears, before anything comes of it."""

    person: Person
    number: int

    def belongs_to(self, person: Person) -> Page:
        self.person, self.number = person, person.pages
        return self

    async def _say(self, frame: Frame) -> None:
        if frame["t"] == "op" and self._socket is not None:
            self.person.history.note(self.person.name, self.number, self.welcomes, "sends", frame)
        await super()._say(frame)

    async def _hear(self, frame: Frame) -> None:
        self.person.hears(frame)
        await super()._hear(frame)


class Person:
    """Somebody with a name, cookies and habits. `url` is where they find the server."""

    sees = "guests"

    def __init__(self, name: str, *, url: str, cookies: dict[str, str], history: History, dice: random.Random) -> None:
        self.name, self.url, self.cookies, self.history, self.dice = name, url, cookies, history, dice
        self.id = 0
        self.pages = 0
        self.said = 0
        self.outbox: dict[str, Frame] = {}
        self.page: Page | None = None
        self.is_quiet = False
        self.pace = 3.0  # seconds between two deeds, on average
        self.life: asyncio.Task[None] | None = None
        self.errands: set[asyncio.Task[None]] = set()
        self.frames: list[Frame] = []  # the latest
        self.back_at = 0.0  # when a server last welcomed them, loop clock

    @property
    def address(self) -> str:
        raise NotImplementedError

    def wish(self) -> Wish | None:
        """What they would do now, from what their page shows."""
        raise NotImplementedError

    async def settle_in(self, page: Page) -> None:
        """Follows what the page does not follow by itself."""
        raise NotImplementedError

    def comes(self) -> None:
        self.life = asyncio.create_task(self._live())

    async def dies(self) -> None:
        """As a tab that crashes: no word to anybody. The outbox stays."""
        self.history.note(self.name, self.pages, 0, "dies")
        if self.page is not None:
            await self.page.drop()
        if self.life is not None:
            self.life.cancel()
            await asyncio.gather(self.life, return_exceptions=True)
        self.page = None

    def writes(self) -> str:
        """Words nobody else says."""
        self.said += 1
        return f"{self.dice.choice(WORDS)} #{self.name}-{self.said}#"

    def wants(self, wish: Wish, *, op_id: UUID | None = None) -> str:
        """Puts an operation into the outbox and sends it; its id."""
        op: Frame = {"t": "op", "id": str(op_id or uuid7()), "s": wish.stream, "k": wish.kind, "d": wish.data}
        if wish.base is not None:
            op["base"] = wish.base
        self.outbox[op["id"]] = op
        self.history.note(self.name, self.pages, 0, "wants", op)
        self._send(op)
        return str(op["id"])

    def hears(self, frame: Frame) -> None:
        if frame["t"] in {"ack", "err"} and "id" in frame:
            self.history.note(self.name, self.pages, self.page.welcomes if self.page else 0, frame["t"], frame)
        if frame["t"] == "welcome":
            self.back_at = asyncio.get_running_loop().time()
        self.frames = [*self.frames[-99:], frame]

    def view(self) -> View | None:
        page = self.page
        if page is None or not page.is_connected:
            return None
        return View(self.name, self.id, self.sees, dict(page.cursors), {s: dict(p) for s, p in page.parts.items()})

    async def _live(self) -> None:
        while True:
            with contextlib.suppress(*TROUBLE):
                async with self._open() as page:
                    await self._stay(page)
            await asyncio.sleep(self.dice.uniform(0.5, 2))

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[Page]:
        """Loads the page as a browser does and goes on from its HTML, with what the outbox holds."""
        visitor = Visitor(self.url)
        visitor.cookies = self.cookies
        html = await visitor.get(self.address)
        if "data-live" not in html.main:
            raise LookupError(f"{html.address} answered {html.status}")
        self.pages += 1
        page = Page.of_page(self.url, html.main, cookies=visitor.cookie_header, dice=self.dice).belongs_to(self)
        self.page = page
        try:
            async with page:
                self.id = self.history.people[self.name] = page.me["id"]
                self.history.note(self.name, self.pages, page.welcomes, "opens")
                await self.settle_in(page)
                for op in list(self.outbox.values()):
                    self._send(op)
                yield page
        finally:
            for errand in self.errands:
                errand.cancel()
            await asyncio.gather(*self.errands, return_exceptions=True)
            self.page = None

    async def _stay(self, page: Page) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await page.until(lambda: False, within=min(5 * self.pace, self.dice.expovariate(1 / self.pace)))
            await self.settle_in(page)
            if self.is_quiet or len(self.outbox) >= MOST_WAITING:
                continue
            wish = self.wish()
            if wish is not None:
                self.wants(wish)

    def _send(self, op: Frame) -> None:
        if self.page is not None:
            errand = asyncio.create_task(self._carry(self.page, op))
            self.errands.add(errand)
            errand.add_done_callback(self.errands.discard)

    async def _carry(self, page: Page, op: Frame) -> None:
        """To the last word about it; without one it stays in the outbox."""
        with contextlib.suppress(Ended):
            with contextlib.suppress(Refusal):
                await page.do(op["s"], op["k"], op["d"], base=op.get("base"), op_id=UUID(op["id"]))
            self.outbox.pop(op["id"], None)


WORDS = ("Benches", "Trees", "Shade", "Water", "Coffee", "Music", "Bicycles", "Neighbours", "Children", "Lamps")
