"""What goes with an event when it is deleted."""

from __future__ import annotations

from typing import NamedTuple

from sessions.models import Event, Participant
from tables.models import Note, Takeaway


class Losses(NamedTuple):
    notes: int
    people: int
    takeaways: int


def losses_of(event: Event) -> Losses:
    """Three queries."""
    people = event.participants.exclude(role=Participant.Role.MODERATOR)
    return Losses(
        notes=Note.objects.filter(board__session__event=event, gone_at=None).count(),
        people=people.count(),
        takeaways=Takeaway.objects.filter(participant__event=event).exclude(text="").count(),
    )
