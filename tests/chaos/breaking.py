"""Carries faults out on the site and on people, and heals them again."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from tests.browser.wire_cutter import DOWN, UP, WireCutter
from tests.chaos.nemesis import ALONE, Fault
from tests.chaos.people import Person
from tests.chaos.site import Machine, Site

WAYS = ((UP, DOWN), (UP,), (DOWN,))
Act = Callable[[Fault], AbstractAsyncContextManager[None]]


class Breaker:
    """`healed` is told of every fault that is over; `counts` how many there were of a kind."""

    def __init__(
        self, site: Site, people: list[Person], *, healed: Callable[[Fault], None], tells: Callable[[str], None]
    ) -> None:
        self.site, self.people, self.healed, self.tells = site, people, healed, tells
        self.counts: Counter[str] = Counter()
        self.locks: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.tabs: list[Any] = []  # browsers, which can crash
        self.acts: dict[str, Act] = {
            "kill one server": lambda fault: self._down(fault, [self._machine(fault)], signal.SIGKILL),
            "kill all servers": lambda fault: self._down(fault, self.site.machines, signal.SIGKILL),
            ALONE: lambda fault: self._down(fault, self.site.machines, signal.SIGKILL),
            "restart a server": lambda fault: self._down(fault, [self._machine(fault)], signal.SIGTERM),
            "stop a server": self._stopped,
            "kill clients": self._killed_clients,
            "crash a tab": self._crashed_tab,
            "restart PostgreSQL": lambda fault: self._without_database("stop"),
            "stop PostgreSQL at once": lambda fault: self._without_database("stop_at_once"),
            "kill PostgreSQL": lambda fault: self._without_database("kill"),
            "restart Redis": lambda fault: self._without_redis("kill", "start"),
            "pause Redis": lambda fault: self._without_redis("freeze", "thaw"),
            "empty Redis": lambda fault: self._without_redis("flush", "thaw"),
        }
        for before, wires in (("", site.wires), ("database", site.database_wires), ("Redis", site.redis_wires)):
            self._hang(before, wires)

    def _hang(self, before: str, wires: list[WireCutter]) -> None:
        """What can happen to wires, by the names that faults have."""
        names = {
            "": ("latency", "cut", "half-open", "slow reading", "lost frames", "refused connections"),
            "database": ("database latency", "cut the database", "half-open database"),
            "Redis": ("Redis latency", "cut Redis", "half-open Redis"),
        }
        for name, change in zip(names[before], (late, cut, half_open, slow, lossy, refusing), strict=False):
            self.acts[name] = lambda fault, wires=wires, change=change: self._on_wire(fault, wires, change)  # type: ignore[misc]

    async def run(self, faults: list[Fault]) -> None:
        """Each at its time; they may overlap."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                await asyncio.sleep(max(0.0, began + fault.at - loop.time()))
                group.create_task(self.carry_out(fault))

    async def carry_out(self, fault: Fault) -> None:
        """One of them, now."""
        self.counts[fault.kind] += 1
        self.tells(f"{fault.kind}, {fault.lasts} s")
        async with self.acts[fault.kind](fault):
            await asyncio.sleep(fault.lasts)
        self.healed(fault)

    def _machine(self, fault: Fault) -> Machine:
        return self.site.machines[fault.on % len(self.site.machines)]

    @asynccontextmanager
    async def _alone(self, *things: object) -> AsyncIterator[None]:
        """One fault at a time for each thing, locked in one order."""
        async with AsyncExitStack() as stack:
            for thing in sorted(things, key=id):
                await stack.enter_async_context(self.locks[id(thing)])
            yield

    @asynccontextmanager
    async def _down(self, _fault: Fault, machines: list[Machine], how: signal.Signals) -> AsyncIterator[None]:
        async with self._alone(*machines):
            await asyncio.gather(*(asyncio.to_thread(machine.stop, how) for machine in machines))
            try:
                yield
            finally:
                await asyncio.gather(*(asyncio.to_thread(machine.comes_up) for machine in machines))

    @asynccontextmanager
    async def _stopped(self, fault: Fault) -> AsyncIterator[None]:
        machine = self._machine(fault)
        async with self._alone(machine):
            machine.freeze()
            try:
                yield
            finally:
                machine.thaw()

    @asynccontextmanager
    async def _killed_clients(self, fault: Fault) -> AsyncIterator[None]:
        """Up to a quarter of them."""
        count = 1 + int(fault.dial * len(self.people) / 4)
        those = random.Random(fault.on).sample(self.people, count)
        await asyncio.gather(*(person.dies() for person in those))
        try:
            yield
        finally:
            for person in those:
                person.comes()

    @asynccontextmanager
    async def _crashed_tab(self, fault: Fault) -> AsyncIterator[None]:
        tab = self.tabs[fault.on % len(self.tabs)]
        async with self._alone(tab):
            await tab.dies()
            try:
                yield
            finally:
                await tab.comes()

    @asynccontextmanager
    async def _without_database(self, how: str) -> AsyncIterator[None]:
        postgres = self.site.postgres
        async with self._alone(postgres):
            await asyncio.to_thread(getattr(postgres, how))
            try:
                yield
            finally:
                await asyncio.to_thread(postgres.start if postgres else int)

    @asynccontextmanager
    async def _without_redis(self, ends: str, begins: str) -> AsyncIterator[None]:
        redis = self.site.redis
        async with self._alone(redis):
            await asyncio.to_thread(getattr(redis, ends))
            try:
                yield
            finally:
                await asyncio.to_thread(getattr(redis, begins))

    @asynccontextmanager
    async def _on_wire(
        self, fault: Fault, wires: list[WireCutter], change: Callable[[WireCutter, Fault], None]
    ) -> AsyncIterator[None]:
        """What is half-open before a database ends with the fault; people have to notice for themselves."""
        wire = wires[fault.on % len(wires)]
        async with self._alone(wire):
            await asyncio.to_thread(change, wire, fault)
            try:
                yield
            finally:
                wire.let_through()
                if wires is not self.site.wires:
                    await asyncio.to_thread(wire.end_dead)


def late(wire: WireCutter, fault: Fault) -> None:
    wire.delay_s = 0.02 + 0.5 * fault.dial**2


def cut(wire: WireCutter, _fault: Fault) -> None:
    wire.cut()


def half_open(wire: WireCutter, fault: Fault) -> None:
    wire.clog(*WAYS[fault.on % len(WAYS)])


def slow(wire: WireCutter, fault: Fault) -> None:
    wire.bytes_per_s = int(500 + 5_000 * fault.dial)


def lossy(wire: WireCutter, fault: Fault) -> None:
    dice = random.Random(fault.on)
    share = 0.1 + 0.5 * fault.dial
    wire.loses = lambda: dice.random() < share


def refusing(wire: WireCutter, _fault: Fault) -> None:
    wire.refuse()
