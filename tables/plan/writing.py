"""Making an event from a plan."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from django.db import transaction

from sessions.live import streams
from sessions.live.ops import Name
from sessions.models import Event, Moderator, Question, Session
from tables.models import Board, Table
from tables.plan.model import Plan
from tables.plan.rows import event_values, questions_of, session_values, table_values


@transaction.atomic
def build(owner: Moderator, plan: Plan, *, sample: str = "") -> Event:
    """A new event in draft. How many queries it takes does not depend on the plan (SQLite takes rows in portions)."""
    event = Event(owner=owner, sample=sample, stage_seq=1, **event_values(plan))
    event.save()
    sessions = Session.objects.bulk_create(Session(event=event, **values) for values in session_values(plan))
    tables = Table.objects.bulk_create(
        Table(event=event, seq=seq, **values) for seq, values in enumerate(table_values(plan), 1)
    )
    Question.objects.bulk_create(
        Question(session=session, number=asked.number, table_no=asked.table_no, text=asked.text)
        for session, planned in zip(sessions, plan.sessions, strict=True)
        for asked in questions_of(plan, planned)
    )
    boards = Board.objects.bulk_create(
        Board(session=session, table=table, gallery_seq=seq)
        for seq, (session, table) in enumerate(product(sessions, tables), 1)
    )
    _open_streams(event, tables, boards)
    return event


def _open_streams(event: Event, tables: Sequence[Table], boards: Sequence[Board]) -> None:
    """Each part with the seq its row has."""
    parts = {
        Name("stage"): ["now"],
        Name("room"): [f"table:{table.pk}" for table in tables],
        Name("gallery"): [f"exhibit:{board.pk}" for board in boards],
    }
    streams.open_new(event, {**parts, **{Name("board", board.pk): [] for board in boards}})
