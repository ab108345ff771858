"""Coroutines that rarely wait, run without a task of their own: `asyncio.eager_task_factory` before Python 3.12."""

import asyncio
import types
from collections.abc import Coroutine, Generator
from typing import Any

_going_on: set[asyncio.Task[None]] = set()


def eagerly(work: Coroutine[Any, Any, None]) -> None:
    """Runs `work` up to where it first waits, here and now; the rest, if there is any, as a task. On a running loop."""
    try:
        waits_for = work.send(None)
    except StopIteration:
        return
    task = asyncio.get_running_loop().create_task(_rest(work, waits_for))
    _going_on.add(task)
    task.add_done_callback(_going_on.discard)


async def _rest(work: Coroutine[Any, Any, None], waits_for: Any) -> None:
    await _go_on(work, waits_for)


@types.coroutine
def _go_on(work: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    yield waits_for
    yield from work.__await__()
