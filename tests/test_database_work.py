"""What the database has to do for a note, a look and the console's numbers hangs on what is new, not on what is there.

SQLite tells how many instructions its machine took, PostgreSQL how many rows it has read of the tables that grow with
what is written, on every machine the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection
from django.db.models import RestrictedError

from sessions.live import streams, visit
from sessions.live.uuid7 import uuid7
from sessions.models import Change, Event, Participant, Stream
from tables.live import glance
from tables.models import Authorship, Board, Note
from tests.cafe import Cafe
from tests.notes_on_their_way import go, heads, said

MANY = 3_000
DEEPER = 1.1  # trees with more rows have a floor more
GROWING = [model._meta.db_table for model in (Authorship, Change, Note)]
ROWS_READ = """
    SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables WHERE relname = ANY(%s)
"""


def work(call: Callable[[], Any]) -> int:
    return of_sqlite(call) if connection.vendor == "sqlite" else of_postgres(call)


def of_sqlite(call: Callable[[], Any]) -> int:
    steps = 0

    def step() -> bool:
        nonlocal steps
        steps += 1
        return False  # it goes on

    connection.connection.set_progress_handler(step, 1)
    try:
        call()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return steps


def of_postgres(call: Callable[[], Any]) -> int:
    """Tables of a handful of rows it reads whole or not, by what it has counted: they are left out."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    before = rows_read()
    call()
    return rows_read() - before


def rows_read() -> int:
    with connection.cursor() as cursor:
        cursor.execute(ROWS_READ, [GROWING])
        return int(cursor.fetchone()[0])


def as_it_begins() -> None:
    """Nobody else may count PostgreSQL's tables in the middle of a test: they would not find the rows of its
    transaction, and without them it reads in another way.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            tables = ", ".join(connection.introspection.table_names(cursor))
            cursor.execute(f"LOCK TABLE {tables} IN SHARE UPDATE EXCLUSIVE MODE")


def fill(cafe: Cafe, writers: Sequence[Participant]) -> None:
    """As if they had written for hours, each at their own table."""
    for table, who in enumerate(writers, 1):
        board = cafe.board(table)
        stream = Stream.objects.get(event=cafe.event, kind="board", ref=board.pk)
        seqs, ids = range(stream.head + 1, stream.head + MANY + 1), [uuid7() for _note in range(MANY)]
        facts = {"question": cafe.question(), "author": who, "at": 1, "edited": 1, "colour": "mint"}
        Note.objects.bulk_create(
            Note(pk=pk, board=board, seq=seq, order=str(seq), text="Shade", **facts)
            for seq, pk in zip(seqs, ids, strict=True)
        )
        Change.objects.bulk_create(
            Change(stream=stream, event=cafe.event, seq=seq, op_id=pk, answers=True, actor=who, kind="note.add", at=1)
            for seq, pk in zip(seqs, ids, strict=True)
        )
        Stream.objects.filter(pk=stream.pk).update(head=seqs[-1])
        Board.objects.filter(pk=board.pk).update(note_count=MANY)
        Authorship.objects.update_or_create(participant=who, board=board, defaults={"notes": MANY})


def a_batch(cafe: Cafe) -> None:
    go(said(cafe, 3), heads(cafe))


def a_batch_that_is_read(cafe: Cafe) -> None:
    """Somebody else has written, so nothing is remembered."""
    Participant.objects.filter(pk=cafe.eve.pk).update(name="Eve")
    a_batch(cafe)


def a_look(cafe: Cafe) -> None:
    streams.since([(pk, head - 1) for pk, head in heads(cafe).items()])


def numbers(cafe: Cafe) -> None:
    glance.numbers([cafe.event.pk])


def a_hello(cafe: Cafe) -> None:
    who = visit.viewer(cafe.event.key, cafe.cookie(cafe.cem), as_moderator=False)
    visit.followed(who, {"room": 0, "me": 0, f"board:{cafe.board().pk}": 10**6}, None)


def somebody_new(cafe: Cafe) -> None:
    """Comes in, sits down and stands up again."""
    gil = cafe.comes("Gil")
    for kind, data in (("seat.take", {"table": cafe.table(1).pk}), ("seat.leave", {})):
        assert cafe.does(gil, "room", kind, **data).code is None


def own_words(cafe: Cafe) -> None:
    """Written, corrected, deleted and brought back."""
    note = cafe.note(cafe.writes(cafe.cem, "Benches"))
    board = f"board:{cafe.board().pk}"
    edited = {"text": "Benches in the shade", "_base": note.edited}
    for kind, data in (("note.edit", edited), ("note.gone", {}), ("note.back", {})):
        assert cafe.does(cafe.cem, board, kind, note=note.pk, **data).code is None


@pytest.mark.parametrize("does", [a_hello, somebody_new, own_words, a_batch, a_batch_that_is_read, a_look, numbers])
def test_it_does_no_more_at_tables_where_much_is_written(
    running: Cafe, settings: Any, does: Callable[[Cafe], None]
) -> None:
    as_it_begins()
    settings.LIMIT_NOTES_PER_PERSON = settings.LIMIT_NOTES_PER_BOARD = 2 * MANY
    a_batch(running)
    does(running)
    small = work(lambda: does(running))
    fill(running, [running.cem, running.dana])
    does(running)
    large = work(lambda: does(running))
    assert large <= small * DEEPER


def test_what_is_read_counts(running: Cafe) -> None:
    fill(running, [running.cem])
    assert work(lambda: list(Note.objects.filter(board=running.board(1)))) >= MANY


def test_an_event_goes_with_all_that_belongs_to_it(running: Cafe) -> None:
    a_batch(running)
    fill(running, [running.cem, running.dana])
    event = running.event.pk
    Event.objects.filter(pk=event).delete()
    assert not Change.objects.filter(event_id=event).exists()
    assert (Note.objects.count(), Authorship.objects.count()) == (0, 0)


def test_who_has_written_does_not_go_alone(running: Cafe) -> None:
    """Notes would be left without an author, and the database does not look after that."""
    a_batch(running)
    with pytest.raises(RestrictedError):
        running.cem.delete()
    running.writes(running.moderator, "Shade")
    running.ada.delete()
    assert (Note.objects.count(), Authorship.objects.count()) == (0, 0)
