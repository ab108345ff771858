"""One connection, over HTTP and as a socket, within limits that Daphne and Twisted leave open."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import daphne.server  # first of all: it installs the reactor that runs on asyncio
from daphne.http_protocol import WebRequest
from twisted.web import http

if TYPE_CHECKING:
    from zoomcafe.serving.server import CafeServer

logger = logging.getLogger("zoomcafe.serving")
reactor = daphne.server.reactor

IDLE_SECONDS = 65
LINGER_SECONDS = 5
LONGEST_LENGTH = 100  # of a Content-Length, written out

SENTENCES = {
    400: "The server cannot read this request. / Der Server kann diese Anfrage nicht lesen.",
    413: "This is too large for one request. / Das ist zu groß für eine einzelne Anfrage.",
    431: "The request's headers are too large. / Die Kopfzeilen der Anfrage sind zu groß.",
    500: "Something went wrong on the server. / Auf dem Server ist etwas schiefgegangen.",
    503: "The server is busy, please try again soon. / Der Server ist beschäftigt, bitte bald noch einmal versuchen.",
}
REASONS = {413: "Content Too Large", 431: "Request Header Fields Too Large"}
BARE_HEADERS = [
    (b"Content-Type", b"text/plain; charset=utf-8"),
    (b"Content-Security-Policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"Cache-Control", b"no-store"),
    (b"Referrer-Policy", b"no-referrer"),
    (b"X-Content-Type-Options", b"nosniff"),
]


@dataclass(frozen=True)
class Limits:
    body_bytes: int = 1024 * 1024
    header_seconds: float = 10
    body_seconds: float = 60
    connections: int = 4096


def sentence(status: int) -> bytes:
    return (SENTENCES.get(status, SENTENCES[500]) + "\n").encode()


class CafeRequest(WebRequest):  # type: ignore[misc]
    def process(self) -> Any:
        self.requestHeaders.removeHeader(b"daphne-root-path")  # anyone could send it
        if self.server.draining:
            self.responseHeaders.setRawHeaders(b"Connection", [b"close"])
            self.channel.persistent = False
        channel = self.channel
        done = super().process()
        if self.transport is None:  # it became a socket, which counts for itself; the channel hears of it no more
            channel.factory.closed(channel)
        return done

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        if self.channel.refused:
            return
        if self.content.tell() + len(data) > self.channel.limits.body_bytes:
            self.channel.refuse(413)
        else:
            super().handleContentChunk(data)

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:  # noqa: ARG002
        self.handle_reply({"type": "http.response.start", "status": status, "headers": BARE_HEADERS})
        self.handle_reply({"type": "http.response.body", "body": sentence(status)})


class CafeChannel(http.HTTPChannel):  # type: ignore[misc]
    """Has seconds for the headers of a request and a minute for its body, however slowly they trickle in."""

    factory: CafeFactory
    requestFactory = CafeRequest  # noqa: N815
    refused = False
    deadline: Any = None

    @property
    def limits(self) -> Limits:
        return self.factory.server.limits

    def connectionMade(self) -> None:  # noqa: N802
        super().connectionMade()
        self.factory.opened(self)
        self.expect_within(self.limits.header_seconds)

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        self.expect_within(None)
        self.factory.closed(self)
        super().connectionLost(reason)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        if self.refused:
            return
        if self.deadline is None and not self._handlingRequest:
            self.expect_within(self.limits.header_seconds)
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:  # noqa: N802
        if not self.refused:
            super().lineReceived(line)

    def rawDataReceived(self, data: bytes) -> None:  # noqa: N802
        if not self.refused:
            super().rawDataReceived(data)

    def headerReceived(self, line: bytes) -> bool:  # noqa: N802
        """Twisted lets encodings pass that others read in their own way, and breaks on numbers of 5,000 digits."""
        name, _colon, value = line.partition(b":")
        length, encoding = (name.lower() == each for each in (b"content-length", b"transfer-encoding"))
        if (length and len(value) > LONGEST_LENGTH) or (encoding and value.strip().lower() != b"chunked"):
            self.refuse(413 if length else 400)
            return False
        return bool(super().headerReceived(line))

    def allHeadersReceived(self) -> None:  # noqa: N802
        if self.length is not None and self.length > self.limits.body_bytes:
            self.refuse(413)
        elif not self.has_one_host():
            self.refuse(400)
        else:
            self.expect_within(self.limits.body_seconds)
            super().allHeadersReceived()

    def has_one_host(self) -> bool:
        hosts = self.requests[-1].requestHeaders.getRawHeaders(b"host", [])
        return len(hosts) == 1 or (not hosts and self._version == b"HTTP/1.0")

    def allContentReceived(self) -> None:  # noqa: N802
        if not self.refused:
            self.expect_within(None)
            self.factory.busy(self)
            super().allContentReceived()

    def requestDone(self, request: Any) -> None:  # noqa: N802
        self.factory.idle(self)
        super().requestDone(request)

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802, ARG002
        self.refuse(431)

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802
        self.refuse(431 if self._receivedHeaderSize > self.totalHeadersSize else 400)

    def refuse(self, status: int) -> None:
        """Answers at once and reads on for a moment without keeping it: closing at once would lose the answer."""
        if self.refused:
            return
        self.refused = True
        body = sentence(status)
        headers = [*BARE_HEADERS, (b"Content-Length", b"%d" % len(body)), (b"Connection", b"close")]
        reason = REASONS.get(status, "Bad Request").encode()
        self.writeHeaders(b"HTTP/1.1", b"%d" % status, reason, headers)
        self.write(body)
        self._networkProducer.unregisterProducer()
        self.transport.loseWriteConnection()
        self.expect_within(LINGER_SECONDS)

    def expect_within(self, seconds: float | None) -> None:
        """None: nothing is awaited."""
        if self.deadline is not None and self.deadline.active():
            self.deadline.cancel()
        self.deadline = None if seconds is None else reactor.callLater(seconds, self.give_up)

    def give_up(self) -> None:
        self.deadline = None
        self.transport.abortConnection()


class CafeFactory(http.HTTPFactory):  # type: ignore[misc]
    """Keeps a bounded number of connections: beyond it the one that has been idle longest makes room."""

    def __init__(self, server: CafeServer, *, most: int) -> None:
        super().__init__(timeout=IDLE_SECONDS, reactor=reactor)
        self.server = server
        self.most = most
        self.connections: set[Any] = set()
        self.waiting: dict[CafeChannel, None] = {}

    def buildProtocol(self, addr: Any) -> CafeChannel | None:  # noqa: N802, ARG002
        if not self.has_room():
            return None
        channel = CafeChannel()
        channel.factory = self
        channel.site = self
        channel.timeOut = self.timeOut
        channel.callLater = reactor.callLater
        return channel

    def has_room(self) -> bool:
        if len(self.connections) < self.most:
            return True
        oldest = next(iter(self.waiting), None)
        if oldest is None:
            return False
        logger.warning("More than %d connections; the one idle longest is closed", self.most)
        self.closed(oldest)
        oldest.transport.abortConnection()
        return True

    def opened(self, channel: CafeChannel) -> None:
        self.keep(channel)
        self.waiting[channel] = None

    def keep(self, connection: Any) -> None:
        self.connections.add(connection)
        self.count()

    def count(self) -> None:
        if self.server.share is not None:
            self.server.share.holds(len(self.connections))

    def busy(self, channel: CafeChannel) -> None:
        self.waiting.pop(channel, None)

    def idle(self, channel: CafeChannel) -> None:
        if channel in self.connections:
            self.waiting[channel] = None

    def closed(self, connection: Any) -> None:
        self.connections.discard(connection)
        self.waiting.pop(connection, None)
        self.count()

    def close_waiting(self) -> None:
        for channel in list(self.waiting):
            channel.transport.loseConnection()
