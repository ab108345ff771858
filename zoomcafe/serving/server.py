"""Daphne's server with limits, and a way to go that loses nobody's words."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import resource
import signal
import socket
from typing import TYPE_CHECKING, Any

from daphne.server import Server, reactor, twisted_loop
from twisted.internet import defer
from twisted.logger import FilteringLogObserver, LogLevel, LogLevelFilterPredicate, STDLibLogObserver, globalLogBeginner

from sessions.live import line
from zoomcafe.serving.connections import CafeFactory, CafeRequest, Limits
from zoomcafe.serving.door import Door
from zoomcafe.serving.sockets import CafeSocket, CafeSocketFactory, knows_short_way
from zoomcafe.serving.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from zoomcafe.serving.tally import Share

logger = logging.getLogger("zoomcafe.serving")

BACKLOG = 1024
MOST_FILES = 65_536
SPARE_FILES = 256
SOCKET_BYTES = 256 * 1024
FINISH_SECONDS = 10
LINGER_SECONDS = 1
GOODBYE_SECONDS = 6


def listening_socket(host: str, port: int) -> socket.socket:
    """Callers may queue from now on; `CafeServer.run` lets them in. Raises OSError."""
    family, kind, protocol, _name, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def raise_file_limit() -> int:
    """Every socket is a file; most systems start with 1,024. Returns how many there may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = (MOST_FILES if each == resource.RLIM_INFINITY else min(each, MOST_FILES) for each in (soft, hard))
    if soft >= hard:
        return soft
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


