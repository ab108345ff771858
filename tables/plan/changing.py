"""Bringing a stored event to a plan.

Pages follow: in the same lock, the heads of all parts that look different are raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from django.db.models import F

from sessions.live import streams
from sessions.live.ops import Name
from sessions.live.scene import Scene
from sessions.models import Event, Question, Session
from tables.live.gallery import raise_exhibit, raise_look
from tables.models import MOST_TABLES, Board, Table
from tables.plan.held import held_in
from tables.plan.model import Plan, PlanTable
from tables.plan.picture import Picture, picture_of
from tables.plan.reading import plan_of
from tables.plan.rows import Asked, event_values, questions_of, session_values, table_values
from tables.plan.saying import digest, says_the_same

AWAY = 1_000  # added to numbers while rows change places, so that no two ever have the same
Row = TypeVar("Row", Session, Table)


class Overtaken(Exception):  # noqa: N818 - an answer, not an error
    """Another plan is stored than the one that was read before changing it: saving would undo what was done since."""


class TakenAway(Exception):  # noqa: N818 - an answer, not an error
    """The plan lacks what carries notes or is in use; `part` as in `Held.missing_from`."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


def change(event: Event, plan: Plan, *, loaded: str = "") -> None:
    """Makes the event what the plan says, in one transaction; how many queries it takes does not depend on the plan.

    `loaded` is the digest of the stored plan that this one was made from, where that may be long ago.
    Raises `Overtaken` or `TakenAway`: then nothing has changed.
    """
    with streams.governing(event) as scene:
        event.refresh_from_db()
        stored = plan_of(event) if loaded else None
        if stored and digest(stored) != loaded:
            if says_the_same(plan, stored):  # a form that was sent twice
                return
            raise Overtaken
        missing = held_in(event).missing_from(plan)
        if missing:
            raise TakenAway(missing)
        _bring_to(scene, event, plan)


def add_table(event: Event) -> None:
    """One more table, with as many seats as the last one, unless there are as many as there may be."""
    with streams.governing(event) as scene:
        event.refresh_from_db()
        plan = plan_of(event)
        if len(plan.tables) < MOST_TABLES:
            _bring_to(scene, event, replace(plan, tables=(*plan.tables, PlanTable(cap=plan.tables[-1].cap))))


def _bring_to(scene: Scene, event: Event, plan: Plan) -> None:
    before = picture_of(event)
    _write(event, plan)
    streams.open_for(event)
    _raise_heads(scene, event, before, picture_of(event))


def _write(event: Event, plan: Plan) -> None:
    for name, value in event_values(plan).items():
        setattr(event, name, value)
    event.save(update_fields=list(event_values(plan)))
    places = dict(event.tables.values_list("pk", "number"))
    tables = _bring(event, Table, list(zip((t.id for t in plan.tables), table_values(plan), strict=True)))
    sessions = _bring(event, Session, list(zip((s.id for s in plan.sessions), session_values(plan), strict=True)))
    moved = {places[table.pk]: table.number for table in tables if table.pk in places}
    _bring_questions(event, plan, sessions=sessions, moved=moved)
    _bring_boards(sessions, tables)


def _bring(event: Event, model: type[Row], wanted: Sequence[tuple[int | None, dict[str, Any]]]) -> list[Row]:
    """The event's rows of a numbered model, made, changed and taken away until they are what is wanted."""
    stored = model._default_manager.filter(event=event)
    known = {row.pk: row for row in stored}
    rows = [known.pop(pk) if pk in known else model(event=event) for pk, _values in wanted]
    stored.filter(pk__in=known).delete()
    stored.update(number=F("number") + AWAY)
    for row, (_pk, values) in zip(rows, wanted, strict=True):
        for name, value in values.items():
            setattr(row, name, value)
    fields = list(wanted[0][1])
    model._default_manager.bulk_update([row for row in rows if row.pk], fields)
    model._default_manager.bulk_create([row for row in rows if not row.pk])
    return rows


def _bring_questions(event: Event, plan: Plan, *, sessions: Sequence[Session], moved: dict[int, int]) -> None:
    """`moved` says which number a table has now that had another one before."""
    stored = Question.objects.filter(session__event=event)
    shared = {(q.session_id, q.pk): q for q in stored if q.table_no is None}
    own = {(q.session_id, moved.get(q.table_no)): q for q in stored if q.table_no is not None}
    rows = []
    for session, planned in zip(sessions, plan.sessions, strict=True):
        for asked in questions_of(plan, planned):
            row = shared.pop((session.pk, asked.id or 0), None) if asked.table_no is None else None
            row = row or own.pop((session.pk, asked.table_no), None) or Question(session=session)
            rows.append(_asking(row, asked))
    stored.exclude(pk__in=[row.pk for row in rows if row.pk]).delete()
    Question.objects.bulk_update([row for row in rows if row.pk], ["number", "table_no", "text"])
    Question.objects.bulk_create([row for row in rows if not row.pk])


def _asking(row: Question, asked: Asked) -> Question:
    row.number, row.table_no, row.text = asked.number, asked.table_no, asked.text
    return row


def _bring_boards(sessions: Iterable[Session], tables: Sequence[Table]) -> None:
    laid = set(Board.objects.filter(session__in=sessions).values_list("session_id", "table_id"))
    Board.objects.bulk_create(
        Board(session=session, table=table)
        for session in sessions
        for table in tables
        if (session.pk, table.pk) not in laid
    )


def _raise_heads(scene: Scene, event: Event, before: Picture, after: Picture) -> None:
    if before.stage != after.stage:
        event.stage_seq = scene.raise_head(event, Name("stage"), "now")
        event.save(update_fields=["stage_seq"])
    tables = [Table(pk=pk) for pk, looks in after.tables.items() if before.tables.get(pk) != looks]
    for table in tables:
        table.seq = scene.raise_head(event, Name("room"), f"table:{table.pk}")
    Table.objects.bulk_update(tables, ["seq"])
    boards = [Board(pk=pk) for pk, looks in after.boards.items() if before.boards.get(pk) != looks]
    for board in boards:
        if board.pk in before.boards:
            raise_look(scene, event, board)
        else:
            raise_exhibit(scene, event, board)
    Board.objects.bulk_update(boards, ["gallery_seq"])
