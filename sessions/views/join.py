from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from sessions import identity
from sessions.codes import as_code, new_secret
from sessions.forms.entry import CodeForm, NameForm
from sessions.http import HttpRequest
from sessions.live import course
from sessions.models import Event
from sessions.permissions import Action, Role, Standing, may
from sessions.phases import Phase
from sessions.views.home import no_such_code

ENDED = (Phase.CLOSED, Phase.ARCHIVED)
SHORTEST_TICKET = len(new_secret())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, code: str) -> HttpResponse:
    event = course.event_with("join_code", as_code(code))
    if event is None:
        return no_such_code(request, CodeForm({"code": code[:40]}), status=404)
    if as_code(code) != code:
        return redirect("join", code=event.join_code)
    if identity.participant_of(request, event):
        return redirect("here", code=event.key)
    closed = closed_because(event)
    if closed:
        return door(request, event, NameForm(), status=closed)
    return reception(request, event)


def reception(request: HttpRequest, event: Event) -> HttpResponse:
    """Asks for the name and lets in whoever gave one."""
    if request.method != "POST":
        return door(request, event, NameForm(initial={"ticket": new_secret()}))
    form = NameForm(request.POST)
    if not form.is_valid():
        return door(request, event, form, status=422)
    return come_in(event, form.cleaned_data["name"], form.cleaned_data["ticket"])


def come_in(event: Event, name: str, ticket: str) -> HttpResponse:
    secret = secret_of(event, ticket if len(ticket) >= SHORTEST_TICKET else new_secret())
    identity.come_in_once(event, name, secret)
    response = redirect("here", code=event.key)
    identity.remember(response, event, secret)
    return response


def secret_of(event: Event, ticket: str) -> str:
    """The secret for the cookie: it follows from the form's ticket, so that the same form sent twice is one person."""
    return salted_hmac(f"join {event.key}", ticket, secret=settings.SECRET_KEY, algorithm="sha256").hexdigest()


def closed_because(event: Event) -> int | None:
    """Null when the doors are open, else the HTTP status of the answer."""
    phase = event.phase_at()
    if phase in ENDED:
        return 410
    open_now = event.doors_open and may(Action.JOIN, Standing(Role.OUTSIDER, phase))
    return None if open_now else 403


def door(request: HttpRequest, event: Event, form: NameForm, *, status: int = 200) -> HttpResponse:
    context = {"event": event, "form": form, "ended": status == 410, "shut": status == 403, "phase": event.phase_at()}
    return render(request, "sessions/join.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: HttpRequest, secret: str) -> HttpResponse:
    """GET shows whose seat it is, so that link previews use nothing up; POST makes this device that person too."""
    link = identity.hand_over_with(secret)
    if link is None:
        raise Http404
    participant = link.participant
    if participant.removed_at is not None:
        raise identity.Removed(participant.event)
    taken = identity.take_over(secret) if request.method == "POST" else None
    if taken is None:
        status = 200 if link.is_good() and request.method != "POST" else 410
        return render(
            request, "sessions/hand_over.html", {"participant": participant, "gone": status == 410}, status=status
        )
    response = redirect("here", code=participant.event.key)
    identity.remember(response, participant.event, taken[1])
    return response
