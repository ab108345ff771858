"""The console's numbers: not parts, but counted once a second while a console is open."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Left
from django.utils import timezone

from sessions.clock import as_ms
from sessions.models import Event, Participant
from tables.models import Board, Note, Seat

AWAY_AFTER = timedelta(minutes=2)
ON_A_CARD = 160  # characters
SHOWN = Note.objects.filter(board=OuterRef("pk"), gone_at=None, hidden=False)
NEWEST = Subquery(SHOWN.order_by("-at", "-pk").values(start=Left("text", ON_A_CARD))[:1])


def numbers(events: Sequence[int]) -> dict[int, dict[str, Any]]:
    """By event id: people, seated, lobby, and per table its notes and the newest one (two lines are shown)."""
    found = {}
    for event in Event.objects.filter(pk__in=events).prefetch_related("sessions"):
        session = event.current_session()
        found[event.pk] = _of(event, session.pk if session else 0)
    return found


def _of(event: Event, session: int) -> dict[str, Any]:
    here = Participant.objects.filter(event=event, removed_at=None).exclude(role=Participant.Role.MODERATOR)
    here_now = Count("pk", filter=Q(seats__session_id=session), distinct=True)
    counts = here.aggregate(people=Count("pk", distinct=True), seated=here_now)
    boards = Board.objects.filter(session_id=session).order_by().annotate(last=NEWEST)
    standing = here.exclude(pk__in=Seat.objects.filter(session_id=session).values("participant_id"))
    return {
        "away": _away(event.pk, session),
        "people": counts["people"],
        "seated": counts["seated"],
        "lobby": [{"p": pk, "name": name} for pk, name in standing.values_list("pk", "name")[:100]],
        "tables": {
            str(table): {"notes": count, "last": last or ""}
            for table, count, last in boards.values_list("table_id", "note_count", "last")
        },
    }


def _away(event: int, session: int) -> list[dict[str, Any]]:
    """Seated people whom no process has seen for two minutes, and since when (ms)."""
    long_ago = timezone.now() - AWAY_AFTER
    gone = Participant.objects.filter(event_id=event, seats__session_id=session, seen_at__lt=long_ago)
    return [{"p": pk, "since": as_ms(seen)} for pk, seen in gone.values_list("pk", "seen_at")]
