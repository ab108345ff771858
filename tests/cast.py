"""The people of our tests and how they get where they are, by the ways real people go."""

from datetime import UTC, datetime
from typing import Any

from django.test import Client

from sessions import identity
from sessions.clock import now_ms
from sessions.live import streams
from sessions.live.ops import Answer, Name, Op
from sessions.live.uuid7 import uuid7
from sessions.models import Event, Moderator, Participant
from sessions.phases import Phase
from tables.models import Table
from tables.plan import Plan, PlanSession, asked, build, laid

STARTS = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
MINUTE_MS = 60_000
PLAN = Plan(
    title="Smart City",
    starts_at=STARTS,
    sessions=(
        PlanSession(asked("What makes an offer succeed?", "What holds offers back?")),
        PlanSession(asked("What can I contribute?", "What must change for it?")),
    ),
    tables=laid(2),
)


def new_event(owner: Moderator, *, title: str = PLAN.title) -> Event:
    """Two tables, two sessions, two questions in each; the doors are open, nothing has begun."""
    event = build(owner, PLAN)
    Event.objects.filter(pk=event.pk).update(title=title)
    return put(event, Phase.LOBBY)


def put(event: Event, phase: Phase, *, session: int | None = None, **facts: Any) -> Event:
    """Brings the event to a phase at once; a running session has 20 minutes left."""
    facts = {"ends_at": now_ms() + 20 * MINUTE_MS if phase is Phase.RUNNING else None, "paused_left": None, **facts}
    Event.objects.filter(pk=event.pk).update(phase=phase, session_no=session, **facts)
    event.refresh_from_db()
    return event


def come_in(event: Event, name: str) -> Participant:
    """A guest who has come in; `secret` is what the browser keeps."""
    person, secret = identity.come_in(event, name)
    person.secret = secret  # type: ignore[attr-defined]
    return person


def do(person: Participant, stream: Name, kind: str, **data: Any) -> Answer:
    """One operation by the writing path."""
    op = Op(
        id=uuid7(),
        event_id=person.event_id,
        actor_id=person.pk,
        stream=stream,
        kind=kind,
        data=data,
        base=data.pop("base", None),
        arrived=now_ms(),
    )
    [answer] = streams.apply([op])
    return answer


def sit(person: Participant, table: Table) -> Participant:
    answer = do(person, Name("room"), "seat.take", table=table.pk)
    assert answer.code is None, answer
    return person


def browser_of(person: Participant | Moderator | None, *, language: str = "en") -> Client:
    """A browser in which this person is known; nobody: a stranger's."""
    browser = Client(headers={"accept-language": language})
    if isinstance(person, Moderator):
        browser.force_login(person)
    elif person is not None:
        browser.cookies[identity.cookie_name(person.event)] = person.secret  # type: ignore[attr-defined]
    return browser
