"""The events in which is measured, made beside the server: `manage.py shell -c "…"`. Django must be set up."""

from __future__ import annotations

import json
from typing import Any

from django.utils import timezone

from sessions import identity
from sessions.clock import now_ms
from sessions.live import streams
from sessions.live.ops import Name, Op
from sessions.live.uuid7 import uuid7
from sessions.models import Event, Moderator, Question
from tables.models import COLOURS, Board
from tables.plan import Plan, PlanSession, asked, build, laid

MODERATOR = "ada@example.org"
HOURS_MINUTES = 240
AT_ONCE = 500
TO_RUNNING = 3  # steps from the draft


def event(*, tables: int, seats: int, steps: int = TO_RUNNING) -> str:
    """JSON of an event whose only session runs for hours: its keys, its question, and for each table its board."""
    plan = Plan(
        title="What is measured",
        starts_at=timezone.now(),
        sessions=(PlanSession(asked("What helps?"), minutes=HOURS_MINUTES),),
        tables=laid(tables, cap=seats),
    )
    made = build(Moderator.objects.named(MODERATOR, name="Ada"), plan)
    for _step in range(steps):
        does(made, Name("stage"), "phase.next")
    boards = Board.objects.filter(session__event=made).order_by("table__number").values_list("table_id", "pk")
    question = Question.objects.get(session__event=made)
    return json.dumps(
        {"key": made.key, "code": made.join_code, "question": question.pk, "tables": [list(pair) for pair in boards]}
    )


def fill(key: str, *, notes: int, writers: int) -> None:
    """Notes on all boards alike, by people who come, sit down in turn, and write; long before anybody measures."""
    made = Event.objects.prefetch_related("sessions").get(key=key)
    question = Question.objects.get(session__event=made)
    boards = list(Board.objects.filter(session__event=made).order_by("table__number"))
    people = [identity.come_in(made, f"Writer {number}")[0] for number in range(writers)]
    for number, person in enumerate(people):
        does(made, Name("room"), "seat.put", p=person.pk, table=boards[number % len(boards)].table_id)
    wishes = []
    for number in range(notes):
        person, board = people[number % writers], boards[number % writers % len(boards)]
        text = f"Something that helps, as number {number} said while the coffee was still hot and the pens wrote"
        data = {"q": question.pk, "text": text, "colour": COLOURS[number % len(COLOURS)]}
        wishes.append(Op(uuid7(), made.pk, person.pk, Name("board", board.pk), "note.add", data, None, now_ms()))
    for first in range(0, notes, AT_ONCE):
        batch = [wish._replace(arrived=now_ms()) for wish in wishes[first : first + AT_ONCE]]
        if refused := [answer.code for answer in streams.apply(batch) if answer.code]:
            raise ValueError(f"{len(refused)} notes were refused: {refused[0]}")


def does(made: Event, stream: Name, kind: str, **data: Any) -> None:
    """The moderator's deed. Raises `ValueError` when it is refused."""
    moderator = identity.moderator_in(made, made.owner)
    if moderator is None:
        raise ValueError("the event has no moderator")
    now = now_ms()
    [answer] = streams.apply([Op(uuid7(now), made.pk, moderator.pk, stream, kind, data, None, now)])
    if answer.code:
        raise ValueError(f"{kind}: {answer.code}")
