"""How long it takes after a fault until everybody has what was there when it was over. Measured, never judged."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence

import psycopg

from tests.chaos.nemesis import Fault
from tests.chaos.people import Person
from tests.chaos.rows import Database

LOOK_S = 0.1
AWAY = (OSError, sqlite3.Error, psycopg.Error)


class Convergence:
    """Seconds by kind of fault: `since_healed`, and `since_back`, from the moment the client itself was back."""

    def __init__(self, database: Database, event: int, people: Sequence[Person], *, patience: float) -> None:
        self.database, self.event, self.people, self.patience = database, event, people, patience
        self.since_healed: defaultdict[str, list[float]] = defaultdict(list)
        self.since_back: defaultdict[str, list[float]] = defaultdict(list)
        self.never: defaultdict[str, int] = defaultdict(int)
        self.watching: set[asyncio.Task[None]] = set()

    def watch(self, fault: Fault) -> None:
        task = asyncio.create_task(self._watch(fault.kind))
        self.watching.add(task)
        task.add_done_callback(self.watching.discard)

    async def ends(self) -> None:
        await asyncio.gather(*self.watching)

    async def _watch(self, kind: str) -> None:
        loop = asyncio.get_running_loop()
        healed = loop.time()
        waiting = {person: set(person.outbox) for person in self.people}
        heads = await self.heads()
        while waiting and loop.time() < healed + self.patience:
            for person in [one for one, ops in waiting.items() if has_it_all(one, heads, ops)]:
                del waiting[person]
                self.since_healed[kind].append(loop.time() - healed)
                self.since_back[kind].append(loop.time() - max(healed, person.back_at))
            await asyncio.sleep(LOOK_S)
        self.never[kind] += len(waiting)

    async def heads(self) -> dict[str, int]:
        """As soon as the database says them."""
        while True:
            with contextlib.suppress(*AWAY):
                return await asyncio.to_thread(self.database.heads, self.event)
            await asyncio.sleep(LOOK_S)


def has_it_all(person: Person, heads: Mapping[str, int], ops: set[str]) -> bool:
    """Whether somebody is connected, not behind these heads, and rid of these operations."""
    page = person.page
    if page is None or not page.is_connected or not page.welcomes or ops & person.outbox.keys():
        return False
    return all(
        cursor >= heads.get(f"me:{person.id}" if stream == "me" else stream, 0)
        for stream, cursor in page.cursors.items()
    )


def percentiles(samples: Sequence[float]) -> tuple[float, float, float, float]:
    """p50, p95, p99 and the largest, by the nearest rank."""
    ordered = sorted(samples)
    ranks = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99)]
    return (ranks[0], ranks[1], ranks[2], ordered[-1])
