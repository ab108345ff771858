"""Holding one thread's work at its worst moment while another passes, and races without the rule that decides them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Waits
from contextlib import AbstractContextManager, nullcontext
from threading import Event as Signal
from threading import get_ident
from typing import Any

import pytest
from django.db import connections

from sessions.live import streams
from tests import broken_races

PATIENCE = 20.0
A_WHILE = 0.3  # long enough to see that somebody waits, shorter than any lock_timeout


class Held:
    """Stops one thread's work before a function until it may go on; others pass."""

    def __init__(self, usual: Callable[..., Any]) -> None:
        self.usual, self.thread = usual, 0
        self.arrived, self.may_go = Signal(), Signal()

    def __call__(self, *args: Any) -> Any:
        self.wait()
        return self.usual(*args)

    def wait(self) -> None:
        if get_ident() == self.thread and not self.may_go.is_set():
            self.arrived.set()
            assert self.may_go.wait(PATIENCE)

    def stops(self, pool: ThreadPoolExecutor, work: Callable[[], Any]) -> Held:
        def runs() -> Any:
            self.thread = get_ident()
            return work()

        self.done = elsewhere(pool, runs)
        assert self.arrived.wait(PATIENCE)
        return self

    def goes_on(self) -> Any:
        self.may_go.set()
        return self.done.result(PATIENCE)


class HeldAfter(Held):
    """The same behind the function: what it found is old by the time the work goes on."""

    def __call__(self, *args: Any) -> Any:
        found = self.usual(*args)
        self.wait()
        return found


class Arrivals:
    """Says when another thread than the held one goes to the locks: what it reads earlier by mistake, it has read."""

    def __init__(self, held: Held, usual: Callable[..., Any]) -> None:
        self.held, self.usual, self.arrived = held, usual, Signal()

    def __call__(self, *args: Any) -> Any:
        if get_ident() != self.held.thread:
            self.arrived.set()
        return self.usual(*args)

    def is_waiting(self, work: Future[Any]) -> None:
        assert self.arrived.wait(PATIENCE)
        waits(work)


def elsewhere(pool: ThreadPoolExecutor, work: Callable[[], Any]) -> Future[Any]:
    """On another connection."""

    def runs() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    return pool.submit(runs)


def waits(work: Future[Any]) -> None:
    with pytest.raises(Waits):
        work.result(A_WHILE)


class Rule:
    """Every race is run twice. `with rule.is_not(mutant)` is without the rule in the second run only."""

    def __init__(self, *, holds: bool) -> None:
        self.holds = holds

    def is_not(self, mutant: Callable[[], AbstractContextManager[None]]) -> AbstractContextManager[None]:
        return nullcontext() if self.holds else mutant()


@pytest.fixture(params=[True, False], ids=["with the rule", "without it"])
def rule(request: pytest.FixtureRequest) -> Rule:
    """A race that the second run does not lose was none."""
    return Rule(holds=request.param)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool
    connections.close_all()


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> Held:
    """Between what a batch has locked and what it writes."""
    held = Held(streams._write)
    monkeypatch.setattr(streams, "_write", held)
    return held


@pytest.fixture
def arrivals(monkeypatch: pytest.MonkeyPatch, writing: Held) -> Arrivals:
    found = Arrivals(writing, streams._apply)
    monkeypatch.setattr(streams, "_apply", found)
    monkeypatch.setattr(broken_races, "to_the_locks", Arrivals(writing, broken_races.to_the_locks))
    monkeypatch.setattr(broken_races.to_the_locks, "arrived", found.arrived)
    return found
