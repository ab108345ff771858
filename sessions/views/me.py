from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from sessions import identity
from sessions.clock import now_ms
from sessions.going import NOWHERE
from sessions.http import HttpRequest
from sessions.live import streams
from sessions.live.ops import Name, Op
from sessions.live.uuid7 import uuid7
from sessions.models import Event, Participant


@never_cache
@require_safe
def me(request: HttpRequest, code: str) -> HttpResponse:
    event, participant = identity.guest_of(request, code)
    return page(request, event, participant)


@never_cache
@require_POST
def me_link(request: HttpRequest, code: str) -> HttpResponse:
    """Shows a fresh hand-over link; nothing is kept of it but a digest, so it stands on this answer only."""
    event, participant = identity.guest_of(request, code)
    if secret_here(request, event) is None:
        return redirect("me", code=event.key)
    address = reverse("hand-over", args=[identity.new_hand_over(participant)])
    return page(request, event, participant, link=request.build_absolute_uri(address))


@require_POST
def me_others(request: HttpRequest, code: str) -> HttpResponse:
    event, participant = identity.guest_of(request, code)
    secret = secret_here(request, event)
    if secret is not None:
        identity.leave_elsewhere(participant, secret)
    return redirect("me", code=event.key)


@never_cache
@require_POST
def me_leave(request: HttpRequest, code: str) -> HttpResponse:
    event, participant = identity.guest_of(request, code)
    secret = secret_here(request, event)
    if secret is not None and identity.leave(participant, secret):
        stand_up(participant)
    response = render(request, "sessions/left.html", {"event": event, "page_at": NOWHERE})
    identity.forget(response, event)
    response["Clear-Site-Data"] = '"storage"'  # not "cookies": another seat, or an account, may be in this browser
    return response


def page(request: HttpRequest, event: Event, participant: Participant, *, link: str = "") -> HttpResponse:
    context = {
        "event": event,
        "participant": participant,
        "is_guest": secret_here(request, event) is not None,
        "devices": participant.devices.count(),
        "link": link,
        "page_at": reverse("me", args=[event.key]),
        "minutes": identity.HAND_OVER_LIFE.seconds // 60,
    }
    return render(request, "sessions/me.html", context)


def secret_here(request: HttpRequest, event: Event) -> str | None:
    return identity.seat_secret(event, request.META.get("HTTP_COOKIE", ""))


def stand_up(participant: Participant) -> None:
    """Whoever left on the last device keeps no seat; without one this is refused, which is as good."""
    op = Op(
        id=uuid7(),
        event_id=participant.event_id,
        actor_id=participant.pk,
        stream=Name("room"),
        kind="seat.leave",
        data={},
        base=None,
        arrived=now_ms(),
    )
    streams.apply([op])
