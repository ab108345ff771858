"""One WebSocket: admission, hello, operations, farewell. Reads its messages itself; nothing is dispatched by name."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast
from urllib.parse import parse_qs

from channels.routing import URLRouter
from django.conf import settings
from django.db import Error
from django.urls import re_path

from sessions.clock import now_ms
from sessions.codes import KeyConverter
from sessions.identity import device_in, login_in
from sessions.live import desk, rights, visit, wire
from sessions.live.eager import eagerly
from sessions.live.follower import Follower
from sessions.live.house import house, keep_waiting
from sessions.live.hub import Hub
from sessions.live.line import line_of
from sessions.live.ops import Answer, Refused
from sessions.live.pace import Bucket, arriving, knocking, strangers
from sessions.live.prepared import Said, prepare
from sessions.live.together import Together
from sessions.live.words import say
from sessions.models import Participant

log = logging.getLogger(__name__)
Message = dict[str, Any]
coming: Together[visit.Caller, Participant] = Together(visit.viewers)
greeting: Together[visit.Hello, visit.Followed] = Together(visit.followings)
STRIKES = 3
MOST_UNANSWERED = 32
FRAMES_PER_SECOND, FRAMES_BURST = 50, 300  # far above what our pages send
IN_A_ROW = 8  # frames of one socket, before others have a turn
COSTS = {"sub": 10}  # asks the database at once
RETRY_MS = 2_000
TRIAL_S = 60
TRIAL_PER_SECOND, TRIAL_BURST = 1, 16
TRIALS_SHARE = 4  # of the places before hello


async def live(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """The ASGI application of `/live/<code>/`. Whoever gets here has the right Origin."""
    await Socket(scope, receive, send).run()


async def trial(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """`/live/check/`: for the page that finds out whether sockets get through."""
    await Trial(scope, receive, send).run()


routes: list[Any] = [
    re_path("^live/check/$", cast("Any", trial), {"code": ""}),
    re_path(f"^live/(?P<code>{KeyConverter.regex})/$", cast("Any", live)),
    re_path("", cast("Any", live), {"code": ""}),  # any other address: told that there is nothing
]
application = URLRouter(routes)


class Socket:
    def __init__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        headers = scope["headers"]
        self.code: str = scope["url_route"]["kwargs"]["code"]
        self.address = (scope.get("client") or [""])[0]
        self.cookies = "; ".join(value.decode("latin-1") for key, value in headers if key == b"cookie")
        accepted = next((value.decode("latin-1") for key, value in headers if key == b"accept-language"), "")
        self.language = visit.language_of(self.cookies, accepted)
        self.as_moderator = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("as") == ["moderator"]
        self.receive, self.send = receive, send
        self.line = line_of(scope)
        self.listens = False  # for the next frame, with all before it handled
        self.follower: Follower | None = None
        self.strikes = {"bad": 0, "fast": 0}
        self.unanswered = 0
        self.answered = asyncio.Event()
        self.writer = desk.Writer.here()
        self.frames = Bucket(FRAMES_PER_SECOND, FRAMES_BURST)
        self.time = asyncio.get_running_loop().time
        self.waits = True  # for its hello
        self.comes_too_often = self.is_too_often()

    async def run(self) -> None:
        await self.receive()
        if self.comes_too_often and not await keep_waiting():
            await self._close(1013)
            return
        if not await self.takes_place():
            await self.send({"type": "websocket.accept"})
            await self._text({"t": "bye", "retry_ms": RETRY_MS, "why": "full"})
            await self.send({"type": "websocket.close", "code": 1013})
            return
        try:
            await self.send({"type": "websocket.accept"})
            await self.serve()
        except visit.Closed as nobody:
            await self._tell(nobody.code)
            await self._close(nobody.close)
        except Gone:
            log.debug("socket left")
        except Error:
            log.warning("a socket could not be served: the database is away")
            await self._close(1013)
        finally:
            house.leave_place(before_hello=self.waits)
            self._leave()

    def is_too_often(self) -> bool:
        """Before we know who it is; remembered without their secret."""
        pace = knocking if self.cookies else strangers
        return bool(pace.wait_ms(hash((self.address, self.cookies))))

    async def takes_place(self) -> bool:
        return await house.take_place_in_turn()

    async def serve(self) -> None:
        """Returns when it is over; raises `Gone` or `Closed` when it ends before."""
        if self.comes_too_often:
            raise visit.Closed(4429, "rate_limited")
        viewer = await coming.ask(visit.Caller(self.code, self.cookies, self.as_moderator))
        if arriving.wait_ms(viewer.pk):  # before anything is read for them
            raise visit.Closed(4429, "rate_limited")
        hello = await self._hello()
        house.hear_hello()
        self.waits = False
        await self._stay(viewer, hello)

    async def _hello(self) -> Message:
        """The first frame that says hello; `Closed` when it does not come in time or speaks an older language."""
        try:
            async with asyncio.timeout(settings.LIMIT_HELLO_SECONDS):
                return await self._first()
        except TimeoutError:
            raise visit.Closed(4401, "sign_in") from None

    async def _first(self) -> Message:
        while True:
            frame = await self._next()
            if frame is None:
                continue
            if frame["t"] != "hello":
                await self._strike("bad_frame")
            elif frame["v"] != wire.VERSION:
                raise visit.Closed(4426, "outdated")
            else:
                return frame

    async def _next(self) -> Message | None:
        """The next frame; null for one that could not be read and has been answered."""
        message = await self.receive()
        if message["type"] == "websocket.disconnect":
            raise Gone
        try:
            raw = message.get("text")
            if not raw:
                raise Refused("bad_frame")  # noqa: TRY301 - binary and empty frames are answered like other bad ones
            frame = wire.parse(raw)
        except Refused as refused:
            if refused.code == "too_large":
                raise visit.Closed(4413, "too_large") from None
            await self._strike(refused.code, refused.op_id)
            return None
        if not self.frames.take(COSTS.get(frame["t"], 1)):
            raise visit.Closed(4429, "rate_limited")
        return frame

    async def _strike(self, code: str, op_id: str | None = None) -> None:
        self.strikes["bad"] += 1
        if self.strikes["bad"] >= STRIKES:
            raise visit.Closed(4400, code)
        await self._tell(code, op_id)

    async def _stay(self, viewer: Participant, hello: Message) -> None:
        followed = await self._followed(viewer, hello["streams"], hello.get("epoch"))
        follower = self.follower = Follower(
            viewer,
            self._say if self.line is None else self.line.say,
            language=self.language,
            line=self.line,
            device=device_in(self.cookies, viewer),
            login=login_in(self.cookies, viewer),
        )
        crowded_out = house.enter(follower)
        if crowded_out is not None:
            crowded_out.told("too_many_tabs")
            crowded_out.close(4409)
        await self._welcome(followed)
        await self._follow(followed)
        talking = asyncio.ensure_future(self._talk(viewer, follower))
        ends: set[asyncio.Future[Any]] = {talking, follower.over}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if not follower.over.done():
                talking.result()
        finally:
            talking.cancel()
        await asyncio.wait({talking})
        await self._close(follower.over.result())

    async def _followed(self, viewer: Participant, wishes: Message, epoch: str | None) -> visit.Followed:
        try:
            device, login = device_in(self.cookies, viewer), login_in(self.cookies, viewer)
            return await greeting.ask(visit.Hello(viewer, wishes, epoch, device, login))
        except Refused as refused:
            raise visit.Closed(4400, refused.code) from None

    async def _welcome(self, followed: visit.Followed) -> None:
        await self._text(wire.welcome_frame(followed.me, followed.epoch))

    async def _follow(self, followed: visit.Followed) -> None:
        hub, follower = Hub.here(), self.follower
        if follower is None:
            return
        for name, stream, after in followed.streams:
            hub.follow(follower, stream, name, after)
        for name, code in followed.refused:
            follower.end(name, code)
        if hub.has_passed(followed.judged):
            await rights.check(hub, [follower])

    async def _talk(self, viewer: Participant, follower: Follower) -> None:
        if self.line is not None:
            self.line.listen(self._take, prepare)
        while True:
            for _frame in range(IN_A_ROW):
                self.listens = True
                try:
                    frame = await self._next()
                finally:
                    self.listens = False
                if frame is not None:
                    follower.heard_at = self.time()
                    await self._heed(viewer, follower, frame)
            await asyncio.sleep(0)

    def _take(self, said: Said) -> bool:
        """What most frames are, in the turn of the loop that brings them; false: it has to go the long way, which
        knows an answer to everything. `_next` waits meanwhile, and nothing waits for it.
        """
        follower = self.follower
        if follower is None or not self.listens or self.unanswered >= MOST_UNANSWERED or isinstance(said, str):
            return False
        if follower.over.done():
            return False
        moment = self.time()
        if not self.frames.take(1, moment):
            return False
        if isinstance(said, int):
            self._seen(follower, said)
        else:
            self._begin(follower.viewer, said)
        follower.heard_at = moment
        return True

    async def _heed(self, viewer: Participant, follower: Follower, frame: Message) -> None:
        match frame["t"]:
            case "op":
                await self._operate(viewer, frame)
            case "seen":
                self._seen(follower, frame["n"])
            case "ping":
                await self._text({"t": "pong", "c": frame["c"], "now": now_ms()})
            case "sub":
                await self._sub(viewer, follower, frame)
            case "unsub":
                self._unsub(follower, frame["s"])
            case "hello":
                await self._strike("bad_frame")

    async def _operate(self, viewer: Participant, frame: Message) -> None:
        """Starts an operation; the next frame need not wait for the commit."""
        while self.unanswered >= MOST_UNANSWERED:
            self.answered.clear()
            await self.answered.wait()
        try:
            said = desk.draft_of(frame)
        except Refused as refused:
            await self._tell(refused.code)
            self._count("bad", 4400)
        else:
            self._begin(viewer, said)

    def _begin(self, viewer: Participant, said: desk.Draft) -> None:
        self.unanswered += 1
        desk.operate(viewer, said, self._answer, writer=self.writer)

    def _answer(self, answer: Answer) -> None:
        self.unanswered -= 1
        if self.unanswered == MOST_UNANSWERED - 1:  # for which `_operate` waits
            self.answered.set()
        if answer.code is None:
            (self._say if self.line is None else self.line.hold)(wire.ack(answer))
            return
        self._say(wire.dump(wire.answer_frame(answer, say(answer.code, self.language, answer.names))))
        if answer.code == "rate_limited":
            self._count("fast", 4429)

    def _count(self, kind: str, close: int) -> None:
        """As `_strike`, beside the task that reads."""
        self.strikes[kind] += 1
        if self.strikes[kind] >= STRIKES and self.follower is not None:
            self.follower.close(close)

    def _seen(self, follower: Follower, n: int) -> None:
        if follower.window.confirm(n):
            for sub in follower.subs.values():
                if not sub.ready:
                    Hub.here().catch_up(follower, sub)

    async def _sub(self, viewer: Participant, follower: Follower, frame: Message) -> None:
        after = frame.get("after")
        asked = await self._followed(viewer, {frame["s"]: -1 if after is None else after}, None)
        asked.streams[:] = [found for found in asked.streams if found[0].on_wire() == frame["s"]]
        asked.refused[:] = [(name, code) for name, code in asked.refused if name.on_wire() == frame["s"][:40]]
        if len(follower.subs) >= wire.MOST_STREAMS and not any(s.pk in follower.subs for _n, s, _a in asked.streams):
            await self._strike("bad_frame")
            return
        await self._follow(asked)

    def _unsub(self, follower: Follower, name: str) -> None:
        gone = [pk for pk, sub in follower.subs.items() if sub.name.on_wire() == name and name not in visit.ALWAYS]
        Hub.here().leave(follower, gone)

    async def _tell(self, code: str, op_id: str | None = None) -> None:
        named = {"id": op_id} if op_id else {}
        said = {"code": code, "text": say(code, self.language), "retry": wire.may_retry(code)}
        await self._text({"t": "err", **named, **said})

    async def _text(self, frame: Message) -> None:
        await self._raw(wire.dump(frame))

    def _say(self, text: str) -> None:
        if self.line is not None:
            self.line.say(text)
        else:
            eagerly(self._raw(text))

    async def _raw(self, text: str) -> None:
        try:
            await self.send({"type": "websocket.send", "text": text})
        except (RuntimeError, OSError):  # it closed in between; its own loop hears of that by itself
            log.debug("nobody there to send to")

    async def _close(self, code: int) -> None:
        with suppress(RuntimeError, OSError):
            await self.send({"type": "websocket.close", "code": code})

    def _leave(self) -> None:
        if self.follower is not None:
            house.leave(self.follower)
            Hub.here().leave(self.follower)


class Trial(Socket):
    """Answers pings for a moment, to anybody, without a database. Counts as one that has not said hello."""

    def is_too_often(self) -> bool:
        """There are few places, and an end to each visit."""
        return False

    async def takes_place(self) -> bool:
        places = max(1, settings.LIMIT_SOCKETS_BEFORE_HELLO // TRIALS_SHARE)
        return house.trials < places and house.take_place()

    async def serve(self) -> None:
        house.trials += 1
        self.frames = Bucket(TRIAL_PER_SECOND, TRIAL_BURST)
        end = asyncio.get_running_loop().time() + TRIAL_S
        try:
            async with asyncio.timeout(settings.LIMIT_HELLO_SECONDS) as patience:
                while True:
                    frame = await self._next()
                    if frame is not None:
                        await self._echo(frame)
                        patience.reschedule(end)
        except TimeoutError:
            await self._close(1000)
        finally:
            house.trials -= 1

    async def _echo(self, frame: Message) -> None:
        if frame["t"] == "ping":
            await self._text({"t": "pong", "c": frame["c"], "now": now_ms()})
        else:
            await self._strike("bad_frame")


class Gone(Exception):  # noqa: N818 - an end, not an error
    """The browser has gone."""
