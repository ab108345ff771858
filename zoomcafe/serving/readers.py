"""Sockets that wait to be read, watched as one.

For each that becomes readable asyncio makes a key, looks up a handle, puts it into a queue and runs it in a context;
here it does so once for all of them.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from contextlib import suppress

KNOWN = hasattr(select, "epoll")  # by this system


class Readers:
    """What to call when there is something to read, by descriptor, and `then` when all were called. None may raise."""

    def __init__(self, loop: asyncio.AbstractEventLoop, then: Callable[[], None]) -> None:
        self._epoll = select.epoll()
        self._calls: dict[int, Callable[[], None]] = {}
        self._then = then
        loop.add_reader(self._epoll.fileno(), self._look)

    def add(self, descriptor: int, read: Callable[[], None]) -> None:
        if descriptor not in self._calls:
            self._epoll.register(descriptor, select.EPOLLIN)
        self._calls[descriptor] = read

    def discard(self, descriptor: int) -> None:
        """Also of one that is closed."""
        if self._calls.pop(descriptor, None) is not None:
            with suppress(OSError):
                self._epoll.unregister(descriptor)

    def _look(self) -> None:
        calls = self._calls
        for descriptor, _event in self._epoll.poll(0):
            read = calls.get(descriptor)
            if read is not None:  # one before it in this turn may have ended it
                read()
        self._then()
