"""The console's numbers: not parts, but counted once a second while a console is open."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce, Left
from django.utils import timezone

from sessions.clock import as_ms
from sessions.live import course, rows, statement
from sessions.live.rows import Wish
from sessions.models import Participant
from tables.models import Board, Note, Seat

AWAY_AFTER = timedelta(minutes=2)
ON_A_CARD = 160  # characters
MOST_STANDING = 100  # told by name
SHOWN = Note.objects.filter(board=OuterRef("pk"), gone_at=None, hidden=False)
START = Left("text", ON_A_CARD)
WRITTEN_LAST = Subquery(Note.objects.filter(pk=OuterRef("newest")).values(start=START))
CHANGED_LAST = Subquery(SHOWN.order_by("-seq").values(start=START)[:1])  # by `note_since`
THIS_SESSION = -1  # where the session's key goes


class Here(NamedTuple):
    """Somebody who was not removed: named like their fields, keys as numbers."""

    id: int
    event: int
    name: str
    role: str
    seen_at: datetime


def numbers(events: Sequence[int]) -> dict[int, dict[str, Any]]:
    """By event id: people, seated, lobby, and per table its notes and the newest one (two lines are shown)."""
    current = {pk: event.current_session() for pk, event in course.events(events).items()}
    sessions = {pk: session.pk if session else 0 for pk, session in current.items()}
    here, seats = rows.gather(
        Wish(Participant, Here._fields, {"event": sessions.keys()}, where="removed_at IS NULL"),
        Wish(Seat, ("session", "participant"), {"session": sessions.values()}),
    )
    people: dict[int, list[Here]] = {pk: [] for pk in sessions}
    for person in sorted(map(Here._make, here)):
        people[person.event].append(person)
    seated: dict[int, set[int]] = {pk: set() for pk in sessions.values()}
    for pk, participant in seats:
        seated[pk].add(participant)
    return {pk: _of(session, people[pk], seated[session]) for pk, session in sessions.items()}


def _of(session: int, people: Sequence[Here], seated: set[int]) -> dict[str, Any]:
    guests = [person for person in people if person.role != Participant.Role.MODERATOR]
    standing = [person for person in guests if person.id not in seated]
    return {
        "away": _away(person for person in people if person.id in seated),
        "people": len(guests),
        "seated": len(guests) - len(standing),
        "lobby": [{"p": person.id, "name": person.name} for person in standing[:MOST_STANDING]],
        "tables": {str(table): {"notes": count, "last": last or ""} for table, count, last in _boards(session)},
    }


def _away(seated: Iterable[Here]) -> list[dict[str, Any]]:
    """Whom no process has seen for two minutes, and since when (ms)."""
    long_ago = timezone.now() - AWAY_AFTER
    return [{"p": person.id, "since": as_ms(person.seen_at)} for person in seated if person.seen_at < long_ago]


def _boards(session: int) -> list[tuple[int, int, str | None]]:
    """The table, the number of notes and the newest one of each board."""
    sql, parameters = _statement(connection.vendor)
    own = [session if parameter == THIS_SESSION else parameter for parameter in parameters]
    found: list[tuple[int, int, str | None]] = statement.answer(sql, own, statement.every)
    return found


@cache
def _statement(_vendor: str) -> tuple[str, tuple[Any, ...]]:
    """Compiled once: that takes longer than what the statement does."""
    boards = (
        Board.objects.filter(session_id=THIS_SESSION).order_by().annotate(last=Coalesce(WRITTEN_LAST, CHANGED_LAST))
    )
    sql, parameters = boards.values_list("table_id", "note_count", "last").query.sql_with_params()
    return sql, parameters
