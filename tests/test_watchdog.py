"""A blocked event loop (F20) is told with the place where it stands, and not again and again."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.test_serving import running, status
from zoomcafe.serving import watchdog
from zoomcafe.serving.watchdog import Watchdog

PATIENCE = 20.0


class Ears(logging.Handler):
    """What the watchdog says; `heard` is set by it."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[logging.LogRecord] = []
        self.heard = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record)
        self.heard.set()


@pytest.fixture
def ears() -> Iterator[Ears]:
    ears = Ears()
    watchdog.logger.addHandler(ears)
    yield ears
    watchdog.logger.removeHandler(ears)


class Watched(Watchdog):
    """Counts how often it has looked."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.looks = threading.Semaphore(0)

    def look(self, now: float, *, slept: float) -> None:
        super().look(now, slept=slept)
        self.looks.release()

    def looked(self, times: int) -> None:
        for _time in range(times):
            assert self.looks.acquire(timeout=PATIENCE)


@pytest.fixture
async def dog(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    monkeypatch.setattr(watchdog, "LOOK_S", 0.01)
    monkeypatch.setattr(watchdog, "BLOCKED_S", 5.0)
    dog = Watched(asyncio.get_running_loop())
    dog.start()
    yield dog
    dog.stop()


def blocks(ears: Ears) -> None:
    """On the loop, until somebody says so."""
    assert ears.heard.wait(PATIENCE)


async def test_a_blocked_loop_is_told_with_its_place(dog: Watched, ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "BLOCKED_S", 0.2)
    blocks(ears)
    [said] = ears.said
    assert "blocked" in said.getMessage()
    assert said.fields["seconds"] >= 0.2  # type: ignore[attr-defined]
    line = blocks.__code__.co_firstlineno + 2
    assert f"tests/test_watchdog.py:{line} > " in said.fields["at"]  # type: ignore[attr-defined]


async def test_it_is_told_once_a_minute_at_most(dog: Watched, ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "BLOCKED_S", 0.2)
    blocks(ears)
    dog.looked(30)
    assert len(ears.said) == 1
    ears.heard.clear()
    dog.spoke -= watchdog.REST_S
    blocks(ears)
    assert len(ears.said) == 2


async def test_a_loop_that_goes_on_is_not_told_of(dog: Watched, ears: Ears) -> None:
    await asyncio.to_thread(dog.looked, 30)
    assert ears.said == []


async def test_a_process_that_stood_still_was_not_blocked(ears: Ears) -> None:
    dog = Watchdog(asyncio.get_running_loop())
    dog.look(dog.ticked + 100, slept=100)
    assert ears.said == []
    dog.look(dog.ticked + 100, slept=watchdog.LOOK_S)
    assert len(ears.said) == 1


def test_the_server_has_one() -> None:
    with running() as tiny:
        assert status(tiny.get(b"/stuck")) == 200
        _code, _said, complained = tiny.stop()
    assert complained.count("The event loop is blocked") == 1
