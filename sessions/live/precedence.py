"""Words go first: who makes a page waits for a moment while notes are on their way to their tables.

All threads share Python's lock: beside a page at work a note takes more than twice as long. A page that lets notes pass
takes hardly longer for it. And while anybody makes a page or reads, whoever waits for the lock gets it fifty times as
soon as usual; the loop and the one thread that writes are better off without.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

LONGEST_S = 0.02  # that a page waits, in all its steps together
USUAL_S, SOON_S = 0.005, 0.000_1  # after which a thread gives way to those that wait for Python's lock
_lock = threading.Lock()
_under_way = _beside = 0
_free = threading.Event()
_free.set()
_afterwards: set[Callable[[], None]] = set()


@contextmanager
def going_first() -> Iterator[None]:
    """While a batch is written, or given to those at its tables."""
    global _under_way  # noqa: PLW0603 - there is one lock of Python in a process
    with _lock:
        _under_way += 1
        _free.clear()
    try:
        yield
    finally:
        with _lock:
            _under_way -= 1
            if not _under_way:
                _free.set()
        let_look()


@contextmanager
def beside() -> Iterator[None]:
    """While a thread is at work that should hold up neither the loop nor a batch."""
    _count_beside(1)
    try:
        yield
    finally:
        _count_beside(-1)


def _count_beside(more: int) -> None:
    global _beside  # noqa: PLW0603
    with _lock:
        _beside += more
        sys.setswitchinterval(SOON_S if _beside else USUAL_S)


def is_free() -> bool:
    return _free.is_set()


def afterwards(then: Callable[[], None]) -> None:
    """Calls `then`, which must not fail, once the next that goes first is done or waits for the disk; in any thread."""
    with _lock:
        _afterwards.add(then)


def let_look() -> None:
    """Whoever waits until `afterwards`, now."""
    with _lock:
        those = [*_afterwards]
        _afterwards.clear()
    for then in those:
        then()


class GivingWay:
    """Before each step of one page's work; as a wrapper of Django's before each of its statements."""

    def __init__(self) -> None:
        self.left_s = LONGEST_S

    def step(self) -> None:
        if self.left_s > 0 and not _free.is_set():
            began = time.monotonic()
            _free.wait(self.left_s)
            self.left_s -= time.monotonic() - began

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        """Not inside a transaction: notes would wait for what it holds."""
        if not context["connection"].in_atomic_block:
            self.step()
        return execute(sql, params, many, context)
