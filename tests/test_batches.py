"""What is judged together is judged as if one after the other, and nobody's facts are overwritten by the way."""

from uuid import UUID

import pytest
from django.db import IntegrityError, OperationalError

from sessions import identity
from sessions.live import reading, rows, streams
from sessions.live.kinds import EVERY_STREAM, KINDS
from sessions.live.news import News
from sessions.live.ops import Answer, Name, Op
from sessions.live.scene import Scene
from sessions.live.words import say
from sessions.models import Change, Event, Moderator, Participant, Stream
from tables.models import Note, Seat
from tables.order import at_end, between
from tables.plan.writing import build
from tests.cafe import Cafe, new_id, plan


def codes(answers: list[Answer]) -> list[str | None]:
    return [answer.code for answer in answers]


def page_parts(cafe: Cafe, who: Participant, stream: str) -> dict[str, dict[str, object]]:
    who = Participant.objects.select_related("event").get(pk=who.pk)
    return {part["id"]: part for part in reading.page(who, [stream]).parts[stream]}


def pushed(cafe: Cafe, stream: str, ref: int, after: int) -> dict[str, dict[str, object]]:
    row = Stream.objects.get(event=cafe.event, kind=stream, ref=ref)
    return {part.id: part.guests for part in streams.since([(row.pk, after)])[row.pk][1]}


def head(cafe: Cafe, stream: str, ref: int = 0) -> int:
    return Stream.objects.get(event=cafe.event, kind=stream, ref=ref).head


def test_kinds_that_never_govern_lock_some_streams_alone() -> None:
    for kind in KINDS.values():
        for name in kind.operations:
            data = dict.fromkeys(kind.operations[name].checks, 1)
            op = Op(UUID(int=1), 1, 1, Name(kind.name, 1), name, data, None, 0)
            assert kind.may_govern or kind.locks(op) != EVERY_STREAM, name


def test_a_note_is_moved_in_the_batch_that_writes_it(running: Cafe) -> None:
    running.writes(running.cem, "Trees")
    board, question = f"board:{running.board().pk}", running.question().pk
    writes = running.op(running.cem, board, "note.add", q=question, text="Benches")
    moves = running.op(running.cem, board, "note.move", note=writes.id, after=None)
    assert codes(streams.apply([writes, moves])) == [None, None]
    assert list(Note.objects.values_list("text", "question_id")) == [("Benches", question), ("Trees", question)]


def test_a_note_that_handwork_left_without_an_author_harms_no_other(running: Cafe) -> None:
    lost = running.note(running.writes(running.cem, "Benches"))
    Note.objects.filter(pk=lost.pk).update(author_id=10**9)
    board, question = f"board:{running.board().pk}", running.question().pk
    moves = running.op(running.cem, board, "note.move", note=lost.pk, after=None)
    writes = running.op(running.ben, board, "note.add", q=question, text="Trees")
    assert codes(streams.apply([moves, writes])) == ["not_found", None]


def test_a_seat_and_a_note_at_once_from_one_person_go_in_their_order(running: Cafe) -> None:
    sits = running.op(running.cem, "room", "seat.take", table=running.table(2).pk)
    board, question = f"board:{running.board(2).pk}", running.question().pk
    writes = running.op(running.cem, board, "note.add", q=question, text="Benches")
    leaves = running.op(running.cem, "room", "seat.leave")
    too_late = running.op(running.cem, board, "note.add", q=question, text="Trees")

    assert codes(streams.apply([sits, writes, leaves, too_late])) == [None] * 4
    assert list(Note.objects.order_by("seq").values_list("text", "late")) == [("Benches", False), ("Trees", True)]


def test_taking_leaving_and_taking_a_seat_at_once_is_one_seat(running: Cafe) -> None:
    first, second = running.table(1).pk, running.table(2).pk
    wishes = [("seat.leave", {}), ("seat.take", {"table": first}), ("seat.leave", {}), ("seat.take", {"table": second})]
    wishes += [("seat.take", {"table": first}), ("seat.leave", {}), ("seat.take", {"table": first})]
    ops = [running.op(running.dana, "room", kind, **data) for kind, data in wishes]

    assert codes(streams.apply(ops)) == [None] * len(ops)
    assert list(Seat.objects.filter(participant=running.dana).values_list("table", flat=True)) == [first]


