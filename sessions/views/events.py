from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import F, Func, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from sessions.clock import now_ms
from sessions.http import HttpRequest
from sessions.models import Event, Moderator, Participant
from sessions.permissions import OPEN
from sessions.phases import Phase

LIVE = frozenset({Phase.LOBBY, Phase.SEATING, Phase.RUNNING, Phase.OVER, Phase.GALLERY})


@never_cache
@login_required
@require_safe
def events(request: HttpRequest) -> HttpResponse:
    """A moderator's events, the running ones first."""
    if not isinstance(request.user, Moderator):
        raise Http404
    found = [_shown(event) for event in counted(Event.objects.visible_to(request.user))]
    found.sort(key=lambda shown: shown["phase"] not in LIVE)
    return render(request, "sessions/events.html", {"events": found})


def counted(events: QuerySet[Event]) -> QuerySet[Event]:
    """With the numbers of tables, of guests and hosts, and of notes that can be read."""
    people = Participant.objects.filter(event=OuterRef("pk")).exclude(role=Participant.Role.MODERATOR)
    tables = Event.objects.filter(pk=OuterRef("pk"), tables__isnull=False)
    notes = Event.objects.filter(pk=OuterRef("pk")).filter(
        sessions__boards__notes__isnull=False, sessions__boards__notes__gone_at=None
    )
    return events.prefetch_related("sessions").annotate(
        table_count=_number_of(tables), people_count=_number_of(people), note_count=_number_of(notes)
    )


def _number_of(rows: QuerySet[Any]) -> Coalesce:
    """How many rows a query for one event joins, as a subquery."""
    counted_rows = rows.order_by().annotate(number=Func(F("pk"), function="Count")).values("number")
    return Coalesce(Subquery(counted_rows), 0)


def _shown(event: Event) -> dict[str, Any]:
    phase = event.phase_at(now_ms())
    return {"event": event, "phase": phase, "live": phase in LIVE, "open": phase in OPEN}
