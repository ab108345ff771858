"""Readings for many at once: each gets its own answer, and a crowd costs hardly more than one."""

import asyncio
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from sessions import identity
from sessions.codes import digest
from sessions.live import together, visit
from sessions.live.ops import Refused
from sessions.live.together import Together
from tests.cafe import Cafe


def halved(numbers: list[int]) -> list[int | ValueError]:
    return [ValueError(f"{number} is odd") if number % 2 else number // 2 for number in numbers]


async def all_of(readings: Together[int, int], *numbers: int) -> list[Any]:
    return await asyncio.gather(*(readings.ask(number) for number in numbers), return_exceptions=True)


async def test_who_asks_during_one_visit_is_answered_by_the_next() -> None:
    visits: list[list[int]] = []

    def read(numbers: list[int]) -> list[int | ValueError]:
        visits.append(numbers)
        return halved(numbers)

    readings = Together(read)
    found = await all_of(readings, *range(together.MOST + 8))
    assert [str(each) for each in found] == [str(each) for each in halved(list(range(together.MOST + 8)))]
    assert [len(numbers) for numbers in visits] == [together.MOST, 8]
    assert await readings.ask(8) == 4


async def test_a_database_that_is_away_is_everybodys_trouble() -> None:
    visits = []

    def read(numbers: list[int]) -> list[int]:
        visits.append(numbers)
        raise OperationalError("gone")

    found = await all_of(Together(read), 2, 4, 6)
    assert [type(each) for each in found] == [OperationalError] * 3
    assert visits == [[2, 4, 6]]


async def test_a_fault_of_our_own_harms_only_whom_it_concerns(caplog: pytest.LogCaptureFixture) -> None:
    def read(numbers: list[int]) -> list[int | ValueError]:
        if 4 in numbers:
            raise KeyError("four")
        return halved(numbers)

    found = await all_of(Together(read), 2, 4, 6)
    assert [str(each) for each in found] == ["1", "'four'", "3"]
    assert "one of 3 readings failed" in caplog.text


async def test_nobody_who_left_is_read_for() -> None:
    visits = []

    def read(numbers: list[int]) -> list[int | ValueError]:
        visits.append(numbers)
        return halved(numbers)

    readings = Together(read)
    asking = [asyncio.ensure_future(readings.ask(number)) for number in (2, 4)]
    await asyncio.sleep(0)
    asking[0].cancel()
    assert await asking[1] == 2
    assert visits in ([[4]], [[2, 4]])
    with pytest.raises(asyncio.CancelledError):
        await asking[0]


@pytest.fixture
def crowd(db: None) -> tuple[Cafe, Cafe]:
    return Cafe().runs(), Cafe().runs()


def callers_of(here: Cafe, there: Cafe) -> list[visit.Caller]:
    """Guests of two events, with their own cookies, with the other's, with none, and for an event that is not."""
    known = [
        visit.Caller(cafe.event.key, cafe.cookie(who), False) for cafe in (here, there) for who in (cafe.ben, cafe.cem)
    ]
    wrong = there.cookie(there.cem).replace(there.event.key, here.event.key)
    return [
        *known,
        visit.Caller(here.event.key, wrong, False),
        visit.Caller(here.event.key, there.cookie(there.cem), False),
        visit.Caller(here.event.key, "", True),
        visit.Caller("nowhere", here.cookie(here.cem), False),
        *known,
    ]


def alone(caller: visit.Caller) -> Any:
    try:
        return visit.viewer(caller.code, caller.cookies, as_moderator=caller.as_moderator)
    except visit.Closed as nobody:
        return nobody


def told(found: Any) -> object:
    return (found.close, found.code) if isinstance(found, visit.Closed) else (found, found.event)


def test_each_caller_is_who_they_would_be_alone(crowd: tuple[Cafe, Cafe]) -> None:
    callers = callers_of(*crowd)
    found = [told(each) for each in visit.viewers(callers)]
    assert found == [told(alone(caller)) for caller in callers]
    assert [each for each in found if each[0] == 4401] == [(4401, "sign_in")] * 3


def hellos_of(here: Cafe, there: Cafe) -> list[visit.Hello]:
    boards = {f"board:{cafe.board(table).pk}": 0 for cafe in (here, there) for table in (1, 2)}
    stranger = here.comes("Gil")
    return [
        visit.Hello(here.cem, {"room": 0, **boards}, None),
        visit.Hello(there.dana, {"room": 5, **boards}, str(there.event.epoch)),
        visit.Hello(stranger, {"kitchen": 1, "gallery": 0}, "another"),
        visit.Hello(here.moderator, boards, None),
        visit.Hello(here.ben, {"room": "soon"}, None),
        visit.Hello(here.cem, {}, None),
    ]


def answered(hello: visit.Hello) -> Any:
    try:
        return visit.followed(*hello[:3])
    except (Refused, visit.Closed) as problem:
        return problem


def said(found: Any) -> object:
    if isinstance(found, Exception):
        return type(found), str(found)
    return [(n, s.pk, a) for n, s, a in found.streams], found.refused, found.judged, found.me, found.epoch


def test_each_hello_gets_what_it_would_get_alone(crowd: tuple[Cafe, Cafe]) -> None:
    hellos = hellos_of(*crowd)
    found = [said(each) for each in visit.followings(hellos)]
    assert found == [said(answered(hello)) for hello in hellos]
    assert found[4] == (Refused, "bad_field")


def test_who_left_a_device_is_out_there_and_in_elsewhere(crowd: tuple[Cafe, Cafe]) -> None:
    here, _there = crowd
    kept, left = (identity.new_device(here.cem) for _device in range(2))
    hellos = [visit.Hello(here.cem, {}, None, digest(secret)) for secret in (kept, left)]
    hellos.append(visit.Hello(here.ben, {}, None, digest(kept)))  # it is somebody else's
    assert [said(each)[0] for each in visit.followings(hellos[:2])] == [said(answered(hellos[0]))[0]] * 2
    identity.leave_elsewhere(here.cem, kept)
    first, *others = visit.followings(hellos)
    assert said(first) == said(answered(hellos[0]))
    assert [told(each) for each in others] == [(4401, "sign_in")] * 2


def test_a_crowd_asks_no_more_than_one(crowd: tuple[Cafe, Cafe]) -> None:
    here, _there = crowd
    board = f"board:{here.board().pk}"
    with CaptureQueriesContext(connection) as of_one:
        visit.viewers([visit.Caller(here.event.key, here.cookie(here.cem), False)])
        visit.followings([visit.Hello(here.cem, {"room": 0, board: 0}, None)])
    with CaptureQueriesContext(connection) as of_many:
        visit.viewers(callers_of(*crowd)[:4])
        visit.followings([visit.Hello(who, {"room": 0, board: 0}, None) for who in (here.ben, here.cem, here.dana)])
    assert len(of_many) == len(of_one)
