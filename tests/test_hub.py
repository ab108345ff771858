"""The hub and its followers: whoever looks ends where a fresh page begins, however slow they are and whatever fails."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, NoReturn
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections
from pytest_django import Settings

from sessions.live import hub as hubs
from sessions.live import reading, rights, streams, threads, visit
from sessions.live.house import house
from sessions.live.hub import Hub
from sessions.live.ops import Op
from sessions.live.socket import Socket, coming, greeting
from sessions.models import Stream
from tests.browsing import Browser, board_of, browser
from tests.cafe import Cafe
from tests.readers import PATIENCE, Once, Reader, board_stream, caught_up, everybody_left, unheard, writes

pytestmark = pytest.mark.django_db(transaction=True)
NO_BEAT = 1_000.0


@pytest.fixture
async def running(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cafe]:
    """No heartbeat comes to help."""
    monkeypatch.setattr(hubs, "BEAT_S", NO_BEAT)
    monkeypatch.setattr(hubs, "RETRY_S", 0.01)
    yield await sync_to_async(lambda: Cafe().runs())()
    await threads.close()
    await sync_to_async(connections.close_all)()


def fails_with(trouble: Exception, _wishes: object) -> NoReturn:
    raise trouble


async def test_what_is_written_while_the_hub_reads_is_sent_at_once(
    running: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = await board_stream(running)
    cem = Reader(running.cem).follows(stream, 0)
    await writes(running, "first")
    await cem.stands_at(1)

    def reads_and_is_overtaken(wishes: Any) -> Any:
        found = streams_since(wishes)
        assert running.writes(running.ben, "third").code is None
        return found

    streams_since = streams.since
    overtaken = Once(streams.since, reads_and_is_overtaken)
    monkeypatch.setattr(streams, "since", overtaken)
    overtaken.armed = True
    await unheard(lambda: running.writes(running.ben, "second"))
    Hub.here().look_at([stream.pk])
    await cem.stands_at(3)
    assert [part["text"] for part in cem.shown().values()] == ["first", "second", "third"]
    await everybody_left()


@pytest.mark.parametrize("seed", [1, 2])
async def test_two_hundred_readers_fast_and_slow_all_see_what_a_fresh_page_shows(
    running: Cafe, settings: Any, seed: int
) -> None:
    settings.LIMIT_WINDOW_FRAMES, settings.LIMIT_NOTES_PER_PERSON = 3, 1_000
    dice = random.Random(seed)
    stream, (_board, question) = await board_stream(running), await board_of(running)
    hub = Hub.here()
    readers: list[Reader] = []
    written: list[UUID] = []
    for _step in range(40):
        for _few in range(5):
            reader = Reader(running.cem, slow=dice.random() < 0.5)
            readers.append(reader.follows(stream, dice.choice([None, 0, 0, 10**9])))
        ops = [_something(running, stream.ref, question, dice, written) for _op in range(dice.randint(1, 3))]
        await sync_to_async(streams.apply)(ops)
        for reader in dice.sample(readers, min(10, len(readers))):
            dice.choice([reader.confirms, lambda reader=reader: hub.leave(reader.follower)])()
            if not reader.follower.subs:
                reader.follows(stream, reader.cursor)
    fresh = await sync_to_async(lambda: reading.page(running.cem, [f"board:{stream.ref}"]))()
    head = fresh.streams[f"board:{stream.ref}"]
    for reader in readers:
        await reader.stands_at(head)
    expected = {part["id"]: part for part in fresh.parts[f"board:{stream.ref}"]}
    assert len(readers) == 200
    assert all(reader.shown() == expected for reader in readers)
    await everybody_left()


def _something(cafe: Cafe, board: int, question: int, dice: random.Random, written: list[UUID]) -> Op:
    name, kind = f"board:{board}", dice.choice(["note.add", "note.add", "note.gone", "note.back", "note.move"])
    if kind == "note.add" or not written:
        op = cafe.op(cafe.ben, name, "note.add", q=question, text="Benches")
        written.append(op.id)
        return op
    data = {"after": None} if kind == "note.move" else {}
    return cafe.op(cafe.ben, name, kind, note=dice.choice(written), **data)


async def test_following_a_stream_again_begins_once_and_anew(running: Cafe) -> None:
    await writes(running, "first")
    stream = await board_stream(running)
    cem = Reader(running.cem).follows(stream).follows(stream).follows(stream)
    await cem.stands_at(1)
    await writes(running, "second")
    await cem.stands_at(2)
    assert [(frame["from"], frame["to"], frame.get("reset")) for frame in cem.frames] == [(0, 1, True), (1, 2, None)]
    await everybody_left()


async def test_who_leaves_while_catching_up_gets_nothing_more(running: Cafe) -> None:
    await writes(running, "first")
    stream = await board_stream(running)
    cem, ben = Reader(running.cem).follows(stream), Reader(running.ben).follows(stream)
    Hub.here().leave(cem.follower)
    await ben.stands_at(1)
    await caught_up()
    assert cem.frames == []
    await everybody_left()


async def test_a_crowd_that_arrives_is_read_for_together(running: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever cursors they come with, each gets what it lacks."""
    for text in ("first", "second", "third"):
        await writes(running, text)
    stream = await board_stream(running)
    readings: list[Any] = []
    usual = streams.since
    monkeypatch.setattr(streams, "since", lambda wishes: readings.append(wishes) or usual(wishes))
    crowd = [Reader(running.cem) for _ in range(30)]
    for at, reader in enumerate(crowd):
        reader.cursor = at % 4
        reader.follows(stream, at % 4)
    await caught_up()
    for reader in crowd:
        await reader.stands_at(3)
    assert readings == [[(stream.pk, 0)]]
    assert [len(reader.parts) for reader in crowd[:4]] == [3, 2, 1, 0]
    assert [frame["from"] for reader in crowd[:4] for frame in reader.frames] == [0, 1, 2]
    await everybody_left()