def test_a_table_over_its_limit_takes_nobody_whichever_chair_is_empty(running: Cafe) -> None:
    table = running.table(1).pk
    assert running.does(running.dana, "room", "seat.take", table=table).code is None
    assert running.does(running.moderator, "room", "table.set", table=table, cap=2).code is None
    assert running.does(running.ben, "room", "seat.leave").code is None  # from the first chair

    part = page_parts(running, running.cem, "room")[f"table:{table}"]
    assert (part["taken"], part["cap"], part["free"], part["full"]) == (2, 2, 0, True)
    assert running.does(running.ben, "room", "seat.take", table=table).code == "table_full"
    assert running.does(running.dana, "room", "seat.leave").code is None
    assert running.does(running.ben, "room", "seat.take", table=table).code is None


def test_a_chair_left_before_the_session_begins_gives_no_right_to_write(cafe: Cafe) -> None:
    cafe.steps(2)
    cafe.seats_everybody()
    assert cafe.does(cafe.cem, "room", "seat.take", table=cafe.table(2).pk).code is None
    assert cafe.writes(cafe.cem, "Too early").code == "not_allowed_now"
    cafe.steps(1)
    assert cafe.writes(cafe.cem, "Where I sit", table=2).code is None
    assert cafe.does(cafe.cem, "room", "seat.leave").code is None
    assert cafe.writes(cafe.cem, "On my way", table=2).code is None
    assert list(Note.objects.order_by("seq").values_list("text", "late")) == [
        ("Where I sit", False),
        ("On my way", True),
    ]


@pytest.mark.parametrize("kind", ["note.edit", "note.gone"])
def test_what_happens_to_a_hidden_note_reaches_its_author(running: Cafe, kind: str) -> None:
    note = running.note(running.writes(running.cem, "Rude"))
    board = f"board:{note.board_id}"
    assert running.does(running.moderator, board, "note.hide", note=note.pk).code is None
    seen = page_parts(running, running.cem, "me")
    assert seen[f"hidden:{note.pk}"]["text"] == "Rude"

    at = head(running, "me", running.cem.pk)
    data = {"text": "Polite", "_base": note.edited} if kind == "note.edit" else {}
    assert running.does(running.cem, board, kind, note=note.pk, **data).code is None
    news = pushed(running, "me", running.cem.pk, at)[f"hidden:{note.pk}"]
    assert news.get("text") == page_parts(running, running.cem, "me").get(f"hidden:{note.pk}", {}).get("text")
    assert news.get("gone", False) is (kind == "note.gone")
    assert running.does(running.cem, board, "note.back", note=note.pk).code is None
    assert pushed(running, "me", running.cem.pk, at)[f"hidden:{note.pk}"]["text"] in {"Rude", "Polite"}


def test_a_note_written_and_hidden_at_once_is_hidden(running: Cafe) -> None:
    board, question = f"board:{running.board().pk}", running.question().pk
    writes = running.op(running.cem, board, "note.add", q=question, text="Rude")
    hides = running.op(running.moderator, board, "note.hide", note=writes.id)
    assert codes(streams.apply([writes, hides])) == [None, None]
    assert Note.objects.get().hidden
    assert running.board().note_count == 0


