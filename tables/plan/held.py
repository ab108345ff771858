"""What of an event can no longer be taken away: it carries notes, or people have sat there."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from sessions.models import MOST_SESSIONS, Event, Question
from sessions.permissions import WALK
from sessions.phases import Phase
from tables.models import Note, SeatHistory
from tables.plan.model import Plan


@dataclass(frozen=True, slots=True)
class Held:
    """Ids of rows that stay. `live`: the doors have been opened, and tables are closed instead of taken away."""

    live: bool = False
    sessions: frozenset[int] = frozenset()
    tables: frozenset[int] = frozenset()
    questions: frozenset[int] = frozenset()
    own_questions: frozenset[int] = frozenset()  # numbers of the tables whose own question carries notes

    def missing_from(self, plan: Plan) -> str:
        """Why `plan` cannot be: the name of the form's part that took away or moved what is held; empty when it can."""
        asked = {question.id for session in plan.sessions for question in session.questions}
        if not self.sessions <= {session.id for session in plan.sessions[: len(self.sessions)]}:
            return "sessions"
        if not self.tables <= {table.id for table in plan.tables}:
            return "tables"
        if not self.questions <= asked:
            return "questions"
        own = {n for n, table in enumerate(plan.tables, 1) if table.question} if plan.own_questions else set()
        return "own_questions" if not self.own_questions <= own else ""


NOTHING_HELD = Held()


def held_in(event: Event) -> Held:
    """Three queries."""
    live = event.phase != Phase.DRAFT
    noted = dict(
        Question.objects.filter(Exists(Note.objects.filter(question=OuterRef("pk"))), session__event=event).values_list(
            "pk", "table_no"
        )
    )
    return Held(
        live=live,
        sessions=_sessions(event, begun=_begun(event)),
        tables=_tables(event, live=live),
        questions=frozenset(pk for pk, table_no in noted.items() if table_no is None),
        own_questions=frozenset(table_no for table_no in noted.values() if table_no is not None),
    )


def _begun(event: Event) -> int:
    """The number of the last session that has begun; in the gallery walk, whose pages show them all, the last one."""
    phase = event.phase_at()
    if phase is Phase.DRAFT:
        return 0
    return MOST_SESSIONS if phase in WALK else event.session_no or 0


def _sessions(event: Event, *, begun: int) -> frozenset[int]:
    """Those up to the last one that has begun or was used: what comes later can still change its place."""
    used = Exists(Note.objects.filter(board__session=OuterRef("pk"))) | Exists(
        SeatHistory.objects.filter(board__session=OuterRef("pk"))
    )
    found = event.sessions.annotate(used=used).values_list("number", "pk", "used")
    last = max([begun, *(number for number, _pk, is_used in found if is_used)])
    return frozenset(pk for number, pk, _used in found if number <= last)


def _tables(event: Event, *, live: bool) -> frozenset[int]:
    used = Exists(Note.objects.filter(board__table=OuterRef("pk"))) | Exists(
        SeatHistory.objects.filter(board__table=OuterRef("pk"))
    )
    used |= Q(host__isnull=False)
    held = event.tables.all() if live else event.tables.filter(used)
    return frozenset(held.values_list("pk", flat=True))
