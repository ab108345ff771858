"""The one writing path: judged, written once, remembered."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions.clock import now_ms
from sessions.live import streams
from sessions.live.kinds import KINDS
from sessions.live.ops import Name, Refused
from sessions.models import Change, Stream
from tables.models import Note, Seat
from tests.cafe import Cafe, new_id


def head(cafe: Cafe, name: Name) -> int:
    return Stream.objects.get(event=cafe.event, kind=name.kind, ref=name.ref).head


def test_a_note_raises_exactly_one_head_while_people_talk(running: Cafe) -> None:
    before = dict(Stream.objects.values_list("pk", "head"))
    answer = running.writes(running.cem, "More benches")
    risen = {pk for pk, now in Stream.objects.values_list("pk", "head") if now != before[pk]}
    board = Stream.objects.get(kind="board", ref=running.board().pk)
    assert (answer.seq, risen) == (1, {board.pk})


def test_the_same_operation_twice_is_one_note_and_the_same_answer(running: Cafe) -> None:
    op = running.op(running.cem, f"board:{running.board().pk}", "note.add", q=running.question().pk, text="Benches")
    first, second = streams.apply([op]), streams.apply([op])
    assert (first[0].seq, first[0].dup, second[0].seq, second[0].dup) == (1, False, 1, True)
    assert Note.objects.count() == 1


def test_the_same_operation_twice_in_one_batch_is_one_note(running: Cafe) -> None:
    op = running.op(running.cem, f"board:{running.board().pk}", "note.add", q=running.question().pk, text="Benches")
    answers = streams.apply([op, op])
    assert [(answer.seq, answer.dup) for answer in answers] == [(1, False), (1, True)]
    assert Note.objects.count() == 1


def test_the_same_id_with_other_words_is_a_conflict_and_changes_nothing(running: Cafe) -> None:
    answer = running.writes(running.cem, "Benches")
    again = running.writes(running.cem, "Trees", _id=answer.op_id)
    assert again.code == "op_id_conflict"
    assert running.note(answer).text == "Benches"


def test_the_same_id_from_somebody_else_is_a_conflict(running: Cafe) -> None:
    answer = running.writes(running.cem, "Benches")
    again = running.writes(running.ben, "Benches", _id=answer.op_id)
    assert (again.code, Note.objects.count()) == ("op_id_conflict", 1)


def test_a_refusal_is_remembered_like_an_acceptance(cafe: Cafe) -> None:
    op_id = new_id()
    refused = cafe.writes(cafe.cem, "Too early", _id=op_id)
    cafe.runs()
    again = cafe.writes(cafe.cem, "Too early", _id=op_id)
    assert (refused.code, again.code, Note.objects.count()) == ("no_seat", "no_seat", 0)


def test_what_waited_longer_than_five_seconds_is_busy_and_never_judged_later(running: Cafe) -> None:
    op_id = new_id()
    late = running.writes(running.cem, "Benches", _id=op_id, _arrived=now_ms() - 5_001)
    assert (late.code, Change.objects.filter(op_id=op_id).count()) == ("busy", 0)
    assert running.writes(running.cem, "Benches", _id=op_id).seq == 1


def test_one_bad_operation_does_not_harm_its_batch(running: Cafe) -> None:
    board, question = f"board:{running.board().pk}", running.question().pk
    good = running.op(running.cem, board, "note.add", q=question, text="Benches")
    bad = running.op(running.dana, board, "note.add", q=question, text="Not my table")
    answers = streams.apply([good, bad, running.op(running.ben, board, "note.add", q=question, text="Trees")])
    assert [(answer.seq, answer.code) for answer in answers] == [(1, None), (None, "no_seat"), (2, None)]


def test_seqs_run_from_one_to_the_head_without_holes(running: Cafe) -> None:
    first = running.writes(running.cem, "Benches")
    running.writes(running.dana, "Refused")
    board = f"board:{running.board().pk}"
    running.does(
        running.cem, board, "note.edit", note=first.op_id, text="Two benches", _base=running.note(first).edited
    )
    running.does(running.cem, board, "note.gone", note=first.op_id)
    stream = Stream.objects.get(kind="board", ref=running.board().pk)
    seqs = Change.objects.filter(stream=stream, seq__isnull=False).order_by("seq").values_list("seq", flat=True)
    assert list(seqs) == [1, 2, 3] == list(range(1, stream.head + 1))


def test_changes_remember_no_words(running: Cafe) -> None:
    running.writes(running.cem, "A secret thought")
    change = Change.objects.get(kind="note.add")
    assert "secret" not in repr({field.name: getattr(change, field.name) for field in Change._meta.fields})


def test_an_unknown_stream_of_another_event_is_not_found(running: Cafe) -> None:
    mine = running.writes(running.cem, "Benches")
    foreign = Stream.objects.filter(kind="board").exclude(event=running.event).earliest("pk")
    theirs = running.does(
        running.cem, f"board:{foreign.ref}", "note.add", q=running.question().pk, text="Hello over there"
    )
    assert (mine.code, theirs.code) == (None, "not_found")


def test_parts_since_a_cursor_are_what_changed_after_it(running: Cafe) -> None:
    first, second = running.writes(running.cem, "Benches"), running.writes(running.ben, "Trees")
    running.does(running.cem, f"board:{running.board().pk}", "note.gone", note=first.op_id)
    stream = Stream.objects.get(kind="board", ref=running.board().pk)
    found, parts = streams.since([(stream.pk, 1)])[stream.pk]
    assert found.head == 3
    assert [(part.id, part.seq, part.guests.get("gone")) for part in parts] == [
        (f"note:{second.op_id}", 2, None),
        (f"note:{first.op_id}", 3, True),
    ]


@pytest.mark.parametrize("count", [1, 3, 30])
def test_a_batch_of_notes_costs_the_same_queries_however_long_it_is(running: Cafe, count: int) -> None:
    board, question = f"board:{running.board().pk}", running.question().pk
    ops = [running.op(running.cem, board, "note.add", q=question, text=f"Note {n}") for n in range(count)]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answers = streams.apply(ops)
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert [answer.code for answer in answers] == [None] * count
    assert len(statements) == {"sqlite": 8, "postgresql": 5}[connection.vendor], statements


@pytest.mark.parametrize("tables", [2, 6])
def test_reading_the_room_costs_the_same_queries_for_any_number_of_tables(db: None, tables: int) -> None:
    cafe = Cafe(tables=tables).runs()
    room = Stream.objects.get(event=cafe.event, kind="room")
    with CaptureQueriesContext(connection) as queries:
        _stream, parts = streams.since([(room.pk, -1)])[room.pk]
    assert (len(parts), len(queries)) == (tables, 5)


def test_every_operation_of_the_protocol_is_known() -> None:
    known = {kind: sorted(KINDS[kind].operations) for kind in KINDS}
    assert known == {
        "stage": ["clock.add", "clock.pause", "clock.resume", "phase.go", "phase.next", "word.say"],
        "room": ["person.set", "seat.any", "seat.leave", "seat.put", "seat.take", "table.set"],
        "board": ["note.add", "note.back", "note.edit", "note.gone", "note.hide", "note.move", "note.show"],
        "gallery": ["closing.set", "takeaway.set"],
        "me": [],
    }


@pytest.mark.parametrize(
    ("stream", "kind", "data", "code"),
    [
        ("board:1", "note.add", {"q": 1, "text": "x", "author": 3}, "bad_field"),
        ("board:1", "note.add", {"q": 1}, "bad_field"),
        ("board:1", "note.add", {"q": "1", "text": "x"}, "bad_field"),
        ("board:1", "note.add", {"q": True, "text": "x"}, "bad_field"),
        ("board:1", "note.add", {"q": 2**63, "text": "x"}, "bad_field"),
        ("board:1", "note.add", {"q": 1, "text": " \x00\x0b "}, "empty"),
        ("board:1", "note.add", {"q": 1, "text": "\ud800"}, "bad_text"),
        ("board:1", "note.add", {"q": 1, "text": "x" * 1001}, "too_long"),
        ("board:1", "note.add", {"q": 1, "text": "x", "colour": "red"}, "bad_field"),
        ("board:1", "note.move", {"note": "no-uuid", "after": None}, "bad_field"),
        ("room", "table.set", {"table": 1, "cap": 0}, "bad_field"),
        ("room", "table.set", {"table": 1, "cap": 51}, "bad_field"),
        ("room", "table.set", {"table": 1, "open": 1}, "bad_field"),
        ("room", "person.set", {"p": 1, "name": "\u200b"}, "name_empty"),
        ("stage", "phase.go", {"phase": "party"}, "bad_field"),
        ("stage", "clock.add", {"minutes": 10**9}, "bad_field"),
    ],
)
def test_fields_are_checked_strictly(stream: str, kind: str, data: dict[str, Any], code: str) -> None:
    fields = KINDS[stream.partition(":")[0]].operations[kind]
    with pytest.raises(Refused) as refused:
        fields.clean(data)
    assert refused.value.code == code


def test_control_characters_go_and_accents_are_composed() -> None:
    cleaned = KINDS["board"].operations["note.add"].clean({"q": 1, "text": "Cafe\u0301\x00\x1b[2J\u0085\r\nx\ty"})
    assert cleaned["text"] == "Café[2J\nx\ty"


def test_a_seat_is_a_row_of_one_person_at_one_chair(running: Cafe) -> None:
    seats = Seat.objects.filter(session__event=running.event).order_by("table__number", "place")
    assert list(seats.values_list("participant__name", "table__number", "place")) == [
        ("Ben", 1, 0),
        ("Cem", 1, 1),
        ("Dana", 2, 0),
    ]
