"""Daphne as the café runs it, asked over real connections."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from autobahn.websocket.protocol import PreparedMessage
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.raw import ask, read_all, status
from tests.tiny_server import BURST
from zoomcafe import asgi
from zoomcafe.serving.frames import LONGEST_MESSAGE, sole_text, text_frame, whole_texts, xored

HOST = b"Host: cafe.example\r\n"
CHUNK = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
MIB = 1024 * 1024


class Tiny:
    def __init__(self, *arguments: float) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        program = str(Path(__file__).with_name("tiny_server.py"))
        self.process = subprocess.Popen(
            [sys.executable, program, str(self.port), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.line() == "ready"

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def memory(self) -> int:
        """The most memory it ever had, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    def call(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def ask(self, *pieces: bytes) -> bytes:
        """Everything it answers until it hangs up."""
        with self.call() as caller:
            return ask(caller, *pieces)

    def get(self, path: bytes = b"/") -> bytes:
        return self.ask(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")

    def stop(self) -> tuple[int, str, str]:
        self.process.send_signal(signal.SIGTERM)
        said, complained = self.process.communicate(timeout=20)
        return self.process.returncode, said, complained

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"


@contextlib.contextmanager
def running(connections: int = 100, body_seconds: float = 60, send_buffer: int = 0) -> Iterator[Tiny]:
    tiny = Tiny(connections, body_seconds, send_buffer)
    try:
        yield tiny
    finally:
        tiny.process.kill()
        tiny.process.communicate()


@pytest.fixture(scope="module")
def tiny() -> Iterator[Tiny]:
    with running() as tiny:
        yield tiny


def test_what_fits_is_answered(tiny: Tiny) -> None:
    body = b"POST / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n"
    assert tiny.get().endswith(b"0 bytes below /")
    assert tiny.ask(body + b"Content-Length: %d\r\n\r\n" % MIB, b"a" * MIB).endswith(b"1048576 bytes below /")
    assert tiny.ask(body + b"Transfer-Encoding: chunked\r\n\r\n", CHUNK * 16 + b"0\r\n\r\n").endswith(
        b"1048576 bytes below /"
    )


def test_a_client_cannot_choose_the_root_of_the_pages(tiny: Tiny) -> None:
    answer = tiny.ask(b"GET / HTTP/1.1\r\n" + HOST + b"Daphne-Root-Path: /evil\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"0 bytes below /")


@pytest.mark.parametrize(
    ("expected", "pieces"),
    [
        (400, [b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"]),
        (400, [b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"]),
        (400, [b"Content-Length: -1\r\n\r\n"]),
        (400, [b"X: a\x0bb\r\nConnection: close\r\n\r\n"]),
        (400, [b"no colon\r\n\r\n"]),
        (413, [b"Content-Length: %d\r\n\r\n" % (MIB + 1), b"a" * (MIB + 1)]),
        (413, [b"Content-Length: 2000000\r\nExpect: 100-continue\r\n\r\n"]),
        (413, [b"Content-Length: %d\r\n\r\n" % (60 * MIB), *[b"a" * MIB] * 60]),
        (413, [b"Transfer-Encoding: chunked\r\n\r\n", *[CHUNK] * 160, b"0\r\n\r\n"]),
        (431, [b"X: " + b"a" * 20_000 + b"\r\n\r\n"]),
        (431, [b"X: " + b"a" * 500 + b"\r\n"] * 60),
    ],
    ids=[
        "a length and chunks",
        "two lengths",
        "a negative length",
        "a control character",
        "a line that is no header",
        "a byte too many",
        "too many announced",
        "60 MB",
        "chunks without end",
        "a long header",
        "many headers",
    ],
)
def test_what_does_not_fit_gets_an_answer_and_is_hung_up(tiny: Tiny, expected: int, pieces: list[bytes]) -> None:
    before = tiny.memory()
    answer = tiny.ask(b"POST / HTTP/1.1\r\n" + HOST, *pieces)
    assert status(answer) == expected
    assert answer.count(b"HTTP/1.1") == 1
    assert b"X-Content-Type-Options: nosniff" in answer
    assert b"Traceback" not in answer
    assert tiny.memory() - before < 8 * MIB
    assert status(tiny.get()) == 200


def test_an_application_that_breaks_shows_nothing_of_itself(tiny: Tiny) -> None:
    answer = tiny.get(b"/broken")
    assert status(answer) == 500
    assert b"ValueError" not in answer


def test_headers_that_never_end_are_hung_up_while_others_are_served(tiny: Tiny) -> None:
    callers = [tiny.call() for _ in range(50)]
    for caller in callers:
        caller.sendall(b"GET / HTTP/1.1\r\nX: ")
    assert status(tiny.get()) == 200
    assert [read_all(caller) for caller in callers] == [b""] * 50
    for caller in callers:
        caller.close()


def test_a_body_that_never_ends_is_hung_up_however_slowly_it_trickles() -> None:
    """A83"""
    with running(body_seconds=0.5) as tiny, tiny.call() as caller:
        caller.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\n")
        trickle(caller)
        assert status(tiny.get()) == 200


def trickle(caller: socket.socket) -> None:
    """A byte now and then, until nobody takes one any more."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while True:
            caller.sendall(b"a")
            time.sleep(0.05)


def test_a_second_request_on_a_connection_has_the_same_time_again(tiny: Tiny) -> None:
    with tiny.call() as caller:
        caller.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert status(caller.recv(65_536)) == 200
        caller.sendall(b"GET / HT")
        assert read_all(caller) == b""


def test_beyond_the_most_connections_the_one_idle_longest_makes_room() -> None:
    with running(connections=5) as tiny:
        callers = [tiny.call() for _ in range(5)]
        callers[0].sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert status(callers[0].recv(65_536)) == 200
        assert status(tiny.get()) == 200
        assert read_all(callers[1]) == b""
        callers[0].sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert status(callers[0].recv(65_536)) == 200
        for caller in callers:
            caller.close()


async def test_sockets_may_be_closed_with_every_code(tiny: Tiny) -> None:
    for code in (1000, 1011, 1012, 1013, 4409):
        async with connect(tiny.url) as live:
            await live.send(str(code))
            with pytest.raises(ConnectionClosed) as closed:
                await live.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code


async def test_sockets_that_have_gone_leave_their_places_to_others() -> None:
    with running(connections=5) as tiny:
        for _come_and_gone in range(12):
            async with connect(tiny.url) as live:
                await live.send("hello")
                assert await live.recv() == "5"
        assert status(tiny.get()) == 200


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536, 100_000])
def test_text_goes_out_as_autobahn_would_send_it(size: int) -> None:
    text = ("é" * (size // 2) + "e" * (size % 2))[:size]
    assert len(text.encode()) == size
    prepared = PreparedMessage(text.encode(), False, False, True)
    assert text_frame(text) == prepared.payloadHybi


def masked(payload: bytes, *, first: int = 0x81, key: bytes = b"\x00\xff7\x01") -> bytes:
    """As a browser sends it (RFC 6455, 5.2)."""
    size = len(payload)
    head = bytes([first, 0x80 | size]) if size < 126 else bytes([first, 0xFE]) + size.to_bytes(2, "big")
    return head + key + bytes(byte ^ key[at % 4] for at, byte in enumerate(payload))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 125, 126, 127, 1_000, LONGEST_MESSAGE])
def test_frames_that_are_messages_are_unmasked(size: int) -> None:
    text = "ä" * (size // 2) + "b" * (size % 2)
    frame = masked(text.encode(), key=b"abcd")
    assert list(whole_texts(frame)) == [(text, len(frame))]
    assert sole_text(frame) == text
    assert sole_text(frame + HELLO) is None
    assert sole_text(HELLO + frame) is None
    assert xored(frame[-len(text.encode()) :], b"abcd") == text.encode()  # where there is no other way
    ends = [len(HELLO), len(HELLO + frame), len(HELLO + frame + LONG)]
    assert list(whole_texts(HELLO + frame + LONG)) == list(zip(["Hello", text, "-" * 200], ends, strict=True))


HELLO = masked(b"Hello")
LONG = masked(b"-" * 200)


@pytest.mark.parametrize(
    "data",
    [
        *(HELLO[:cut] for cut in range(len(HELLO))),
        *(LONG[:cut] for cut in (*range(12), len(LONG) - 1)),
        masked(b"\xff"),
        masked(b""),
        masked(b"-" * (LONGEST_MESSAGE + 1)),
        masked(b"Hello", first=0x82),  # binary
        masked(b"Hello", first=0x01),  # to be continued
        masked(b"Hello", first=0x80),  # continued
        masked(b"Hello", first=0xC1),  # compressed
        masked(b"Hello", first=0x89),  # a ping
        b"\x81\x05Hello",  # not masked
        b"\x81\xfe\x00\x05" + HELLO[2:],  # a length longer than it need be
        b"\x81\xff" + (5).to_bytes(8, "big") + HELLO[2:],
    ],
)
def test_what_is_no_whole_message_goes_the_usual_way(data: bytes) -> None:
    assert list(whole_texts(data)) == []
    assert sole_text(data) is None
    assert list(whole_texts(HELLO + data)) == [("Hello", len(HELLO))]


async def test_what_the_system_does_not_take_at_once_follows_and_nothing_overtakes_it() -> None:
    with running(send_buffer=8_192) as tiny:
        async with connect(f"{tiny.url}burst", max_queue=1) as live:
            await live.send("go")
            await asyncio.sleep(0.1)  # nothing is fetched meanwhile
            assert [await live.recv() for _ in range(len(BURST))] == BURST


async def test_a_socket_that_is_refused_leaves_no_complaint() -> None:
    with running() as tiny:
        with pytest.raises(InvalidStatus) as refused:
            await connect(tiny.url + "refused")
        assert refused.value.response.status_code == 403
        assert status(tiny.get()) == 200
        assert tiny.stop() == (0, "farewell\nsettled\nended\n", "")


async def test_a_message_beyond_256_kib_drops_the_socket_and_no_other(tiny: Tiny) -> None:
    async with connect(tiny.url) as other, connect(tiny.url) as live:
        await live.send("x" * 16 * 1024)
        assert await live.recv() == "16384"
        await live.send("x" * 256 * 1024)
        assert await live.recv() == "16385", "enough to be refused, whatever it says"
        before = tiny.memory()
        with contextlib.suppress(ConnectionClosed):
            await live.send("x" * MIB)
        with pytest.raises(ConnectionClosed):
            await live.recv()
        await other.send("still here")
        assert await other.recv() == "10"
        assert tiny.memory() - before < 2 * MIB


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_finishes_requests_and_tells_sockets_to_come_back(number: signal.Signals) -> None:
    with running() as tiny:
        async with connect(tiny.url) as live:
            with tiny.call() as caller, tiny.call() as silent:
                caller.sendall(b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\n")
                assert tiny.line() == "working"
                os.kill(tiny.process.pid, number)
                with pytest.raises(ConnectionClosed) as closed:
                    await live.recv()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 1012
                with pytest.raises(ConnectionRefusedError):
                    tiny.call().close()
                answer = await asyncio.to_thread(read_all, caller)
                assert answer.endswith(b"0 bytes below /")
                assert read_all(silent) == b""
        said, complained = await asyncio.to_thread(tiny.process.communicate, timeout=20)
        assert (tiny.process.returncode, said.split(), complained) == (0, ["farewell", "settled", "ended"], "")


def test_the_second_signal_does_not_wait() -> None:
    with running() as tiny, tiny.call() as caller:
        caller.sendall(b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\n")
        assert tiny.line() == "working"
        os.kill(tiny.process.pid, signal.SIGINT)
        assert tiny.line() == "farewell"
        os.kill(tiny.process.pid, signal.SIGINT)
        assert read_all(caller) == b""
        assert tiny.process.wait(timeout=20) == 0


def test_half_a_request_does_not_keep_the_server_from_ending() -> None:
    with running() as tiny, tiny.call() as caller:
        caller.sendall(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nab")
        assert status(tiny.get()) == 200
        assert tiny.stop()[0] == 0


def test_whichever_server_it_runs_in_what_start_up_made_is_not_walked_again() -> None:
    assert gc.get_threshold() == asgi.COLLECTING
    assert gc.get_freeze_count() > 100_000, "Django alone is more"
