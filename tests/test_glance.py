"""The console's numbers, as they are counted once a second."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from sessions.models import Participant
from tables.live import glance
from tables.models import Board, Note
from tests.cafe import Cafe


def test_who_stands_in_the_lobby_is_told_by_name(running: Cafe) -> None:
    gil, fay = running.comes("Gil"), running.comes("Fay")
    Participant.objects.filter(pk=fay.pk).update(removed_at=timezone.now())
    [found] = glance.numbers([running.event.pk]).values()
    guests = Participant.objects.filter(event=running.event, removed_at=None).exclude(role="moderator")
    assert (found["people"], found["seated"]) == (guests.count(), guests.count() - 1)
    assert found["lobby"] == [{"p": gil.pk, "name": "Gil"}]


def test_who_sits_there_and_was_not_seen_lately_is_away(running: Cafe) -> None:
    seen = timezone.now() - timedelta(minutes=3)
    standing = running.comes("Gil")
    Participant.objects.filter(pk__in=[running.cem.pk, standing.pk]).update(seen_at=seen)
    [found] = glance.numbers([running.event.pk]).values()
    assert found["away"] == [{"p": running.cem.pk, "since": round(seen.timestamp() * 1000)}]


def test_the_newest_note_is_one_that_can_be_seen(running: Cafe) -> None:
    first, second, third, fourth = (running.note(running.writes(running.cem, text)) for text in "ABCD")
    for after, note in enumerate((first, second, third, fourth)):
        Note.objects.filter(pk=note.pk).update(at=first.at + after)
    board = f"board:{running.board().pk}"
    for who, kind, note, newest in (
        (running.moderator, "note.hide", first, "D"),
        (running.cem, "note.gone", third, "D"),
        (running.moderator, "note.hide", fourth, "B"),
        (running.cem, "note.back", third, "C"),
        (running.moderator, "note.show", fourth, "D"),
        (running.cem, "note.gone", second, "D"),
    ):
        assert running.does(who, board, kind, note=note.pk).code is None
        assert last_of(running) == newest
    edited = {"text": "Shade", "_base": fourth.edited}
    assert running.does(running.cem, board, "note.edit", note=fourth.pk, **edited).code is None
    assert last_of(running) == "Shade"
    fifth = running.note(running.writes(running.cem, "E"))
    assert last_of(running) == "E"
    assert running.does(running.moderator, board, "note.move", note=fourth.pk, after=None).code is None
    assert last_of(running) == "E"
    assert running.does(running.cem, board, "note.gone", note=fifth.pk).code is None
    assert last_of(running) == "Shade"


def last_of(cafe: Cafe) -> str:
    [found] = glance.numbers([cafe.event.pk]).values()
    last: str = found["tables"][str(cafe.board().table_id)]["last"]
    return last


def test_a_board_tells_its_number_of_notes(running: Cafe) -> None:
    Board.objects.filter(pk=running.board().pk).update(note_count=7)
    [found] = glance.numbers([running.event.pk]).values()
    assert found["tables"][str(running.board().table_id)] == {"notes": 7, "last": ""}
    assert found["tables"][str(running.board(2).table_id)] == {"notes": 0, "last": ""}


def test_a_draft_has_nobody_at_its_tables(cafe: Cafe) -> None:
    [found] = glance.numbers([cafe.event.pk]).values()
    assert (found["away"], found["people"] - found["seated"]) == ([], len(found["lobby"]))


def test_its_statements_do_not_grow_with_people_and_notes(running: Cafe) -> None:
    glance.numbers([running.event.pk])
    for number in range(5):
        running.writes(running.comes(f"Guest {number}"), "Shade", table=2)
    with CaptureQueriesContext(connection) as found:
        glance.numbers([running.event.pk])
    assert len(found) == 3
