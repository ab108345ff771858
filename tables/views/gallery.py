from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from sessions import identity
from sessions.http import HttpRequest
from sessions.live import reading
from sessions.models import Event, Participant, Question
from sessions.permissions import Action, Role, Standing, may
from tables import way
from tables.fragments import Hung, Place, places_in, shown, wall
from tables.gallery import Choice, all_questions
from tables.models import Board
from tables.way import Stand

MOST_AT_ONCE = 60
FOREVER = "private, max-age=31536000, immutable"


@require_safe
def gallery(request: HttpRequest, code: str) -> HttpResponse:
    """Every board of every session, table by table or as one wall, narrowed by the address."""
    event, reader = identity.guest_of(request, code)
    if not _may(Action.READ_ANY, event, reader):
        return redirect("here", code=event.key)
    live = reading.page(reader, ["stage", "me", "gallery"])
    places = places_in(live.parts["gallery"])
    choice = _station(Choice.read(request.GET), places)
    context = _page(event, reader, live, choice)
    context |= _ways(event, places, choice, context["questions"])
    chosen = [place for place in places if _fits(place, choice)]
    hung = shown(chosen, reader, event=event, questions=context["questions"], choice=choice)
    context |= _show(hung, choice)
    context["heads"] = sum(place.head for place in places)
    answer = render(request, "tables/walk.html" if request.htmx else "tables/gallery.html", context)
    if request.headers.get("HX-Current-URL", "").endswith(request.get_full_path()):
        return push_url(answer, False)  # a pause in typing asked already: one step back, not two
    return answer


@require_safe
def exhibit(request: HttpRequest, code: str, board: int) -> HttpResponse:
    """One board as of `?at=<head>&of=<epoch>`: there it never changes, any other address leads to the one of now.

    Heads alone come again when the event was restored from an older copy, and browsers keep what they have once seen.
    """
    event, reader = identity.guest_of(request, code)
    get_object_or_404(Board.objects.visible_to(reader), pk=board)
    if not _may(Action.READ_ANY, event, reader):
        return redirect("here", code=event.key)
    places = places_in(reading.page(reader, ["gallery"]).parts["gallery"])
    place = next((place for place in places if place.board == board), None)
    if place is None:
        raise Http404
    now = {"at": str(place.head), "of": str(event.epoch)[:8]}
    if {name: request.GET.get(name) for name in now} != now:
        return redirect(f"{reverse('exhibit', args=[event.key, board])}?{urlencode(now)}")
    (hung,) = shown([place], reader, event=event, questions=all_questions(event), choice=Choice())
    answer = HttpResponse(hung.markup)
    answer["Cache-Control"] = FOREVER
    patch_vary_headers(answer, ["Cookie", "Accept-Language"])
    return answer


def _may(action: Action, event: Event, reader: Participant) -> bool:
    return may(action, Standing(Role(reader.role), event.phase_at()))


def _station(choice: Choice, places: list[Place]) -> Choice:
    """In a large event one table at a time, unless more is asked for."""
    if choice.narrows or choice.view == "wall" or len(places) <= MOST_AT_ONCE:
        return choice
    return Choice(table=places[0].table)


def _fits(place: Place, choice: Choice) -> bool:
    return choice.session in {None, place.session} and choice.table in {None, place.table}


def _page(event: Event, reader: Participant, live: reading.Page, choice: Choice) -> dict[str, Any]:
    parts = live.parts["gallery"]
    takeaways = sorted((p for p in parts if p["id"].startswith("takeaway:")), key=lambda part: part["p"])
    return {
        "event": event,
        "reader": reader,
        "live": live,
        "choice": choice,
        "questions": all_questions(event),
        "takeaways": takeaways,
        "own": next((part["text"] for part in takeaways if part["p"] == reader.pk), ""),
        "closing": next((part for part in parts if part["id"] == "closing"), {"id": "closing", "seq": 0, "text": ""}),
        "may_share": _may(Action.TAKE_HOME, event, reader),
    }


def _ways(event: Event, places: list[Place], choice: Choice, questions: Sequence[Question]) -> dict[str, Any]:
    """What can be chosen, the tables in the order of the walk, where one stands, and the ways on."""
    tables = sorted({Stand(place.table, place.name) for place in places})
    at = next((place for place, table in enumerate(tables) if table.number == choice.table), None)
    around = {} if at is None else dict(enumerate(tables))
    return {
        "filters": way.filters(event, choice, questions, tables),
        "route": way.route(choice, tables),
        "tables": tables,
        "station": None if at is None else tables[at],
        "previous": _stop(choice, around.get((at or 0) - 1)),
        "following": _stop(choice, around.get((at or 0) + 1)),
        "here": choice.address(),
        "to_all": choice.address(session=None, question=None, table=None, words=""),
        "to_tables": choice.address(view="tables"),
        "to_wall": choice.address(view="wall", table=None),
    }


def _stop(choice: Choice, table: Stand | None) -> dict[str, Any] | None:
    return table and {"table": table, "address": choice.address(table=table.number)}


def _show(hung: list[Hung], choice: Choice) -> dict[str, Any]:
    searching = bool(choice.words or choice.question)
    return {
        "exhibits": [each.markup for each in hung if each.count or not searching],
        "columns": wall(hung) if choice.view == "wall" else [],
        "whole": choice.view == "tables" and not searching,
        "found": sum(each.count for each in hung),
    }
