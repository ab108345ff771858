from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from sessions import identity
from sessions.http import HttpRequest
from sessions.ledger import What
from sessions.live import streams, words
from sessions.models import Event, Moderator
from sessions.permissions import Action, Role, Standing, refusal
from sessions.views.console import back_to
from tables.forms.draft import Draft, draft_of
from tables.forms.plan import PlanForm, Stored
from tables.forms.preview import preview_of
from tables.plan import Overtaken, TakenAway, add_table, build, change, default_name, held_in, plan_of
from tables.plan.losses import losses_of
from tables.plan.templates import CLASSIC, NAMES, next_week, plan_from

SAVE = "save"
USUAL_ZONE = "Europe/Berlin"
PUT_BACK = gettext_noop(
    "What you took away is in use: it has been put back. Please look at it once more and save again."
)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def event_new(request: HttpRequest) -> HttpResponse:
    """An empty place to fill, or one of the templates."""
    owner = moderator(request)
    if request.method != "POST":
        zone = _zone_of(owner)
        template = request.GET.get("template", CLASSIC)
        plan = plan_from(template, language=get_language() or "en", time_zone=zone or USUAL_ZONE)
        return _page(request, PlanForm(draft_of(plan)), template=template, guess_zone=not zone)
    draft = Draft.posted(request.POST)
    if _wish(request) != SAVE:
        draft.do(_wish(request))
        return _page(request, PlanForm(draft))
    form = PlanForm(draft, check=True)
    if not form.is_valid():
        return _page(request, form, status=422)
    return redirect("console", code=build(owner, form.plan()).key)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def event_edit(request: HttpRequest, code: str) -> HttpResponse:
    """The same page for an event that exists, also while it runs."""
    event = own_event(request, code)
    ask_to_change(event)
    stored = Stored(plan_of(event), held_in(event))
    if request.method != "POST":
        return _page(request, PlanForm(draft_of(stored.plan), stored=stored), event=event)
    draft = Draft.posted(request.POST)
    draft.put_back(stored.plan, stored.held)
    if _wish(request) != SAVE:
        draft.do(_wish(request))
        draft.put_back(stored.plan, stored.held)
        return _page(request, PlanForm(draft, stored=stored), event=event)
    form = PlanForm(draft, stored=stored, check=True)
    if not form.is_valid():
        return _page(request, form, event=event, status=422)
    try:
        change(event, form.plan(), loaded=draft.loaded)
    except Overtaken:
        return _once_more(request, event, draft)
    except TakenAway:
        return _once_more(request, event, draft, wrong=_(PUT_BACK))
    return redirect(f"{reverse('event-edit', args=[event.key])}?saved=1")


def _once_more(request: HttpRequest, event: Event, draft: Draft, *, wrong: str = "") -> HttpResponse:
    """Since the page was made somebody changed the event, or since the look at it wrote a note or sat down."""
    stored = Stored(plan_of(event), held_in(event))
    draft.put_back(stored.plan, stored.held)
    form = PlanForm(draft, stored=stored, check=True)
    form.wrong_sessions = wrong or form.wrong_sessions
    return _page(request, form, event=event, status=422)


@require_POST
@login_required
def event_copies(request: HttpRequest, code: str) -> HttpResponse:
    """One more event like this one, in a week, without its people and notes."""
    event = own_event(request, code)
    plan = plan_of(event)
    title = _("Copy of %(title)s") % {"title": plan.title}
    copy = build(moderator(request), replace(plan, title=title[:200], starts_at=next_week(plan.time_zone)))
    return redirect("event-edit", code=copy.key)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def event_delete(request: HttpRequest, code: str) -> HttpResponse:
    """A word of warning, then the end of it."""
    event = own_event(request, code)
    if request.method != "POST":
        return render(request, "tables/plan/delete.html", {"event": event, "losses": losses_of(event)})
    with streams.governing(event) as scene:  # operations on their way are judged before it or after it
        scene.erase(event, What.EVENT_DELETED, event.key)
        event.delete()
    return redirect("events")


@require_POST
@login_required
def event_tables(request: HttpRequest, code: str) -> HttpResponse:
    """One more table, also while the event runs."""
    event = own_event(request, code)
    ask_to_change(event)
    add_table(event)
    return back_to(event, "tables")


def moderator(request: HttpRequest) -> Moderator:
    if not isinstance(request.user, Moderator):
        raise Http404
    return request.user


def own_event(request: HttpRequest, code: str) -> Event:
    return identity.own_event(moderator(request), code, "sessions__questions")


def ask_to_change(event: Event) -> None:
    """Raises `PermissionDenied` for an event that is closed."""
    code = refusal(Action.PUT, Standing(Role.MODERATOR, event.phase_at()))
    if code:
        raise PermissionDenied(words.say(code, get_language() or "en"))


def _wish(request: HttpRequest) -> str:
    return request.POST.get("do", SAVE)


def _zone_of(owner: Moderator) -> str:
    """Where this moderator's newest event is; empty before the first."""
    newest = Event.objects.visible_to(owner).order_by("-pk").values_list("time_zone", flat=True).first()
    return newest or ""


def _page(request: HttpRequest, form: PlanForm, *, status: int = 200, **more: Any) -> HttpResponse:
    context = {
        "form": form,
        "blank": form.blank(),
        "templates": NAMES,
        "names": {language: default_name("{n}", language) for language, _name in settings.LANGUAGES},
        "preview": preview_of(form.draft),
        "saved": "saved" in request.GET and request.method != "POST",
        **more,
    }
    return render(request, "tables/plan/form.html", context, status=status)
