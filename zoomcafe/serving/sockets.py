"""A socket that keeps little for anybody: Daphne and Autobahn buffer whatever comes in and whatever is not fetched.

Bytes wait in four places: Autobahn's rest of what arrived, the pieces of a message, the inbox of the application,
and on their way out the transport (a few short answers are held for a moment before). From `MOST_WAITING` in the inbox,
or as soon as the other side does not fetch what it is sent, nothing more is read, so that TCP holds the sender up.
Whoever still has `MOST_UNSENT` to fetch is cut off.
"""

from __future__ import annotations

import logging
import socket
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import daphne.server  # first of all: it installs the reactor that runs on asyncio
from autobahn.websocket import protocol as autobahn
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet.tcp import Connection

from zoomcafe.serving import readers
from zoomcafe.serving.frames import LONGEST_MESSAGE, shared_text_frame, sole_text, text_frame, whole_texts
from zoomcafe.serving.gathering import heard, held, say_all
from zoomcafe.serving.inbox import Inbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from zoomcafe.serving.gathering import Prepare

logger = logging.getLogger("zoomcafe.serving")
reactor = daphne.server.reactor
autobahn.pformat = repr  # of each socket's options, for a log line that nobody reads: a fifth of a handshake

TOO_LONG = b"-" * (LONGEST_MESSAGE + 1)
MOST_WAITING = 128 * 1024  # bytes of memory
MOST_UNSENT = 768 * 1024  # the window of a page is 512 KiB; the rest is for answers and beats
IN_A_ROW = 16  # steps of reading one socket, of which a frame takes one or two, before others have a turn
OF_REACTOR = ("_readers", "_readOrWrite", "_asyncioEventloop")  # what the short way needs of them
OF_CONNECTION = ("socket", "dataBuffer", "offset", "_tempDataLen", "connected", "disconnecting")
AT_MOST = 8 * 1024  # bytes read at once, on the short way

Message = dict[str, Any]


