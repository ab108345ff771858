"""The wire that our tests hang browsers, servers and databases on: it does what it says, and nothing else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import cycle

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from sessions.live.wire import dump
from tests.browser.wire_cutter import DOWN, UP, Frames, WireCutter

PATIENCE = 30.0


@pytest.fixture
async def echo() -> AsyncIterator[int]:
    """A server that says everything again; its port."""

    async def again(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(1000):
                writer.write(chunk)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(again, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
def wire(echo: int) -> Iterator[WireCutter]:
    wire = WireCutter(echo)
    yield wire
    wire.close()


class Caller:
    """One connection by the wire."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def says(self, text: bytes) -> None:
        self.writer.write(text)

    async def hears(self, size: int) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await self.reader.readexactly(size)

    async def hears_again(self, text: bytes) -> None:
        self.says(text)
        assert await self.hears(len(text)) == text

    async def is_cut_off(self) -> bool:
        async with asyncio.timeout(PATIENCE):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True


Calls = Callable[[WireCutter], Awaitable[Caller]]


@pytest.fixture
async def calls() -> AsyncIterator[Calls]:
    made: list[Caller] = []

    async def call(wire: WireCutter) -> Caller:
        made.append(Caller(*await asyncio.open_connection("127.0.0.1", wire.port)))
        return made[-1]

    yield call
    for caller in made:
        caller.writer.close()
        with contextlib.suppress(ConnectionError):
            await caller.writer.wait_closed()


async def test_a_wire_that_is_let_passes_everything_on(calls: Calls, wire: WireCutter) -> None:
    caller = await calls(wire)
    for text in (b"Benches", b"x" * 300_000):
        await caller.hears_again(text)


async def test_a_cut_wire_ends_what_is_open_and_takes_nothing_new(calls: Calls, wire: WireCutter) -> None:
    before = await calls(wire)
    await before.hears_again(b"Benches")
    wire.cut()
    after = await calls(wire)
    after.says(b"Trees")

    assert [await before.is_cut_off(), await after.is_cut_off()] == [True, True]
    wire.let_through()
    await (await calls(wire)).hears_again(b"Shade")


async def test_a_wire_that_refuses_lets_those_go_on_who_are_there(calls: Calls, wire: WireCutter) -> None:
    before = await calls(wire)
    await before.hears_again(b"Benches")
    wire.refuse()
    after = await calls(wire)
    after.says(b"Trees")

    assert await after.is_cut_off()
    await before.hears_again(b"Shade")


@pytest.mark.parametrize("way", [UP, DOWN])
async def test_what_is_said_into_a_clogged_wire_vanishes_and_nobody_is_told(
    calls: Calls, wire: WireCutter, way: str
) -> None:
    caller, other = await calls(wire), await calls(wire)
    for each in (caller, other):
        await each.hears_again(b"Benches")
    wire.clog(way)
    caller.says(b"Trees")
    wire.let_through()
    await (await calls(wire)).hears_again(b"Shade")  # by a new connection everything passes again
    caller.says(b"Water")
    wire.end_dead()

    assert await caller.is_cut_off()  # without a word of what was said before
    assert await other.is_cut_off()


async def test_a_slow_or_late_wire_loses_nothing(calls: Calls, wire: WireCutter) -> None:
    caller = await calls(wire)
    wire.bytes_per_s, wire.delay_s = 100_000, 0.01
    await caller.hears_again(bytes(range(256)) * 100)


async def test_a_wire_goes_to_whoever_answers(calls: Calls, echo: int) -> None:
    with contextlib.ExitStack() as stack:
        gone = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        port = gone.sockets[0].getsockname()[1]
        gone.close()
        await gone.wait_closed()
        wire = WireCutter(port, echo)
        stack.callback(wire.close)
        await (await calls(wire)).hears_again(b"Benches")


async def test_a_lossy_wire_loses_parts_frames_alone() -> None:
    async def tells(socket: ServerConnection) -> None:
        for number in range(6):
            await socket.send(dump({"t": "parts", "n": number, "text": "x" * 40_000 * number}))
            await socket.send(dump({"t": "beat", "n": number}))
        await socket.wait_closed()

    async with serve(tells, "127.0.0.1", 0, compression=None) as server:
        wire = WireCutter(server.sockets[0].getsockname()[1])
        every_other = cycle([True, False])
        wire.loses = lambda: next(every_other)
        async with connect(wire.url.replace("http", "ws"), compression=None, proxy=None) as socket:
            async with asyncio.timeout(PATIENCE):
                heard = [str(await socket.recv())[:14] for _frame in range(9)]
        wire.close()

    assert heard.count('{"t":"parts","') == 3
    assert heard.count('{"t":"beat","n') == 6


def in_portions(size: int) -> Callable[[bytes], bytes]:
    frames = Frames()

    def passes(said: bytes) -> bytes:
        portions = [said[at : at + size] for at in range(0, len(said), size)]
        return b"".join(frames.without_lost(portion, None) for portion in portions)

    return passes


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_frames_pass_whole_whatever_portions_they_come_in(size: int) -> None:
    said = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
    said += b"\x81\x03abc" + b"\x81\x7e\x01\x00" + b"d" * 256 + b"\x81\x7f" + (70_000).to_bytes(8) + b"e" * 70_000
    assert in_portions(size)(said) == said


@pytest.mark.parametrize("size", [1, 10_000])
def test_a_page_instead_of_a_socket_passes_as_it_is(size: int) -> None:
    said = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<h1>No</h1>\r\n\r\n"
    assert in_portions(size)(said) == said
