"""What many ask for at the same time, read for all of them in one visit to the database: a crowd is few visits."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from django.db import Error

from sessions.live.threads import in_thread

log = logging.getLogger(__name__)
MOST = 32  # in one visit: what is found is compared each with each
Ask = TypeVar("Ask")
Found = TypeVar("Found")
Waiting = tuple[Ask, asyncio.Future[Found]]


class Together(Generic[Ask, Found]):
    """Who asks during one visit is answered by the next.

    `read` runs in a thread of the live engine; for each that was asked it gives what was found, or why nothing can be.
    """

    def __init__(self, read: Callable[[list[Ask]], Sequence[Found | Exception]]) -> None:
        self.read = read
        self._waiting: WeakKeyDictionary[asyncio.AbstractEventLoop, deque[Waiting[Ask, Found]]] = WeakKeyDictionary()
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, one: Ask) -> Found:
        """Raises what `read` gives as the reason, or whatever befell it."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Found] = loop.create_future()
        waiting = self._waiting.get(loop)
        if waiting is None:
            waiting = self._waiting[loop] = deque()
            task = loop.create_task(self._visit(waiting))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        waiting.append((one, answer))
        return await answer

    async def _visit(self, waiting: deque[Waiting[Ask, Found]]) -> None:
        try:
            while waiting:
                those = [waiting.popleft() for _ in range(min(MOST, len(waiting)))]
                await self._read([each for each in those if not each[1].done()])  # who left is not read for
        finally:
            del self._waiting[asyncio.get_running_loop()]

    async def _read(self, those: Sequence[Waiting[Ask, Found]]) -> None:
        """A fault of our own is looked for one by one: it holds up nobody whom it does not concern."""
        if not those:
            return
        try:
            found = await in_thread(self.read, [asked for asked, _answer in those])
        except Exception as problem:
            if len(those) > 1 and not isinstance(problem, Error):
                log.exception("one of %d readings failed", len(those))
                for each in those:
                    await self._read([each])
                return
            found = [problem] * len(those)
        for (_asked, answer), one in zip(those, found, strict=True):
            if answer.done():
                continue
            if isinstance(one, Exception):
                answer.set_exception(one)
            else:
                answer.set_result(one)
