from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from sessions import identity
from sessions.http import HttpRequest
from sessions.live import rows
from sessions.models import Event, Participant
from sessions.permissions import WALK
from sessions.phases import Phase
from tables.models import Seat


@require_safe
def here(request: HttpRequest, code: str) -> HttpResponse:
    """Where the event is for this guest: lobby, own table or gallery."""
    event, guest = identity.guest_of(request, code)
    return redirect(_place(event, guest), code=event.key)


def _place(event: Event, guest: Participant) -> str:
    phase = event.phase_at()
    if phase in WALK:
        return "gallery"
    if phase in {Phase.RUNNING, Phase.OVER} and _sits(event, guest):
        return "table"
    return "lobby"


def _sits(event: Event, guest: Participant) -> bool:
    session = event.current_session()
    return bool(session and rows.find(Seat, ("id",), {"participant": [guest.pk], "session": [session.pk]}))
