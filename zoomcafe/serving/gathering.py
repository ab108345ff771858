"""What sockets say and hear together with others, in one turn of the loop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import daphne.server  # first of all: it installs the reactor that runs on asyncio

if TYPE_CHECKING:
    from zoomcafe.serving.sockets import CafeSocket

logger = logging.getLogger("zoomcafe.serving")
reactor = daphne.server.reactor
HELD_S = 0.02  # what was held goes by itself
Prepare = Callable[[Sequence[str]], Sequence[Any]]


class Held:
    """The sockets with something to say that goes along with what they say next."""

    def __init__(self) -> None:
        self.sockets: list[CafeSocket] = []

    def add(self, one: CafeSocket) -> None:
        if not self.sockets:
            reactor._asyncioEventloop.call_later(HELD_S, self.let_go)
        self.sockets.append(one)

    def let_go(self) -> None:
        """One that stumbles holds up no other."""
        those, self.sockets = self.sockets, []
        for one in those:
            try:
                one.let_go()
            except Exception:
                logger.exception("A socket stumbled over what was held for it; it is dropped")
                one.transport.abortConnection()


class Heard:
    """What arrived at many sockets, made out step by step for all of them: a processor that does the same again does it
    in a third of the time.
    """

    def __init__(self) -> None:
        self.arrived: list[tuple[CafeSocket, bytes]] = []
        self.texts: dict[Prepare, list[tuple[CafeSocket, str]]] = {}

    def add(self, one: CafeSocket, prepare: Prepare, texts: Sequence[str]) -> None:
        """In the order of one socket."""
        self.texts.setdefault(prepare, []).extend([(one, text) for text in texts])

    def hear(self) -> None:
        """One that stumbles holds up no other."""
        those, self.arrived = self.arrived, []
        for one, data in those:
            try:
                one.arrives(data)
            except Exception:
                logger.exception("A socket stumbled over what it was sent; it is dropped")
                one.transport.abortConnection()
        self._hear_texts()

    def _hear_texts(self) -> None:
        while self.texts:
            prepare, those = self.texts.popitem()
            for (one, text), said in zip(those, _ready(prepare, [text for _one, text in those]), strict=True):
                try:
                    if one.state == one.STATE_OPEN:  # what another one said may have ended it
                        one.hear(text, said)
                except Exception:
                    logger.exception("A socket stumbled over what it was sent; it is dropped")
                    one.transport.abortConnection()


def say_all(those: Sequence[tuple[CafeSocket, str]]) -> None:
    """What is said to many, step by step for all of them. Where nothing waits to be sent the system takes it at once.
    One that stumbles holds up no other.
    """
    behind: set[Any] = set()
    for transport, send, frame in _framed(those):
        if behind and transport in behind:
            transport.write(frame)
            continue
        try:
            taken = send(frame)
        except OSError:  # also when it takes nothing now; Twisted finds out
            taken = 0
        if taken != len(frame):
            transport.write(frame[taken:])
            behind.add(transport)


def _framed(those: Sequence[tuple[CafeSocket, str]]) -> list[tuple[Any, Callable[[bytes], int], bytes]]:
    """Transports, what hands a frame to the system, and the frame."""
    ready = []
    for one, text in those:
        try:
            if frame := one.framed(text):
                ready.append((one.transport, one.transport.socket.send, frame))
        except Exception:
            logger.exception("A socket stumbled over what it is told; it is dropped")
            one.transport.abortConnection()
    return ready


def _ready(prepare: Prepare, texts: Sequence[str]) -> Sequence[Any]:
    """With nulls where it stumbles: then each is prepared by itself."""
    try:
        return prepare(texts)
    except Exception:
        logger.exception("Texts of several sockets were not prepared together")
        return [None] * len(texts)


held, heard = Held(), Heard()
