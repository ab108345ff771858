"""Where callers come in: one listening socket, which all workers share.

Shared rather than one socket each (SO_REUSEPORT): a connection that waits belongs to nobody yet, so none is lost when
a worker ends, and none waits for one that died or hangs: the others take it. What the kernel does not do for a shared
socket is to spread connections, so workers do: whoever has more than another waits a moment before it takes the next.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable

    from zoomcafe.serving.tally import Share

logger = logging.getLogger("zoomcafe.serving")

AT_ONCE = 8  # between two looks at those who are in already: with two, a crowd waited outside for most of its way in
LEFT_OVER = 2  # of those whom a worker with fewer has not taken: it may be busy rather than hang
CALLERS_PER_SECOND, BURST_S = 500, 2.0  # a crowd of a thousand at once, but not for long: each costs the loop half a ms
COURTESY_S = 0.01
EXHAUSTED_S = 1.0


class Door:
    """Lets callers in on `loop` while it is open; `admit` gets each one's connected socket and must copy it."""

    def __init__(
        self,
        listener: socket.socket,
        loop: asyncio.AbstractEventLoop,
        *,
        admit: Callable[[socket.socket], None],
        share: Share | None = None,
    ) -> None:
        self.listener, self.loop, self.admit, self.share = listener, loop, admit, share
        self.pause: asyncio.TimerHandle | None = None
        self.due = -math.inf  # when the next caller may come in (seconds, loop clock)

    def open(self) -> None:
        self.loop.add_reader(self.listener, self.answer)

    def close(self) -> None:
        """Whoever waits outside is let in by others, or turned away when the last one closes."""
        self.loop.remove_reader(self.listener)
        if self.pause is not None:
            self.pause.cancel()
        if self.share is not None:
            self.share.leave()
        self.listener.close()

    def answer(self) -> None:
        """Some, one after the other: whoever has fewer gets a moment to take the next."""
        for _caller in range(AT_ONCE):
            if self.share is not None and not self.share.is_least():
                self.wait(COURTESY_S, self.take_left_over)
                return
            if not self.let_one_in():
                return

    def wait(self, seconds: float, then: Callable[[], None]) -> None:
        self.loop.remove_reader(self.listener)
        self.pause = self.loop.call_later(seconds, then)

    def take_left_over(self) -> None:
        """Nobody else took them in the meantime."""
        self.open()
        for _caller in range(LEFT_OVER):
            if not self.let_one_in():
                return

    def let_one_in(self) -> bool:
        """Callers who come faster than people would wait outside: what they cost is taken from those who are in."""
        now = self.loop.time()
        if now < self.due:
            self.wait(AT_ONCE / CALLERS_PER_SECOND, self.open)
            return False
        try:
            caller, _address = self.listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False
        except OSError as problem:
            logger.warning("Nobody can be let in for a moment: %s", problem.strerror)
            self.wait(EXHAUSTED_S, self.open)
            return False
        with caller:
            caller.setblocking(False)
            self.admit(caller)
        self.due = max(self.due, now - BURST_S) + 1 / CALLERS_PER_SECOND
        return True