def test_notes_of_two_people_hidden_at_once_are_one_batch(running: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = [running.writes(person, "Rude").op_id for person in (running.ben, running.cem)]
    board, written = f"board:{running.board().pk}", []
    write = streams._write
    monkeypatch.setattr(streams, "_write", lambda scene, news: (written.append(scene), write(scene, news)))
    assert codes(streams.apply([running.op(running.moderator, board, "note.hide", note=pk) for pk in notes])) == [
        None,
        None,
    ]
    assert len(written) == 1


def test_a_note_of_another_event_cannot_be_hidden_from_here(running: Cafe) -> None:
    other = running.eve.event.sessions.get(number=1)
    board = other.boards.get(table__number=1)
    theirs = Note.objects.create(
        id=new_id(),
        board=board,
        question=other.questions.earliest("pk"),
        author=running.eve,
        text="x",
        order="i",
        seq=1,
        at=1,
        edited=1,
    )
    mine = running.writes(running.cem, "Rude")
    here = f"board:{running.board().pk}"
    assert running.does(running.moderator, here, "note.hide", note=mine.op_id).code is None
    assert running.does(running.moderator, here, "note.hide", note=theirs.pk).code == "not_found"
    assert running.does(running.moderator, f"board:{board.pk}", "note.hide", note=theirs.pk).code == "not_found"


def test_a_new_name_reaches_the_walls_of_the_gallery(running: Cafe) -> None:
    running.writes(running.cem, "Benches")
    assert running.does(running.moderator, "stage", "phase.go", phase="gallery").code is None
    at = head(running, "gallery")
    assert running.does(running.moderator, "room", "person.set", p=running.cem.pk, name="Cemal").code is None
    exhibit = f"exhibit:{running.board().pk}"
    assert pushed(running, "gallery", 0, at)[exhibit]["head"] == head(running, "board", running.board().pk)


def test_in_another_session_everybody_hears_that_the_seat_is_gone(running: Cafe) -> None:
    seat = page_parts(running, running.cem, "me")["seat"]
    assert seat["table"] == running.table(1).pk
    at = head(running, "me", running.cem.pk)
    running.steps(2)
    news = pushed(running, "me", running.cem.pk, at)["seat"]
    assert (news["session"], news["table"]) == (2, None)
    assert news == page_parts(running, running.cem, "me")["seat"]


def test_hidden_notes_of_a_thousand_people_are_read_at_once(running: Cafe) -> None:
    people = Participant.objects.bulk_create(Participant(event=running.event, name=f"Guest {i}") for i in range(1_200))
    streams.open_for(running.event)
    rows = Stream.objects.filter(kind="me", ref__in=[person.pk for person in people])
    found = streams.since([(row.pk, 0) for row in rows])
    assert {len(parts) for _stream, parts in found.values()} == {2}


def test_a_conflict_told_twice_shows_both_times_what_the_note_is_by_now(running: Cafe) -> None:
    note = running.note(running.writes(running.cem, "Benches"))
    board = f"board:{note.board_id}"
    edit = running.op(running.cem, board, "note.edit", note=note.pk, text="Trees", _base=note.edited - 1)
    first, second = streams.apply([edit]), streams.apply([edit])
    other = streams.apply([edit._replace(data={**edit.data, "text": "Shade"})])
    assert codes([*first, *second, *other]) == ["conflict", "conflict", "op_id_conflict"]
    assert first[0].part == second[0].part
    assert second[0].part is not None
    assert second[0].part["text"] == "Benches"
    assert Change.objects.filter(op_id=edit.id).count() == 1


def test_a_full_table_told_twice_does_not_claim_that_all_are_full(db: None) -> None:
    cafe = Cafe(seats=1)
    cafe.steps(2)
    assert cafe.does(cafe.ben, "room", "seat.take", table=cafe.table(1).pk).code is None
    op = cafe.op(cafe.cem, "room", "seat.take", table=cafe.table(1).pk)
    [first], [again] = streams.apply([op]), streams.apply([op])
    assert say("table_full", "en", first.names) == "This table is full. Free seats: Table 2."
    assert say("table_full", "en", again.names) == "This table is full."
    assert cafe.does(cafe.dana, "room", "seat.any").code is None
    [none] = streams.apply([cafe.op(cafe.cem, "room", "seat.any")])
    assert say("table_full", "en", none.names) == "This table is full. All are full."


def test_a_batch_over_two_events_writes_to_each_only_what_it_changed(running: Cafe) -> None:
    eve = running.eve
    Participant.objects.filter(pk=eve.pk).delete()
    zoe = Participant.objects.create(event=eve.event, name="Zoe", role="moderator", moderator=eve.event.owner)
    streams.open_me(zoe)
    word = running.op(running.moderator, "stage", "word.say", text="Hello")
    closing = Op(
        new_id(), eve.event_id, zoe.pk, Name("gallery"), "closing.set", {"text": "Good night"}, None, word.arrived
    )
    read = streams._read

    def is_overtaken(ops: list[Op], locked: list[Stream]) -> Scene:
        scene = read(ops, locked)
        Event.objects.filter(pk=eve.event_id).update(word="From another process")
        return scene

    streams._read = is_overtaken
    try:
        assert codes(streams.apply([word, closing])) == [None, None]
    finally:
        streams._read = read
    there = Event.objects.get(pk=eve.event_id)
    assert (there.word, there.closing) == ("From another process", "Good night")


def test_an_operation_that_met_a_constraint_is_judged_again(running: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the same id arrives at two processes for two streams: the second one finds the first one's answer."""
    op = running.op(running.cem, f"board:{running.board().pk}", "note.add", q=running.question().pk, text="Benches")
    write, hits = streams._write, []

    def collides(scene: Scene, news: list[News]) -> None:
        if not hits:
            hits.append(scene)
            raise IntegrityError("change_op_once")
        write(scene, news)

    monkeypatch.setattr(streams, "_write", collides)
    assert codes(streams.apply([op])) == [None]
    assert Note.objects.count() == 1


def test_at_the_limit_a_note_taken_away_makes_room_for_one_in_the_same_breath(running: Cafe, settings: object) -> None:
    settings.LIMIT_NOTES_PER_PERSON = 1  # type: ignore[attr-defined]
    first = running.writes(running.cem, "Benches")
    board, question = f"board:{running.board().pk}", running.question().pk
    gone = running.op(running.cem, board, "note.gone", note=first.op_id)
    adds = [running.op(running.cem, board, "note.add", q=question, text=text) for text in ("Trees", "Shade")]
    back = running.op(running.cem, board, "note.back", note=first.op_id)
    assert codes(streams.apply([gone, *adds, back])) == [None, None, "board_full", "board_full"]


def test_a_note_brought_back_can_be_moved_behind_in_the_same_breath(running: Cafe) -> None:
    first, second = running.writes(running.cem, "first"), running.writes(running.cem, "second")
    board = f"board:{running.board().pk}"
    assert running.does(running.cem, board, "note.gone", note=second.op_id).code is None
    back = running.op(running.cem, board, "note.back", note=second.op_id)
    move = running.op(running.ben, board, "note.move", note=first.op_id, after=second.op_id)
    assert codes(streams.apply([back, move])) == [None, None]
    assert list(Note.objects.order_by("order").values_list("text", flat=True)) == ["second", "first"]


def test_there_is_room_behind_a_note_whose_place_is_short() -> None:
    moved = between(at_end(16), at_end(48))
    assert at_end(16) < moved < between(moved, at_end(48)) < at_end(48)
    if moved < at_end(32):
        assert moved < between(moved, at_end(32)) < at_end(32)
    else:
        assert at_end(32) < between(at_end(32), moved) < moved


def test_a_moderator_is_there_with_a_stream_or_not_at_all(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = Moderator.objects.named("ada@example.org", name="Ada")
    event = build(ada, plan(2, 4))

    def fails(_person: Participant) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as away:
        away.setattr(streams, "open_me", fails)
        with pytest.raises(OperationalError):
            identity.moderator_in(event, ada)
    moderator = identity.moderator_in(event, ada)
    assert moderator is not None
    assert Stream.objects.filter(event=event, kind="me", ref=moderator.pk).count() == 1
    assert identity.moderator_in(event, ada) == moderator


def test_rows_read_without_the_orm_are_what_it_reads(running: Cafe) -> None:
    """Also moments, of which SQLite knows nothing."""
    [event] = rows.whole(Event, {"id": [running.event.pk]})
    expected = Event.objects.get(pk=running.event.pk)
    names = [column.attname for column in Event._meta.concrete_fields]
    assert [getattr(event, name) for name in names] == [getattr(expected, name) for name in names]
