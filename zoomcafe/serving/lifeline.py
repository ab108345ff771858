"""The worker's end of what ties it to its supervisor."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


class Lifeline:
    def __init__(self, descriptor: int) -> None:
        self._line = socket.socket(fileno=descriptor)
        self._line.setblocking(False)

    def tell_ready(self) -> None:
        """Says that callers are let in; nobody there to hear it is said by `when_cut`."""
        try:
            self._line.send(b"r")
        except OSError:
            return

    def when_cut(self, loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
        """Calls once, on `loop`: the supervisor wants the worker to drain, or is no more."""

        def cut() -> None:
            loop.remove_reader(self._line)
            call()

        loop.add_reader(self._line, cut)
