"""What others notice while one person floods the server: how long until a change is at the other side of the table.

    python3 manage.py tool python -m tests.bench.flood [--only "ops by socket"]

Starts `serve` over SQLite. Ben changes the colour of his note again and again, and it is measured until Cem has it; in
turn in peace and while a process of its own floods, one kind after the other. The server has one core, all others share
one, where Ben and Cem go before the flood: what is measured is what the server makes of it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sessions.live.client import Client
from tests.bench.cores import GENERATOR_CORE, SERVER_CORE, on_core
from tests.bench.floods import FLOODS, Target, flood
from tests.several import Machine, Scene

TIMES = 20  # measured in each round
ROUNDS = 4
WARM_UP_S = 1.0  # until the flood has come
PAUSE_S = 0.12  # below the pace that one person may have
COLOURS = ("mint", "sky")


class Table:
    """Ben's note, and Cem who looks at it."""

    def __init__(self, scene: Scene, ben: Client, cem: Client, note: str) -> None:
        self.scene, self.ben, self.cem, self.note, self.count = scene, ben, cem, note, 0

    async def change(self) -> float:
        """Seconds from the intent until the other page has it."""
        self.count += 1
        colour = COLOURS[self.count % 2]
        began = time.perf_counter()
        done = asyncio.ensure_future(self.ben.do(self.scene.board, "note.edit", {"note": self.note, "colour": colour}))
        await self.cem.until(lambda: self.seen() == colour, within=60)
        took = time.perf_counter() - began
        await done
        return took

    def seen(self) -> object:
        return self.cem.parts[self.scene.board][f"note:{self.note}"]["colour"]

    async def round(self) -> list[float]:
        found = []
        for _time in range(TIMES):
            found.append(await self.change())
            await asyncio.sleep(PAUSE_S)
        return found


@contextlib.contextmanager
def flooded(kind: str, target: Target) -> Iterator[None]:
    process = multiprocessing.get_context("spawn").Process(target=flood, args=[kind, target], daemon=True)
    process.start()
    try:
        time.sleep(WARM_UP_S)
        yield
    finally:
        process.kill()
        process.join()


async def measure(table: Table, kind: str, target: Target) -> None:
    calm: list[float] = []
    busy: list[float] = []
    for _round in range(ROUNDS):
        calm += await table.round()
        with flooded(kind, target):
            busy += await table.round()
    say(kind, *(1_000 * share(each, part) for part in (0.5, 0.95) for each in (calm, busy)))


def share(times: list[float], part: float) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[round(100 * part) - 1]


def say(kind: str, *ms: float) -> None:
    calm, busy, calm_most, busy_most = ms
    sys.stdout.write(
        f"{kind:16} p50 {calm:7.1f} {busy:7.1f} ms = {busy / calm:5.2f}x"
        f"   p95 {calm_most:7.1f} {busy_most:7.1f} ms = {busy_most / calm_most:5.2f}x\n"
    )
    sys.stdout.flush()


async def all_of_them(machine: Machine, kinds: list[str]) -> None:
    scene = await asyncio.to_thread(machine.scene)
    code = (await asyncio.to_thread(machine.does, "shell", "--no-imports", "-c", JOIN_CODE.format(scene.key))).strip()
    target = Target(machine.port, scene.key, code, scene.cookies["dana"], scene.board, scene.question)
    async with scene.client("ben") as ben, scene.client("cem") as cem:
        await scene.writes(ben, "mine")
        await cem.until(lambda: scene.sees(cem) == ["mine"])
        note = next(iter(cem.parts[scene.board])).removeprefix("note:")
        for kind in kinds:
            await measure(Table(scene, ben, cem, note), kind, target)


JOIN_CODE = 'from sessions.models import Event; print(Event.objects.get(key="{}").join_code)'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=FLOODS)
    given = parser.parse_args()
    with on_core(GENERATOR_CORE), tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder), database_url="", redis_url="")
        machine.does("migrate", "-v0")
        with on_core(SERVER_CORE):
            machine.start()
        try:
            asyncio.run(all_of_them(machine, [given.only] if given.only else list(FLOODS)))
        finally:
            machine.stop()


if __name__ == "__main__":
    main()
