"""PostgreSQL goes and comes back under a running server (F28), in a cluster of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sessions.live.client import Client, Frame
from sessions.live.visitor import Page, Visitor
from tables.models import Note
from tests.chaos import postgres
from tests.chaos.postgres import Cluster
from tests.chaos.site import scratch
from tests.machine import or_say
from tests.several import Machine, Scene

PATIENCE = 60.0


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Not below pytest's own folder: each session that begins closes that to PostgreSQL's account."""
    try:
        postgres.programs()
    except postgres.MissingError as missing:
        or_say(None, str(missing))
    with scratch() as folder:
        cluster = Cluster(folder)
        try:
            cluster.start()
            cluster.create()
            yield cluster
        finally:
            cluster.close()


@pytest.fixture
def machine(cluster: Cluster, tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path, database_url=cluster.url(), redis_url="")
    machine.does("migrate", "-v0")
    machine.start()
    yield machine
    machine.stop()


class Ears:
    """What a client hears, for those who wait for it."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.news = asyncio.Event()

    def __call__(self, frame: Frame) -> None:
        self.frames.append(frame)
        self.news.set()

    async def hear(self, **values: object) -> None:
        async with asyncio.timeout(PATIENCE):
            while not any(values.items() <= frame.items() for frame in self.frames):
                self.news.clear()
                await self.news.wait()


@pytest.mark.parametrize("end", ["stop", "stop_at_once"])
async def test_words_wait_for_a_database_that_restarts(cluster: Cluster, machine: Machine, end: str) -> None:
    scene, ears = await asyncio.to_thread(machine.scene), Ears()
    async with scene.client("cem", heard=ears) as cem, scene.client("ben") as ben:
        await scene.writes(cem, "before")
        await asyncio.to_thread(getattr(cluster, end))
        writing = asyncio.create_task(scene.writes(cem, "meanwhile"))
        await ears.hear(t="err", code="busy", retry=True)
        assert (await visit(scene)).status == 503
        ears.frames.clear()
        await ears.hear(t="beat")  # the sockets live on
        assert not writing.done()

        await asyncio.to_thread(cluster.start)
        async with asyncio.timeout(PATIENCE):
            await writing
        for page in (cem, ben):
            await both_notes(scene, page)
        async with asyncio.timeout(PATIENCE):
            while (await visit(scene)).status != 200:
                continue
        assert (cem.closes, ben.closes) == ([], [])
    with psycopg.connect(cluster.url()) as server:
        rows = server.execute(f"SELECT text FROM {Note._meta.db_table} ORDER BY seq").fetchall()
    assert rows == [("before",), ("meanwhile",)]
    assert "Traceback" not in machine.said()


async def both_notes(scene: Scene, page: Client) -> None:
    await page.until(lambda: scene.sees(page) == ["before", "meanwhile"], within=PATIENCE)


async def visit(scene: Scene) -> Page:
    visitor = Visitor(scene.machine.url)
    name, _, value = scene.cookies["cem"].partition("=")
    visitor.cookies[name] = value
    return await visitor.get(f"/e/{scene.key}/table/")
