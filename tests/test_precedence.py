"""Notes go before pages, and nobody's haste before the turns of others."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import sys
import threading
import time
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction
from websockets.asyncio.client import connect

from sessions.live import news, precedence, rights
from sessions.live.follower import Outbox
from sessions.live.hub import Hub
from sessions.live.kinds import Part
from sessions.live.news import News
from sessions.live.precedence import GivingWay, going_first, is_free
from sessions.live.threads import in_thread
from sessions.models import Stream
from tests.browsing import Browser, board_of, browser
from tests.cafe import Cafe
from tests.raw import frame, handshake
from tests.readers import Once
from tests.test_serving import HOST, running
from tests.test_socket import running as running_event
from zoomcafe.lanes import Lanes
from zoomcafe.serving import door, listening_socket
from zoomcafe.serving.door import Door

cafe = running_event
pytestmark = pytest.mark.django_db(transaction=True)
BLINK_S = 0.05
SOON_S = 20.0


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "LONGEST_S", 60.0)


def beside(work: Any) -> threading.Event:
    """The work begun in a thread; set when it is done."""
    done = threading.Event()
    threading.Thread(target=lambda: (work(), done.set()), daemon=True).start()
    return done


def test_who_works_beside_notes_gives_way_to_them_soon() -> None:
    end = time.monotonic() + SOON_S
    while sys.getswitchinterval() < precedence.USUAL_S and time.monotonic() < end:
        time.sleep(0.001)  # a reading that an earlier test left behind
    assert sys.getswitchinterval() == pytest.approx(precedence.USUAL_S)
    with precedence.beside():
        with precedence.beside():
            pass
        assert sys.getswitchinterval() == pytest.approx(precedence.SOON_S)
    assert sys.getswitchinterval() == pytest.approx(precedence.USUAL_S)


@pytest.mark.parametrize("lane", ["a page", "a reading"])
async def test_pages_and_readings_work_beside(lane: str) -> None:
    if lane == "a page":
        lanes = Lanes(1)
        found = await asyncio.wrap_future(lanes.submit(sys.getswitchinterval))
        lanes.shutdown()
    else:
        found = await in_thread(sys.getswitchinterval)
    assert found == pytest.approx(precedence.SOON_S)


@pytest.mark.usefixtures("patient")
def test_a_page_waits_while_notes_are_on_their_way_and_goes_on_then() -> None:
    with going_first():
        with going_first():
            pass
        page = beside(GivingWay().step)
        assert not page.wait(BLINK_S)
    assert page.wait(SOON_S)


def test_a_page_waits_for_so_long_in_all_and_then_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "LONGEST_S", BLINK_S)
    way = GivingWay()
    with going_first():
        way.step()
        assert way.left_s <= 0
        monkeypatch.setattr(precedence, "LONGEST_S", 60.0)
        assert beside(way.step).wait(SOON_S)


@pytest.mark.usefixtures("patient")
def test_what_holds_locks_does_not_wait() -> None:
    """A note might be waiting for these."""
    way = GivingWay()
    with transaction.atomic(), going_first(), connection.execute_wrapper(way), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert way.left_s == precedence.LONGEST_S


@pytest.mark.usefixtures("patient")
def test_statements_of_a_page_wait() -> None:
    def reads() -> None:
        try:
            with connection.execute_wrapper(GivingWay()), connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        finally:
            connection.close()

    with going_first():
        page = beside(reads)
        assert not page.wait(BLINK_S)
    assert page.wait(SOON_S)


async def test_a_note_goes_first_while_it_is_written(cafe: Cafe) -> None:
    seen = []

    def listen(_touched: Collection[int], _told: Sequence[News]) -> None:
        seen.append(is_free())

    board, question = await board_of(cafe)
    cem = await browser(cafe).hello(**{board.replace(":", "_"): 0})
    news.listeners.append(listen)
    try:
        await cem.posts(board, "note.add", q=question, text="first")
    finally:
        news.listeners.remove(listen)
    assert seen == [False]
    await sync_to_async(becomes_free)()
    await cem.leaves()


async def test_a_note_goes_first_while_it_is_given_to_its_table(cafe: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written elsewhere, so that no batch of ours is under way."""
    given = []

    def gives(self: Hub, stream: Stream, parts: list[Part], out: Outbox) -> None:
        given.append(is_free())
        give(self, stream, parts, out)

    board, _question = await board_of(cafe)
    cem = await browser(cafe).hello(**{board.replace(":", "_"): 0})
    await cem.hears("welcome")
    give = Hub._give
    monkeypatch.setattr(Hub, "_give", gives)
    await sync_to_async(lambda: cafe.writes(cafe.ben, "first"))()
    await cem.hears("parts", s=board)
    assert given
    assert not any(given)
    await sync_to_async(becomes_free)()
    await cem.leaves()


