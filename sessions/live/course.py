"""Events with their course, read by statements that stay the same (`rows.py`)."""

from collections.abc import Collection
from typing import Literal

from sessions.live import rows
from sessions.models import Event, Question, Session


def event_with(name: Literal["key", "join_code"], code: str) -> Event | None:
    """The event with this code, and with its sessions; two queries."""
    found = rows.whole(Event, {name: [code]})
    _attach_sessions(found)
    return next(iter(found), None)


def events(ids: Collection[int]) -> dict[int, Event]:
    """By id, with their sessions; two queries."""
    found = rows.whole(Event, {"id": ids})
    _attach_sessions(found)
    return {event.pk: event for event in found}


def events_with_questions(ids: Collection[int]) -> dict[int, Event]:
    """By id, with their sessions and what these ask, in order; three queries."""
    found = rows.whole(Event, {"id": ids})
    sessions = _attach_sessions(found)
    asked = rows.whole(Question, {"session": [session.pk for session in sessions]})
    asked.sort(key=lambda question: (question.table_no or 0, question.number))
    rows.attach(sessions, "questions", asked, by="session_id")
    return {event.pk: event for event in found}


def _attach_sessions(found: Collection[Event]) -> list[Session]:
    sessions = rows.whole(Session, {"event": [event.pk for event in found]})
    sessions.sort(key=lambda session: session.number)
    rows.attach(found, "sessions", sessions, by="event_id")
    return sessions