async def test_who_gets_room_during_a_reading_waits_for_the_next(
    running: Cafe, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """It began where others stand: what lies before would be missing for good."""
    settings.LIMIT_WINDOW_FRAMES = 1
    await writes(running, "first")
    stream = await board_stream(running)
    slow = Reader(running.cem, slow=True).follows(stream)
    await slow.stands_at(1)
    for text in ("second", "third", "fourth"):
        await writes(running, text)
    await caught_up()

    def reads_and_makes_room(wishes: Any) -> Any:
        found = usual(wishes)
        slow.follower.window.confirm(slow.follower.window.sent)
        return found

    usual = streams.since
    once = Once(usual, reads_and_makes_room)
    monkeypatch.setattr(streams, "since", once)
    once.armed, slow.slow = True, False
    ben, as_of_now = Reader(running.ben), await board_stream(running)
    ben.cursor = 3
    Hub.here().catch_up(slow.follower, slow.follower.subs[stream.pk])
    ben.follows(as_of_now, 3)
    await ben.stands_at(4)
    await slow.stands_at(4)
    assert len(slow.parts) == 4
    await everybody_left()


async def test_a_stream_that_cannot_be_read_holds_up_no_other(running: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    await writes(running, "first")
    board, stage = (
        await board_stream(running),
        await sync_to_async(Stream.objects.get)(kind="stage", event=running.event),
    )

    def stumbles(wishes: list[tuple[int, int]]) -> Any:
        if stage.pk in dict(wishes):
            raise ValueError("ours")
        return usual(wishes)

    usual = streams.since
    monkeypatch.setattr(streams, "since", stumbles)
    dana, cem = Reader(running.dana).follows(stage), Reader(running.cem).follows(board)
    await cem.stands_at(1)
    await caught_up()
    assert not dana.frames
    assert [sub.catching_up for sub in dana.follower.subs.values()] == [False]
    await everybody_left()


async def test_who_cannot_be_read_for_is_tried_again(running: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after a fault of our own, and those who come in between do not wait for a task that is dead."""
    await writes(running, "first")
    stream = await board_stream(running)
    cem, ben = Reader(running.cem), Reader(running.ben)
    usual = streams.since
    for trouble in (OperationalError("away"), ValueError("ours")):
        monkeypatch.setattr(streams, "since", partial(fails_with, trouble))
        cem.follows(stream)
        await caught_up()
        assert not cem.frames
    monkeypatch.setattr(streams, "since", usual)
    ben.follows(stream)
    await ben.stands_at(1)
    await Hub.here()._beat()
    await cem.stands_at(1)
    await everybody_left()


async def test_a_stream_that_is_no_more_ends_without_a_trace(running: Cafe) -> None:
    stream = await board_stream(running)
    stream.pk = 10**9
    cem = Reader(running.cem).follows(stream)
    await caught_up()
    assert [(frame["t"], frame["code"]) for frame in cem.frames] == [("end", "not_found")]
    assert Hub.here()._everybody() == set()
    await everybody_left()


async def test_a_reading_that_fails_is_done_again(running: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    cem = Reader(running.cem).follows(await board_stream(running), 0)
    await writes(running, "first")
    await cem.stands_at(1)
    for trouble in (OperationalError("away"), ValueError("a mistake of ours")):

        def fails(_wishes: Any, trouble: Exception = trouble) -> Any:
            raise trouble

        since = Once(streams.since, fails)
        monkeypatch.setattr(streams, "since", since)
        since.armed = True
        at = cem.cursor
        await writes(running, "next")
        await cem.stands_at(at + 1)
    assert cem.cursor == 3
    await everybody_left()


async def at_the_gallery(cafe: Cafe) -> Browser:
    """Cem looks at the board of a table where he never sat."""
    await sync_to_async(lambda: cafe.does(cafe.moderator, "stage", "phase.go", phase="gallery"))()
    board, _question = await board_of(cafe, table=2)
    cem = await browser(cafe).hello(**{board.replace(":", "_"): 0})
    await cem.hears("welcome")
    return cem


def back_to_the_tables(cafe: Cafe) -> None:
    cafe.does(cafe.moderator, "stage", "phase.go", phase="running", session=1)


async def test_rights_are_asked_again_until_the_database_answers(
    running: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_asked: Any) -> Any:
        raise OperationalError("away")

    cem = await at_the_gallery(running)
    read = Once(rights._read, fails)
    monkeypatch.setattr(rights, "_read", read)
    read.armed = True
    await sync_to_async(back_to_the_tables)(running)
    assert (await cem.hears("end"))["code"] == "not_allowed_now"
    await cem.leaves()


async def test_rights_lost_between_the_question_and_the_following_are_lost(
    running: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    board, _question = await board_of(running, table=2)
    ben = await browser(running, "ben").hello()
    await sync_to_async(lambda: running.does(running.moderator, "stage", "phase.go", phase="gallery"))()
    await ben.hears("parts", s="stage")
    checked = threading.Event()
    check = rights.check

    async def checks(*asked: Any) -> None:
        await check(*asked)
        checked.set()

    def is_overtaken(*asked: Any) -> Any:
        found = followed(*asked)
        checked.clear()
        back_to_the_tables(running)
        assert checked.wait(PATIENCE)
        return found

    followed = greeting.read
    overtaken = Once(followed, is_overtaken)
    monkeypatch.setattr(rights, "check", checks)
    monkeypatch.setattr(greeting, "read", overtaken)
    cem = browser(running)
    await cem.opens()
    overtaken.armed = True
    await cem.says({"t": "hello", "v": 1, "streams": {board: 0}})
    assert (await cem.hears("end"))["s"] == board
    for someone in (ben, cem):
        await someone.leaves()


@pytest.mark.parametrize("name", ["board", "board:x", "board:0", "kitchen", "me:1"])
async def test_every_wish_for_a_stream_that_cannot_be_is_answered(running: Cafe, name: str) -> None:
    cem = await browser(running).hello()
    await cem.hears("welcome")
    await cem.says({"t": "sub", "s": name})
    assert (await cem.hears("end"))["s"] == name
    await cem.leaves()


async def test_who_is_removed_before_saying_hello_stays_outside(running: Cafe) -> None:
    cem = browser(running)
    await cem.opens()
    await sync_to_async(lambda: running.does(running.moderator, "room", "person.set", p=running.cem.pk, removed=True))()
    await cem.says({"t": "hello", "v": 1, "streams": {}})
    assert (await cem.hears("close"))["code"] == 4403
    assert not [frame for frame in cem.got if frame["t"] in {"welcome", "parts"}]


async def test_a_slow_database_is_no_reason_to_join_again(
    running: Cafe, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIMIT_HELLO_SECONDS = 0.2
    there = threading.Event()
    read = coming.read

    def slowly(callers: list[visit.Caller]) -> Any:
        assert there.wait(PATIENCE)
        return read(callers)

    monkeypatch.setattr(coming, "read", slowly)
    asyncio.get_running_loop().call_later(0.5, there.set)
    cem = await browser(running).hello()
    assert (await cem.hears("welcome"))["me"]["name"] == "Cem"
    await cem.leaves()


async def test_a_socket_that_is_cancelled_leaves_nothing_behind(running: Cafe) -> None:
    welcomed = asyncio.Event()
    headers = [(b"cookie", running.cookie(running.cem).encode())]
    scope = {"headers": headers, "url_route": {"kwargs": {"code": running.event.key}}}
    says: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    says.put_nowait({"type": "websocket.connect"})
    says.put_nowait({"type": "websocket.receive", "text": '{"t":"hello","v":1,"streams":{}}'})

    async def send(message: dict[str, Any]) -> None:
        if '"t":"parts"' in message.get("text", ""):
            welcomed.set()

    run = asyncio.create_task(Socket(scope, says.get, send).run())
    await welcomed.wait()
    run.cancel()
    await asyncio.wait({run})
    await caught_up()
    assert (house.sockets, house.before_hello, house.of_person) == (0, 0, {})
    talking = [task for task in asyncio.all_tasks() if "Socket._talk" in repr(task)]
    if talking:
        await asyncio.wait(talking, timeout=1)
    assert all(task.done() for task in talking)
    await everybody_left()
