"""What may be done with notes, by whom, and when."""

import pytest

from sessions.clock import now_ms
from sessions.live import streams
from sessions.models import Event, Participant, Session
from sessions.phases import GRACE_MS, LATE_MS
from tables.models import Board, Note, readable
from tests.cafe import Cafe


def does(cafe: Cafe, who: Participant, kind: str, note: Note, **data: object) -> str | None:
    return cafe.does(who, f"board:{note.board_id}", kind, note=note.pk, **data).code


def ended(cafe: Cafe, ago: int) -> None:
    """Lets session 1 have run out `ago` ms before now."""
    Event.objects.filter(pk=cafe.event.pk).update(ends_at=now_ms() - ago)


def test_people_at_the_table_write_others_cannot(running: Cafe) -> None:
    assert running.writes(running.cem, "Benches").code is None
    assert running.writes(running.dana, "Benches").code == "no_seat"


def test_a_question_of_another_session_is_not_found(running: Cafe) -> None:
    assert running.writes(running.cem, "Benches", q=running.question(1, 1).pk).code is None
    assert running.writes(running.cem, "Benches", q=running.question(1, 2).pk).code == "not_found"


def test_own_notes_are_edited_deleted_and_brought_back(running: Cafe) -> None:
    note = running.note(running.writes(running.cem, "Benches"))
    assert does(running, running.cem, "note.edit", note, text="Two benches", _base=note.edited) is None
    assert does(running, running.cem, "note.edit", note, colour="sky") is None
    assert does(running, running.cem, "note.gone", note) is None
    note.refresh_from_db()
    assert (note.text, note.colour, note.gone_at is None) == ("Two benches", "sky", False)
    assert does(running, running.cem, "note.back", note) is None
    note.refresh_from_db()
    assert (note.gone_at, running.board().note_count) == (None, 1)


@pytest.mark.parametrize("kind", ["note.edit", "note.gone", "note.back"])
def test_other_peoples_notes_are_theirs(running: Cafe, kind: str) -> None:
    note = running.note(running.writes(running.cem, "Benches"))
    data = {"colour": "sky"} if kind == "note.edit" else {}
    assert does(running, running.cem, kind, note, **data) is None
    assert does(running, running.ben, kind, note, **data) == ("not_found" if kind == "never" else "not_owner")


def test_the_moderator_may_do_all_until_the_event_is_closed(running: Cafe) -> None:
    note = running.note(running.writes(running.cem, "Benches"))
    assert does(running, running.moderator, "note.edit", note, text="Chairs", _base=note.edited) is None
    running.does(running.moderator, "stage", "phase.go", phase="closed")
    assert does(running, running.moderator, "note.gone", note) == "session_closed"


def test_an_edit_from_an_old_text_is_a_conflict_with_the_current_part(running: Cafe) -> None:
    note = running.note(running.writes(running.cem, "Benches"))
    board = f"board:{note.board_id}"
    first = running.does(running.cem, board, "note.edit", note=note.pk, text="Two benches", _base=note.edited)
    second = running.does(running.cem, board, "note.edit", note=note.pk, text="Trees", _base=note.edited)
    assert (first.code, second.code) == (None, "conflict")
    assert second.part is not None
    assert second.part["text"] == "Two benches"
    future = running.does(running.cem, board, "note.edit", note=note.pk, text="Trees", _base=note.edited + 10**9)
    assert future.code == "conflict"


def test_an_edit_of_words_says_what_it_started_from(running: Cafe) -> None:
    note = running.note(running.writes(running.cem, "Benches"))
    assert does(running, running.cem, "note.edit", note, text="Two benches") == "bad_field"


def test_notes_are_moved_by_anybody_who_sits_there(running: Cafe) -> None:
    a, b, c = (running.note(running.writes(running.cem, text)) for text in "abc")
    assert does(running, running.ben, "note.move", c, after=None) is None
    assert does(running, running.ben, "note.move", a, after=b.pk) is None
    assert list(Note.objects.order_by("order").values_list("text", flat=True)) == ["c", "b", "a"]
    assert does(running, running.dana, "note.move", a, after=None) == "no_seat"


