"""One run: the real thing, people at it, a nemesis, then silence, drills and the verdict."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext

from sessions.live.visitor import Visitor
from tests.chaos.breaking import Breaker
from tests.chaos.checker import judge
from tests.chaos.comparing import screens
from tests.chaos.convergence import AWAY, Convergence, has_it_all
from tests.chaos.crowd import Guest, Moderator, guests_of, signed_in
from tests.chaos.drills import Drills
from tests.chaos.evidence import Deed, Evidence, Rows, Screen
from tests.chaos.history import History
from tests.chaos.nemesis import ALONE, ALONE_S, ALONE_TIMES, Fault, schedule
from tests.chaos.people import Person
from tests.chaos.postgres import MissingError
from tests.chaos.site import Site
from tests.chaos.tabs import Tab, browsers
from tests.machine import BROWSERS

TABLES, SEATS = 8, 6
CLIENTS = 38  # with the tabs of the moderator, 40
MODERATOR_TABS = 2
GUEST_WIRES = 4  # then one for browsers and one for the moderator
COMES_IN_S = 120.0
MOST_AFTER_S = 900.0  # beside the storm; whatever takes longer hangs
LOOK_S = 0.2
NOTE_TEXT = re.compile(r'<p class="note-text"[^>]*>(.*?)</p>', re.DOTALL)


@dataclass(frozen=True)
class Plan:
    """What to run: `seconds` of trouble, then as long as it takes. `clients` are guests, the moderator comes on top."""

    profile: str
    seed: int
    seconds: float
    folder: Path
    clients: int = CLIENTS
    browsers: int = 0
    mutant: str = ""
    alone: int = ALONE_TIMES  # kills once nothing else goes on
    patience: float = 180.0  # seconds until everybody must have everything, once nothing is broken any more


@dataclass
class Outcome:
    """The verdict and the figures. `zeros` by name; empty lists are good."""

    plan: Plan
    zeros: dict[str, list[str]] = field(default_factory=dict)
    deeds: dict[str, Deed] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    since_healed: dict[str, list[float]] = field(default_factory=dict)
    since_back: dict[str, list[float]] = field(default_factory=dict)
    never: int = 0
    resent: int = 0
    took: float = 0.0

    @property
    def is_good(self) -> bool:
        """A run in which nothing happened shows nothing."""
        return bool(self.zeros) and not any(self.zeros.values()) and self.acknowledged > 0

    @property
    def acknowledged(self) -> int:
        return sum(deed.is_acknowledged for deed in self.deeds.values())


class Campaign:
    """`tells` is called with sentences about what is going on."""

    def __init__(self, plan: Plan, *, tells: Callable[[str], None] = lambda _sentence: None) -> None:
        self.plan, self.tells = plan, tells
        self.site = Site(plan.profile, plan.folder, plan.mutant)
        self.history = History()
        self.guests: list[Guest] = []
        self.moderators: list[Moderator] = []
        self.tabs: list[Tab] = []

    @property
    def people(self) -> list[Person]:
        return [*self.guests, *self.moderators]

    async def run(self) -> Outcome:
        began = time.monotonic()
        outcome = Outcome(self.plan)
        try:
            async with asyncio.timeout(self.plan.seconds + MOST_AFTER_S):
                evidence = await self._everything(outcome)
            outcome.deeds = dict(evidence.deeds)
            outcome.zeros = judge(evidence)
            outcome.resent = self.history.resent()
        finally:
            await asyncio.to_thread(self.site.close)
            self.history.write(self.plan.folder / "history.jsonl")
        outcome.took = time.monotonic() - began
        return outcome

    async def _everything(self, outcome: Outcome) -> Evidence:
        await asyncio.to_thread(self.site.open)
        async with browsers(chromium(self.plan.browsers), self.plan.browsers) as contexts, self._crowd(contexts):
            await self._storm(outcome)
            await self._settles()
            self.tells("everybody is quiet; drills")
            drills = Drills(self.site, self.event, self.guests, self.moderators[0], self.history, tells=self.tells)
            await drills.run()
            await self._settles()
            self.tells("the checker looks")
            return await self._evidence(drills)

    @contextlib.asynccontextmanager
    async def _crowd(self, contexts: list[BrowserContext]) -> AsyncIterator[None]:
        """Everybody is there and connected, and goes when the block ends."""
        set_up = await asyncio.to_thread(self.site.set_up, tables=TABLES, seats=SEATS)
        self.event, self.key = set_up["id"], set_up["key"]
        await self._invite(set_up)
        await self._let_in(contexts, set_up["code"])
        self.since = int(await asyncio.to_thread(self.site.runs, f"print(opening.last_change({self.event}))"))
        try:
            for person in self.people:
                person.comes()
            await self._until(lambda: all(one.page and one.page.welcomes for one in self.people), within=COMES_IN_S)
            for tab in self.tabs:
                tab.talks()
            self.tells(f"{len(self.people)} clients and {len(self.tabs)} browsers are there")
            yield
        finally:
            await asyncio.gather(*(person.dies() for person in self.people), *(tab.ends() for tab in self.tabs))

    async def _invite(self, set_up: dict[str, Any]) -> None:
        key, seed = set_up["key"], self.plan.seed
        urls = [wire.url for wire in self.site.wires]
        count = str(self.plan.clients)
        printed = await asyncio.to_thread(self.site.does, "guests", set_up["code"], "--count", count, "--seated")
        self.guests = guests_of(printed, key, urls=urls[:GUEST_WIRES], history=self.history, seed=seed)
        link = await asyncio.to_thread(self.site.machines[0].moderator_link)
        cookies = await signed_in(urls[-1], link)
        for tab in range(MODERATOR_TABS):
            dice = random.Random(f"{seed}/moderator {tab}")
            boards = set_up["boards"][tab::MODERATOR_TABS]
            how = {"url": urls[-1], "cookies": cookies, "history": self.history, "dice": dice}
            self.moderators.append(Moderator(f"m{tab}", key, boards, **how))

    async def _let_in(self, contexts: list[BrowserContext], code: str) -> None:
        """Browsers have a wire of their own. The moderator leaves their guests where they sit."""
        url = self.site.wires[GUEST_WIRES].url
        for number, context in enumerate(contexts):
            how = {"url": url, "key": self.key, "history": self.history, "seed": self.plan.seed}
            self.tabs.append(Tab(f"b{number}", context, **how))
            await self.tabs[-1].joins(code)
        for moderator in self.moderators:
            moderator.leaves_alone = {tab.id for tab in self.tabs}

    async def _storm(self, outcome: Outcome) -> None:
        measured = Convergence(self.site.database, self.event, self.people, patience=self.plan.patience)
        breaker = Breaker(self.site, self.people, healed=measured.watch, tells=self.tells)
        breaker.tabs = self.tabs
        faults = schedule(self.plan.seed, self.plan.profile, self.plan.seconds, browsers=self.plan.browsers)
        calm = asyncio.create_task(asyncio.sleep(self.plan.seconds))
        await breaker.run(faults)
        await calm
        self.tells("the storm is over")
        for person in (*self.people, *self.tabs):
            person.is_quiet = True
        await asyncio.to_thread(self.site.heal)
        await measured.ends()
        await self._killed_alone(breaker, measured)
        outcome.faults = breaker.counts
        outcome.since_healed, outcome.since_back = dict(measured.since_healed), dict(measured.since_back)
        outcome.never = sum(measured.never.values())

    async def _killed_alone(self, breaker: Breaker, measured: Convergence) -> None:
        """In the middle of what everybody says; nothing else goes on, nor did before."""
        for _time in range(self.plan.alone):
            await self._settles()
            for guest in self.guests:
                wish = guest.note() if guest.seat and guest.page else None
                if wish:
                    guest.wants(wish)
            await breaker.carry_out(Fault(0.0, ALONE, ALONE_S, 0, 0.0))
            await measured.ends()

    async def _settles(self) -> None:
        """Until everybody has everything, or too long: then the checker says what is missing."""
        end = asyncio.get_running_loop().time() + self.plan.patience
        behind: list[str] = []
        while asyncio.get_running_loop().time() < end:
            with contextlib.suppress(*AWAY):
                rows = await asyncio.to_thread(self.site.database.rows, self.event)
                heads = {name: stream.head for name, stream in rows.streams.items()}
                behind = [one.name for one in self.people if not has_it_all(one, heads, set(one.outbox))]
                if not behind and await self._browsers_have(rows):
                    return
            await asyncio.sleep(LOOK_S)
        self.tells(f"patience is over, still behind: {', '.join(behind) or 'a browser'}")

    async def _browsers_have(self, rows: Rows) -> bool:
        shown = await self._screens()
        missing = len(shown) < len(self.tabs) or any([await tab.outbox() for tab in self.tabs])
        return not missing and not list(screens(Evidence(deeds={}, rows=rows, screens=shown)))

    async def _screens(self) -> tuple[Screen, ...]:
        found = [await tab.screen() for tab in self.tabs]
        return tuple(screen for screen in found if screen)

    async def _record(self) -> tuple[str, ...]:
        """The words of every note on the gallery's wall, as the moderator gets it."""
        visitor = Visitor(self.moderators[0].url)
        visitor.cookies = self.moderators[0].cookies
        page = await visitor.get(f"/e/{self.key}/gallery/?view=wall")
        return tuple(unescape(text) for text in NOTE_TEXT.findall(page.text))

    async def _evidence(self, drills: Drills) -> Evidence:
        views = [view for person in self.people if (view := person.view())]
        shown = await self._screens()
        here = {view.who for view in views} | {screen.who for screen in shown}
        outboxes = {tab.name: await tab.outbox() for tab in self.tabs}
        return Evidence(
            deeds=self.history.deeds(),
            rows=await asyncio.to_thread(self.site.database.rows, self.event),
            views=tuple(views),
            absent=tuple(one.name for one in (*self.people, *self.tabs) if one.name not in here),
            screens=shown,
            records={"the gallery": await self._record()},
            outboxes=outboxes | {person.name: tuple(person.outbox) for person in self.people},
            typed={tab.name: tuple(tab.typed) for tab in self.tabs},
            since=self.since,
            beside=frozenset(drills.beside),
            brought_by_beat=tuple(drills.brought_by_beat),
            contended=drills.contended,
        )

    async def _until(self, holds: Callable[[], bool], *, within: float) -> None:
        async with asyncio.timeout(within):
            while not holds():
                await asyncio.sleep(LOOK_S)


def chromium(count: int) -> str:
    """Where Chromium is, if `count` browsers shall take part. Raises `MissingError`."""
    found = next(filter(None, map(shutil.which, BROWSERS)), "")
    if count and not found:
        raise MissingError("Chromium (apt install chromium, or --browsers 0)")
    return found
