"""A wire of ours between a browser and the server, which tests cut, clog and slow down; databases hang on it as well.

Playwright's `set_offline` leaves open sockets alive; networks that go do not announce themselves. Here a connection
can end (`cut`), fall silent without an end (`clog`), come late (`delay_s`), be read slowly (`bytes_per_s`) and lose
frames on the way (`loses`). With several targets it does as a proxy before several servers: whoever answers serves.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

UPGRADE = b"upgrade: websocket"
PORTAL = b"<!doctype html><title>Hotel</title><h1>Please accept our terms</h1>"
PARTS = b'{"t":"parts"'
READ_BYTES = 64 * 1024
HEAD_ENDS = b"\r\n\r\n"
UP, DOWN = "up", "down"


class WireCutter:
    """Listens on a port of its own and passes everything on to the first of `ports` that answers, as long as it is let.

    `loses` is asked for every `parts` frame that comes down a socket whether it vanishes.
    """

    def __init__(self, *ports: int) -> None:
        self.targets = ports
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="wire", daemon=True)
        self.thread.start()
        self.lines: set[Line] = set()
        self.is_cut = self.is_portal = self.refuses_sockets = False
        self.clogged: frozenset[str] = frozenset()
        self.only_sockets = False
        self.delay_s = 0.0
        self.bytes_per_s = 0  # 0: as fast as it goes
        self.loses: Callable[[], bool] | None = None
        self.sockets_tried = 0
        self.server: asyncio.Server = self._do(self._listen)
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        return int(self.server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Every connection ends, and new ones come to nothing."""
        self.is_cut = True
        self._do(self._end_all)

    def refuse(self) -> None:
        """New connections come to nothing; those that are open go on."""
        self.is_cut = True

    def clog(self, *ways: str, only_sockets: bool = False) -> None:
        """Bytes vanish, nobody is told: what is open now stays half-open for ever, what opens meanwhile too."""
        self.only_sockets = only_sockets
        self.clogged = frozenset(ways or (UP, DOWN))
        self._do(self._clog_all)

    def refuse_sockets(self) -> None:
        """A proxy that knows no WebSockets: pages pass."""
        self.refuses_sockets = True
        self._do(self._end_all)

    def portal(self) -> None:
        """A captive portal: its own page, with status 200, whatever is asked."""
        self.is_portal = True
        self._do(self._end_all)

    def let_through(self) -> None:
        """New connections pass again. What was clogged stays so; `end_dead` ends it."""
        self.is_cut = self.is_portal = self.refuses_sockets = False
        self.clogged = frozenset()
        self.delay_s, self.bytes_per_s, self.loses = 0.0, 0, None

    def end_dead(self) -> None:
        """The clogged connections end at last, as when a router forgets them."""
        self._do(self._end_dead)

    def close(self) -> None:
        self._do(self._close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=10)
        self.loop.close()

    def _do(self, act: Callable[[], Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(act(), self.loop).result(timeout=10)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _end_all(self) -> None:
        for line in list(self.lines):
            line.end()

    async def _end_dead(self) -> None:
        for line in [line for line in self.lines if line.dead]:
            line.end()

    async def _clog_all(self) -> None:
        for line in self.lines:
            line.clog(self._clogged_for(line))

    async def _close(self) -> None:
        self.server.close()
        await self._end_all()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _clogged_for(self, line: Line) -> frozenset[str]:
        return frozenset() if self.only_sockets and not line.is_socket else self.clogged

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):  # the second when the wire is closed
            head = await reader.read(READ_BYTES)
            is_socket = UPGRADE in head.lower()
            self.sockets_tried += is_socket
            answer = self._own_answer(is_socket)
            if self.is_cut or not head:
                writer.transport.abort()
            elif answer:
                writer.write(answer)
                await writer.drain()
                writer.close()
            else:
                await self._connect(reader, writer, head)

    def _own_answer(self, is_socket: bool) -> bytes:
        if self.is_portal:
            return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + PORTAL
        if self.refuses_sockets and is_socket:
            return b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        return b""

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for port in self.targets:
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        return None

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        far = await self._reach()
        if far is None:
            writer.transport.abort()
            return
        line = Line(self, is_socket=UPGRADE in head.lower(), ends=(writer, far[1]))
        self.lines.add(line)
        line.clog(self._clogged_for(line))
        line.pass_on(UP, head, far[1])
        try:
            await asyncio.gather(line.pump(UP, reader, far[1]), line.pump(DOWN, far[0], writer))
        finally:
            self.lines.discard(line)
            line.end()


class Line:
    """One connection, browser to server; `dead` are the ways on which it passes nothing on any more."""

    def __init__(
        self, wire: WireCutter, *, is_socket: bool, ends: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    ) -> None:
        self.wire, self.is_socket, self.ends = wire, is_socket, ends
        self.dead: frozenset[str] = frozenset()
        self.frames = Frames()

    def clog(self, ways: frozenset[str]) -> None:
        self.dead |= ways

    def pass_on(self, way: str, chunk: bytes, to: asyncio.StreamWriter) -> None:
        if self.is_socket and way == DOWN:
            chunk = self.frames.without_lost(chunk, self.wire.loses)
        if way not in self.dead:
            to.write(chunk)

    async def pump(self, way: str, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await source.read(self.portion(way)):
                if self.wire.delay_s:
                    await asyncio.sleep(self.wire.delay_s)
                if way == DOWN and self.wire.bytes_per_s:
                    await asyncio.sleep(len(chunk) / self.wire.bytes_per_s)
                self.pass_on(way, chunk, to)
                await to.drain()
        if way not in self.dead:
            to.close()

    def portion(self, way: str) -> int:
        slow = way == DOWN and self.wire.bytes_per_s
        return max(1, self.wire.bytes_per_s // 10) if slow else READ_BYTES

    def end(self) -> None:
        for writer in self.ends:
            writer.transport.abort()


class Frames:
    """What comes down a WebSocket, cut into its frames, whatever portions it comes in."""

    def __init__(self) -> None:
        self.rest = b""
        self.begun = self.refused = False  # the answer to the handshake has passed; it was a yes, or a no

    def without_lost(self, chunk: bytes, loses: Callable[[], bool] | None) -> bytes:
        """What of it passes now: whole frames, without those that are lost; a page instead of a socket as it is."""
        self.rest += chunk
        passes = self._handshake()
        if self.refused:
            return passes + self._all()
        while self.begun and (size := self._size()) is not None:
            frame, self.rest = self.rest[:size], self.rest[size:]
            is_lost = loses is not None and PARTS in frame[: 10 + len(PARTS)] and loses()
            passes += b"" if is_lost else frame
        return passes

    def _handshake(self) -> bytes:
        if self.begun or self.refused or HEAD_ENDS not in self.rest:
            return b""
        self.begun = self.rest.startswith(b"HTTP/1.1 101")
        self.refused = not self.begun
        head, gap, self.rest = self.rest.partition(HEAD_ENDS)
        return head + gap

    def _all(self) -> bytes:
        passes, self.rest = self.rest, b""
        return passes

    def _size(self) -> int | None:
        """How long the first frame is, its head included; none while it is not all there. Servers do not mask."""
        if len(self.rest) < 2:
            return None
        more = {126: 2, 127: 8}.get(self.rest[1], 0)
        if len(self.rest) < 2 + more:
            return None
        length = int.from_bytes(self.rest[2 : 2 + more]) if more else self.rest[1]
        size = 2 + more + length
        return size if len(self.rest) >= size else None
