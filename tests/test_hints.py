"""Hints between processes: what rises here is told there, only by its id, and nobody ever waits for Redis."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from redis.asyncio import Redis

from sessions.live import hints as hinting
from sessions.live import hub as hubs
from sessions.live import threads
from sessions.live.hints import Hints
from sessions.live.hub import Hub
from sessions.models import Stream
from tests.cafe import Cafe
from tests.readers import Reader, board_stream, everybody_left, unheard, writes
from tests.redis_server import RedisServer, redis_running

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 30.0
ANOTHER = "0" * 16


@pytest.fixture
async def running(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cafe]:
    """No heartbeat comes to help."""
    monkeypatch.setattr(hubs, "BEAT_S", 1_000.0)
    yield await sync_to_async(lambda: Cafe().runs())()
    await everybody_left()
    await threads.close()
    await sync_to_async(connections.close_all)()


@pytest.fixture
def redis(redis_server: str, tmp_path: Path) -> Iterator[RedisServer]:
    with redis_running(redis_server, tmp_path) as server:
        yield server


async def becomes(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def hinting_through(url: str) -> AsyncIterator[Hints]:
    hints = Hints(url)
    hints.start()
    try:
        await becomes(lambda: hints.get_through is not None)
        yield hints
    finally:
        await hints.stop()


class Neighbour:
    """Another process at the same Redis: hears what is told and tells something."""

    def __init__(self, redis: Redis, channel: str) -> None:
        self.redis, self.channel = redis, channel
        self.heard: asyncio.Queue[str] = asyncio.Queue()

    async def listens(self) -> None:
        async with self.redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(self.channel)
            async for message in pubsub.listen():
                await self.heard.put(message["data"].decode())

    async def hears_of(self, *ids: int) -> str:
        """The first message that names all of these."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self.heard.get()
                if {str(one) for one in ids} <= set(message.split()[1:]):
                    return message

    async def tells(self, message: str) -> None:
        await self.redis.publish(self.channel, message)


@asynccontextmanager
async def neighbour_of(hints: Hints) -> AsyncIterator[Neighbour]:
    async with Redis.from_url(hints.url) as redis:
        neighbour = Neighbour(redis, hints.channel)
        listening = asyncio.create_task(neighbour.listens())
        async with asyncio.timeout(PATIENCE):
            await neighbour.heard.get()  # its own presence is told by each process
        try:
            yield neighbour
        finally:
            listening.cancel()
            await asyncio.wait({listening})


async def writes_unheard(cafe: Cafe, text: str) -> None:
    await unheard(lambda: cafe.writes(cafe.ben, text))


async def reader_of(cafe: Cafe) -> tuple[Reader, Stream]:
    stream = await board_stream(cafe)
    cem = Reader(cafe.cem).follows(stream, 0)
    await becomes(lambda: cem.follower.subs[stream.pk].ready)
    return cem, stream


async def test_what_is_written_here_is_told_there_by_its_id_alone(running: Cafe, redis_url: str) -> None:
    async with hinting_through(redis_url) as hints, neighbour_of(hints) as neighbour:
        await writes(running, "Benches")
        message = await neighbour.hears_of((await board_stream(running)).pk)
    assert re.fullmatch(rf"{hints.me}( \d+)+", message)


async def test_what_another_process_wrote_is_read_at_its_hint(running: Cafe, redis_url: str) -> None:
    async with hinting_through(redis_url) as hints, neighbour_of(hints) as neighbour:
        cem, stream = await reader_of(running)
        await writes_unheard(running, "Benches")
        await neighbour.tells(f"{ANOTHER} 7 {stream.pk}")
        await cem.stands_at(1)
    assert [part["text"] for part in cem.shown().values()] == ["Benches"]


async def test_what_is_no_hint_does_no_harm(running: Cafe, redis_url: str) -> None:
    async with hinting_through(redis_url) as hints, neighbour_of(hints) as neighbour:
        cem, stream = await reader_of(running)
        await writes_unheard(running, "Benches")
        for nonsense in ("", " ", ANOTHER, f"{ANOTHER} x {stream.pk}", "{}", "é", f"{ANOTHER} {'9' * 5_000}"):
            await neighbour.tells(nonsense)
        await neighbour.tells(f"{ANOTHER} {stream.pk}")
        await cem.stands_at(1)


async def test_own_hints_are_no_news(running: Cafe, redis_url: str) -> None:
    async with hinting_through(redis_url) as hints, neighbour_of(hints) as neighbour:
        cem, stream = await reader_of(running)
        stage = await sync_to_async(lambda: Stream.objects.get(event=running.event, kind="stage"))()
        dana = Reader(running.dana).follows(stage, stage.head)
        await becomes(lambda: dana.follower.subs[stage.pk].ready)
        await writes_unheard(running, "Benches")
        await unheard(lambda: running.does(running.moderator, "stage", "word.say", text="Two more minutes"))
        hints.tell([stream.pk])
        await neighbour.hears_of(stream.pk)
        await neighbour.tells(f"{ANOTHER} {stage.pk}")
        await becomes(lambda: Hub.here().cursors[stage.pk] > stage.head)
        assert cem.cursor == 0
        await neighbour.tells(f"{ANOTHER} {stream.pk}")
        await cem.stands_at(1)


