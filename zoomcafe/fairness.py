"""Nobody holds up others by asking for much at once: for each who asks one page is made at a time.

Pages are Python, and threads share its lock: eight pages at work for one visitor made everybody's notes ten times as
slow, one makes them about twice as slow. Who asks for more gets it one after the other, and not much later than
before: eight threads do hardly more than one. All at one address, whatever their cookies, have half of the lanes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

from django.conf import settings
from django.http import HttpRequest

from zoomcafe import static
from zoomcafe.errors import Busy

PATIENCE_S = 2.0
RESTS = {"file": 5, "live": 1}  # times what it took, until the next turn: the loop answers these, which all need
MOST_REST_S = 0.05
READS = frozenset({"GET", "HEAD", "OPTIONS"})
Gate = tuple[str, str, str]  # address, cookies, kind of request


class Queues:
    """One for each who asks, told by address and cookies; reading does not wait for writing, nor files for pages.

    `patience` in seconds.
    """

    def __init__(self, *, patience: float = PATIENCE_S) -> None:
        self._patience = patience
        self._gates: dict[Gate, asyncio.Semaphore] = {}
        self._there: dict[Gate, int] = {}

    @asynccontextmanager
    async def turn(self, request: HttpRequest) -> AsyncIterator[None]:
        """While it lasts, it is this request's turn. Raises `Busy` when it does not come in time."""
        async with AsyncExitStack() as stack:
            for gate, most in gates(request):
                await stack.enter_async_context(self._through(gate, most))
            yield

    @asynccontextmanager
    async def _through(self, gate: Gate, most: int) -> AsyncIterator[None]:
        turns = self._gates.setdefault(gate, asyncio.Semaphore(most))
        self._there[gate] = self._there.get(gate, 0) + 1
        try:
            await self._comes(turns)
        except BaseException:
            self._leaves(gate)
            raise
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            yield
        finally:
            rest = (loop.time() - began) * RESTS.get(gate[2], 0)
            loop.call_later(min(rest, MOST_REST_S), self._hands_on, gate, turns)

    async def _comes(self, turns: asyncio.Semaphore) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await turns.acquire()
        except TimeoutError:
            raise Busy from None

    def _hands_on(self, gate: Gate, turns: asyncio.Semaphore) -> None:
        turns.release()
        self._leaves(gate)

    def _leaves(self, gate: Gate) -> None:
        self._there[gate] -= 1
        if not self._there[gate]:
            del self._gates[gate], self._there[gate]


def gates(request: HttpRequest) -> Iterator[tuple[Gate, int]]:
    """What a request goes through, and how many may at a time. What takes no lane does not wait for what does."""
    address, cookies = request.META.get("REMOTE_ADDR") or "", request.META.get("HTTP_COOKIE", "")
    if static.concerns(request.path_info):
        yield (address, cookies, "file"), 1
    elif request.path_info.startswith("/live/"):
        yield (address, cookies, "live"), 1
    else:
        yield (address, cookies, "read" if request.method in READS else "write"), 1
        yield (address, "", "page"), max(2, settings.LANES // 2)