class CafeSocket(WebSocketProtocol):  # type: ignore[misc]
    """`clear` says that the system takes what is said at once, by `give`, and `whole` that whole messages are read at
    once. Both hold until anything goes Autobahn's way, and are found out anew when they are asked for.
    """

    __slots__ = (  # what each frame asks for, side by side: Autobahn's hundred attributes lie all over the memory
        "asked", "autoPingTimeoutCall", "clear", "descriptor", "fetches", "filled", "give", "held", "in_a_row", "inbox",
        "last_ping", "prepare", "rests", "take", "whole",
    )  # fmt: skip
    __hash__ = object.__hash__  # Daphne has its own, which mean the same
    __eq__ = object.__eq__

    def __init__(self) -> None:
        super().__init__()
        self.inbox = Inbox(self.look)
        self.fetches = True
        self.rests = False
        self.in_a_row = 0
        self.asked: bytes | None = None
        self.take: Callable[[Any], bool] | None = None
        self.prepare: Prepare = list
        self.held = b""
        self.descriptor = -1  # as it is watched on the short way
        self.filled = self.clear = self.whole = False
        self.give: Callable[[bytes], int] = len

    # ── coming and going ──
    def onConnect(self, request: Any) -> Any:  # noqa: N802
        """We offer no subprotocol, and Daphne breaks on names of some that are not ASCII."""
        request.headers.pop("sec-websocket-protocol", None)
        return super().onConnect(request)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:  # noqa: N802, N803, FBT001
        """What was no handshake never became a socket; Daphne would look for who it was."""
        if hasattr(self, "application_deferred"):
            super().onClose(wasClean, code, reason)
        elif hasattr(self, "server"):
            self.server.protocol_disconnected(self)

    def connectionMade(self) -> None:  # noqa: N802
        super().connectionMade()
        self.transport.unregisterProducer()  # that was the connection as one for HTTP
        self.transport.registerProducer(self, streaming=True)
        self.factory.server_class.http_factory.keep(self)

    def connectionLost(self, reason: Any) -> None:  # noqa: N802
        self.take = None  # who keeps the application, which keeps us
        self.held = b""
        self.leave_ways()
        self.leave_readers()
        self.factory.server_class.http_factory.closed(self)
        super().connectionLost(reason)

    def serverClose(self, code: int | None = None) -> None:  # noqa: N802
        """Autobahn's own way refuses 1011, 1012 and 1013, the codes by which a server says: come back."""
        self.sendCloseFrame(code=1000 if code is None else code)

    def sendCloseFrame(self, *how: Any, **more: Any) -> None:  # noqa: N802
        """Whoever closes: what was held goes first."""
        self.let_go()
        self.leave_ways()
        super().sendCloseFrame(*how, **more)

    def dropConnection(self, *how: Any, **more: Any) -> None:  # noqa: N802
        self.leave_ways()
        super().dropConnection(*how, **more)

    def leave_ways(self) -> None:
        """Autobahn goes on, or nobody."""
        self.clear = self.whole = False

    # ── what comes in ──
    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Whole messages, the usual case, are read at once; everything else goes Autobahn's way, as would these."""
        read = self.in_a_row = 0
        heard.at = time.time()
        for text, end in whole_texts(data) if self.expects_a_message() else ():
            read, self.in_a_row = end, self.in_a_row + 1
            self.hear(text)
            if self.rests or self.in_a_row == IN_A_ROW:
                break
        if read < len(data):
            self.whole = False
            super().dataReceived(data[read:])

    def arrives(self, data: bytes) -> None:
        """`dataReceived` on the short way: whole messages and nothing else are heard with those of other sockets."""
        text = sole_text(data) if self.whole or self.expects_a_message() else None
        if text is not None:
            heard.add(self, self.prepare, text)
        elif texts := self.texts_in(data):
            for each in texts:
                heard.add(self, self.prepare, each)
        else:
            self.dataReceived(data)

    def texts_in(self, data: bytes) -> list[str]:
        """Of whole messages, where that is all there is, and not too much for one turn."""
        texts = [*whole_texts(data)] if self.whole else []
        if not texts or texts[-1][1] < len(data) or len(texts) > IN_A_ROW:
            return []
        return [text for text, _end in texts]

    def hear(self, text: str, said: Any = None) -> None:
        """What was `said` in it is prepared, or is now."""
        if self.autoPingTimeoutCall:
            self._cancelAutoPingTimeoutCall()
        if self.take is None or self.filled:
            self.onMessage(text.encode(), False)
        elif self.take(self.prepare([text])[0] if said is None else said):
            self.last_ping = heard.at
        else:
            self.onMessage(text.encode(), False)

    def expects_a_message(self) -> bool:
        read = self.state == self.STATE_OPEN and not self.rests and self._perMessageCompress is None
        self.whole = read and self.current_frame is None and not self.inside_message and not self.data
        return self.whole

    def look(self) -> None:
        """Whether to read: not while the inbox is full, until half of it is taken, nor while nothing is fetched."""
        self.filled = self.inbox.size > 0
        limit = MOST_WAITING // 2 if self.rests else MOST_WAITING
        rests = self.inbox.size > limit or not self.fetches
        if rests == self.rests:
            return
        self.rests = rests
        if rests:
            self.whole = False
            self.transport.pauseProducing()
        else:
            reactor.callLater(0, self.go_on)

    def go_on(self) -> None:
        """First with what has arrived."""
        self.in_a_row = 0
        self.consumeData()
        if not self.rests and self.transport.connected:
            self.transport.resumeProducing()
            self.read_shortly()

    def processData(self) -> bool:  # noqa: N802
        """Frames that arrived in one piece wait like those that have not arrived, and for the turns of others."""
        self.whole = False
        self.in_a_row += 1
        if self.in_a_row > IN_A_ROW and not self.rests:
            self.rests = True
            self.transport.pauseProducing()
            reactor.callLater(0, self.look)
        return False if self.rests else bool(super().processData())

    def onMessageFrameData(self, payload: bytes) -> None:  # noqa: N802
        """One piece, however it trickles in."""
        if self.failedByMe:
            return
        if not self.frame_data:
            self.frame_data.append(bytearray())
        self.frame_data[0] += payload

    def onMessageFrame(self, payload: list[bytearray]) -> None:  # noqa: N802
        """One piece, of however many frames a message is made."""
        if self.message_data and payload:
            self.message_data[0] += payload[0]
        else:
            super().onMessageFrame(payload)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803, FBT001
        """What is too long is refused whatever it says."""
        super().onMessage(payload if len(payload) <= LONGEST_MESSAGE else TOO_LONG, isBinary)

    def onPing(self, payload: bytes) -> None:  # noqa: N802
        """Only the newest of several is answered (RFC 6455, 5.5.3)."""
        if self.unsent():
            self.asked = payload
        else:
            self.asked = None
            super().onPing(payload)

    def check_timeouts(self) -> None:
        """Every two seconds."""
        if self.asked is not None:
            self.onPing(self.asked)
        super().check_timeouts()

    # ── the short way (`sessions/live/line.py`) ──
    def listen(self, take: Callable[[Any], bool], prepare: Prepare) -> None:
        self.take, self.prepare = take, prepare
        self.read_shortly()

    def read_shortly(self) -> None:
        """Watched with all others: Twisted puts a logging context around each piece. It goes on keeping the books, and
        whoever pauses and resumes reading its way reads its way until this is called again.
        """
        if self.take is not None and self.transport in reactor._readers:
            self.descriptor = self.transport.fileno()
            reactor._asyncioEventloop.remove_reader(self.descriptor)
            all_readers().add(self.descriptor, self.read)

    def leave_readers(self) -> None:
        if self.descriptor >= 0:
            all_readers().discard(self.descriptor)
            self.descriptor = -1

    def read(self) -> None:
        """As `doRead` of Twisted's connections, which also sees to it when one ends."""
        if self.transport not in reactor._readers:  # paused, or resumed and ended meanwhile
            self.leave_readers()
            return
        try:
            data = self.transport.socket.recv(AT_MOST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            heard.arrived.append((self, data))
        else:
            reactor._readOrWrite(self.transport, True)

    def say(self, text: str) -> None:
        say_all([(text, [self])])

    def framed(self, text: str) -> bytes:
        """What the system is to be given of a text now; nothing where others wait to be sent, and it joins them."""
        if not (self.clear or self.is_clear()):
            if self.state == self.STATE_OPEN:
                self.handle_reply({"type": "websocket.send", "text": text})
            return b""
        frame = shared_text_frame(text)
        if self.held:
            frame, self.held = self.held + frame, b""
        return frame

    def is_clear(self) -> bool:
        transport = self.transport
        if self.state != self.STATE_OPEN or self._perMessageCompress is not None or not transport.connected:
            return False
        if transport.dataBuffer or transport._tempDataLen or transport.disconnecting or self.send_queue:
            return False
        self.clear, self.give = True, transport.socket.send
        return True

    def say_all(self, those: Sequence[tuple[str, Sequence[CafeSocket]]]) -> None:
        say_all(those)

    def hold(self, text: str) -> None:
        """Two frames in one packet cost half of two."""
        if self.clear or self.is_clear():
            if not self.held:
                held.add(self)
            self.held += text_frame(text)
        else:
            self.say(text)

    def let_go(self) -> None:
        if self.held and self.state == self.STATE_OPEN:
            frames, self.held = self.held, b""
            self.sendData(frames)

    # ── what goes out ──
    def handle_reply(self, message: Message) -> None:
        """Text of an open socket goes out as it is: a server's frames are not masked, so everybody's is the same."""
        text = message.get("text")
        if text and self.state == self.STATE_OPEN and self._perMessageCompress is None:
            frame, self.held = self.held + shared_text_frame(text), b""
            self.sendData(frame)
        else:
            super().handle_reply(message)

    def unsent(self) -> int:
        """Bytes that the other side has not fetched yet, beyond what the system keeps for it."""
        transport = self.transport
        return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:  # noqa: N802, FBT001, FBT002
        unsent = self.unsent()
        if unsent + len(data) > MOST_UNSENT:
            logger.warning("A socket does not fetch what it is sent; it is dropped")
            self.transport.abortConnection()
        elif self.state == self.STATE_OPEN and not (unsent or sync or chopsize or self.send_queue):
            self.send_at_once(data)
        else:
            self.clear = False
            super().sendData(data, sync, chopsize)

    def send_at_once(self, data: bytes) -> None:
        """As much as the system takes. Twisted would ask it first whether it takes any, in another turn of the loop."""
        transport = self.transport
        open_still = transport.connected and not transport.disconnecting
        taken = transport.writeSomeData(data) if open_still else 0
        if taken != len(data):
            self.clear = False
            transport.write(data[taken:] if isinstance(taken, int) else data)  # which notices that nobody is there

    def pauseProducing(self) -> None:  # noqa: N802
        """The transport has more than its 64 KiB to send."""
        self.fetches = False
        self.look()

    def resumeProducing(self) -> None:  # noqa: N802
        """All was fetched. A transport that waits to close does so once nobody produces any more."""
        self.fetches = True
        self.look()
        if self.transport.disconnecting:
            self.transport.unregisterProducer()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is lost, which is told by itself."""

    # ── rules broken ──
    def _protocol_violation(self, reason: str) -> Any:
        logger.warning("A socket broke the rules of its protocol; it is dropped")
        return super()._protocol_violation(reason)

    def _invalid_payload(self, reason: str) -> Any:
        logger.warning("A socket sent what is no text; it is dropped")
        return super()._invalid_payload(reason)

    def _max_message_size_exceeded(self, size: int, limit: int, reason: str) -> None:
        logger.warning("A socket sent %d bytes in one message, %d are allowed; it is closed", size, limit)
        super()._max_message_size_exceeded(size, limit, reason)


@cache
def all_readers() -> readers.Readers:
    return readers.Readers(reactor._asyncioEventloop, heard.hear)


def knows_short_way() -> bool:
    """Whether the system knows epoll, and Twisted and Autobahn are made as the short way takes them to be; or else
    everything goes their way.
    """
    if not readers.KNOWN:
        return False
    one, other = socket.socketpair()
    with one, other:
        missing = [
            name
            for whole, names in ((reactor, OF_REACTOR), (Connection(one, None, reactor), OF_CONNECTION))
            for name in names
            if not hasattr(whole, name)
        ]
    if missing:
        logger.warning("Sockets go the long way: there is no %s", ", ".join(missing))
    return not missing


class CafeSocketFactory(WebSocketFactory):  # type: ignore[misc]
    protocol = CafeSocket