async def test_a_burst_is_told_in_one_message(running: Cafe, redis_url: str) -> None:
    ids = list(range(10**6, 10**6 + 500))
    async with hinting_through(redis_url) as hints, neighbour_of(hints) as neighbour:
        for one in ids:
            hints.tell([one])
        message = await neighbour.hears_of(ids[0])
    assert message.split()[1:] == [str(one) for one in ids]


async def test_more_than_a_message_holds_goes_in_several(
    running: Cafe, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hinting, "MOST_TOLD", 10)
    ids = list(range(10**6, 10**6 + 25))
    async with hinting_through(redis_url) as hints, neighbour_of(hints) as neighbour:
        hints.tell(ids)
        told = [len((await neighbour.hears_of(one)).split()) - 1 for one in ids[::10]]
    assert told == [10, 10, 5]


async def test_what_is_still_to_be_told_is_told_before_the_process_ends(running: Cafe, redis_url: str) -> None:
    async with hinting_through(redis_url) as hints, neighbour_of(hints) as neighbour:
        hints.tell([10**6])
        await asyncio.sleep(0)
        await hints.stop()
        await neighbour.hears_of(10**6)
        hints.start()


async def test_without_redis_notes_are_written_and_found_by_looking(
    running: Cafe, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "WITHOUT_HINTS_S", 0.05)
    async with hinting_through(redis.url) as hints:
        cem, _stream = await reader_of(running)
        redis.kill()
        await becomes(lambda: hints.get_through is False)
        assert not Hub.here().hints_arrive
        assert (await writes(running, "Benches")).seq == 1
        await cem.stands_at(1)
        await writes_unheard(running, "Trees")
        await cem.stands_at(2)


async def test_redis_that_comes_back_is_looked_after_at_once(
    running: Cafe, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "WITHOUT_HINTS_S", 1_000.0)
    monkeypatch.setattr(hinting, "PAUSES_S", (0.01, 0.1))
    async with hinting_through(redis.url) as hints:
        cem, stream = await reader_of(running)
        redis.kill()
        await becomes(lambda: hints.get_through is False and Hub.here().next_look > Hub.here().loop.time())
        await writes_unheard(running, "Benches")
        redis.start()
        await cem.stands_at(1)
        assert hints.get_through
        async with neighbour_of(hints) as neighbour:
            await writes_unheard(running, "Trees")
            await neighbour.tells(f"{ANOTHER} {stream.pk}")
            await cem.stands_at(2)


async def test_an_outage_is_said_once_and_so_is_its_end(
    running: Cafe, redis: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hinting, "PAUSES_S", (0.01, 0.01))
    tries: list[object] = []
    connected = Hints._connected
    monkeypatch.setattr(Hints, "_connected", lambda self: tries.append(None) or connected(self))
    caplog.set_level(logging.INFO, "sessions")
    async with hinting_through(redis.url) as hints:
        redis.kill()
        await becomes(lambda: hints.get_through is False)
        before = len(tries)
        await becomes(lambda: len(tries) > before + 20)
        redis.start()
        await becomes(lambda: hints.get_through)
    said = [(record.levelname, record.getMessage().split(" (")[0]) for record in caplog.records]
    assert said == [("WARNING", "no hints through Redis"), ("INFO", "hints go through Redis again")]


async def test_a_redis_that_hangs_holds_up_no_note(
    running: Cafe, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "WITHOUT_HINTS_S", 0.05)
    async with hinting_through(redis.url) as hints:
        cem, _stream = await reader_of(running)
        redis.freeze()
        assert (await writes(running, "Benches")).seq == 1
        await cem.stands_at(1)
        await becomes(lambda: hints.get_through is False)
        await writes_unheard(running, "Trees")
        await cem.stands_at(2)
        redis.thaw()
        await becomes(lambda: hints.get_through)


async def test_a_redis_that_is_not_there_yet_keeps_nobody_from_starting(
    running: Cafe, redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sessions")
    redis.kill()
    async with hinting_through(redis.url) as hints:
        assert hints.get_through is False
        assert (await writes(running, "Benches")).seq == 1
        redis.start()
        await becomes(lambda: hints.get_through)
    said = [record.levelname for record in caplog.records if record.name == "sessions.live.hints"]
    assert said == ["WARNING", "INFO"]


async def test_another_installation_at_the_same_redis_is_not_heard(
    running: Cafe, redis_url: str, settings: Any
) -> None:
    ours = Hints(redis_url).channel
    settings.SECRET_KEY = "another secret, also with more than thirty-two characters"
    assert Hints(redis_url).channel != ours
