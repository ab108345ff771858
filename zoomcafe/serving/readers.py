"""Sockets that wait to be read, watched as one.

For each that becomes readable asyncio makes a key, looks up a handle, puts it into a queue and runs it in a context;
here it does so once for all of them. And while a batch is being written nobody is read: what comes cannot be written
before it is done, and what many brought takes less time at once.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from contextlib import suppress

from sessions.live import precedence

KNOWN = hasattr(select, "epoll")  # by this system
LONGEST_REST_S = 0.03


class Readers:
    """What to call when there is something to read, by descriptor, and `then` when all were called. None may raise."""

    def __init__(self, loop: asyncio.AbstractEventLoop, then: Callable[[], None]) -> None:
        self._epoll = select.epoll()
        self._calls: dict[int, Callable[[], None]] = {}
        self._then = then
        self._loop = loop
        self._rest: asyncio.TimerHandle | None = None
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
        if precedence.is_free():
            self._watch()
        else:
            self._pause()

    def _watch(self) -> None:
        if self._rest is not None:
            self._rest = None
            self._loop.add_reader(self._epoll.fileno(), self._look)

    def _pause(self) -> None:
        if self._rest is None:
            self._loop.remove_reader(self._epoll.fileno())
        self._rest = self._loop.call_later(LONGEST_REST_S, self._go_on)
        precedence.afterwards(self._go_on_soon)

    def _go_on_soon(self) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._look()
