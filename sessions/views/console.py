from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from sessions import desk, qr
from sessions.clock import now_ms
from sessions.http import HttpRequest
from sessions.identity import moderator_of
from sessions.live import reading, streams
from sessions.live.ops import Name, Op
from sessions.live.trouble import storage
from sessions.live.uuid7 import uuid7
from sessions.models import Event

ROOM, STAGE = Name("room"), Name("stage")
MOST_SEATS = 50
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@never_cache
@login_required
@require_safe
def console(request: HttpRequest, code: str) -> HttpResponse:
    """The moderator's live page."""
    event, moderator = moderator_of(request, code)
    live = reading.page(moderator, ["stage", "me", "room", "gallery"])
    numbers, shown = desk.glance(event), _shown(request, event, live)
    context = {
        **shown,
        "sums": desk.sums(live.parts["room"], numbers, shown["lead"]["phase"]),
        "tables": desk.cards(live.parts["room"], numbers),
        "closing": desk.harvest(live.parts["gallery"])["text"],
        "asked": request.GET.get("ask", ""),
        "looked_at": _looked_at(request, live.parts["room"]),
        "storage_full": storage.full,
    }
    return render(request, "sessions/console.html", context)


@never_cache
@login_required
@require_safe
def screen(request: HttpRequest, code: str) -> HttpResponse:
    """The projector page: what everybody in the hall may read."""
    event, moderator = moderator_of(request, code)
    live = reading.page(moderator, ["stage", "me", "room", "gallery"])
    shown = _shown(request, event, live)
    context = {
        **shown,
        "sums": desk.sums(live.parts["room"], desk.glance(event), shown["lead"]["phase"]),
        "walk": desk.harvest(live.parts["gallery"]) | {"phase": shown["lead"]["phase"]},
        "size": desk.map_size(len(live.parts["room"])),
    }
    return render(request, "sessions/screen.html", context)


def _shown(request: HttpRequest, event: Event, live: reading.Page) -> dict[str, Any]:
    """What console and screen both show."""
    address = _join_address(request, event)
    return {
        "event": event,
        "live": live,
        "stage": live.parts["stage"][0],
        "lead": desk.lead(live.parts["stage"][0], event, live.now),
        "desk": desk.desk(event),
        "join_address": address,
        "join_host": urlsplit(address).netloc,
    }


def _looked_at(request: HttpRequest, room: list[desk.Fields]) -> desk.Fields | None:
    """The table whose card was opened without JavaScript."""
    return next((part for part in room if str(part["table"]) == request.GET.get("table")), None)


def _join_address(request: HttpRequest, event: Event) -> str:
    """Where guests come in: at `BASE_URL`, or as the moderator did where that names nothing but this machine."""
    path = reverse("join", args=[event.join_code])
    if urlsplit(settings.BASE_URL).hostname in LOOPBACK:
        return request.build_absolute_uri(path)
    return f"{settings.BASE_URL}{path}"


@never_cache
@require_safe
def desk_now(request: HttpRequest, code: str) -> JsonResponse:
    """Join code, doors and run sheet for open consoles and screens."""
    event, _moderator = moderator_of(request, code)
    return JsonResponse(desk.desk(event) | {"address": _join_address(request, event)})


@never_cache
@require_safe
def join_picture(request: HttpRequest, code: str) -> HttpResponse:
    """The QR code that leads phones to the join page."""
    event, _moderator = moderator_of(request, code)
    return HttpResponse(qr.svg(_join_address(request, event)), content_type="image/svg+xml")


@require_POST
def renew_code(request: HttpRequest, code: str) -> HttpResponse:
    event, _moderator = moderator_of(request, code)
    with streams.governing(event) as scene:
        event.renew_code()
        event.stage_seq = scene.raise_head(event, STAGE, "now")
        scene.saves.update(event, "join_code", "stage_seq")
    return back_to(event, "code")


@require_POST
def doors(request: HttpRequest, code: str) -> HttpResponse:
    """Lets new people in, or nobody else."""
    event, _moderator = moderator_of(request, code)
    with streams.governing(event) as scene:
        event.doors_open = request.POST.get("open") == "true"
        event.stage_seq = scene.raise_head(event, STAGE, "now")
        scene.saves.update(event, "doors_open", "stage_seq")
    return back_to(event, "code")


@require_POST
def seats(request: HttpRequest, code: str) -> HttpResponse:
    """One seat more at every open table that may still grow."""
    event, moderator = moderator_of(request, code)
    room = reading.page(moderator, ["room"]).parts["room"]
    growing = [part for part in room if part["open"] and part["cap"] < MOST_SEATS]
    streams.apply([_one_more(event, moderator.pk, part) for part in growing])
    return back_to(event, "tables")


def back_to(event: Event, place: str) -> HttpResponse:
    """Where one sees what a button did: on a phone that is far down the page, and the keyboard goes on from there."""
    return redirect(f"{reverse('console', args=[event.key])}#{place}")


def _one_more(event: Event, actor: int, part: desk.Fields) -> Op:
    wish = {"table": part["table"], "cap": part["cap"] + 1}
    return Op(uuid7(), event.pk, actor, ROOM, "table.set", wish, None, now_ms())
