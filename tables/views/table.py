from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from sessions import identity
from sessions.http import HttpRequest
from sessions.live import reading
from sessions.live.shown import Several
from sessions.models import Event, Moderator, Participant
from sessions.permissions import WALK
from tables.gallery import hang, questions_of
from tables.models import Board

PAPERS = (
    ("butter", _("Butter")),
    ("peach", _("Peach")),
    ("mint", _("Mint")),
    ("sky", _("Sky")),
    ("oat", _("Oat")),
)


@require_safe
def table(request: HttpRequest, code: str) -> HttpResponse:
    """The board of one's own table, live, until the gallery walk; with `?board=` any board the reader may see."""
    event, reader = _reader(request, code)
    if "board" not in request.GET and event.phase_at() in WALK:
        return redirect("here", code=event.key)
    board = _board(request, event, reader)
    if board is None:
        return redirect("lobby", code=event.key)
    stream = f"board:{board.pk}"
    live = reading.page(reader, ["stage", "me", "room", stream])
    context = {
        "event": event,
        "reader": reader,
        "board": board,
        "stream": stream,
        "live": live,
        "around": [part for part in live.parts["room"] if part["table"] == board.table_id],
        "columns": _columns(board, live.parts[stream]),
        "hidden": [part for part in live.parts["me"] if part["id"].startswith("hidden:")],
        "earlier": hang(_earlier(board, reader), reader),
        "papers": PAPERS,
    }
    return render(request, "tables/table.html", context)


def _reader(request: HttpRequest, code: str) -> tuple[Event, Participant]:
    """The moderator when they ask for a certain board (their console links it), else the guest of the cookie."""
    if "board" in request.GET and isinstance(request.user, Moderator):
        try:
            return identity.moderator_of(request, code)
        except Http404:
            pass
    return identity.guest_of(request, code)


def _board(request: HttpRequest, event: Event, reader: Participant) -> Board | None:
    """Null when the reader has no seat now. Raises `Http404` for a board that is not theirs to read."""
    visible = Board.objects.visible_to(reader).select_related("session", "table")
    asked = request.GET.get("board")
    if asked is None:
        session = event.current_session()
        return visible.filter(session=session, table__seats__session=session, table__seats__participant=reader).first()
    board = visible.filter(pk=asked).first() if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
    if board is None:
        raise Http404
    return board


def _columns(board: Board, notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The notes under the question they answer, in their order."""
    of = notes.split("q") if isinstance(notes, Several) else Several(notes).split("q")
    return [
        {"question": question, "notes": of.get(question.pk, [])}
        for question in questions_of(board, board.session.questions.all())
    ]


def _earlier(board: Board, reader: Participant) -> list[Board]:
    """What earlier groups left at this table, the latest first."""
    boards = Board.objects.visible_to(reader).filter(table=board.table_id, session__number__lt=board.session.number)
    return list(boards.select_related("session", "table").order_by("-session__number"))
