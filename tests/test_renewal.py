"""Data that came back from an older copy: what was erased stays erased, what was written is handed in again, once."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from sessions import identity, ledger
from sessions.clock import now_ms
from sessions.live import streams
from sessions.live.ops import Answer, Op
from sessions.live.renewal import renew
from sessions.live.shown import shelf
from sessions.models import Change, Event, HandOver, Participant, SignInLink, Stream
from sessions.phases import LATE_MS
from tables.models import Authorship, Board, Note, Seat
from tests.cafe import Cafe

pytestmark = pytest.mark.django_db
Losing = Callable[[], AbstractContextManager[None]]
HOUR_MS = 3_600_000


@pytest.fixture
def lost(
    tmp_path: Path, settings: Settings, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> Losing:
    """What is done within the block happens, and then the database is as before it; the ledger knows of it."""
    settings.VAR_DIR = tmp_path

    @contextmanager
    def losing() -> Iterator[None]:
        with transaction.atomic():
            with django_capture_on_commit_callbacks(execute=True):
                yield
            transaction.set_rollback(True)
            shelf.clear()

    return losing


def again(*ops: Op) -> list[Answer]:
    """A browser hands its operations in once more."""
    return streams.apply([op._replace(arrived=now_ms()) for op in ops])


def note_op(cafe: Cafe, who: Participant, text: str, **data: Any) -> Op:
    return cafe.op(who, f"board:{cafe.board().pk}", "note.add", q=cafe.question().pk, text=text, **data)


def about(cafe: Cafe, who: Participant, kind: str, note: Op | Note, **data: Any) -> Op:
    pk = note.id if isinstance(note, Op) else note.pk
    return cafe.op(who, f"board:{cafe.board().pk}", kind, note=pk, **data)


def texts(cafe: Cafe) -> list[str]:
    return [note.text for note in Note.objects.filter(board=cafe.board(), gone_at=None).order_by("order")]


def assert_sound(cafe: Cafe) -> None:
    """Each stream has one change for each seq from 1 to its head, and boards count the notes they show."""
    for stream in Stream.objects.filter(event=cafe.event):
        seqs = Change.objects.filter(stream=stream, seq__isnull=False).order_by("seq").values_list("seq", flat=True)
        assert list(seqs) == list(range(1, stream.head + 1))
    for board in Board.objects.filter(session__event=cafe.event):
        assert board.note_count == board.notes.filter(gone_at=None, hidden=False).count()
    for who in Authorship.objects.filter(board__session__event=cafe.event):
        assert who.notes == Note.objects.filter(author=who.participant, board=who.board, gone_at=None).count()
    assert sum(who.notes for who in Authorship.objects.all()) == Note.objects.filter(gone_at=None).count()


def test_every_event_gets_a_new_epoch_and_no_hole(running: Cafe, lost: Losing) -> None:
    running.writes(running.cem, "Benches")
    before = {event.pk: event.epoch for event in Event.objects.all()}
    assert renew(ledger.read()).events == len(before) == 2
    after = {event.pk: event.epoch for event in Event.objects.all()}
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    assert_sound(running)


def test_what_the_copy_lacks_is_taken_again_and_what_it_has_is_known(running: Cafe, lost: Losing) -> None:
    kept, missing = note_op(running, running.cem, "In the copy"), note_op(running, running.ben, "After the copy")
    again(kept)
    with lost():
        [answer] = again(missing)
        assert answer.code is None
    renew(ledger.read())
    first, second = again(kept, missing)
    assert (first.code, first.dup, second.code, second.dup) == (None, True, None, False)
    assert [answer.dup for answer in again(kept, missing)] == [True, True]
    assert texts(running) == ["In the copy", "After the copy"]
    assert_sound(running)


def test_corrections_of_a_note_are_taken_again_in_their_order(running: Cafe, lost: Losing) -> None:
    first = note_op(running, running.cem, "Bnches")
    with lost():
        again(first)
        second = about(
            running, running.cem, "note.edit", first, text="Benchs", _base=Note.objects.get(pk=first.id).edited
        )
        again(second)
        third = about(
            running, running.cem, "note.edit", first, text="Benches", _base=Note.objects.get(pk=first.id).edited
        )
        assert [answer.code for answer in again(third)] == [None]
    renew(ledger.read())
    assert [answer.code for answer in again(first, second, third)] == [None, None, None]
    assert texts(running) == ["Benches"]


def test_a_correction_from_before_meets_a_later_one_as_a_conflict(running: Cafe, lost: Losing) -> None:
    note = running.note(running.writes(running.cem, "Bnches"))
    with lost():
        old = about(running, running.cem, "note.edit", note, text="Old", _base=note.edited)
        assert [answer.code for answer in again(old)] == [None]
    renew(ledger.read())
    assert again(about(running, running.moderator, "note.edit", note, text="New", _base=note.edited))[0].code is None
    assert again(old)[0].code == "conflict"
    assert texts(running) == ["New"]


@pytest.mark.parametrize("who", ["cem", "moderator"])
def test_a_note_deleted_after_the_copy_stays_deleted(running: Cafe, lost: Losing, who: str) -> None:
    note = running.note(running.writes(running.cem, "In the copy"))
    written = note_op(running, running.cem, "After the copy")
    with lost():
        again(written)
        for each in (note, written):
            assert again(about(running, getattr(running, who), "note.gone", each))[0].code is None
    assert texts(running) == ["In the copy"]
    renew(ledger.read())
    assert texts(running) == []
    assert again(written)[0].code == "op_id_conflict"
    assert texts(running) == []
    assert_sound(running)


def test_a_note_deleted_and_brought_back_is_there(running: Cafe, lost: Losing) -> None:
    note = running.note(running.writes(running.cem, "In the copy"))
    written = note_op(running, running.cem, "After the copy")
    with lost():
        again(written)
        for each in (note, written):
            for kind in ("note.gone", "note.back"):
                again(about(running, running.cem, kind, each))
    renew(ledger.read())
    assert again(written)[0].code is None
    assert texts(running) == ["In the copy", "After the copy"]


def test_a_note_hidden_after_the_copy_is_seen_by_nobody(running: Cafe, lost: Losing) -> None:
    note = running.note(running.writes(running.cem, "In the copy"))
    written = note_op(running, running.cem, "After the copy")
    deleted = running.note(running.writes(running.cem, "Deleted in the copy"))
    with lost():
        again(written)
        for each in (note, written, deleted):
            assert again(about(running, running.moderator, "note.hide", each))[0].code is None
    again(about(running, running.cem, "note.gone", deleted))
    renew(ledger.read())
    assert again(written)[0].code == "op_id_conflict"
    assert list(Note.objects.order_by("at").values_list("hidden", flat=True)) == [True, True]
    assert_sound(running)


def test_words_emptied_after_the_copy_stay_empty(running: Cafe, lost: Losing) -> None:
    note = running.note(running.writes(running.cem, "Cem's telephone number"))
    with lost():
        again(about(running, running.cem, "note.gone", note))
        running.does(running.moderator, "stage", "phase.go", phase="closed")
    renew(ledger.read())
    note.refresh_from_db()
    assert (note.text, note.gone_at is None) == ("", False)
    assert again(about(running, running.cem, "note.back", note))[0].code == "not_found"


def test_a_person_removed_after_the_copy_stays_out_and_keeps_no_seat(running: Cafe, lost: Losing) -> None:
    with lost():
        for person in (running.cem, running.dana):
            running.does(running.moderator, "room", "person.set", p=person.pk, removed=True)
        running.does(running.moderator, "room", "person.set", p=running.dana.pk, removed=False)
    renew(ledger.read())
    assert running.writes(running.cem, "Still here").code == "not_allowed"
    seated = Seat.objects.filter(session__event=running.event).values_list("participant__name", flat=True)
    assert sorted(seated) == ["Ben", "Dana"]
    browser = Client()
    browser.cookies[identity.cookie_name(running.event)] = running.secrets[running.cem.pk]
    assert browser.get(f"/e/{running.event.key}/table/").status_code == 403
    assert_sound(running)


def test_a_device_signed_out_after_the_copy_stays_out(running: Cafe, lost: Losing) -> None:
    phone = identity.new_device(running.cem)
    with lost():
        identity.leave_elsewhere(running.cem, running.secrets[running.cem.pk])
    renew(ledger.read())
    assert running.cem.devices.count() == 1
    assert identity.participant_with(running.event, f"{identity.cookie_name(running.event)}={phone}") is None


def test_an_event_deleted_after_the_copy_stays_deleted(running: Cafe, lost: Losing) -> None:
    running.writes(running.cem, "Benches")
    browser = Client()
    browser.force_login(running.ada)
    with lost():
        assert browser.post(f"/events/{running.event.key}/delete/").status_code == 302
    assert renew(ledger.read()) == (1, 1)
    assert list(Event.objects.values_list("pk", flat=True)) == [running.eve.event_id]
    assert Note.objects.count() == 0


def test_links_that_work_once_do_not_work_twice(running: Cafe, lost: Losing) -> None:
    running.ada.new_link()
    hand_over = identity.new_hand_over(running.cem)
    with lost():
        assert SignInLink.objects.get().use()
        assert identity.take_over(hand_over) is not None
    renew(ledger.read())
    assert identity.take_over(hand_over) is None
    assert SignInLink.objects.count() == HandOver.objects.count() == 0


def test_numbers_given_out_after_the_copy_are_not_given_to_others(running: Cafe, lost: Losing) -> None:
    with lost():
        stranger = running.comes("Finn")
        running.does(running.moderator, "room", "person.set", p=stranger.pk, removed=True)
    renew(ledger.read())
    newcomer = running.comes("Gus")
    assert newcomer.pk > stranger.pk
    renew(ledger.read())
    assert running.comes("Hale").pk > newcomer.pk
    newcomer.refresh_from_db()
    assert newcomer.removed_at is None


def test_notes_from_before_the_restore_are_taken_until_the_event_is_closed(running: Cafe, lost: Losing) -> None:
    """However long it took: their author had a seat there."""
    with lost():
        written = [note_op(running, running.cem, text) for text in ("Benches", "Trees")]
        again(*written)
    Event.objects.filter(pk=running.event.pk).update(ends_at=now_ms() - LATE_MS - HOUR_MS)
    assert again(note_op(running, running.cem, "Too late"))[0].code == "session_closed"
    renew(ledger.read())
    assert again(written[0])[0].code is None
    assert Note.objects.get(pk=written[0].id).late
    assert again(note_op(running, running.cem, "Written today"))[0].code == "session_closed"
    assert again(note_op(running, running.dana, "Not my table", _id=written[1].id))[0].code == "no_seat"
    running.does(running.moderator, "stage", "phase.go", phase="closed")
    assert again(written[1]._replace(id=note_op(running, running.cem, "").id))[0].code == "session_closed"
    assert texts(running) == ["Benches"]
