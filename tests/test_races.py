"""Many at once for the same seats, each on a connection of their own, on whichever database the tests run."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections, transaction
from django.test import AsyncClient

from sessions import identity
from sessions.clock import now_ms
from sessions.live import streams, threads
from sessions.live.ops import Answer, Name, Op
from sessions.models import Participant
from tables.models import Note, Seat
from tests.browsing import Browser, board_of
from tests.cafe import Cafe, new_id
from tests.chaos.mutants import switched_off
from tests.held import Rule

pytestmark = pytest.mark.django_db(transaction=True)
TABLES, SEATS, CLIENTS = 40, 5, 200
PATIENCE = 20  # attempts


class Crowd:
    """Two hundred people in front of forty tables of five, in the minute the seats are free."""

    def __init__(self, seed: int) -> None:
        self.cafe = Cafe(tables=TABLES, seats=SEATS)
        self.cafe.steps(2)
        with transaction.atomic():
            self.people = [identity.come_in(self.cafe.event, f"Guest {i}")[0] for i in range(CLIENTS)]
        self.tables = list(self.cafe.event.tables.values_list("pk", flat=True))
        self.seed = seed

    def dice(self, person: Participant) -> random.Random:
        return random.Random(self.seed * 1_000_000 + self.people.index(person))

    def does(self, person: Participant, stream: str, kind: str, **data: Any) -> Answer:
        """One operation as a browser sees to it: the same one again while the server is too busy to judge it."""
        op = self.cafe.op(person, stream, kind, **data)
        for _attempt in range(PATIENCE):
            with suppress(OperationalError):
                [answer] = streams.apply([op._replace(arrived=now_ms())])
                if answer.code != "busy":
                    return answer
        raise AssertionError(f"{op} was never judged")

    def takes(self, person: Participant, table: int) -> Answer:
        return self.does(person, "room", "seat.take", table=table)

    def all_at_once(self, act: Callable[[Participant], Answer]) -> list[Answer]:
        """Everybody acts in a thread and on a connection of their own, beginning at the same moment."""
        start = Barrier(CLIENTS)

        def acts(person: Participant) -> Answer:
            try:
                start.wait(30)
                return act(person)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(CLIENTS) as pool:
            return list(pool.map(acts, self.people))

    def assert_seated_well(self) -> None:
        """Nobody on two seats, no table over its limit, and the streams tell of every change without a hole."""
        seats = list(Seat.objects.filter(session__event=self.cafe.event))
        assert max(Counter(seat.participant_id for seat in seats).values()) == 1
        assert max(Counter(seat.table_id for seat in seats).values()) <= SEATS
        assert len({(seat.table_id, seat.place) for seat in seats}) == len(seats)
        assert all(0 <= seat.place < SEATS for seat in seats)
        for stream in self.cafe.event.streams.all():
            seqs = stream.changes.exclude(seq=None).order_by("seq").values_list("seq", flat=True)
            assert list(seqs) == list(range(1, stream.head + 1))


@pytest.fixture
def crowd(transactional_db: None, request: pytest.FixtureRequest) -> Iterator[Crowd]:
    yield Crowd(getattr(request, "param", 0))
    connections.close_all()


@pytest.mark.parametrize("crowd", [1, 2, 3], indirect=True)
def test_two_hundred_race_for_two_hundred_seats(crowd: Crowd) -> None:
    def tries_until_seated(person: Participant) -> Answer:
        wishes = crowd.dice(person).sample(crowd.tables, TABLES)
        answers = (crowd.takes(person, table) for table in wishes)
        return next((answer for answer in answers if answer.code is None), Answer(new_id(), Name("room")))

    answers = crowd.all_at_once(tries_until_seated)

    assert all(answer.seq for answer in answers)
    assert Seat.objects.count() == CLIENTS
    crowd.assert_seated_well()


@pytest.mark.parametrize("crowd", [4], indirect=True)
def test_nobody_is_doubled_while_everybody_changes_their_mind(crowd: Crowd) -> None:
    def wanders(person: Participant) -> Answer:
        dice = crowd.dice(person)
        crowd.takes(person, dice.choice(crowd.tables))
        if dice.random() < 0.2:
            crowd.does(person, "room", "seat.leave")
        return crowd.does(person, "room", "seat.any")

    answers = crowd.all_at_once(wanders)

    assert {answer.code for answer in answers} == {None}
    assert Seat.objects.count() == CLIENTS
    crowd.assert_seated_well()


def test_last_seat_goes_to_exactly_one_of_two_hundred(crowd: Crowd, rule: Rule) -> None:
    last = crowd.tables[0]
    for person in (crowd.cafe.ben, crowd.cafe.cem, crowd.cafe.dana, crowd.cafe.comes("Fay")):
        assert crowd.takes(person, last).code is None

    with rule.is_not(partial(switched_off, "seat")):
        answers = crowd.all_at_once(lambda person: crowd.takes(person, last))

    seated = Seat.objects.filter(table=last).count()
    if rule.holds:
        assert Counter(answer.code for answer in answers) == {None: 1, "table_full": CLIENTS - 1}
        assert seated == SEATS
        crowd.assert_seated_well()
    else:
        assert seated == SEATS - 1 + CLIENTS


def test_one_person_in_two_hundred_tabs_has_one_seat(crowd: Crowd) -> None:
    cem = crowd.cafe.cem

    answers = crowd.all_at_once(lambda tab: crowd.takes(cem, crowd.dice(tab).choice(crowd.tables)))

    assert {answer.code for answer in answers} == {None}
    assert Seat.objects.filter(participant=cem).count() == 1
    crowd.assert_seated_well()


def test_two_hundred_in_one_batch_are_judged_as_if_one_by_one(crowd: Crowd) -> None:
    room: Sequence[Op] = [crowd.cafe.op(p, "room", "seat.take", table=crowd.tables[0]) for p in crowd.people]

    answers = streams.apply(room)

    assert [answer.code for answer in answers] == [None] * SEATS + ["table_full"] * (CLIENTS - SEATS)
    crowd.assert_seated_well()


def test_same_operation_from_many_connections_at_once_is_one_note(crowd: Crowd) -> None:
    cafe = crowd.cafe
    assert crowd.takes(cafe.cem, crowd.tables[0]).code is None
    cafe.steps(1)
    board, question, op_id = cafe.board().pk, cafe.question().pk, new_id()

    answers = crowd.all_at_once(
        lambda _tab: crowd.does(cafe.cem, f"board:{board}", "note.add", _id=op_id, q=question, text="Benches")
    )

    assert {(answer.code, answer.seq) for answer in answers} == {(None, 1)}
    assert Counter(answer.dup for answer in answers) == {False: 1, True: CLIENTS - 1}
    assert list(Note.objects.values_list("pk", "seq")) == [(op_id, 1)]


@pytest.mark.parametrize("first", ["socket", "post"])
async def test_same_operation_by_socket_and_by_post_is_one_note(transactional_db: None, first: str) -> None:
    cafe = await sync_to_async(lambda: Cafe().runs())()
    board, question = await board_of(cafe)
    op_id = new_id()
    said = {"q": question, "text": "Benches", "colour": "mint"}
    cem = await Browser(cafe.event.key, cafe.cookie(cafe.cem)).hello()
    transports = {
        "socket": lambda: cem.posts(board, "note.add", _id=str(op_id), **said),
        "post": lambda: posted(cafe, op_id, board, said),
    }

    order = [first, "post" if first == "socket" else "socket"] * 2
    answers = [await transports[name]() for name in order]
    together = await asyncio.gather(*(act() for act in transports.values()))

    assert [(a["t"], a["seq"], a.get("dup", False)) for a in answers] == [("ack", 1, i > 0) for i in range(4)]
    assert all(answer["dup"] for answer in together)
    assert await sync_to_async(lambda: list(Note.objects.values_list("pk", "text")))() == [(op_id, "Benches")]
    await cem.leaves()
    await threads.close()
    await sync_to_async(connections.close_all)()


async def posted(cafe: Cafe, op_id: UUID, board: str, said: dict[str, object]) -> dict[str, object]:
    frame = {"t": "op", "id": str(op_id), "s": board, "k": "note.add", "d": said}
    browser = AsyncClient()
    browser.cookies.load(cafe.cookie(cafe.cem))
    answer = await browser.post(f"/live/{cafe.event.key}/ops", frame, content_type="application/json")
    found: dict[str, object] = answer.json()
    return found
