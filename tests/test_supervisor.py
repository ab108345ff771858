"""The supervisor with workers that do as they are told, and the door they share."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.several import is_there
from zoomcafe.serving import listening_socket
from zoomcafe.serving import supervisor as supervising
from zoomcafe.serving.door import LEFT_OVER, Door
from zoomcafe.serving.supervisor import NoStartError, Supervisor
from zoomcafe.serving.tally import Share, Tally

PATIENCE = 30.0
TINY = Path(__file__).with_name("tiny_worker.py")


async def becomes(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


class Crew:
    """A supervisor with two tiny workers."""

    def __init__(self, folder: Path, mood: str = "well") -> None:
        self.mood = folder / "mood"
        self.is_ready = False
        listener = listening_socket("127.0.0.1", 0)
        command = (sys.executable, "-S", str(TINY), str(self.mood))
        prepare = (*command, "--prepare")
        self.supervisor = Supervisor(command, count=2, listener=listener, ready=self.ready, prepare=prepare)
        self.be(mood)

    def ready(self) -> None:
        self.is_ready = True

    def be(self, mood: str) -> None:
        self.mood.write_text(mood, encoding="ascii")

    def started(self) -> list[int]:
        path = self.mood.with_suffix(".started")
        return [int(line) for line in path.read_text(encoding="ascii").split()] if path.exists() else []

    def standing(self) -> list[int]:
        return [worker.process.pid for worker in self.supervisor.standing.values()]


@asynccontextmanager
async def at_work(folder: Path, mood: str = "well") -> AsyncIterator[tuple[Crew, asyncio.Task[bool]]]:
    crew = Crew(folder, mood)
    running = asyncio.create_task(crew.supervisor.run())
    try:
        await becomes(lambda: crew.is_ready)
        yield crew, running
    finally:
        crew.supervisor.go()
        await asyncio.wait({running})
        assert [pid for pid in crew.started() if is_there(pid)] == []


async def test_all_are_drained_in_the_end(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (crew, running):
        assert len(set(crew.standing())) == 2
        crew.supervisor.go()
        assert await running is True


async def test_one_that_does_not_end_in_order_is_told(tmp_path: Path) -> None:
    async with at_work(tmp_path, mood="stumbles") as (crew, running):
        crew.supervisor.go()
        assert await running is False


async def test_one_that_does_not_end_at_all_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "DRAIN_S", 0.05)
    async with at_work(tmp_path, mood="hangs") as (crew, running):
        crew.supervisor.go()
        assert await running is False


async def test_the_second_signal_does_not_wait(tmp_path: Path) -> None:
    async with at_work(tmp_path, mood="hangs") as (crew, running):
        crew.supervisor.go()
        crew.supervisor.go()
        assert await running is False


async def test_one_that_is_gone_before_the_last_are_counted_counts(tmp_path: Path) -> None:
    async with at_work(tmp_path, mood="hangs") as (crew, running):
        left = crew.standing()
        crew.supervisor.go()
        crew.supervisor.go()
        while any(is_there(pid) for pid in left):
            time.sleep(0.01)  # the loop turns only when all of it is known
        assert await running is False


async def test_nobody_is_let_in_when_a_worker_cannot_start(tmp_path: Path) -> None:
    crew = Crew(tmp_path)
    crew.be("fails")
    with pytest.raises(NoStartError):
        await crew.supervisor.run()
    assert not crew.is_ready
    assert [pid for pid in crew.started() if is_there(pid)] == []


async def test_one_that_dies_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "PAUSES_S", (0.0, 0.0))
    async with at_work(tmp_path) as (crew, _running):
        first, second = crew.standing()
        os.kill(first, signal.SIGKILL)
        await becomes(lambda: crew.standing()[0] != first)
        assert crew.standing()[1] == second


async def test_those_that_die_young_are_replaced_ever_more_slowly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervising, "PAUSES_S", (0.01, 0.05))
    monkeypatch.setattr(supervising, "LONG_LIFE_S", 1_000.0)
    async with at_work(tmp_path) as (crew, _running):
        crew.be("fails")
        os.kill(crew.standing()[0], signal.SIGKILL)
        await becomes(lambda: len(warnings(caplog)) >= 5)
    pauses = [message.rpartition(" in ")[2] for message in warnings(caplog)[:5]]
    assert pauses == ["0.01 s", "0.02 s", "0.04 s", "0.05 s", "0.05 s"]


async def test_one_that_lived_long_is_replaced_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervising, "LONG_LIFE_S", 0.0)
    async with at_work(tmp_path) as (crew, _running):
        os.kill(crew.standing()[0], signal.SIGKILL)
        await becomes(lambda: warnings(caplog))
    assert warnings(caplog)[0].endswith("was ended by SIGKILL; another takes its place in 0 s")


async def test_all_are_renewed_one_after_the_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "zoomcafe")
    async with at_work(tmp_path) as (crew, _running):
        for _time in range(2):
            caplog.clear()
            before = crew.standing()
            crew.supervisor.told_to_renew.set()
            await becomes(lambda: "All workers are new" in caplog.messages)
            assert set(before).isdisjoint(crew.standing())
            assert [pid for pid in before if is_there(pid)] == []


async def test_when_no_worker_can_be_started_now_it_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervising, "PAUSES_S", (0.01, 0.02))
    async with at_work(tmp_path) as (crew, _running):
        command, crew.supervisor.command = crew.supervisor.command, ("/no/such/python",)
        dies, stays = crew.standing()
        os.kill(dies, signal.SIGKILL)
        await becomes(lambda: sum("can be started" in message for message in caplog.messages) > 2)
        assert stays in crew.standing()
        crew.supervisor.command = command
        await becomes(lambda: len(crew.started()) == 3 and is_there(crew.standing()[0]))
        assert stays in crew.standing()


async def test_when_nothing_can_be_started_the_old_ones_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with at_work(tmp_path) as (crew, _running):
        before = crew.standing()
        for prepare, command in ((("/no/such/python",), crew.supervisor.command), (crew.supervisor.prepare, ("/no",))):
            caplog.clear()
            crew.supervisor.prepare, crew.supervisor.command = prepare, command
            crew.supervisor.told_to_renew.set()
            await becomes(lambda: any("those that run go on" in message for message in caplog.messages))
            assert crew.standing() == before


@pytest.mark.parametrize("mood", ["unprepared", "fails"])
async def test_when_new_ones_could_not_work_the_old_ones_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mood: str
) -> None:
    async with at_work(tmp_path) as (crew, _running):
        before = crew.standing()
        crew.be(mood)
        crew.supervisor.told_to_renew.set()
        await becomes(lambda: any("those that run go on" in message for message in caplog.messages))
        assert crew.standing() == before
        assert len(crew.started()) == 2 + (mood == "fails")  # and the second is not tried


class Doors:
    """Two workers' doors at one port, in one process; each keeps whom it let in."""

    def __init__(self) -> None:
        self.listener = listening_socket("127.0.0.1", 0)
        self.inside: list[list[socket.socket]] = [[], []]
        tally = Tally.new(4)
        self.shares = [Share(tally, place) for place in (0, 3)]
        self.doors = [self.door(number) for number in (0, 1)]

    def door(self, number: int) -> Door:
        def admit(caller: socket.socket) -> None:
            self.inside[number].append(caller.dup())
            self.shares[number].holds(len(self.inside[number]))

        loop = asyncio.get_running_loop()
        return Door(self.listener.dup(), loop, admit=admit, share=self.shares[number])

    def counts(self) -> list[int]:
        return [len(those) for those in self.inside]

    async def come(self, count: int) -> None:
        """So many more callers, all inside when this returns."""
        before = sum(self.counts())
        for _caller in range(count):
            self.kept.enter_context(socket.create_connection(self.listener.getsockname()))
        await becomes(lambda: sum(self.counts()) == before + count)

    def __enter__(self) -> Doors:
        self.kept = ExitStack()
        self.kept.enter_context(self.listener)
        for door in self.doors:
            door.open()
        return self

    def __exit__(self, *_exc: object) -> None:
        for door in self.doors:
            if door.listener.fileno() >= 0:
                door.close()
        for caller in (*self.inside[0], *self.inside[1]):
            caller.close()
        self.kept.close()