class CafeServer(Server):  # type: ignore[misc]
    """Before the process ends, `farewell` is awaited, which tells the sockets; then `settle`: what is begun is done."""

    loop: asyncio.AbstractEventLoop = twisted_loop

    def __init__(
        self,
        application: Any,
        *,
        listener: socket.socket,
        farewell: Callable[[], Awaitable[None]],
        settle: Callable[[], Awaitable[None]],
        limits: Limits | None = None,
        share: Share | None = None,
    ) -> None:
        super().__init__(
            application,
            endpoints=["the listener"],
            signal_handlers=False,
            websocket_timeout=-1,
            websocket_max_message_size=SOCKET_BYTES,
            websocket_max_frame_size=SOCKET_BYTES,
            server_name="ZoomCafe",
        )
        self.listener = listener
        self.farewell, self.settle = farewell, settle
        self.limits = limits or Limits()
        self.share = share
        self.draining = False
        self.going: asyncio.Task[None] | None = None

    def run(self, *, ready: Callable[[], None]) -> None:
        """Serves until SIGTERM, SIGINT or SIGHUP (a terminal that went) is answered; `ready` once callers come in."""
        files = raise_file_limit()
        if files < self.limits.connections:
            logger.warning("Only %d open files are allowed; raise the limit (ulimit -n) for many guests", files)
        self.connections: dict[Any, dict[str, Any]] = {}
        self.http_factory = CafeFactory(self, most=min(self.limits.connections, max(64, files - SPARE_FILES)))
        self.ws_factory = CafeSocketFactory(self, server=self.server_name)
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            maxMessagePayloadSize=self.websocket_max_message_size,
            maxFramePayloadSize=self.websocket_max_frame_size,
        )
        self.short_way = knows_short_way()
        report_twisted_errors()
        asyncio.set_event_loop(twisted_loop)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            twisted_loop.add_signal_handler(number, self.go)
        reactor.callLater(1, self.application_checker)
        reactor.callLater(2, self.timeout_checker)
        reactor.addSystemEventTrigger("before", "shutdown", self.kill_all_applications)
        self.door = Door(self.listener, twisted_loop, admit=self.admit, share=self.share)
        self.door.open()
        reactor.callWhenRunning(Watchdog(twisted_loop).start)
        reactor.callWhenRunning(ready)
        reactor.run(installSignalHandlers=False)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """As in Daphne, but what waits for a socket's application is bounded."""
        if not isinstance(protocol, CafeSocket):
            return super().create_application(protocol, scope)
        extensions = {line.NAME: protocol} if self.short_way else {}
        application = self.application(
            scope={"asgi": {"version": "3.0"}, "extensions": extensions, **scope},
            receive=protocol.inbox.get,
            send=functools.partial(self.pass_on, protocol),
        )
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(application, loop=self.loop)
        return protocol.inbox

    async def pass_on(self, protocol: CafeSocket, message: dict[str, Any]) -> None:
        """What an application says to its socket; nothing any more once that is gone."""
        details = self.connections.get(protocol)
        if details is not None and "disconnected" not in details:
            protocol.handle_reply(message)

    def protocol_disconnected(self, protocol: Any) -> None:
        """As in Daphne, but a socket that was refused may have been counted out before its connection is lost."""
        if protocol in self.connections:
            super().protocol_disconnected(protocol)

    def admit(self, caller: socket.socket) -> None:
        with contextlib.suppress(OSError):  # it has hung up already
            reactor.adoptStreamConnection(caller.fileno(), caller.family, self.http_factory)

    def go(self) -> None:
        """The first signal drains, the second does not wait."""
        if self.going is None:
            self.going = twisted_loop.create_task(self.drain())
        elif reactor.running:
            reactor.stop()

    def leave(self) -> None:
        """The same, however often it is asked for."""
        if self.going is None:
            self.go()

    async def drain(self) -> None:
        """Nobody new is let in, requests finish, sockets hear that they should come back."""
        self.draining = True
        try:
            self.door.close()
            await asyncio.gather(self.say_goodbye(), self.finish_requests())
            await asyncio.wait_for(self.settle(), FINISH_SECONDS)
        except TimeoutError:
            logger.warning("What was begun was not done within %d s", FINISH_SECONDS)
        finally:
            if reactor.running:
                reactor.stop()

    async def say_goodbye(self) -> None:
        try:
            await asyncio.wait_for(self.farewell(), GOODBYE_SECONDS)
        except TimeoutError:
            logger.warning("Saying goodbye took longer than %d s", GOODBYE_SECONDS)
        for protocol in [each for each in self.connections if isinstance(each, CafeSocket)]:
            if protocol.state == protocol.STATE_OPEN:
                protocol.serverClose(code=1012)

    async def dismiss_the_idle(self) -> None:
        """What is on its way when the door closes is still answered; then connections without a request are closed."""
        end = twisted_loop.time() + LINGER_SECONDS
        while self.http_factory.waiting and twisted_loop.time() < end:
            await asyncio.sleep(0.05)
        self.http_factory.close_waiting()

    async def finish_requests(self) -> None:
        await self.dismiss_the_idle()
        end = twisted_loop.time() + FINISH_SECONDS
        while self.unanswered() and twisted_loop.time() < end:
            await asyncio.sleep(0.05)
        if left := self.unanswered():
            logger.warning("%d requests were not finished within %d s", left, FINISH_SECONDS)

    def unanswered(self) -> int:
        return sum(
            isinstance(protocol, CafeRequest) and "disconnected" not in details
            for protocol, details in self.connections.items()
            if "application_instance" in details
        )

    def kill_all_applications(self) -> Any:
        """As in Daphne, but a connection that has not yet an application does not end it halfway."""
        running = [
            details["application_instance"]
            for details in self.connections.values()
            if "application_instance" in details and not details["application_instance"].done()
        ]
        for application in running:
            application.cancel()
        done = defer.Deferred.fromFuture(asyncio.gather(*running, return_exceptions=True))
        done.addErrback(lambda _failure: None)
        return done


def report_twisted_errors() -> None:
    """Errors inside Twisted reach our log; its chatter goes nowhere."""
    only_errors = LogLevelFilterPredicate(defaultLogLevel=LogLevel.error)
    globalLogBeginner.beginLoggingTo(
        [FilteringLogObserver(STDLibLogObserver("zoomcafe.serving"), [only_errors])],
        redirectStandardIO=False,
        discardBuffer=True,
    )
