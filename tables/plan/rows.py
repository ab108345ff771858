"""What a plan says as rows: the values an event, its sessions, tables and questions are to have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tables.plan.model import Plan, PlanSession, default_name

EVENT_FIELDS = (
    "title",
    "purpose",
    "starts_at",
    "time_zone",
    "language",
    "table_model",
    "talk_link",
    "by_hand",
)


class Asked(NamedTuple):
    """A question of one session: the `number`th of all tables, or the one of table `table_no`."""

    table_no: int | None
    number: int
    text: str
    id: int | None = None


def event_values(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in EVENT_FIELDS}


def session_values(plan: Plan) -> Iterator[dict[str, Any]]:
    for number, session in enumerate(plan.sessions, 1):
        yield {"number": number, "title": session.title, "minutes": session.minutes}


def table_values(plan: Plan) -> Iterator[dict[str, Any]]:
    for number, table in enumerate(plan.tables, 1):
        yield {
            "number": number,
            "name": table.name or default_name(number, plan.language),
            "cap": table.cap,
            "open": table.open,
            "talk_link": table.talk_link,
        }


def questions_of(plan: Plan, session: PlanSession) -> Iterator[Asked]:
    """The shared questions of a session, then the tables' own where the plan has such."""
    for number, question in enumerate(session.questions, 1):
        yield Asked(None, number, question.text, question.id)
    if plan.own_questions:
        for table_no, table in enumerate(plan.tables, 1):
            if table.question:
                yield Asked(table_no, 1, table.question)
