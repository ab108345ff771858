"""What sockets say and hear together with others, in one turn of the loop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import daphne.server  # first of all: it installs the reactor that runs on asyncio

from zoomcafe.serving.frames import shared_text_frame

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
        self.texts: list[tuple[CafeSocket, str]] = []
        self.prepare: Prepare = list  # makes all of these out
        self.at = 0.0  # when it came, as `time.time` tells it

    def add(self, one: CafeSocket, prepare: Prepare, text: str) -> None:
        """In the order of one socket."""
        if prepare is not self.prepare:
            self._hear_texts()
            self.prepare = prepare
        self.texts.append((one, text))

    def hear(self) -> None:
        """One that stumbles holds up no other."""
        those, self.arrived = self.arrived, []
        self.at = time.time()
        for one, data in those:
            try:
                one.arrives(data)
            except Exception:
                logger.exception("A socket stumbled over what it was sent; it is dropped")
                one.transport.abortConnection()
        self._hear_texts()

    def _hear_texts(self) -> None:
        those, self.texts = self.texts, []
        for (one, text), said in zip(those, _ready(self.prepare, [text for _one, text in those]), strict=True):
            try:
                if one.whole or one.state == one.STATE_OPEN:  # what another one said may have ended it
                    one.hear(text, said)
            except Exception:
                logger.exception("A socket stumbled over what it was sent; it is dropped")
                one.transport.abortConnection()


def say_all(those: Sequence[tuple[str, Sequence[CafeSocket]]]) -> None:
    """What is said to many, step by step for all of them. Where nothing waits to be sent the system takes it at once.
    One that stumbles holds up no other.
    """
    for one, frame in _framed(those):
        try:
            taken = one.give(frame) if one.clear else 0
        except OSError:  # also when it takes nothing now; Twisted finds out
            taken = 0
        if taken != len(frame):
            one.clear = False
            one.transport.write(frame[taken:])


def _framed(those: Sequence[tuple[str, Sequence[CafeSocket]]]) -> list[tuple[CafeSocket, bytes]]:
    """What the system is to be given."""
    ready = []
    for text, sockets in those:
        for one in sockets:
            try:
                if one.clear and not one.held:
                    ready.append((one, shared_text_frame(text)))
                elif frame := one.framed(text):
                    ready.append((one, frame))
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
