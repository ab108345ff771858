"""Ten thousand requests and a thousand sockets: how many connections the server takes from its database, and keeps.

    TEST_POSTGRES_URL=… python3 manage.py tool python -m tests.bench.connections --requests 10000 --sockets 1000

Starts `serve` on PostgreSQL, warms it up, opens the sockets (five a guest) and asks for pages and news meanwhile,
twenty at once. Counts the server's connections before, at the most, and when everybody has gone. F38: the pool is never
exceeded, and what stays is at most one for each thread; else the exit status is 1.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import psycopg

from sessions.live.client import Client
from tests.several import Machine, Scene, new_database

A_PERSON = 5  # sockets
AT_ONCE = 20
LANES, LIVE = 8, 4  # threads of pages and of the live engine; each holds one connection once it has worked
POOL = 16
SIZES = {"LANES": str(LANES), "LIVE_THREADS": str(LIVE), "POOL_SIZE": str(POOL)}
COUNTING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@contextmanager
def house(guests: int) -> Iterator[tuple[Machine, Scene]]:
    with new_database(os.environ["TEST_POSTGRES_URL"]) as url, tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder), database_url=url, redis_url="", **SIZES)
        machine.does("migrate", "-v0")
        machine.start()
        try:
            yield machine, machine.scene(seats=5, tables=-(-(guests + 3) // 5))
        finally:
            machine.stop()


@dataclass
class Watch:
    """Looks how many connections the server holds; `most` is what it saw at the most."""

    server: psycopg.Connection[tuple[int]]
    most: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self) -> int:
        row = self.server.execute(COUNTING).fetchone()
        assert row is not None
        self.most = max(self.most, row[0])
        return row[0]

    async def looks(self) -> None:
        while not self.over.is_set():
            await asyncio.to_thread(self.count)
            await asyncio.sleep(0.05)


def ask(machine: Machine, paths: list[str], cookies: list[str], *, count: int) -> Counter[int]:
    """So many requests one after the other over one connection; the answers by status."""
    found: Counter[int] = Counter()
    caller = HTTPConnection("127.0.0.1", machine.port, timeout=60)
    for n in range(count):
        caller.request("GET", paths[n % len(paths)], headers={"Cookie": cookies[n % len(cookies)]})
        answer = caller.getresponse()
        answer.read()
        found[answer.status] += 1
    caller.close()
    return found


async def measure(machine: Machine, scene: Scene, *, requests: int, sockets: int) -> bool:
    names = await asyncio.to_thread(scene.guests, -(-sockets // A_PERSON))
    cookies = [scene.cookies[name] for name in names]
    paths = [f"/live/{scene.key}/parts", f"/e/{scene.key}/me/", "/", "/readyz"]
    with psycopg.connect(machine.env["DATABASE_URL"], autocommit=True) as server:
        watch = Watch(server)

        def all_ask(count: int) -> asyncio.Future[list[Counter[int]]]:
            turns = (cookies[n:] + cookies[:n] for n in range(AT_ONCE))
            return asyncio.gather(*(asyncio.to_thread(ask, machine, paths, turn, count=count) for turn in turns))

        await talk(machine, scene, cookies, sockets=AT_ONCE, until=all_ask(20))
        before = watch.count()
        watching = asyncio.create_task(watch.looks())
        answered = all_ask(requests // AT_ONCE)
        opened = await talk(machine, scene, cookies, sockets=sockets, until=answered)
        watch.over.set()
        await watching
        after = watch.count()
    say("answers by status", dict(sum(await answered, Counter[int]())))
    say("sockets open at once", opened)
    say("connections before", before)
    say("connections at the most", watch.most)
    say("connections afterwards", after)
    say("more than there are threads", max(0, after - LANES - LIVE))
    return watch.most <= POOL and after <= LANES + LIVE


async def talk(
    machine: Machine, scene: Scene, cookies: list[str], *, sockets: int, until: asyncio.Future[list[Counter[int]]]
) -> int:
    """Opens the sockets and keeps them until all requests are answered; how many there were."""
    pages = [Client(machine.url, f"/live/{scene.key}/", cookies=cookies[n % len(cookies)]) for n in range(sockets)]
    async with AsyncExitStack() as stack:
        for first in range(0, sockets, AT_ONCE):
            await asyncio.gather(*(stack.enter_async_context(page) for page in pages[first : first + AT_ONCE]))
        await until
        return sum(page.closed is None for page in pages)


def say(what: str, value: object) -> None:
    sys.stdout.write(f"{what:36} {value}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--sockets", type=int, default=1_000)
    given = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # each socket is a file
    with house(-(-given.sockets // A_PERSON)) as (machine, scene):
        return not asyncio.run(measure(machine, scene, requests=given.requests, sockets=given.sockets))


if __name__ == "__main__":
    sys.exit(main())
