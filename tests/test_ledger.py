"""The ledger: what was erased, by ids alone, on the disk before anybody is told; and what holds after all its lines."""

import json
import uuid
from pathlib import Path

import pytest
from django.db import transaction
from django.db.models import F
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from sessions import identity, ledger
from sessions.ledger import Line, What
from sessions.live.renewal import put_down_what_is_missing
from sessions.models import Change, Participant
from tables.models import Note
from tests.cafe import Cafe

KEY = "K7M2QXHB"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, settings: Settings) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path / "ledger.jsonl"


def line(what: What, at: int, ref: str = "7") -> Line:
    return Line(what, KEY, ref, at)


def test_what_was_written_down_holds_also_for_who_reads_it_later() -> None:
    assert ledger.read().of(KEY, What.NOTE_GONE) == set()
    ledger.append([line(What.NOTE_GONE, 1, "a"), line(What.NOTE_HIDDEN, 2, "b")])
    ledger.append([line(What.NOTE_GONE, 3, "c")])
    assert ledger.read().of(KEY, What.NOTE_GONE) == {"a", "c"}
    assert ledger.read().of(KEY, What.NOTE_HIDDEN) == {"b"}
    assert ledger.read().of("ANOTHER1", What.NOTE_GONE) == set()


@pytest.mark.parametrize(
    ("done", "undone"),
    [
        (What.NOTE_GONE, What.NOTE_BACK),
        (What.NOTE_HIDDEN, What.NOTE_SHOWN),
        (What.PERSON_REMOVED, What.PERSON_BACK),
    ],
)
def test_what_was_taken_back_holds_no_more_and_what_was_done_again_does(done: What, undone: What) -> None:
    ledger.append([line(done, 1), line(undone, 2)])
    assert ledger.read().of(KEY, done) == set()
    ledger.append([line(done, 3)])
    assert ledger.read().of(KEY, done) == {"7"}


def test_lines_of_several_processes_count_in_the_order_of_their_time(tmp_path: Path, place: Path) -> None:
    ledger.append([line(What.NOTE_BACK, 5), line(What.NOTE_GONE, 4)])
    assert ledger.read().of(KEY, What.NOTE_GONE) == set()
    place.rename(tmp_path / "other.jsonl")
    ledger.append([line(What.NOTE_GONE, 6)])
    assert ledger.read(ledger.path(), tmp_path / "other.jsonl").of(KEY, What.NOTE_GONE) == {"7"}


def test_half_a_line_counts_for_nothing_and_harms_no_other(place: Path) -> None:
    ledger.append([line(What.NOTE_GONE, 1, "a")])
    place.write_bytes(place.read_bytes() + line(What.NOTE_GONE, 2, "b").on_file().encode()[:40])
    ledger.append([line(What.NOTE_GONE, 3, "c")])
    assert ledger.read().of(KEY, What.NOTE_GONE) == {"a", "c"}


def test_only_its_owner_reads_it(place: Path) -> None:
    ledger.append([line(What.NOTE_GONE, 1)])
    assert place.stat().st_mode & 0o777 == 0o600


def everything_is_erased(cafe: Cafe) -> None:
    note = cafe.note(cafe.writes(cafe.cem, "Benches under trees"))
    phone = identity.new_device(cafe.cem)
    for who, kind in (
        (cafe.moderator, "note.hide"),
        (cafe.moderator, "note.show"),
        (cafe.cem, "note.gone"),
        (cafe.cem, "note.back"),
        (cafe.cem, "note.gone"),
    ):
        assert cafe.does(who, f"board:{note.board_id}", kind, note=note.pk).code is None
    identity.leave_elsewhere(cafe.cem, phone)
    for removed in (True, False, True):
        cafe.does(cafe.moderator, "room", "person.set", p=cafe.dana.pk, removed=removed)
    cafe.does(cafe.moderator, "room", "person.set", p=cafe.ben.pk, name="Benedikt")
    cafe.does(cafe.moderator, "stage", "phase.go", phase="closed")
    browser = Client()
    browser.force_login(cafe.ada)
    assert browser.post(f"/events/{cafe.event.key}/delete/").status_code == 302


