"""Events with their course, read by statements that stay the same (`rows.py`)."""

from collections.abc import Collection, Sequence
from typing import Any, Literal

from sessions.live import rows
from sessions.live.rows import Wish
from sessions.models import Event, Question, Session

EVENT, SESSION, QUESTION = (rows.readable(model) for model in (Event, Session, Question))
Found = Sequence[Sequence[Any]]


def event_with(name: Literal["key", "join_code"], code: str) -> Event | None:
    """The event with this code, and with its sessions."""
    found = rows.gather(Wish(Event, EVENT, {name: [code]}), Wish(Session, SESSION, {f"event__{name}": [code]}))
    return next(iter(put_together(*found).values()), None)


def events(ids: Collection[int]) -> dict[int, Event]:
    """By id, with their sessions."""
    return put_together(*rows.gather(*wishes(ids)[:2]))


def events_with_questions(ids: Collection[int]) -> dict[int, Event]:
    """By id, with their sessions and what these ask, in order."""
    return put_together(*rows.gather(*wishes(ids)))


def wishes(ids: Collection[int]) -> tuple[Wish, Wish, Wish]:
    """What to gather for `put_together`."""
    return (
        Wish(Event, EVENT, {"id": ids}),
        Wish(Session, SESSION, {"event": ids}),
        Wish(Question, QUESTION, {"session__event": ids}),
    )


def put_together(of_events: Found, of_sessions: Found, of_questions: Found | None = None) -> dict[int, Event]:
    """The events by id, each with its sessions, and these with their questions where they were gathered."""
    found = rows.objects(Event, EVENT, of_events)
    sessions = sorted(rows.objects(Session, SESSION, of_sessions), key=lambda session: session.number)
    rows.attach(found, "sessions", sessions, by="event_id")
    if of_questions is not None:
        asked = rows.objects(Question, QUESTION, of_questions)
        asked.sort(key=lambda question: (question.table_no or 0, question.number))
        rows.attach(sessions, "questions", asked, by="session_id")
    return {event.id: event for event in found}