def test_who_sits_there_hears_why_a_note_cannot_be_moved(running: Cafe) -> None:
    note = running.note(running.writes(running.cem, "Benches"))
    assert running.does(running.moderator, "stage", "phase.go", phase="over", session=1).code is None
    assert does(running, running.cem, "note.move", note, after=None) == "session_closed"
    assert does(running, running.dana, "note.move", note, after=None) == "no_seat"


def test_what_is_written_after_a_note_was_moved_to_the_end_stands_after_it(running: Cafe) -> None:
    a, b = (running.note(running.writes(running.cem, text)) for text in "ab")
    board = f"board:{a.board_id}"
    [moved, written] = streams.apply(
        [
            running.op(running.cem, board, "note.move", note=a.pk, after=b.pk),
            running.op(running.cem, board, "note.add", q=running.question().pk, text="c", colour="mint"),
        ]
    )
    assert (moved.code, written.code) == (None, None)
    running.writes(running.ben, "d")
    assert does(running, running.ben, "note.move", b, after=None, q=running.question(2).pk) is None
    running.writes(running.ben, "e", q=running.question(2).pk)
    in_order = Note.objects.order_by("question__number", "order").values_list("text", flat=True)
    assert list(in_order) == ["a", "c", "d", "b", "e"]


def test_a_note_moves_to_the_other_question(running: Cafe) -> None:
    note = running.note(running.writes(running.cem, "Benches"))
    other = running.question(2)
    assert does(running, running.cem, "note.move", note, after=None, q=other.pk) is None
    note.refresh_from_db()
    assert note.question == other


def test_a_hidden_note_is_gone_for_guests_and_comes_back(running: Cafe) -> None:
    from sessions.live import reading

    note = running.note(running.writes(running.cem, "Rude"))
    board = f"board:{note.board_id}"
    assert does(running, running.ben, "note.hide", note) == "not_allowed"
    assert does(running, running.moderator, "note.hide", note) is None
    assert reading.page(running.ben, [board]).parts[board] == []
    assert [part["hidden"] for part in reading.page(running.moderator, [board]).parts[board]] == [True]
    assert [part["text"] for part in reading.page(running.cem, ["me"]).parts["me"] if "note" in part] == ["Rude"]
    assert does(running, running.moderator, "note.show", note) is None
    assert [part["text"] for part in reading.page(running.ben, [board]).parts[board]] == ["Rude"]


def test_what_arrives_within_the_grace_is_not_late(running: Cafe) -> None:
    ended(running, GRACE_MS - 1_500)
    answer = running.writes(running.cem, "On its way")
    assert (answer.code, running.note(answer).late) == (None, False)


def test_what_was_written_offline_arrives_late_and_is_marked(running: Cafe) -> None:
    ended(running, LATE_MS - 5_000)
    answer = running.writes(running.cem, "From the train")
    assert (answer.code, running.note(answer).late) == (None, True)
    assert running.writes(running.dana, "Never sat there").code == "no_seat"


def test_after_ten_minutes_a_session_is_closed(running: Cafe) -> None:
    ended(running, LATE_MS + 1)
    assert running.writes(running.cem, "Much too late").code == "session_closed"


def test_after_moving_to_another_table_a_note_for_the_old_one_is_late(running: Cafe) -> None:
    running.does(running.cem, "room", "seat.take", table=running.table(2).pk)
    answer = running.writes(running.cem, "Still on the old one")
    assert (answer.code, running.note(answer).late) == (None, True)


def test_a_late_note_raises_its_exhibit_in_the_gallery(running: Cafe) -> None:
    running.does(running.moderator, "stage", "phase.go", phase="gallery")
    gallery = running.event.streams.get(kind="gallery")
    answer = running.writes(running.cem, "Late")
    board = Board.objects.get(pk=running.board().pk)
    assert (answer.code, board.gallery_seq, board.note_count) == (None, gallery.head + 1, 1)


def test_nobody_writes_after_the_event_is_closed(running: Cafe) -> None:
    assert running.writes(running.cem, "In time").code is None
    running.does(running.moderator, "stage", "phase.go", phase="closed")
    assert running.writes(running.cem, "Too late").code == "session_closed"
    assert running.writes(running.moderator, "Too late").code == "session_closed"


def test_a_locked_tablecloth_takes_no_notes_of_guests(running: Cafe) -> None:
    Board.objects.filter(pk=running.board().pk).update(locked=True)
    assert running.writes(running.cem, "Benches").code == "board_locked"
    assert running.writes(running.moderator, "Benches").code is None


