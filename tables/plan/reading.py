"""A stored event as a plan."""

from __future__ import annotations

from sessions.models import Event, Question, Session
from tables.models import Table
from tables.plan.model import Plan, PlanQuestion, PlanSession, PlanTable, default_name


def plan_of(event: Event) -> Plan:
    """Four queries, whatever the size; none for what is prefetched as `sessions__questions` and `tables`."""
    sessions = list(event.sessions.prefetch_related("questions"))
    own = _own_questions(sessions)
    return Plan(
        title=event.title,
        purpose=event.purpose,
        starts_at=event.starts_at,
        time_zone=event.time_zone,
        language=event.language,
        table_model=event.table_model,
        talk_link=event.talk_link,
        by_hand=event.by_hand,
        sessions=tuple(_session(session) for session in sessions),
        tables=tuple(_table(table, event.language, own.get(table.number, "")) for table in event.tables.all()),
    )


def _session(session: Session) -> PlanSession:
    shared = (question for question in session.questions.all() if question.table_no is None)
    return PlanSession(
        id=session.pk,
        title=session.title,
        minutes=session.minutes,
        questions=tuple(PlanQuestion(question.text, question.pk) for question in shared),
    )


def _table(table: Table, language: str, question: str) -> PlanTable:
    usual = table.name == default_name(table.number, language)
    return PlanTable(
        id=table.pk,
        name="" if usual else table.name,
        cap=table.cap,
        question=question,
        talk_link=table.talk_link,
        open=table.open,
    )


def _own_questions(sessions: list[Session]) -> dict[int, str]:
    """The question of each table, as the last session has it: the one that can still be changed."""
    found: dict[int, Question] = {}
    for session in sessions:
        found |= {q.table_no: q for q in session.questions.all() if q.table_no is not None}
    return {number: question.text for number, question in found.items()}
