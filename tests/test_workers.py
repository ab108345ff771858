"""Several processes serve one café: whoever is where sees the same, whatever ends, and nobody loses a word."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from sessions.live.client import Client, Frame
from sessions.live.visitor import Visitor
from tables.models import Note
from tests.redis_server import RedisServer, redis_running
from tests.several import Machine, Scene, is_there, new_database, tell, until

PATIENCE = 60.0
EXCHANGES = 12
MOST_NOTES = 40


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One folder for all, so that static files are collected once."""
    return str(tmp_path_factory.mktemp("var"))


@pytest.fixture(scope="module")
def database(postgres_url: str, var: str) -> Iterator[str]:
    with new_database(postgres_url) as url:
        Machine(Path(var), database_url=url, redis_url="").does("migrate", "-v0")
        yield url


@pytest.fixture
def redis(redis_server: str, tmp_path: Path) -> Iterator[RedisServer]:
    with redis_running(redis_server, tmp_path) as server:
        yield server


@contextlib.contextmanager
def started(*machines: Machine) -> Iterator[None]:
    try:
        for machine in machines:
            machine.start()
        yield
    finally:
        for machine in machines:
            machine.stop()


@pytest.fixture
def pair(database: str, redis: RedisServer, var: str, tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    """Two machines with one worker each."""
    urls = {"database_url": database, "redis_url": redis.url}
    here, there = (Machine(tmp_path / name, **urls, VAR_DIR=var) for name in ("here", "there"))
    with started(here, there):
        yield here, there


def two_workers(database: str, redis_url: str, var: str, folder: Path) -> Machine:
    return Machine(folder, database_url=database, redis_url=redis_url, workers=2, VAR_DIR=var)


@pytest.fixture(scope="module")
def house(database: str, redis_url: str, var: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One machine with two workers, which stays."""
    house = two_workers(database, redis_url, var, tmp_path_factory.mktemp("house"))
    with started(house):
        yield house


@pytest.fixture
def short_lived(database: str, redis_url: str, var: str, tmp_path: Path) -> Iterator[Machine]:
    house = two_workers(database, redis_url, var, tmp_path)
    with started(house):
        yield house


def stored(database: str, scene: Scene) -> list[str]:
    """The texts on the board at table 1 as the database has them."""
    with psycopg.connect(database) as server:
        query = f"SELECT text FROM {Note._meta.db_table} WHERE board_id = %s ORDER BY seq"
        return [text for (text,) in server.execute(query, [scene.board.partition(":")[2]])]


async def exchanges(scene: Scene, writer: Client, reader: Client, texts: list[str]) -> int:
    """Each text is written when the one before has arrived; how often the reader was told the time meanwhile."""
    beats: list[Frame] = []
    reader.heard = lambda frame: beats.append(frame) if frame["t"] == "beat" else None
    for text in texts:
        await scene.writes(writer, text)
        await reader.until(lambda text=text: text in scene.sees(reader), within=PATIENCE)  # type: ignore[misc]
    reader.heard = None
    return len(beats)


def some(what: str, count: int = EXCHANGES) -> list[str]:
    return [f"{what} {number}" for number in range(count)]


async def test_notes_go_from_one_machine_to_the_other_whatever_becomes_of_redis(
    pair: tuple[Machine, Machine], redis: RedisServer, database: str
) -> None:
    """Without a hint each note would wait for the next look, and looks come no more often than beats."""
    here, there = pair
    scene = here.scene()
    async with scene.client("cem") as cem, scene.client("ben", at=there) as ben:
        assert await exchanges(scene, cem, ben, some("hinted")) < EXCHANGES
        await asyncio.to_thread(redis.flush)
        assert await exchanges(scene, cem, ben, some("flushed")) < EXCHANGES
        assert ["no hints through Redis" in each.said() for each in pair] == [False, False]
        await asyncio.to_thread(redis.kill)
        await exchanges(scene, cem, ben, some("alone", 3))
        await asyncio.to_thread(redis.start)
        await asyncio.to_thread(until, lambda: all("hints go through Redis again" in each.said() for each in pair))
        assert await exchanges(scene, ben, cem, some("again")) < EXCHANGES
        everything = [*some("hinted"), *some("flushed"), *some("alone", 3), *some("again")]
        for page in (cem, ben):
            await page.until(lambda page=page: scene.sees(page) == everything, within=PATIENCE)  # type: ignore[misc]
        assert stored(database, scene) == everything
        assert (cem.closes, ben.closes) == ([], [])
    for machine in pair:
        assert machine.said().count("no hints through Redis") == 1


@asynccontextmanager
async def one_at_each_worker(scene: Scene) -> AsyncIterator[list[Client]]:
    """Two pages that different workers serve; pages are opened until that is so."""
    async with AsyncExitStack() as stack:
        found: dict[int, Client] = {}
        for who in ["cem", "ben"] * 5:
            client = await stack.enter_async_context(scene.client(who))
            found.setdefault(scene.machine.worker_of(client)[0], client)
            if len(found) == 2:
                break
        assert sorted(found) == sorted(scene.machine.workers())
        yield list(found.values())


async def test_workers_share_a_port_and_tell_each_other(house: Machine) -> None:
    scene = house.scene()
    async with one_at_each_worker(scene) as (one, other):
        assert await exchanges(scene, one, other, some("there")) < EXCHANGES
        assert await exchanges(scene, other, one, some("back")) < EXCHANGES
    assert "no hints through Redis" not in house.said()


async def test_a_worker_that_is_killed_is_replaced_and_its_pages_come_back(house: Machine, database: str) -> None:
    scene = house.scene()
    async with one_at_each_worker(scene) as (one, other):
        before = house.workers()
        [victim] = house.worker_of(one)
        await scene.writes(one, "before")
        tell(victim, signal.SIGKILL)
        await scene.writes(one, "after")
        await other.until(lambda: scene.sees(other) == ["before", "after"], within=PATIENCE)
        await asyncio.to_thread(until, lambda: len(set(house.workers()) - {victim}) == 2)
        assert len(set(before) & set(house.workers())) == 1
        assert (one.closes[:1], other.closes) == ([1006], [])
    assert stored(database, scene) == ["before", "after"]
    assert f"(process {victim}) was ended by SIGKILL; another takes its place" in house.said()


async def test_a_worker_that_hangs_keeps_nobody_waiting_at_the_door(house: Machine) -> None:
    scene = house.scene()
    victim = house.workers()[0]
    tell(victim, signal.SIGSTOP)
    try:
        async with AsyncExitStack() as stack:
            pages = [await stack.enter_async_context(scene.client(who)) for who in ("ben", "cem")]
            assert victim not in house.worker_of(*pages)
            await exchanges(scene, pages[0], pages[1], ["still here"])
    finally:
        tell(victim, signal.SIGCONT)


def test_the_end_is_orderly_and_leaves_no_process(short_lived: Machine) -> None:
    workers = short_lived.workers()
    assert len(workers) == 2
    assert short_lived.process is not None
    short_lived.process.send_signal(signal.SIGTERM)
    assert short_lived.process.wait(timeout=PATIENCE) == 0
    assert [pid for pid in workers if is_there(pid)] == []
    assert [line for line in short_lived.said().splitlines() if " info " not in line] == []


def test_workers_do_not_outlive_their_supervisor(short_lived: Machine) -> None:
    workers = short_lived.workers()
    short_lived.kill()
    until(lambda: [pid for pid in workers if is_there(pid)] == [])
    short_lived.start()


class Writing:
    """A guest who posts one note after the other."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.scene, self.name, self.done = scene, name, False
        self.client = scene.client(name)
        self.acknowledged: list[str] = []

    async def goes_on(self) -> None:
        while not self.done and len(self.acknowledged) < MOST_NOTES:
            text = f"{self.name} {len(self.acknowledged)}"
            await self.scene.writes(self.client, text)
            self.acknowledged.append(text)
            await asyncio.sleep(0.5)

    async def sees(self, texts: list[str]) -> None:
        await self.client.until(lambda: sorted(self.scene.sees(self.client)) == texts, within=PATIENCE)


async def visits(house: Machine, statuses: list[int]) -> None:
    """Looks in again and again, over a connection of its own each time."""
    while True:
        statuses.append((await Visitor(house.url).get("/healthz")).status)


async def test_a_rolling_restart_loses_nothing_and_doubles_nothing(house: Machine, database: str) -> None:
    scene = house.scene(seats=24)
    writing = [Writing(scene, name) for name in await asyncio.to_thread(scene.guests, 20)]
    before, statuses = house.workers(), list[int]()
    async with AsyncExitStack() as stack:
        await asyncio.gather(*(stack.enter_async_context(each.client) for each in writing))
        going_on = [asyncio.create_task(each.goes_on()) for each in writing]
        visiting = asyncio.create_task(visits(house, statuses))
        assert house.process is not None
        house.process.send_signal(signal.SIGHUP)
        await asyncio.to_thread(until, lambda: "All workers are new" in house.said())
        for each in writing:
            each.done = True
        await asyncio.gather(*going_on)
        visiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await visiting
        everything = sorted(text for each in writing for text in each.acknowledged)
        await asyncio.gather(*(each.sees(everything) for each in writing))
        assert {code for each in writing for code in each.client.closes} == {1012}
    assert sorted(stored(database, scene)) == everything
    assert (len(house.workers()), set(before) & set(house.workers())) == (2, set())
    assert set(statuses) == {200}


async def test_new_workers_that_could_not_start_leave_the_old_ones_alone(
    postgres_url: str, redis_url: str, var: str, tmp_path: Path
) -> None:
    """Here the update needs a migration that nobody has made."""
    with new_database(postgres_url) as url:
        house = two_workers(url, redis_url, var, tmp_path)
        house.does("migrate", "-v0")
        with started(house):
            before = house.workers()
            with psycopg.connect(url) as server:
                server.execute("DELETE FROM django_migrations WHERE app = 'tables'")
            assert house.process is not None
            house.process.send_signal(signal.SIGHUP)
            await asyncio.to_thread(until, lambda: "those that run go on" in house.said())
            assert "run python3 manage.py migrate first" in house.said()
            assert house.workers() == before
            assert (await Visitor(house.url).get("/healthz")).status == 200
