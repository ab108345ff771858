"""Making an event from a plan."""

from __future__ import annotations

from django.db import transaction

from sessions.live import streams
from sessions.models import Event, Moderator, Question, Session
from tables.models import Board, Table
from tables.plan.model import Plan
from tables.plan.rows import event_values, questions_of, session_values, table_values


@transaction.atomic
def build(owner: Moderator, plan: Plan, *, sample: str = "") -> Event:
    """A new event in draft. How many queries it takes does not depend on the plan (SQLite takes rows in portions)."""
    event = Event(owner=owner, sample=sample, **event_values(plan))
    event.save()
    sessions = Session.objects.bulk_create(Session(event=event, **values) for values in session_values(plan))
    tables = Table.objects.bulk_create(Table(event=event, **values) for values in table_values(plan))
    Question.objects.bulk_create(
        Question(session=session, number=asked.number, table_no=asked.table_no, text=asked.text)
        for session, planned in zip(sessions, plan.sessions, strict=True)
        for asked in questions_of(plan, planned)
    )
    Board.objects.bulk_create(Board(session=session, table=table) for session in sessions for table in tables)
    streams.open_for(event)
    return event