@pytest.mark.django_db
def test_every_erasure_is_written_down_by_ids_alone(
    running: Cafe, place: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    key = running.event.key
    with django_capture_on_commit_callbacks(execute=True):
        everything_is_erased(running)
    text = place.read_text(encoding="ascii")
    assert [json.loads(each)["what"] for each in text.splitlines()] == [
        "note hidden",
        "note shown",
        "note gone",
        "note back",
        "note gone",
        "device left",
        "person removed",
        "person back",
        "person removed",
        "note emptied",
        "event deleted",
    ]
    for each in map(json.loads, text.splitlines()):
        assert each.keys() == {"at", "event", "what", "id"}
        assert each["event"] == key
        assert each["id"] == key or each["id"].isdigit() or uuid.UUID(each["id"])
    assert ledger.read().deleted_events() == {key}


@pytest.mark.django_db
def test_what_was_not_committed_is_not_written_down(
    running: Cafe, place: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    note = running.note(running.writes(running.cem, "Benches"))
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        running.does(running.cem, f"board:{note.board_id}", "note.gone", note=note.pk)
        transaction.set_rollback(True)
    assert not place.exists()


@pytest.mark.django_db
def test_a_ledger_that_cannot_be_written_refuses_nobody(
    running: Cafe,
    place: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    caplog: pytest.LogCaptureFixture,
) -> None:
    note = running.note(running.writes(running.cem, "Benches"))
    place.mkdir()
    with django_capture_on_commit_callbacks(execute=True):
        answer = running.does(running.cem, f"board:{note.board_id}", "note.gone", note=note.pk)
    note.refresh_from_db()
    assert (answer.code, note.gone_at is None) == (None, False)
    assert ["1 erasures are not in the ledger yet" in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.django_db
def test_a_start_writes_down_what_is_missing_once(running: Cafe) -> None:
    notes = [running.note(running.writes(running.cem, text)) for text in ("Benches", "Trees", "Lamps")]
    board, key = f"board:{notes[0].board_id}", running.event.key
    running.does(running.cem, board, "note.gone", note=notes[0].pk)
    running.does(running.moderator, board, "note.hide", note=notes[1].pk)
    running.does(running.moderator, "room", "person.set", p=running.dana.pk, removed=True)
    assert put_down_what_is_missing(ledger.read()) == 3
    found = ledger.read()
    assert found.of(key, What.NOTE_GONE) == {str(notes[0].pk)}
    assert found.of(key, What.NOTE_HIDDEN) == {str(notes[1].pk)}
    assert found.of(key, What.PERSON_REMOVED) == {str(running.dana.pk)}
    assert put_down_what_is_missing(found) == 0


def erased_in_three_ways(cafe: Cafe) -> dict[What, str]:
    gone, hidden = (cafe.note(cafe.writes(cafe.cem, text)) for text in ("Benches", "Trees"))
    board = f"board:{gone.board_id}"
    cafe.does(cafe.cem, board, "note.gone", note=gone.pk)
    cafe.does(cafe.moderator, board, "note.hide", note=hidden.pk)
    cafe.does(cafe.moderator, "room", "person.set", p=cafe.dana.pk, removed=True)
    return {What.NOTE_GONE: str(gone.pk), What.NOTE_HIDDEN: str(hidden.pk), What.PERSON_REMOVED: str(cafe.dana.pk)}


def erasures_that_hold(cafe: Cafe) -> dict[What, set[str]]:
    found = ledger.read()
    return {what: found.of(cafe.event.key, what) for what in (What.NOTE_GONE, What.NOTE_HIDDEN, What.PERSON_REMOVED)}


@pytest.fixture
def erased(running: Cafe, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> dict[What, str]:
    with django_capture_on_commit_callbacks(execute=True):
        refs = erased_in_three_ways(running)
    assert erasures_that_hold(running) == {what: {ref} for what, ref in refs.items()}
    return refs


@pytest.mark.django_db
def test_a_start_writes_down_what_was_brought_back_once(running: Cafe, erased: dict[What, str]) -> None:
    """The power went between the commit and its line; a restore would take it away again."""
    earlier = set(Change.objects.values_list("pk", flat=True))
    board = f"board:{running.board().pk}"
    running.does(running.cem, board, "note.back", note=uuid.UUID(erased[What.NOTE_GONE]))
    running.does(running.moderator, board, "note.show", note=uuid.UUID(erased[What.NOTE_HIDDEN]))
    running.does(running.moderator, "room", "person.set", p=running.dana.pk, removed=False)
    Change.objects.exclude(pk__in=earlier).update(at=F("at") + 1)  # or it may all be of the same millisecond
    assert put_down_what_is_missing(ledger.read()) == 3
    assert erasures_that_hold(running) == {what: set() for what in erased}
    assert put_down_what_is_missing(ledger.read()) == 0


@pytest.mark.django_db
def test_data_older_than_the_ledger_bring_nothing_back(running: Cafe, erased: dict[What, str]) -> None:
    Note.objects.update(gone_at=None, hidden=False)
    Participant.objects.update(removed_at=None)
    assert put_down_what_is_missing(ledger.read()) == 0
    assert erasures_that_hold(running) == {what: {ref} for what, ref in erased.items()}