def test_a_person_and_a_board_have_room_for_so_many_notes(running: Cafe, settings: object) -> None:
    settings.LIMIT_NOTES_PER_PERSON, settings.LIMIT_NOTES_PER_BOARD = 2, 3  # type: ignore[attr-defined]
    codes = [running.writes(running.cem, str(n)).code for n in range(3)]
    assert codes == [None, None, "board_full"]
    assert [running.writes(running.ben, str(n)).code for n in range(2)] == [None, "board_full"]


def test_removed_people_do_nothing_any_more(running: Cafe) -> None:
    note = running.note(running.writes(running.cem, "Benches"))
    assert running.does(running.ben, "room", "person.set", p=running.cem.pk, removed=True).code == "not_allowed"
    assert running.does(running.moderator, "room", "person.set", p=running.cem.pk, removed=True).code is None
    assert running.writes(running.cem, "Again").code == "not_allowed"
    assert Note.objects.filter(pk=note.pk).exists()
    assert not running.cem.seats.exists()


def test_a_new_name_stands_on_seats_and_notes(running: Cafe) -> None:
    from sessions.live import reading

    board = f"board:{running.board().pk}"
    running.writes(running.cem, "Benches")
    before = reading.page(running.ben, [board, "room"]).streams
    running.does(running.moderator, "room", "person.set", p=running.cem.pk, name="Cem K.")
    page = reading.page(running.ben, [board, "room"])
    assert [part["name"] for part in page.parts[board]] == ["Cem K."]
    assert {seat["name"] for seat in page.parts["room"][0]["seats"]} == {"Ben", "Cem K."}
    assert page.streams == {board: before[board] + 1, "room": before["room"] + 1}


def test_boards_are_read_by_those_who_sit_or_sat_at_the_table_and_by_all_in_the_gallery(running: Cafe) -> None:
    def reads(who: Participant) -> list[tuple[int, int]]:
        who.event = running.now
        boards = Board.objects.visible_to(who)
        same = readable([who], list(Board.objects.values_list("pk", flat=True)))
        assert {board.pk for board in boards} == {board for _person, board in same}
        return sorted(boards.values_list("session__number", "table__number"))

    assert reads(running.cem) == [(1, 1)]
    running.steps(2)
    running.does(running.cem, "room", "seat.take", table=running.table(2).pk)
    assert reads(running.cem) == [(1, 1), (1, 2), (2, 2)]
    assert reads(running.eve) == []
    running.does(running.moderator, "stage", "phase.go", phase="gallery")
    assert reads(running.dana) == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_takeaways_are_one_each_and_only_in_the_gallery(running: Cafe) -> None:
    assert running.does(running.cem, "gallery", "takeaway.set", text="Benches").code == "not_allowed_now"
    running.does(running.moderator, "stage", "phase.go", phase="gallery")
    assert running.does(running.cem, "gallery", "takeaway.set", text="Benches").code is None
    assert running.does(running.cem, "gallery", "takeaway.set", text="Courage").code is None
    assert running.does(running.cem, "gallery", "closing.set", text="Courage").code == "not_allowed"
    assert running.does(running.moderator, "gallery", "closing.set", text="Together").code is None
    from sessions.live import reading

    parts = reading.page(running.dana, ["gallery"]).parts["gallery"]
    assert [part["text"] for part in parts if "text" in part] == ["Courage", "Together"]


def test_an_ended_session_remembers_when(running: Cafe) -> None:
    running.steps(1)
    assert Session.objects.get(event=running.event, number=1).ended_at is not None


def test_deleted_words_go_for_good_when_the_event_is_closed(running: Cafe) -> None:
    kept, deleted = (running.note(running.writes(running.cem, text)) for text in ("Benches", "Regretted"))
    assert does(running, running.cem, "note.gone", deleted) is None
    running.does(running.moderator, "stage", "phase.go", phase="closed")
    assert dict(Note.objects.values_list("pk", "text")) == {kept.pk: "Benches", deleted.pk: ""}
    running.does(running.moderator, "stage", "phase.go", phase="gallery")
    assert does(running, running.cem, "note.back", deleted) == "not_found"
    assert does(running, running.cem, "note.gone", kept) is None
    assert does(running, running.cem, "note.back", kept) is None
