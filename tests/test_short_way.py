"""The short way between a socket and its application (`sessions/live/line.py`): what ASGI would do."""

from __future__ import annotations

import asyncio
import logging
import random
import socket

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.raw import frame
from tests.test_serving import MIB, running
from tests.tiny_server import BURST
from zoomcafe.serving import sockets

SHAKE = (
    b"GET /short HTTP/1.1\r\nHost: cafe.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def words(seed: int) -> list[str]:
    """Short and long ones, on either way; some keep the application busy while more comes."""
    dice = random.Random(seed)
    made = [f"{dice.choice('+-~')}{at} {'ä' * dice.choice((0, 3, 60, 200, 7_000))}" for at in range(150)]
    return [text for at, text in enumerate(made) for text in ([text, "slowly"] if at % 40 == 7 else [text])]


async def answers(live: ClientConnection, asked: list[str]) -> list[str]:
    for text in asked:
        await live.send(text)
    return [str(await live.recv()) for _ in asked]


@pytest.mark.parametrize("path", ["short", "short/asgi"])
async def test_everything_is_answered_in_order_whatever_way_it_goes(path: str) -> None:
    with running() as tiny:
        async with connect(f"{tiny.url}{path}") as live:
            assert await answers(live, words(1)) == words(1)
        assert tiny.line() == "gone"
        assert tiny.stop()[2] == ""


@pytest.mark.parametrize("cuts", [(1, 5, 9, 40, 200), (100, 150), (10_000,)])
async def test_frames_that_arrive_in_pieces_or_together_keep_their_order(cuts: tuple[int, ...]) -> None:
    asked = [f"+{at}" if at % 3 else f"-{at}" for at in range(60)]
    sent = b"".join(frame(text.encode()) for text in asked)
    dice = random.Random(2)
    with running() as tiny, tiny.call() as caller:
        caller.sendall(SHAKE)
        assert caller.recv(4_096).startswith(b"HTTP/1.1 101")
        while sent:
            cut = dice.choice(cuts)
            caller.sendall(sent[:cut])
            sent = sent[cut:]
        answered = b"".join(told(text) for text in asked)
        assert received(caller, len(answered)) == answered


def received(caller: socket.socket, size: int) -> bytes:
    """So many bytes, or fewer when the other side ends before."""
    got = b""
    while len(got) < size and (more := caller.recv(4_096)):
        got += more
    return got


def told(text: str) -> bytes:
    return bytes([0x81, len(text)]) + text.encode()


@pytest.mark.parametrize(
    ("asked", "in_one"),
    [
        (["~1"], told("~1")),
        (["~1", "+2"], told("~1") + told("+2")),
        (["~1", "~2", "-3"], told("~1") + told("~2") + told("-3")),
        (["~1", "."], told("~1") + b"\x88\x02\x03\xf4"),
    ],
)
def test_what_was_held_goes_along_with_what_is_said_next_or_by_itself(asked: list[str], in_one: bytes) -> None:
    with running() as tiny, tiny.call() as caller:
        caller.sendall(SHAKE)
        assert caller.recv(4_096).startswith(b"HTTP/1.1 101")
        caller.sendall(b"".join(frame(text.encode()) for text in asked))
        assert received(caller, len(in_one)) == in_one


async def test_what_was_held_waits_for_what_is_said_next() -> None:
    with running() as tiny:
        async with connect(f"{tiny.url}short/patient") as live, connect(f"{tiny.url}short") as other:
            await live.send("~1")
            waits = asyncio.ensure_future(live.recv())
            for at in range(50):
                assert await answers(other, [f"+{at}"]) == [f"+{at}"]
            assert not waits.done()
            await live.send("+2")
            assert [await waits, await live.recv()] == ["~1", "+2"]


@pytest.mark.parametrize("last", [b"\x88\x02\x03\xe8", b"\x88\x02\x03\xf4"], ids=["they close", "we close"])
async def test_what_was_held_goes_before_the_close(last: bytes) -> None:
    with running() as tiny, tiny.call() as caller:
        caller.sendall(SHAKE.replace(b"/short", b"/short/patient"))
        assert caller.recv(4_096).startswith(b"HTTP/1.1 101")
        async with connect(f"{tiny.url}short") as other:
            caller.sendall(frame(b"~1"))
            assert await answers(other, ["+1", "+2"]) == ["+1", "+2"]  # by then it is read
        caller.sendall(frame(last[2:], first=0x88) if last.endswith(b"\xe8") else frame(b"."))
        assert received(caller, len(told("~1") + last)) == told("~1") + last


@pytest.mark.parametrize("burst", ["burst", "burst!"])
async def test_what_is_not_fetched_at_once_follows_and_nothing_overtakes_it(burst: str) -> None:
    with running(send_buffer=8_192) as tiny:
        async with connect(f"{tiny.url}short", max_queue=1) as live:
            for text in (burst, "+1", "2"):
                await live.send(text)
            assert [await live.recv() for _ in range(len(BURST) + 3)] == [*BURST, burst, "+1", "2"]


async def test_what_is_said_to_many_arrives_at_each_in_its_order() -> None:
    """Whoever has gone, or stumbles over it, takes it from nobody."""
    with running() as tiny:
        crowd = [await connect(f"{tiny.url}short") for _one in range(6)]
        for live in crowd:
            assert await answers(live, ["+1"]) == ["+1"]
        await crowd[1].close()
        assert tiny.line() == "gone"
        assert await answers(crowd[2], ["~2", "#"]) == ["~2", "#"]
        await crowd[0].send("~3")
        await crowd[0].send("*4")
        with pytest.raises(ConnectionClosed):
            await crowd[2].recv()
        assert await answers(crowd[0], ["+5"] * 3) == ["~3", "*4", "*4 again"]
        for live in crowd[3:]:
            assert [await live.recv(), await live.recv()] == ["*4", "*4 again"]
        for live in crowd:
            await live.close()
        assert tiny.stop()[2].count("A socket stumbled over what it is told") >= 2


async def test_who_fetches_nothing_is_cut_off() -> None:
    with running() as tiny:
        before = tiny.memory()
        async with connect(f"{tiny.url}short", max_queue=1) as live:
            await live.send("flood")
            assert tiny.line() == "cut off"
        assert tiny.memory() - before < 8 * MIB


async def test_what_breaks_ends_one_socket() -> None:
    with running() as tiny:
        async with connect(f"{tiny.url}short") as live, connect(f"{tiny.url}short") as other:
            await live.send("!")
            with pytest.raises(ConnectionClosed):
                await live.recv()
            assert await answers(other, words(3)) == words(3)
        assert "A socket stumbled over what it was sent" in tiny.stop()[2]


async def test_what_breaks_beside_half_a_frame_ends_one_socket() -> None:
    with running() as tiny, tiny.call() as caller:
        caller.sendall(SHAKE)
        assert caller.recv(4_096).startswith(b"HTTP/1.1 101")
        async with connect(f"{tiny.url}short") as other:
            caller.sendall(frame(b"!") + frame(b"+1")[:3])
            assert await answers(other, words(4)) == words(4)
        with pytest.raises(ConnectionResetError):
            caller.recv(1)
        assert "A socket stumbled over what it was sent" in tiny.stop()[2]


@pytest.mark.parametrize("ends", ["a close", "a reset"])
async def test_the_application_hears_that_somebody_left(ends: str) -> None:
    with running() as tiny:
        live = await connect(f"{tiny.url}short")
        assert await answers(live, ["+1"]) == ["+1"]
        if ends == "a close":
            await live.close()
        else:
            live.transport.abort()
            await live.wait_closed()  # until then the reset itself waits for this loop
        assert tiny.line() == "gone"
        assert tiny.stop()[2] == ""


async def test_of_many_who_speak_at_once_one_that_breaks_holds_up_no_other() -> None:
    """Their texts are prepared together."""
    with running() as tiny:
        crowd = [await connect(f"{tiny.url}short") for _one in range(12)]
        asked = [[f"+{number}", f"-{number}", f"+{number} again"] for number in range(12)]
        asked[4], asked[9] = ["!"], ["?"]
        spoken = await asyncio.gather(*map(answers, crowd, asked), return_exceptions=True)
        for number, (texts, got) in enumerate(zip(asked, spoken, strict=True)):
            assert isinstance(got, ConnectionClosed) if number in {4, 9} else got == texts
        for live in crowd:
            await live.close()
        log = tiny.stop()[2]
        assert log.count("it is dropped") == 2
        assert log.count("not prepared together") >= 1


def test_without_what_it_needs_everything_goes_the_long_way(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert sockets.knows_short_way()
    monkeypatch.setattr(sockets, "OF_CONNECTION", (*sockets.OF_CONNECTION, "_inCopperInstead"))
    with caplog.at_level(logging.WARNING, "zoomcafe.serving"):
        assert not sockets.knows_short_way()
    assert "there is no _inCopperInstead" in caplog.text


async def test_a_text_is_a_sign_of_life_for_who_was_pinged() -> None:
    one = sockets.CafeSocket()
    one.take, one.muted, one.last_ping = bool, False, 0.0
    one.autoPingInterval, one.autoPingPendingCall = 0, None  # as Daphne has them: it looks for itself whom to ping
    one.autoPingTimeoutCall = cut_off = asyncio.get_running_loop().call_later(60, one.onClose)
    sockets.heard.hear()  # what has arrived by now
    one.hear("Shade")
    assert cut_off.cancelled()
    assert (one.autoPingTimeoutCall, one.last_ping > 0) == (None, True)
