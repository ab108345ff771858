"""A small café with its cast, for tests that let people act: `cafe.does(cem, board, "note.add", q=…, text=…)`."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from sessions import identity
from sessions.clock import now_ms
from sessions.live import streams
from sessions.live.ops import Answer, Op
from sessions.live.uuid7 import uuid7
from sessions.live.wire import stream_name
from sessions.models import Event, Moderator, Participant, Question
from tables.models import Board, Note, Table
from tables.plan.model import Plan, PlanQuestion, PlanSession, PlanTable
from tables.plan.writing import build

QUESTIONS = (PlanQuestion("What works?"), PlanQuestion("What holds us back?"))


class Cafe:
    """Two sessions of two questions. Ben and Cem go to table 1, Dana to table 2, Eve is in another event."""

    def __init__(self, *, tables: int = 2, seats: int = 4) -> None:
        self.ada = Moderator.objects.named("ada@example.org", name="Ada")
        self.event = build(self.ada, plan(tables, seats))
        self.moderator = identity.moderator_in(self.event, self.ada)
        assert self.moderator is not None
        self.secrets: dict[int, str] = {}
        self.ben, self.cem, self.dana = (self.comes(name) for name in ("Ben", "Cem", "Dana"))
        other = build(Moderator.objects.named("zoe@example.org", name="Zoe"), plan(2, 4))
        self.eve, self.eves_secret = identity.come_in(other, "Eve")

    def comes(self, name: str) -> Participant:
        person, secret = identity.come_in(self.event, name)
        person.event = self.event
        self.secrets[person.pk] = secret
        return person

    @property
    def now(self) -> Event:
        """The event as it is stored."""
        return Event.objects.prefetch_related("sessions").get(pk=self.event.pk)

    def table(self, number: int) -> Table:
        return Table.objects.get(event=self.event, number=number)

    def board(self, table: int = 1, session: int = 1) -> Board:
        return Board.objects.get(session__event=self.event, session__number=session, table__number=table)

    def question(self, number: int = 1, session: int = 1) -> Question:
        return Question.objects.get(session__event=self.event, session__number=session, number=number)

    def op(self, who: Participant, stream: str, kind: str, **data: Any) -> Op:
        extra = {name: data.pop(f"_{name}") for name in ("id", "base", "arrived") if f"_{name}" in data}
        values = {"id": uuid7(), "base": None, "arrived": now_ms(), **extra}
        return Op(event_id=self.event.pk, actor_id=who.pk, stream=stream_name(stream), kind=kind, data=data, **values)

    def does(self, who: Participant, stream: str, kind: str, **data: Any) -> Answer:
        """One operation through the one writing path."""
        return streams.apply([self.op(who, stream, kind, **data)])[0]

    def steps(self, count: int) -> None:
        for _step in range(count):
            assert self.does(self.moderator, "stage", "phase.next").code is None

    def seats_everybody(self) -> None:
        for person, table in ((self.ben, 1), (self.cem, 1), (self.dana, 2)):
            assert self.does(person, "room", "seat.take", table=self.table(table).pk).code is None

    def runs(self) -> "Cafe":
        """Doors open, everybody seated, session 1 started."""
        self.steps(2)
        self.seats_everybody()
        self.steps(1)
        return self

    def writes(self, who: Participant, text: str, *, table: int = 1, session: int = 1, **data: Any) -> Answer:
        board = f"board:{self.board(table, session).pk}"
        question = self.question(1, session).pk
        return self.does(who, board, "note.add", **{"q": question, "text": text, "colour": "mint", **data})

    def note(self, answer: Answer) -> Note:
        return Note.objects.get(pk=answer.op_id)

    def cookie(self, who: Participant) -> str:
        return f"{identity.cookie_name(self.event)}={self.secrets[who.pk]}"


def plan(tables: int, seats: int) -> Plan:
    return Plan(
        title="Neighbours",
        starts_at=datetime(2021, 8, 24, 15, 0, tzinfo=UTC),
        sessions=tuple(PlanSession(QUESTIONS, minutes=20) for _session in range(2)),
        tables=tuple(PlanTable(cap=seats) for _table in range(tables)),
    )


@pytest.fixture
def cafe(db: None) -> Cafe:
    return Cafe()


@pytest.fixture
def running(cafe: Cafe) -> Cafe:
    return cafe.runs()


def new_id() -> uuid.UUID:
    return uuid7()