def becomes_free() -> None:
    assert precedence._free.wait(SOON_S)


async def test_what_is_told_while_rights_are_asked_waits_for_what_they_hang_on(
    cafe: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cem is removed when it has just been read what he may see, and then somebody writes."""

    def overtaken(*asked: Any) -> Any:
        found = read.usual(*asked)
        assert cafe.does(cafe.moderator, "room", "person.set", p=cafe.cem.pk, removed=True).code is None
        assert cafe.writes(cafe.ben, "not for Cem").code is None
        return found

    board, _question = await board_of(cafe)
    cem = await browser(cafe).hello(**{board.replace(":", "_"): 0})
    await cem.hears("parts", s="me")
    read = Once(rights._read, overtaken)
    monkeypatch.setattr(rights, "_read", read)
    read.armed = True
    await sync_to_async(lambda: cafe.does(cafe.moderator, "stage", "word.say", text="Welcome"))()
    assert (await cem.hears("close"))["code"] == 4403
    assert not [frame for frame in cem.got if frame.get("s") == board and frame["parts"]]


async def test_who_says_much_at_once_leaves_others_their_turn(cafe: Cafe) -> None:
    """Fifty frames are there, and one of somebody else: it is answered before the fifty are."""
    loud, other = [await browser(cafe, who).hello() for who in ("cem", "ben")]
    for one in (loud, other):
        await one.hears("welcome")
    answers: list[str] = []
    await asyncio.gather(counts(answers, loud, "loud", 50), counts(answers, other, "other", 1))
    assert answers.index("other") < 49
    for one in (loud, other):
        await one.leaves()


async def counts(answers: list[str], who: Browser, name: str, pings: int) -> None:
    for number in range(pings):
        who.ends.input_queue.put_nowait({"type": "websocket.receive", "text": json.dumps({"t": "ping", "c": number})})
    for _ping in range(pings):
        await who.hears("pong")
        answers.append(name)


async def test_frames_in_one_piece_leave_others_their_turn() -> None:
    """What has arrived of one socket while the loop was away is not read to its end before the next."""
    with running() as tiny, tiny.call() as loud, tiny.call() as stuck:
        loud.sendall(handshake("/count", HOST))
        assert b" 101 " in await asyncio.to_thread(loud.recv, 65_536)
        async with connect(f"{tiny.url}count") as other:
            stuck.sendall(b"GET /stuck HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
            await asyncio.sleep(BLINK_S)
            loud.sendall(frame(b"a") * 2_000)
            await other.send("b")
            assert int(await other.recv()) < 100


async def test_callers_who_come_faster_than_people_wait_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "CALLERS_PER_SECOND", 1e-6)
    monkeypatch.setattr(door, "BURST_S", 3e6)
    inside: list[socket.socket] = []
    with ExitStack() as stack:

        def admit(caller: socket.socket) -> None:
            inside.append(stack.enter_context(caller.dup()))

        listener = stack.enter_context(listening_socket("127.0.0.1", 0))
        entrance = Door(listener, asyncio.get_running_loop(), admit=admit)
        entrance.open()
        stack.callback(entrance.close)
        for _caller in range(6):
            stack.enter_context(socket.create_connection(listener.getsockname()))
        await until(lambda: entrance.pause is not None)
        assert len(inside) == 4
        entrance.due = -math.inf
        entrance.open()
        await until(lambda: len(inside) == 6)


async def until(happened: Any) -> None:
    async with asyncio.timeout(SOON_S):
        while not happened():
            await asyncio.sleep(0.01)
