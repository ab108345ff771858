"""A rolling restart under many open pages whose people write: what is lost, what they see, how soon they are back.

    TEST_POSTGRES_URL=… TEST_REDIS_URL=… python3 manage.py tool tests.bench.rolling --sockets 500

Starts `serve --workers 2`, opens the pages, lets everybody write now and then, sends SIGHUP, waits until all workers
are new and compares: acknowledged notes with the database, each page with the database.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import psycopg

from sessions.live.client import Client, Frame, Refusal
from tests.several import Machine, Scene, new_database

SEATS = 5
AT_ONCE = 20
PATIENCE = 120.0


class Page(Client):
    """Notes when it lost its socket and when it was welcome again."""

    away: list[float]
    left_at: float | None = None

    async def _come_back(self, code: int) -> None:
        if self.left_at is None:
            self.left_at = time.monotonic()
        await super()._come_back(code)

    def _welcomed(self, frame: Frame) -> None:
        if self.left_at is not None:
            self.away.append(time.monotonic() - self.left_at)
            self.left_at = None
        super()._welcomed(frame)


class Guest:
    def __init__(self, scene: Scene, cookie: str, *, every: float) -> None:
        self.page = Page(scene.machine.url, f"/live/{scene.key}/", cookies=cookie)
        self.page.away = []
        self.every = every
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        self.board, self.question = "", 0

    async def sits_down(self, stack: AsyncExitStack) -> None:
        await stack.enter_async_context(self.page)
        seat = self.page.me["seat"]
        self.board, self.question = f"board:{seat['board']}", seat["questions"][0]
        await self.page.follow(self.board)

    async def writes(self, done: asyncio.Event, dice: random.Random) -> None:
        while not done.is_set():
            await asyncio.sleep(dice.uniform(0.5, 1.5) * self.every)
            text = f"{self.page.me['id']} writes {len(self.acknowledged)}"
            data = {"q": self.question, "text": text, "colour": "mint"}
            try:
                await self.page.do(self.board, "note.add", data)
            except Refusal as refusal:
                self.refused.append(refusal.code)
            else:
                self.acknowledged.append(text)

    def texts(self) -> list[str]:
        return sorted(note["text"] for note in self.page.parts[self.board].values())


@contextmanager
def house(sockets: int) -> Iterator[tuple[Machine, Scene]]:
    with new_database(os.environ["TEST_POSTGRES_URL"]) as url, tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder), database_url=url, redis_url=os.environ["TEST_REDIS_URL"], workers=2)
        machine.does("migrate", "-v0")
        machine.start()
        try:
            yield machine, machine.scene(seats=SEATS, tables=-(-(sockets + 3) // SEATS))
        finally:
            machine.stop()


def stored(machine: Machine) -> dict[str, list[str]]:
    """The texts on each board, as the database has them."""
    boards: dict[str, list[str]] = {}
    with psycopg.connect(machine.env["DATABASE_URL"]) as server:
        for board, text in server.execute("SELECT board_id, text FROM tables_note"):
            boards.setdefault(f"board:{board}", []).append(text)
    return {board: sorted(texts) for board, texts in boards.items()}


async def measure(machine: Machine, scene: Scene, *, sockets: int, every: float) -> None:
    names = await asyncio.to_thread(scene.guests, sockets)
    guests = [Guest(scene, scene.cookies[name], every=every) for name in names]
    done, dice = asyncio.Event(), random.Random(1)
    async with AsyncExitStack() as stack:
        for first in range(0, sockets, AT_ONCE):
            await asyncio.gather(*(guest.sits_down(stack) for guest in guests[first : first + AT_ONCE]))
        say("pages at each worker", spread(machine, guests))
        writing = [asyncio.create_task(guest.writes(done, dice)) for guest in guests]
        await asyncio.sleep(2 * every)
        assert machine.process is not None
        began = time.monotonic()
        machine.process.send_signal(signal.SIGHUP)
        while "All workers are new" not in machine.said():
            await asyncio.sleep(0.2)
        say("renewing took", f"{time.monotonic() - began:.1f} s")
        await asyncio.sleep(every)
        done.set()
        await asyncio.gather(*writing)
        await compare(machine, guests)
        say("pages at each worker afterwards", spread(machine, guests))


async def compare(machine: Machine, guests: list[Guest]) -> None:
    there = stored(machine)
    texts = Counter(text for board in there.values() for text in board)
    acknowledged = {text for guest in guests for text in guest.acknowledged}
    codes = Counter(code for guest in guests for code in guest.page.closes)
    await asyncio.gather(
        *(
            guest.page.until(lambda guest=guest: guest.texts() == there.get(guest.board, []), within=PATIENCE)
            for guest in guests
        )
    )
    away = sorted(seconds for guest in guests for seconds in guest.page.away)
    say("notes acknowledged", len(acknowledged))
    say("lost", len(acknowledged - texts.keys()))
    say("doubled", sum(count - 1 for count in texts.values()))
    say("refused", dict(Counter(code for guest in guests for code in guest.refused)) or 0)
    say("sockets closed, by code", dict(codes))
    say("pages sent away for good", sum(guest.page.closed is not None for guest in guests))
    say("pages like the database in the end", f"{len(guests)} of {len(guests)}")
    say("back within 3 s", f"{sum(each <= 3 for each in away) / len(away):.1%} of {len(away)}")
    for share in (0.5, 0.95, 0.99, 1):
        say(f"back, {share:.0%} within", f"{away[round(share * (len(away) - 1))]:.2f} s")


def spread(machine: Machine, guests: list[Guest]) -> list[int]:
    return sorted(Counter(machine.worker_of(*(guest.page for guest in guests))).values())


def say(what: str, value: object) -> None:
    sys.stdout.write(f"{what:36} {value}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sockets", type=int, default=500)
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two notes of one person")
    given = parser.parse_args()
    with house(given.sockets) as (machine, scene):
        asyncio.run(measure(machine, scene, sockets=given.sockets, every=given.every))


if __name__ == "__main__":
    main()
