"""Nobody holds up others by asking for much at once: for each who asks one page is made at a time.

Pages are Python, and threads share its lock: eight pages at work for one visitor made everybody's notes ten times as
slow, one makes them not twice as slow. Who asks for more gets it one after the other, and not much later than before:
eight threads do hardly more than one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.http import HttpRequest

from zoomcafe import static
from zoomcafe.errors import Busy

PATIENCE_S = 2.0
RESTS = {"file": 5}  # times what it took, until the next turn: files are answered by the loop that everybody needs
READS = frozenset({"GET", "HEAD", "OPTIONS"})
Whose = tuple[str, str, str]


class Queues:
    """One for each who asks, told by address and cookies; reading does not wait for writing, nor files for pages.

    `patience` in seconds.
    """

    def __init__(self, *, patience: float = PATIENCE_S) -> None:
        self._patience = patience
        self._turns: dict[Whose, asyncio.Lock] = {}
        self._waiting: dict[Whose, int] = {}

    @asynccontextmanager
    async def turn(self, request: HttpRequest) -> AsyncIterator[None]:
        """While it lasts, it is this request's turn. Raises `Busy` when it does not come in time."""
        meta = request.META
        kind = "file" if static.concerns(request.path_info) else "read" if request.method in READS else "write"
        whose = (meta.get("REMOTE_ADDR") or "", meta.get("HTTP_COOKIE", ""), kind)
        turn = self._turns.setdefault(whose, asyncio.Lock())
        self._waiting[whose] = self._waiting.get(whose, 0) + 1
        try:
            await self._comes(turn)
        except BaseException:
            self._leaves(whose)
            raise
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            yield
        finally:
            rest = (loop.time() - began) * RESTS.get(kind, 0)
            loop.call_later(rest, self._hands_on, whose, turn)

    def _hands_on(self, whose: Whose, turn: asyncio.Lock) -> None:
        turn.release()
        self._leaves(whose)

    def _leaves(self, whose: Whose) -> None:
        self._waiting[whose] -= 1
        if not self._waiting[whose]:
            del self._turns[whose], self._waiting[whose]

    async def _comes(self, turn: asyncio.Lock) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await turn.acquire()
        except TimeoutError:
            raise Busy from None
