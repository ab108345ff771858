"""The bounded threads in which the live engine talks to the database; HTTP has lanes of its own."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from django.conf import settings
from django.db import Error, OperationalError, connections

from sessions.live.precedence import beside

T = TypeVar("T")
PATIENCE_S = 5.0
SOON_S = 2.0
_readers = max(1, settings.LIVE_THREADS - 1)
_executor = ThreadPoolExecutor(_readers, thread_name_prefix="live")
_writer = ThreadPoolExecutor(1, thread_name_prefix="writer") if settings.LIVE_THREADS > 1 else _executor


async def in_thread(work: Callable[..., T], *args: object) -> T:
    """Runs database work in one of the live threads, whose connections stay open; errors come through."""
    return await asyncio.get_running_loop().run_in_executor(_executor, _read, work, args)


async def in_thread_soon(work: Callable[..., T], *args: object) -> T:
    """The same for who can come again: raises `OperationalError` when no thread is free within two seconds."""
    ticket = _executor.submit(_read, work, args)
    answer = asyncio.wrap_future(ticket)
    done, _waiting = await asyncio.wait({answer}, timeout=SOON_S)
    if not done and ticket.cancel():
        raise OperationalError("all threads are at work")
    return await answer


async def in_writer(work: Callable[..., T], *args: object) -> T:
    """The same in the one thread that writes: however many come in and read, nobody's words wait for them."""
    return await asyncio.get_running_loop().run_in_executor(_writer, _run, work, args)


def _read(work: Callable[..., T], args: tuple[object, ...]) -> T:
    with beside():
        return _run(work, args)


def _run(work: Callable[..., T], args: tuple[object, ...]) -> T:
    try:
        return work(*args)
    except Error:  # also `InterfaceError`, which is no `DatabaseError`: the server has hung up
        for connection in connections.all(initialized_only=True):
            connection.close()  # the next work gets a fresh one
        raise


async def close() -> None:
    """Gives the connections of all threads back; for tests, between which databases change."""
    together = threading.Barrier(settings.LIVE_THREADS)

    def give_back() -> None:
        with suppress(threading.BrokenBarrierError):  # one of them is at work: it keeps its connection
            together.wait(PATIENCE_S)
        connections.close_all()

    loop = asyncio.get_running_loop()
    ours = [_executor] * _readers + [_writer] * (settings.LIVE_THREADS - _readers)
    await asyncio.gather(*(loop.run_in_executor(executor, give_back) for executor in ours))
