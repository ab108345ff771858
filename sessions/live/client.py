"""The live protocol from the other side, as a page speaks it: cursors, parts, operations with ids, reconnects.

For rehearsals, tests, faults and measurements. What frames mean is the business of `page/core.py`;
here they are sent and heard.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Self
from uuid import UUID

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidHandshake, InvalidStatus

from sessions.live.compact import compact
from sessions.live.page.comeback import comeback
from sessions.live.page.core import Effect, begin, step
from sessions.live.page.queue import Queue
from sessions.live.page.store import Store
from sessions.live.uuid7 import uuid7

Frame = dict[str, Any]
REFUSED = {401: 4401, 403: 4403, 404: 4404, 429: 4429}
TICK = 0.25  # seconds between looks at what waits to be sent
PING = 15.0  # seconds after which a client that had nothing to say says that it is there
SILENCE = 15.0  # seconds without a frame, three beats long: nobody is there any more
MOST_BYTES = 1 << 20


class Refusal(Exception):  # noqa: N818 - an answer, not an error
    """A final no: the `err` frame."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame["code"])
        self.code: str = frame["code"]
        self.frame = frame


class Ended(Exception):  # noqa: N818 - an answer, not an error
    """The server does not want this client any more; `code` is the close code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


class Client:
    """One open page. Use as `async with`; it is welcome when the block begins.

    `address` is the path of the event's socket, `cookies` the page's Cookie header; `streams` are the cursors and
    `parts` the parts it has from its HTML. `heard` is called with every frame that comes in.
    """

    def __init__(
        self,
        base_url: str,
        address: str,
        *,
        cookies: str,
        streams: dict[str, int] | None = None,
        parts: dict[str, list[Frame]] | None = None,
        epoch: str | None = None,
        heard: Callable[[Frame], None] | None = None,
        dice: random.Random | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.url = "ws" + self.base_url.removeprefix("http") + address
        self.cookies, self.heard = cookies, heard
        self.core = begin(epoch=epoch, streams=streams or {"stage": 0, "me": 0})
        self.store = Store({name: (parts or {}).get(name, []) for name in self.core.streams})
        self.queue = Queue()
        self.ended: dict[str, str] = {}  # streams the server took away, with the code
        self.welcome: Frame = {}
        self.closed: int | None = None
        self.welcomes = 0
        self.closes: list[int] = []  # the code of every connection that ended
        self._waiting: dict[str, asyncio.Future[Frame]] = {}
        self._socket: ClientConnection | None = None
        self._greeted = False  # on this socket
        self._struck = 0  # the code of the last connection that ended, until the next welcome
        self._failed = -1  # tries since then; the end of a connection that was welcome is none
        self._dice = dice or random.Random()  # noqa: S311 - spreads reconnects, keeps no secret
        self._news = asyncio.Event()
        self._offset = 0.0
        self._said_last = 0.0  # anything at all, seconds
        self._running: asyncio.Task[None] | None = None

    @classmethod
    def of_page(cls, base_url: str, main: dict[str, str], *, cookies: str, dice: random.Random | None = None) -> Self:
        """The client of a page: `main` are the attributes of its `#main`."""
        return cls(
            base_url,
            main["data-live"],
            cookies=cookies,
            streams=json.loads(main["data-streams"]),
            parts=json.loads(main["data-parts"]),
            epoch=main["data-epoch"],
            dice=dice,
        )

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._run())
        try:
            await self.until(lambda: bool(self.welcomes))
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Leaves as a closing tab does; what was not answered yet stays unknown."""
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
        for future in self._waiting.values():
            future.cancel()

    async def drop(self) -> None:
        """Loses the connection without a word; the client comes back by itself."""
        if self._socket is not None:
            self._socket.transport.abort()

    @property
    def me(self) -> Frame:
        """Who the server says this is: `{id, name, role, seat}`."""
        return dict(self.welcome.get("me") or {})

    @property
    def is_connected(self) -> bool:
        return self._socket is not None

    @property
    def cursors(self) -> dict[str, int]:
        """How far each followed stream has come."""
        return {name: stream.cursor for name, stream in self.core.streams.items()}

    @property
    def parts(self) -> dict[str, dict[str, Frame]]:
        """What is known of each followed stream, by the ids of its parts."""
        return self.store.streams

    @property
    def epoch(self) -> str | None:
        return self.core.epoch

    def now(self) -> float:
        """The server's clock in ms, as far as known here."""
        return self._clock() + self._offset

    async def until(self, holds: Callable[[], bool], *, within: float = 30.0) -> None:
        """Waits until `holds()`; raises `TimeoutError`, or `Ended` when the server closed for good."""
        async with asyncio.timeout(within):
            while not holds():
                if self.closed is not None:
                    raise Ended(self.closed)
                self._news.clear()
                await self._news.wait()

    async def follow(self, stream: str, *, after: int = 0) -> None:
        """Subscribes a further stream; its parts come when they come."""
        self.ended.pop(stream, None)
        self.store.put(stream, [])
        await self._take({"t": "follow", "s": stream, "after": after})

    async def leave(self, stream: str) -> None:
        self.store.forget(stream)
        await self._take({"t": "leave", "s": stream})

    async def do(
        self, stream: str, kind: str, data: Frame, *, base: int | None = None, op_id: UUID | None = None
    ) -> Frame:
        """Carries out one operation, repeated until it is answered; its `ack`. Raises `Refusal` or `Ended`."""
        op: Frame = {"t": "op", "id": str(op_id or uuid7()), "s": stream, "k": kind, "d": data}
        if base is not None:
            op["base"] = base
        answer = await self._answer_to(op)
        if answer["t"] == "ack":
            return answer
        raise Refusal(answer)

    async def _answer_to(self, op: Frame) -> Frame:
        """The last word about the operation, whatever happens to sockets until then."""
        if self.closed is not None:
            raise Ended(self.closed)
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._waiting[op["id"]] = future
        self.queue.add(op)
        try:
            while not future.done():
                await self._turn()
                await asyncio.wait({future}, timeout=TICK)
            return future.result()
        finally:
            self._waiting.pop(op["id"], None)
            self.queue.forget(op["id"])

    async def _turn(self) -> None:
        """Sends what may go out now."""
        socket = self._socket
        if socket is None or not self._greeted or self.core.bye is not None:
            return
        for op in self.queue.take(self._clock()):
            if self._socket is socket:
                await self._say(op)

    async def _run(self) -> None:
        while self.closed is None:
            try:
                await self._visit()
            except ConnectionClosed as end:
                await self._come_back(end.rcvd.code if end.rcvd else 1006)
            except InvalidStatus as answer:
                await self._come_back(REFUSED.get(answer.response.status_code, 1006))
            except (OSError, InvalidHandshake, TimeoutError):
                await self._come_back(1006)
        self._give_up(self.closed)

    async def _visit(self) -> None:
        async with self._connected() as socket:
            await self._take({"t": "open"})
            while (frame := await self._next(socket)) is not None:
                await self._hear(json.loads(frame))
                if time.monotonic() - self._said_last >= PING:
                    await self._say({"t": "ping", "c": round(self._clock())})
        await self._come_back(socket.close_code or 1006)

    async def _next(self, socket: ClientConnection) -> str | bytes | None:
        """The next frame; null when the connection has ended well. Lets go of one that has fallen silent: it may never
        end by itself.
        """
        try:
            async with asyncio.timeout(SILENCE):
                return await socket.recv()
        except ConnectionClosedOK:
            return None
        except TimeoutError:
            socket.transport.abort()
            raise

    async def _come_back(self, code: int) -> None:
        """Waits until it is time for the next socket; or there shall be none."""
        self.closes.append(code)
        again, self._struck = self._struck == code, code
        self._failed += 1
        verdict = comeback(
            code, random=self._dice.random(), again=again, bye=self.core.bye, failed=max(0, self._failed)
        )
        if "in" in verdict:
            await asyncio.sleep(verdict["in"] / 1000)
        else:
            self.closed = code

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[ClientConnection]:
        async with connect(
            self.url,
            origin=self.base_url,  # type: ignore[arg-type]
            additional_headers={"Cookie": self.cookies, "Sec-Fetch-Site": "same-origin"},
            compression=None,
            max_size=MOST_BYTES,
            ping_interval=None,
            proxy=None,
            close_timeout=2,
        ) as socket:
            self._socket = socket
            try:
                yield socket
            finally:
                self._socket, self._greeted = None, False
                self.queue.lose()

    def _give_up(self, code: int) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(Ended(code))
        self._news.set()

    async def _say(self, frame: Frame) -> None:
        if self._socket is not None:
            self._said_last = time.monotonic()
            with contextlib.suppress(ConnectionClosed):
                await self._socket.send(compact(frame))

    async def _hear(self, frame: Frame) -> None:
        await self._take({"t": "frame", "frame": frame, "now": self._clock()}, frame)
        await self._turn()
        if self.heard is not None:
            self.heard(frame)
        self._news.set()

    async def _take(self, given: Mapping[str, Any], frame: Frame | None = None) -> None:
        """One input for the core, and everything that follows from it. `frame` is what came in."""
        self.core, effects = step(self.core, given)
        for effect in effects:
            if effect["do"] == "send":
                await self._say(effect["frame"])
            elif frame is not None:
                self._carry_out(effect, frame)

    def _carry_out(self, effect: Effect, frame: Frame) -> None:
        self.store.carry_out(effect)
        match effect["do"]:
            case "end":
                self.ended[effect["s"]] = effect["code"]
            case "clock":
                self._offset = effect["now"] - self._clock()
            case "welcome":
                self._welcomed(frame)
            case "answer":
                self._settle(effect, frame)
            case "complain":
                self._blame(frame)

    def _welcomed(self, frame: Frame) -> None:
        self.welcome, self._greeted, self._struck, self._failed = frame, True, 0, -1
        self.queue.rate = frame["limits"].get("rate", self.queue.rate)
        self.welcomes += 1

    def _settle(self, answer: Effect, frame: Frame) -> None:
        if self.queue.settle(answer, self._clock(), self._dice.random()):
            future = self._waiting[answer["id"]]
            if not future.done():
                future.set_result(frame)

    def _blame(self, complaint: Frame) -> None:
        op_id = self.queue.blamed(complaint["code"])
        if op_id is not None:
            self._settle({"id": op_id, "ok": False}, complaint)

    def _clock(self) -> float:
        """This machine's clock in ms."""
        return time.time() * 1000
