"""Coroutines that rarely wait: what they do before they wait is done when `eagerly` returns."""

import asyncio

import pytest

from sessions.live.eager import eagerly


class Work:
    def __init__(self) -> None:
        self.done: list[str] = []

    async def does(self, *waits: asyncio.Future[str]) -> None:
        self.done.append("begun")
        for one in waits:
            self.done.append(await one)
            await asyncio.sleep(0)
        self.done.append("ended")


async def test_what_does_not_wait_is_done_at_once() -> None:
    work, before = Work(), len(asyncio.all_tasks())
    eagerly(work.does())
    assert (work.done, len(asyncio.all_tasks())) == (["begun", "ended"], before)


async def test_what_waits_goes_on_when_it_may() -> None:
    work = Work()
    first, second = (asyncio.get_running_loop().create_future() for _ in range(2))
    eagerly(work.does(first, second))
    assert work.done == ["begun"]
    first.set_result("first")
    await asyncio.sleep(0.01)
    assert work.done == ["begun", "first"]
    second.set_result("second")
    await asyncio.sleep(0.01)
    assert work.done == ["begun", "first", "second", "ended"]


async def test_what_it_waits_for_may_have_come_already() -> None:
    work, told = Work(), asyncio.get_running_loop().create_future()
    eagerly(work.does(told))
    told.set_result("told")
    await asyncio.sleep(0.01)
    assert work.done == ["begun", "told", "ended"]


async def test_trouble_before_the_first_wait_is_the_callers() -> None:
    async def fails() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        eagerly(fails())
