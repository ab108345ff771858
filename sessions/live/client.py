"""The live protocol from the other side, as a page speaks it: cursors, parts, operations with ids, reconnects.

For rehearsals, tests, faults and measurements. `sync.md` is the law; the browser's twin is `static/js/core.js`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Self
from uuid import UUID

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from sessions.live.uuid7 import uuid7

Frame = dict[str, Any]
FINAL = frozenset({4401, 4403, 4404, 4409, 4413, 4426})  # closed for good; 4400 comes back once
REFUSED = {401: 4401, 403: 4403, 404: 4404, 429: 4429}
BACKOFF = (0.5, 8.0)  # seconds, full jitter between
SEEN_EVERY = 1.0  # seconds
PATIENCE = 15.0  # seconds an operation waits before it is sent again
PING = 15.0  # seconds after which a client that had nothing to say says that it is there
SILENCE = 15.0  # seconds without a frame, three beats long: nobody is there any more
WINDOW = 256  # frames, until the welcome says otherwise
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
        self.cookies, self.epoch, self.heard = cookies, epoch, heard
        self.cursors = dict(streams or {"stage": 0, "me": 0})
        self.parts: dict[str, dict[str, Frame]] = {
            name: {part["id"]: part for part in (parts or {}).get(name, [])} for name in self.cursors
        }
        self.ended: dict[str, str] = {}  # streams the server took away, with the code
        self.welcome: Frame = {}
        self.closed: int | None = None
        self.welcomes = 0
        self.closes: list[int] = []  # the code of every connection that ended
        self._stale: dict[str, set[str]] = {}
        self._behind: set[str] = set()  # at the last beat
        self._lacking: set[str] = set()  # asked for what is missing, not answered yet
        self._waiting: dict[str, asyncio.Future[Frame]] = {}
        self._unsent: dict[str, Frame] = {}
        self._socket: ClientConnection | None = None
        self._back_in: float | None = None  # seconds, as a `bye` said
        self._dice = dice or random.Random()  # noqa: S311 - spreads reconnects, keeps no secret
        self._news = asyncio.Event()
        self._offset = 0.0
        self._handled, self._said, self._said_at = 0, 0, -SEEN_EVERY
        self._said_last = 0.0  # anything at all, seconds
        self._forgiven = False
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

    def now(self) -> float:
        """The server's clock in ms, as far as known here."""
        return time.time() * 1000 + self._offset

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
        self.cursors.setdefault(stream, after)
        self.parts.setdefault(stream, {})
        self.ended.pop(stream, None)
        await self._say({"t": "sub", "s": stream, "after": self.cursors[stream]})

    async def leave(self, stream: str) -> None:
        self._forget(stream)
        await self._say({"t": "unsub", "s": stream})

    async def do(
        self, stream: str, kind: str, data: Frame, *, base: int | None = None, op_id: UUID | None = None
    ) -> Frame:
        """Carries out one operation, repeated until it is answered; its `ack`. Raises `Refusal` or `Ended`."""
        op: Frame = {"t": "op", "id": str(op_id or uuid7()), "s": stream, "k": kind, "d": data}
        if base is not None:
            op["base"] = base
        while True:
            answer = await self._once(op)
            if answer["t"] == "ack":
                return answer
            if not answer.get("retry"):
                raise Refusal(answer)
            await asyncio.sleep(answer.get("after_ms", 500) / 1000 * self._dice.uniform(1, 1.5))

    async def _once(self, op: Frame) -> Frame:
        """Sends the operation until an answer comes, whatever happens to the socket."""
        if self.closed is not None:
            raise Ended(self.closed)
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._waiting[op["id"]] = future
        self._unsent[op["id"]] = op
        try:
            while True:
                await self._say(op)
                done, _ = await asyncio.wait({future}, timeout=PATIENCE)
                if done:
                    return future.result()
        finally:
            self._waiting.pop(op["id"], None)
            self._unsent.pop(op["id"], None)

    async def _run(self) -> None:
        while self.closed is None:
            try:
                await self._visit()
            except ConnectionClosed as end:
                self._judge_close(end.rcvd.code if end.rcvd else 1006)
            except InvalidStatus as answer:
                self._judge_close(REFUSED.get(answer.response.status_code, 1006))
            except (OSError, InvalidHandshake, TimeoutError):
                self._judge_close(1006)
            if self.closed is None:
                await asyncio.sleep(self._back_in or self._dice.uniform(*BACKOFF))
        self._give_up(self.closed)

    async def _visit(self) -> None:
        async with self._connected() as socket:
            await self._greet()
            while True:
                await self._hear(json.loads(await self._next(socket)))
                if time.monotonic() - self._said_last >= PING:
                    await self._say({"t": "ping", "c": round(time.time() * 1000)})

    async def _next(self, socket: ClientConnection) -> str | bytes:
        """The next frame. Lets go of a connection that has fallen silent: it may never end by itself."""
        try:
            async with asyncio.timeout(SILENCE):
                return await socket.recv()
        except TimeoutError:
            socket.transport.abort()
            raise

    async def _greet(self) -> None:
        """Says hello; what was asked or counted on another socket no longer matters."""
        self._handled, self._said, self._said_at, self._back_in = 0, 0, -SEEN_EVERY, None
        self._behind.clear()
        self._lacking.clear()
        epoch = {"epoch": self.epoch} if self.epoch else {}
        await self._say({"t": "hello", "v": 1, "streams": dict(self.cursors), **epoch})

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
                self._socket = None

    def _judge_close(self, code: int) -> None:
        self.closes.append(code)
        if code in FINAL or (code == 4400 and self._forgiven):
            self.closed = code
        self._forgiven = self._forgiven or code == 4400

    def _give_up(self, code: int) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(Ended(code))
        self._news.set()

    async def _say(self, frame: Frame) -> None:
        if self._socket is not None:
            self._said_last = time.monotonic()
            with contextlib.suppress(ConnectionClosed):
                await self._socket.send(json.dumps(frame, ensure_ascii=False, separators=(",", ":")))

    async def _hear(self, frame: Frame) -> None:
        match frame["t"]:
            case "welcome":
                await self._welcomed(frame)
            case "parts":
                await self._received(frame)
            case "ack" | "err":
                self._answered(frame)
            case "beat":
                self._set_clock(frame)
                await self._compare(frame["heads"])
            case "end":
                self.ended[frame["s"]] = frame["code"]
                self._forget(frame["s"])
            case "bye":
                self._back_in = frame["retry_ms"] / 1000
        await self._confirm()
        if self.heard is not None:
            self.heard(frame)
        self._news.set()

    async def _welcomed(self, frame: Frame) -> None:
        if self.epoch not in {None, frame["epoch"]}:
            for stream in self.cursors:
                self._begin_anew(stream, 0)
        self.welcome, self.epoch = frame, frame["epoch"]
        self.welcomes += 1
        self._set_clock(frame)
        for op in list(self._unsent.values()):
            await self._say(op)

    def _set_clock(self, frame: Frame) -> None:
        self._offset = frame["now"] - time.time() * 1000

    def _answered(self, frame: Frame) -> None:
        future = self._waiting.get(frame.get("id", ""))
        if future is not None and not future.done():
            future.set_result(frame)

    async def _compare(self, heads: dict[str, int]) -> None:
        """A beat tells the heads. What it says is missing may be on its way: only two beats in a row make it ask."""
        for stream, head in heads.items():
            cursor = self.cursors.get(stream, head)
            if cursor > head or (cursor < head and stream in self._behind):
                self._lacking.discard(stream)
                await self._ask(stream)
            (self._behind.add if cursor < head else self._behind.discard)(stream)

    async def _ask(self, stream: str) -> None:
        """Asks for what lies after the cursor, once until it comes."""
        if stream not in self._lacking:
            self._lacking.add(stream)
            await self._say({"t": "sub", "s": stream, "after": self.cursors[stream]})

    async def _received(self, frame: Frame) -> None:
        self._handled += 1
        stream = frame["s"]
        if stream not in self.cursors:
            return
        if frame.get("reset"):
            self._begin_anew(stream, frame["from"])
        elif self.cursors[stream] < frame["from"]:
            await self._ask(stream)
            return
        elif self.cursors[stream] >= frame["to"]:
            return
        self._apply(stream, frame)

    def _begin_anew(self, stream: str, cursor: int) -> None:
        """Everything of this stream is stale until it comes again."""
        self._stale[stream] = set(self.parts[stream])
        self.cursors[stream] = cursor

    def _apply(self, stream: str, frame: Frame) -> None:
        for part in frame["parts"]:
            self._put(stream, part)
        self.cursors[stream] = frame["to"]
        self._lacking.discard(stream)
        if frame["to"] >= frame["head"]:
            for part_id in self._stale.pop(stream, ()):
                self.parts[stream].pop(part_id, None)

    def _put(self, stream: str, part: Frame) -> None:
        self._stale.get(stream, set()).discard(part["id"])
        if part.get("gone"):
            self.parts[stream].pop(part["id"], None)
        else:
            self.parts[stream][part["id"]] = part

    def _forget(self, stream: str) -> None:
        self.cursors.pop(stream, None)
        self.parts.pop(stream, None)
        self._stale.pop(stream, None)

    def _clock(self) -> float:
        return time.monotonic()

    async def _confirm(self) -> None:
        """Says `seen` from here, never from a timer: at half the window, else at most once a second."""
        open_now = self._handled - self._said
        window = (self.welcome.get("limits") or {}).get("window", WINDOW)
        if open_now and (open_now >= window / 2 or self._clock() - self._said_at >= SEEN_EVERY):
            self._said, self._said_at = self._handled, self._clock()
            await self._say({"t": "seen", "n": self._handled})
