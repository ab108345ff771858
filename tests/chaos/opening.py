"""The event in which everything happens, made beside the server: `manage.py shell -c "…"`. Django must be set up."""

from __future__ import annotations

import json
from uuid import UUID

from django.utils import timezone

from sessions import identity
from sessions.clock import now_ms
from sessions.live import streams
from sessions.live.ops import Name, Op
from sessions.live.uuid7 import uuid7
from sessions.models import Change, Event, Moderator
from tables.models import Board
from tables.plan import Plan, PlanSession, asked, build, laid

MODERATOR = "ada@example.org"
HOURS_MINUTES = 240


def set_up(*, tables: int, seats: int) -> str:
    """JSON of an event whose only session runs for hours."""
    plan = Plan(
        title="Whatever happens",
        starts_at=timezone.now(),
        sessions=(PlanSession(asked("What helps?", "What hinders?"), minutes=HOURS_MINUTES),),
        tables=laid(tables, cap=seats),
    )
    event = build(Moderator.objects.named(MODERATOR, name="Ada"), plan)
    for _step in range(3):  # doors, seats, talk
        does(event, Name("stage"), "phase.next")
    boards = Board.objects.filter(session__event=event).values_list("pk", flat=True)
    return json.dumps({"id": event.pk, "key": event.key, "code": event.join_code, "boards": list(boards)})


def last_change(event: int) -> int:
    """The id of the last thing done before anybody acts."""
    return int(Change.objects.filter(event_id=event).order_by("-pk").values_list("pk", flat=True)[0])


def said_beside(event: int, op_id: str, text: str) -> None:
    """The moderator's word, by a process that tells no server."""
    does(Event.objects.get(pk=event), Name("stage"), "word.say", op_id=UUID(op_id), text=text)


def does(event: Event, stream: Name, kind: str, *, op_id: UUID | None = None, **data: object) -> None:
    """Raises `ValueError` when it is refused."""
    moderator = identity.moderator_in(event, event.owner)
    if moderator is None:
        raise ValueError("the event has no moderator")
    now = now_ms()
    op = Op(op_id or uuid7(now), event.pk, moderator.pk, stream, kind, data, None, now)
    [answer] = streams.apply([op])
    if answer.code:
        raise ValueError(f"{kind}: {answer.code}")
