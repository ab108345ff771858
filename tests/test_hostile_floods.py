"""Too much at once (A80, A82, A84, A86, F07): told to slow down, then sent away; others go on."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError, connection, connections
from pytest_django import Settings

from sessions.live import house as houses
from sessions.live import hub as hubs
from sessions.live import threads
from sessions.live.house import house
from sessions.live.hub import Hub
from sessions.live.pace import knocking, strangers
from sessions.live.socket import coming
from tables.models import Note, Seat
from tests.browsing import SOON, Browser, board_of, browser
from tests.cafe import Cafe, new_id
from tests.transports import client, post

HELLO = {"t": "hello", "v": 1, "streams": {"stage": 0, "me": 0}}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def running(transactional_db: None) -> AsyncIterator[Cafe]:
    yield await sync_to_async(lambda: Cafe().runs())()
    await threads.close()
    await sync_to_async(connections.close_all)()


async def ends(someone: Browser) -> int:
    return int((await someone.hears("close"))["code"])


@pytest.mark.parametrize(
    "frame",
    [
        {"s": "room", "k": "seat.any", "d": {}},
        {"s": "room", "k": "seat.any", "d": {"role": "moderator"}},
        {"s": "board:999999", "k": "note.move", "d": {}},
        {"s": "nowhere", "k": "x", "d": {}},
    ],
    ids=["A80 good ones", "A80 with wrong fields", "A86 moves", "A80 to nowhere"],
)
async def test_a_flood_of_operations_ends_whatever_is_in_them(running: Cafe, frame: dict[str, Any]) -> None:
    cem, ben = await browser(running).hello(), await browser(running, "ben").hello()
    for _hundred in range(100):
        await cem.says({"t": "op", "id": str(new_id()), **frame})
    assert await ends(cem) == 4429
    limited = [found for found in cem.got if found.get("code") == "rate_limited"]
    assert (len(limited) >= 3, all(found["after_ms"] > 0 for found in limited)) == (True, True)
    assert (await ben.posts("room", "seat.leave"))["t"] == "ack"
    await ben.leaves()


@pytest.mark.parametrize(
    "frame",
    ['{"t":"ping","c":1}', '{"t":"seen","n":0}', '{"t":"sub","s":"room","after":0}', '{"t":"unsub","s":"room"}'],
)
async def test_a_flood_of_any_other_frame_ends_too(running: Cafe, frame: str) -> None:
    cem = await browser(running).hello()
    await cem.hears("welcome")
    for _thousand in range(1_000):
        await cem.says(frame)
    assert await ends(cem) == 4429


async def test_a_pages_own_pace_is_no_flood(running: Cafe) -> None:
    board, _question = await board_of(running)
    cem = await browser(running).hello()
    for _eight in range(8):
        await cem.says({"t": "sub", "s": board})
        await cem.says('{"t":"ping","c":1}')
    for _twenty in range(20):
        assert (await cem.posts("room", "seat.any"))["t"] == "ack"
    await cem.leaves()


async def test_too_fast_by_post_is_told_when_to_come_again(running: Cafe, settings: Settings) -> None:
    """A80"""
    settings.LIMIT_OPS_BURST, settings.LIMIT_OPS_PER_SECOND = 1, 0.01
    board, question = await board_of(running)
    frames = [
        {"t": "op", "id": str(new_id()), "s": board, "k": "note.add", "d": {"q": question, "text": "x"}}
        for _two in "12"
    ]
    good, fast = [await post(running, running.cem, json.dumps(frame)) for frame in frames]
    assert (good.status_code, fast.status_code, fast.json()["code"]) == (200, 429, "rate_limited")
    assert int(fast["Retry-After"]) > 1
    form = {"id": str(new_id()), "s": board, "k": "note.add", "q": question, "text": "Kept words"}
    page = await client(running, running.cem).post(f"/live/{running.event.key}/ops", form)
    assert (page.status_code, "Kept words" in page.content.decode()) == (422, True)
    assert await sync_to_async(Note.objects.count)() == 1


async def test_asking_for_news_too_fast_is_told_when_to_come_again(running: Cafe, settings: Settings) -> None:
    """Each person by themselves: whoever shares their address with a flood is not held up."""
    settings.LIMIT_POLLS_BURST, settings.LIMIT_POLLS_PER_SECOND = 2, 0.01
    parts = f"/live/{running.event.key}/parts"
    answers = [await client(running, running.cem).get(parts) for _thrice in "123"]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert (answers[2].json()["code"], answers[2].json()["after_ms"] > 1_000) == ("rate_limited", True)
    assert int(answers[2]["Retry-After"]) > 1
    assert (await client(running, running.ben).get(parts)).status_code == 200
    assert (await post(running, running.cem, json.dumps(seat_me()))).status_code == 200


async def test_polling_pages_stay_far_below_the_limit(running: Cafe) -> None:
    """Five tabs at once, each after an operation of its own."""
    parts = f"/live/{running.event.key}/parts"
    for _tab in range(5):
        assert (await post(running, running.cem, json.dumps(seat_me()))).status_code == 200
        assert (await client(running, running.cem).get(parts)).status_code == 200


def seat_me() -> dict[str, Any]:
    return {"t": "op", "id": str(new_id()), "s": "room", "k": "seat.any", "d": {}}


@pytest.mark.parametrize("limit", ["LIMIT_SOCKETS_BEFORE_HELLO", "LIMIT_SOCKETS"])
async def test_beyond_the_most_sockets_one_is_asked_to_come_again(
    running: Cafe, settings: Settings, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    """A82"""
    monkeypatch.setattr(houses, "IN_QUEUE_S", 0.05)
    waiting = browser(running)
    await waiting.opens()
    setattr(settings, limit, 1)
    late = browser(running, "ben")
    assert await late.opens()
    assert (await late.hears("bye"))["retry_ms"] > 0
    assert await ends(late) == 1013
    await waiting.leaves()
    again = await browser(running, "ben").hello()
    await again.hears("welcome")
    await again.leaves()


async def test_who_finds_no_place_before_hello_stands_queued(
    running: Cafe, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd on slow lines, each of whom takes a round trip to say hello."""
    monkeypatch.setattr(houses, "IN_QUEUE_S", SOON)
    settings.LIMIT_SOCKETS_BEFORE_HELLO = 1
    first, second, third = (browser(running, name) for name in ("cem", "ben", "dana"))
    await first.opens()
    coming_in = [asyncio.create_task(second.opens())]
    await queued(1)
    coming_in.append(asyncio.create_task(third.opens()))
    await queued(2)
    await first.says(HELLO)
    assert await coming_in[0]
    assert not coming_in[1].done()
    await second.leaves()
    assert await coming_in[1]
    await third.says(HELLO)
    for each in (first, third):
        await each.hears("welcome")
        await each.leaves()
    assert (house.before_hello, house.sockets, len(house.queue)) == (0, 0, 0)


