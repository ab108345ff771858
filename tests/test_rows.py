"""Rows made and read without their models' constructors are the rows that these would have made."""

from typing import Any
from uuid import UUID

import pytest
from django.db import models

from sessions.live import rows
from sessions.models import Change, Event, Participant, Question, Session, Stream
from tables.models import Authorship, Board, Note, Seat, SeatHistory, Table
from tests.cafe import Cafe

LOADED = (Event, Session, Question, Stream, Participant, Change, Board, Table, Note, Seat, SeatHistory)


def attributes(row: models.Model) -> dict[str, Any]:
    return {name: value for name, value in row.__dict__.items() if name != "_state"}


def state(row: models.Model) -> tuple[Any, ...]:
    return row._state.adding, row._state.db, dict(row._state.fields_cache)


def test_a_new_row_is_what_the_constructor_makes(running: Cafe) -> None:
    values: dict[str, Any] = {"id": UUID(int=1), "board_id": 3, "question_id": 2, "text": "Benches", "at": 5}
    by_us, by_django = rows.new(Note, **values), Note(**values)
    assert attributes(by_us) == attributes(by_django)
    assert state(by_us) == state(by_django)


def test_the_attributes_of_one_new_row_are_no_others(running: Cafe) -> None:
    first, second = rows.new(Change, kind="note.add"), rows.new(Change)
    assert (first.kind, second.kind) == ("note.add", "")
    assert first._state is not second._state


def test_a_model_whose_defaults_are_made_for_each_row_is_made_by_its_constructor() -> None:
    with pytest.raises(AssertionError, match="shared by all rows"):
        rows.new(Event)


@pytest.mark.parametrize("model", LOADED)
def test_a_row_that_was_read_is_what_django_reads(running: Cafe, model: type[models.Model]) -> None:
    running.writes(running.cem, "Benches")
    keys = list(model._default_manager.values_list("pk", flat=True))
    assert keys
    for row in rows.whole(model, {model._meta.pk.name: keys}):
        known = attributes(row)
        by_django = model._default_manager.only(*rows.readable(model)).get(pk=row.pk)
        assert known == attributes(by_django)
        assert state(row) == state(by_django)


@pytest.mark.parametrize("model", LOADED)
def test_what_is_gathered_is_what_each_would_have_found(running: Cafe, model: type[models.Model]) -> None:
    """Also in a statement with others, and through JSON: truths, moments and ids are what they are."""
    running.writes(running.cem, "Benches 🌳")
    names = rows.readable(model)
    among = {model._meta.pk.name: list(model._default_manager.values_list("pk", flat=True))}
    nobody = rows.Wish(Participant, ("name",), {"id": []})
    of_people = rows.Wish(Note, ("author",), {"author": [running.cem.pk]}, where="gone_at IS NULL")
    wish = rows.Wish(model, names, among)
    none, found, written = rows.gather(nobody, wish, of_people)
    assert sorted(map(tuple, found)) == sorted(map(tuple, rows.find(model, names, among))) != []
    assert (none, list(map(tuple, written))) == ([], [(running.cem.pk,)])


def test_what_is_counted_on_adds_to_what_is_there(running: Cafe) -> None:
    here, there = ((running.cem.pk, running.board(table).pk) for table in (1, 2))
    rows.write(rows.count_on(Authorship, {here: 2}))
    rows.write(rows.count_on(Authorship, {there: 1, here: -3}))
    assert set(Authorship.objects.values_list("participant", "board", "notes")) == {(*here, -1), (*there, 1)}


def test_a_key_leads_to_rows_in_both_directions(running: Cafe) -> None:
    sessions = rows.find(Session, ("number",), {"event__key": [running.event.key]})
    tables = rows.find(Table, ("number",), {"boards__id": [running.board(2).pk]})
    assert [*map(tuple, sessions)] == [(1,), (2,)]
    assert [*map(tuple, tables)] == [(2,)]


def test_what_was_not_read_is_read_when_it_is_asked_for(running: Cafe) -> None:
    [person] = rows.load(Participant, ("id", "event"), {"id": [running.cem.pk]})
    assert person.get_deferred_fields() >= {"name", "role"}
    assert (person.name, person.event) == ("Cem", running.event)


@pytest.mark.parametrize(
    "text", ["", "NULL", '"', "\\", '\\"', "{a,b}", "a,b", " ", "\n", "%s", "'", "Bäume 🌳", '"}\\', "\\\\n"]
)
def test_any_text_is_written_and_found(running: Cafe, text: str) -> None:
    note = running.note(running.writes(running.cem, "Benches"))
    note.text, note.order = text, text
    stream = Stream.objects.earliest("pk").pk
    rows.write(rows.update(["text", "order"], [note]))
    assert rows.find(Note, ("text", "order"), {"id": [note.pk]}) in ([[text, text]], [(text, text)])
    assert [tuple(row) for row in rows.find(Note, ("id",), {"order": [text, "elsewhere"]})] == [(note.pk,)]
    of_note = {"op_id": note.pk, "stream_id": stream, "event_id": running.event.pk}
    rows.write(rows.insert([rows.new(Change, kind=text, answers=False, at=1, **of_note)]))
    assert Change.objects.filter(kind=text, seq=None).count() == 1


@pytest.mark.parametrize("marks", [rows.MOST_MARKS, 9])
def test_rows_are_written_as_they_are(running: Cafe, monkeypatch: pytest.MonkeyPatch, marks: int) -> None:
    """In one statement, or in as many as it takes."""
    monkeypatch.setattr(rows, "MOST_MARKS", marks)
    seat = Seat.objects.get(participant=running.cem)
    seat.place = 5
    rows.write(rows.update(["place"], [seat]))
    assert Seat.objects.get(pk=seat.pk).place == 5
    made = [rows.new(Stream, event_id=running.event.pk, kind="board", ref=10**12 + n, head=n) for n in range(70)]
    rows.write(rows.insert(made))
    found = Stream.objects.filter(ref__gte=10**12).order_by("ref").values_list("head", flat=True)
    assert list(found) == list(range(70))