async def test_callers_spread_over_the_workers() -> None:
    with Doors() as doors:
        await doors.come(41)
        assert sorted(doors.counts()) == [20, 21]


async def test_a_new_worker_gets_callers_until_it_has_as_many() -> None:
    with Doors() as doors:
        doors.shares[0].holds(30)
        await doors.come(31)
        assert doors.counts() == [0, 31]


async def test_a_worker_that_hangs_holds_up_nobody() -> None:
    with Doors() as doors:
        doors.shares[0].holds(5)
        asyncio.get_running_loop().remove_reader(doors.doors[1].listener)  # the emptier one
        await doors.come(40)
        assert doors.counts() == [40, 0]


async def test_of_those_left_over_few_are_taken_at_once() -> None:
    """Who has fewer may be busy rather than hang, and shall still get theirs."""
    with Doors() as doors, ExitStack() as callers:
        doors.shares[0].holds(5)
        for door in doors.doors:
            asyncio.get_running_loop().remove_reader(door.listener)
        for _caller in range(10):
            callers.enter_context(socket.create_connection(doors.listener.getsockname()))
        doors.doors[0].take_left_over()
        assert doors.counts() == [LEFT_OVER, 0]
        doors.doors[1].answer()
        assert doors.counts() == [LEFT_OVER, 3]  # then it has more itself


async def test_who_waits_outside_when_a_worker_leaves_comes_in_at_another() -> None:
    with Doors() as doors:
        await doors.come(10)
        doors.doors[0].close()
        before = doors.counts()[0]
        await doors.come(40)
        assert doors.counts() == [before, 50 - before]