async def queued(count: int) -> None:
    async with asyncio.timeout(SOON):
        while len(house.queue) < count:
            await asyncio.sleep(0)


@pytest.mark.parametrize("has_turn", [False, True])
async def test_who_leaves_the_queue_leaves_no_place_behind(settings: Settings, *, has_turn: bool) -> None:
    settings.LIMIT_SOCKETS_BEFORE_HELLO = 1
    assert house.take_place()
    one = asyncio.create_task(house.take_place_in_turn())
    await queued(1)
    if has_turn:
        house.leave_place(before_hello=True)
    one.cancel()
    await asyncio.wait({one})
    assert (house.before_hello, len(house.queue)) == (not has_turn, 0)
    if not has_turn:
        house.leave_place(before_hello=True)


async def test_the_queue_has_an_end(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(houses, "MOST_IN_QUEUE", 0)
    settings.LIMIT_SOCKETS_BEFORE_HELLO = 0
    assert not await house.take_place_in_turn()


async def test_who_leaves_before_hello_is_counted_no_more(running: Cafe) -> None:
    """A82"""
    before = (house.sockets, house.before_hello)
    for _ten in range(10):
        hasty = browser(running)
        await hasty.opens()
        await hasty.leaves()
    assert (house.sockets, house.before_hello) == before


async def test_who_never_says_what_was_seen_is_closed(
    running: Cafe, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A84"""
    monkeypatch.setattr(hubs, "BEAT_S", 0.05)
    settings.LIMIT_WINDOW_FRAMES, settings.LIMIT_WINDOW_SECONDS = 1, 0.1
    board, _question = await board_of(running)
    slow = await browser(running).hello(**{board.replace(":", "_"): 0})
    await slow.hears("welcome")
    Hub.here().next_beat = 0.0
    Hub.here().wake.set()
    assert await ends(slow) == 4408


async def test_who_is_not_heard_any_more_is_closed_and_keeps_the_seat(
    running: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F07: the line is half open, so nobody said goodbye; who does say something stays"""
    lost, there = await browser(running).hello(), await browser(running, "ben").hello()
    for each in (lost, there):
        await each.hears("parts", s="me")
    clock = asyncio.get_running_loop().time
    silent, heard = house.of_person[running.cem.pk], house.of_person[running.ben.pk]
    for follower in (*silent, *heard):
        follower.heard_at = clock() - hubs.SILENT_S - 1
    await there.says({"t": "ping", "c": 1})
    await there.hears("pong")
    Hub.here().next_beat = 0.0
    Hub.here().wake.set()
    assert await ends(lost) == 4408
    assert (await there.hears("beat"))["t"] == "beat"
    assert running.cem.pk not in house.of_person
    assert await sync_to_async(Seat.objects.filter(participant=running.cem).count)() == 1
    back = await browser(running).hello()
    assert (await back.hears("welcome"))["me"]["seat"]["table"]
    for each in (back, there):
        await each.leaves()


@pytest.mark.parametrize("trouble", [InterfaceError, OperationalError])
async def test_a_dead_connection_is_dropped_and_the_next_work_gets_a_live_one(
    running: Cafe, trouble: type[Exception]
) -> None:
    def fails() -> None:
        connection.ensure_connection()
        raise trouble("the connection is closed")

    def is_open() -> bool:
        return connection.connection is not None

    def works() -> int:
        return Note.objects.count()

    loop = asyncio.get_running_loop()
    await threads.close()
    for _each in range(8):
        with pytest.raises(trouble):
            await threads.in_thread(fails)
        assert not await loop.run_in_executor(threads._executor, is_open)
    assert await threads.in_thread(works) == 0


async def test_who_comes_again_and_again_is_sent_away_for_a_while(running: Cafe, settings: Settings) -> None:
    """A82, by one who is known: each of them by themselves."""
    settings.LIMIT_HELLOS_BURST, settings.LIMIT_HELLOS_PER_SECOND = 3, 0.01
    for _thrice in "123":
        cem = await browser(running).hello()
        await cem.hears("welcome")
        await cem.leaves()
    hasty = await browser(running).hello()
    assert await ends(hasty) == 4429
    ben = await browser(running, "ben").hello()
    await ben.hears("welcome")
    await ben.leaves()
    disguised = await Browser(running.event.key, f"{running.cookie(running.cem)}; more=1").hello()
    assert await ends(disguised) == 4429


@pytest.mark.parametrize("cookie", ["", "guest=forged"])
async def test_who_comes_too_often_is_let_in_later_and_not_looked_for(
    running: Cafe, settings: Settings, monkeypatch: pytest.MonkeyPatch, cookie: str
) -> None:
    """A second later than else: coming again costs them more than us."""
    for limit in ("HELLOS", "STRANGERS"):
        setattr(settings, f"LIMIT_{limit}_BURST", 2)
        setattr(settings, f"LIMIT_{limit}_PER_SECOND", 0.01)
    for each in (knocking, strangers):
        monkeypatch.setattr(each, "full_at", {})
    usual, looked_for = coming.read, []
    monkeypatch.setattr(coming, "read", lambda callers: looked_for.extend(callers) or usual(callers))
    monkeypatch.setattr(houses, "KEPT_WAITING_S", 0.2)
    loop = asyncio.get_running_loop()
    closed, took = [], []
    for _time in range(4):
        began = loop.time()
        closed.append(await ends(await Browser(running.event.key, cookie).hello()))
        took.append(loop.time() - began)
    assert closed == [4401, 4401, 4429, 4429]
    assert min(took[2:]) >= 0.2
    assert len(looked_for) == 2
    assert (house.kept_waiting, house.before_hello, house.sockets) == (0, 0, 0)
    monkeypatch.setattr(houses, "MOST_KEPT_WAITING", 0)
    assert not await Browser(running.event.key, cookie).opens()
