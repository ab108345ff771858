from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from sessions import identity
from sessions.http import HttpRequest
from sessions.live import reading
from sessions.models import Event, Participant, Question
from sessions.permissions import Action, Role, Standing, may
from tables import way
from tables.fragments import Hung, shown, wall
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
    heads = _heads(live)
    boards = list(Board.objects.visible_to(reader).filter(pk__in=heads).select_related("session", "table"))
    choice = _station(Choice.read(request.GET), boards)
    chosen = [board for board in boards if _fits(board, choice)]
    context = _page(event, reader, live, choice)
    context |= _ways(event, boards, choice, context["questions"])
    hung = shown(chosen, reader, event=event, heads=heads, questions=context["questions"], choice=choice)
    context |= _show(hung, choice)
    context["heads"] = sum(heads.values())
    return render(request, "tables/walk.html" if request.htmx else "tables/gallery.html", context)


@require_safe
def exhibit(request: HttpRequest, code: str, board: int) -> HttpResponse:
    """One board as of `?at=<head>&of=<epoch>`: there it never changes, any other address leads to the one of now.

    Heads alone come again when the event was restored from an older copy, and browsers keep what they have once seen.
    """
    event, reader = identity.guest_of(request, code)
    boards = Board.objects.visible_to(reader).filter(session__event=event).select_related("session", "table")
    found = get_object_or_404(boards, pk=board)
    if not _may(Action.READ_ANY, event, reader):
        return redirect("here", code=event.key)
    heads = _heads(reading.page(reader, ["gallery"]))
    now = {"at": str(heads[found.pk]), "of": str(event.epoch)[:8]}
    if {name: request.GET.get(name) for name in now} != now:
        return redirect(f"{reverse('exhibit', args=[event.key, found.pk])}?{urlencode(now)}")
    (hung,) = shown([found], reader, event=event, heads=heads, questions=all_questions(event), choice=Choice())
    answer = HttpResponse(hung.markup)
    answer["Cache-Control"] = FOREVER
    patch_vary_headers(answer, ["Cookie", "Accept-Language"])
    return answer


def _may(action: Action, event: Event, reader: Participant) -> bool:
    return may(action, Standing(Role(reader.role), event.phase_at()))


def _heads(live: reading.Page) -> dict[int, int]:
    return {part["board"]: part["head"] for part in live.parts["gallery"] if part["id"].startswith("exhibit:")}


def _station(choice: Choice, boards: list[Board]) -> Choice:
    """In a large event one table at a time, unless more is asked for."""
    if choice.narrows or choice.view == "wall" or len(boards) <= MOST_AT_ONCE:
        return choice
    return Choice(table=boards[0].table.number)


def _fits(board: Board, choice: Choice) -> bool:
    return choice.session in {None, board.session.number} and choice.table in {None, board.table.number}


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


def _ways(event: Event, boards: list[Board], choice: Choice, questions: Sequence[Question]) -> dict[str, Any]:
    """What can be chosen, the tables in the order of the walk, where one stands, and the ways on."""
    tables = sorted({Stand(board.table.number, board.table.name) for board in boards})
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
        "exhibits": [each for each in hung if each.count or not searching],
        "columns": wall(hung) if choice.view == "wall" else [],
        "whole": choice.view == "tables" and not searching,
        "found": sum(each.count for each in hung),
    }
