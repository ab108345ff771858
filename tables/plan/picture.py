"""What pages show of the plan, part by part: two pictures of an event tell which parts have to be sent again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sessions.models import Event, Question
from tables.models import Board

Looks = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    stage: Looks
    tables: dict[int, Looks]
    boards: dict[int, Looks]


def picture_of(event: Event) -> Picture:
    """Four queries."""
    shared: dict[int, list[Looks]] = defaultdict(list)
    own: dict[int | None, list[Looks]] = defaultdict(list)
    for q in Question.objects.filter(session__event=event).order_by("session", "number"):
        place = shared[q.session_id] if q.table_no is None else own[q.table_no]
        place.append((q.session_id, q.pk, q.text))
    sessions = event.sessions.all().values_list("pk", "number", "title", "minutes")
    tables = event.tables.all().values_list("pk", "number", "name", "cap", "open", "talk_link")
    boards = Board.objects.filter(session__event=event).values_list(
        "pk", "session", "session__number", "session__title", "table__number", "table__name"
    )
    return Picture(
        stage=(
            event.title,
            event.by_hand,
            event.table_model,
            event.time_zone,
            *((*session, *shared[session[0]]) for session in sessions),
        ),
        tables={table[0]: (*table, event.talk_link, *own[table[1]]) for table in tables},
        boards={board[0]: (*board, *shared[board[1]], *own[board[4]]) for board in boards},
    )
