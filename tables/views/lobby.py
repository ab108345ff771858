from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from sessions import identity
from sessions.http import HttpRequest
from sessions.links import host_of
from sessions.live import reading, rows
from sessions.models import Event, Participant
from sessions.permissions import WALK
from sessions.phases import Phase
from tables.models import Seat

MOST_NAMES = 200


@require_safe
def lobby(request: HttpRequest, code: str) -> HttpResponse:
    """Every table with who sits there; sitting down, changing and leaving in one tap."""
    event, guest = identity.guest_of(request, code)
    if event.phase_at() in WALK:
        return redirect("gallery", code=event.key)
    if request.htmx:
        return render(request, "tables/people.html", {"people": _people(event)})
    live = reading.page(guest, ["stage", "me", "room"])
    tables = live.parts["room"]
    context = {
        "event": event,
        "guest": guest,
        "live": live,
        "tables": tables,
        "seat": _own_seat(live, tables, event),
        "before": _table_before(event, guest, tables),
        "people": _people(event),
        "talk_host": host_of(event.talk_link),
        "taken": sum(table["taken"] for table in tables),
        "room": any(_has_room(table, guest) for table in tables),
        "cap": sum(table["cap"] for table in tables if table["open"]),
    }
    return render(request, "tables/lobby.html", context)


def _has_room(table: dict[str, Any], guest: Participant) -> bool:
    """Whether this guest can sit down there, as `hasRoom` in `static/js/lobby.js`."""
    kept = table["open"] and table["host"] == guest.pk and table["taken"] < table["cap"]
    return bool(table["free"] or kept)


def _own_seat(live: reading.Page, tables: list[dict[str, Any]], event: Event) -> dict[str, Any]:
    """What the banner about the guest's own seat says; `static/js/lobby.js` fills the same."""
    seat = live.part("me", "seat") or {}
    name = next((table["name"] for table in tables if table["table"] == seat.get("table")), "")
    return {
        "id": "yourseat",
        "seq": 0,
        "name": name,
        "phase": event.phase_at(live.now),
        "session": event.session_no,
        "href": reverse("table", args=[event.key]),
    }


def _table_before(event: Event, guest: Participant, tables: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The table of the session before this one, for "Stay at"; null in the first session or without a seat there."""
    before = event.numbered((event.session_no or 0) - 1)
    sat = rows.find(Seat, ("table",), {"participant": [guest.pk], "session": [before.pk]}) if before else []
    return next((table for table in tables if [table["table"]] in map(list, sat)), None)


def _people(event: Event) -> list[str]:
    """Who is there before anybody can sit."""
    if event.phase_at() not in {Phase.DRAFT, Phase.LOBBY}:
        return []
    there = event.participants.filter(removed_at=None).exclude(role=Participant.Role.MODERATOR)
    return list(there.values_list("name", flat=True)[:MOST_NAMES])
