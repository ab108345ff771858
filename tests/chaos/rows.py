"""The database read directly: neither models nor our server stand in between."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from tests.chaos.evidence import Change, Note, Rows, Seat, Stream, Table

PATIENCE_S = 10
Ask = Callable[..., list[tuple[Any, ...]]]


class Database:
    """Where the rows are: the path of a SQLite file, or the address of a PostgreSQL database."""

    def __init__(self, place: Path | str) -> None:
        self.place = place

    def rows(self, event: int) -> Rows:
        """Everything of one event, as of one moment."""
        with self._at_one_moment() as ask:
            return _rows(ask, event)

    def heads(self, event: int) -> dict[str, int]:
        with self._at_one_moment() as ask:
            return {name: stream.head for name, stream in _streams(ask, event).items()}

    @contextmanager
    def _at_one_moment(self) -> Iterator[Ask]:
        if isinstance(self.place, Path):
            with _sqlite(self.place) as ask:
                yield ask
        else:
            with _postgres(self.place) as ask:
                yield ask


@contextmanager
def _sqlite(path: Path) -> Iterator[Ask]:
    connection = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)
    try:
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # the server alone does that
        connection.execute("BEGIN")
        yield lambda sql, *values: connection.execute(sql.replace("%s", "?"), values).fetchall()
        connection.execute("COMMIT")
    finally:
        connection.close()


@contextmanager
def _postgres(url: str) -> Iterator[Ask]:
    with psycopg.connect(url, connect_timeout=PATIENCE_S) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        yield lambda sql, *values: connection.execute(sql, values).fetchall()  # type: ignore[call-overload]


def _rows(ask: Ask, event: int) -> Rows:
    streams = _streams(ask, event)
    names = {stream.id: name for name, stream in streams.items()}
    [(word, number)] = ask("SELECT word, session_no FROM cafe_event WHERE id = %s", event)
    boards = ask(
        "SELECT b.id, b.note_count, b.newest FROM tables_board b JOIN cafe_session s ON s.id = b.session_id"
        " WHERE s.event_id = %s",
        event,
    )
    return Rows(
        streams=streams,
        changes=_changes(ask, event, names),
        notes=_notes(ask, event),
        tables=_tables(ask, event),
        seats=_seats(ask, event, number),
        people=dict(ask("SELECT id, name FROM cafe_participant WHERE event_id = %s", event)),
        counts={board: count for board, count, _newest in boards},
        newest={board: _uuid(newest) for board, _count, newest in boards if newest},
        written=dict(
            ask(
                "SELECT a.participant_id, sum(a.notes) FROM tables_authorship a"
                " JOIN cafe_participant p ON p.id = a.participant_id WHERE p.event_id = %s GROUP BY a.participant_id",
                event,
            )
        ),
        word=word,
    )


def _streams(ask: Ask, event: int) -> dict[str, Stream]:
    found = ask("SELECT id, kind, ref, head FROM cafe_stream WHERE event_id = %s", event)
    made = [Stream(pk, f"{kind}:{ref}" if ref else kind, head) for pk, kind, ref, head in found]
    return {stream.name: stream for stream in made}


def _changes(ask: Ask, event: int, names: dict[int, str]) -> tuple[Change, ...]:
    found = ask(
        "SELECT id, stream_id, seq, op_id, answers, actor_id, kind, part, code FROM cafe_change"
        " WHERE event_id = %s ORDER BY id",
        event,
    )
    return tuple(
        Change(pk, names[stream], seq, _uuid(op), bool(answers), actor, kind, part, code)
        for pk, stream, seq, op, answers, actor, kind, part, code in found
    )


def _notes(ask: Ask, event: int) -> tuple[Note, ...]:
    found = ask(
        'SELECT n.id, n.board_id, n.question_id, n.author_id, n.text, n.colour, n."order", n.seq, n.at, n.edited,'
        " n.late, n.hidden, n.gone_at FROM tables_note n JOIN tables_board b ON b.id = n.board_id"
        " JOIN cafe_session s ON s.id = b.session_id WHERE s.event_id = %s",
        event,
    )
    return tuple(
        Note(_uuid(pk), *facts, late=bool(late), hidden=bool(hidden), is_gone=gone_at is not None)
        for pk, *facts, late, hidden, gone_at in found
    )


def _tables(ask: Ask, event: int) -> tuple[Table, ...]:
    found = ask("SELECT id, number, name, cap, open FROM tables_table WHERE event_id = %s ORDER BY number", event)
    return tuple(Table(pk, number, name, cap, bool(is_open)) for pk, number, name, cap, is_open in found)


def _seats(ask: Ask, event: int, session: int) -> tuple[Seat, ...]:
    found = ask(
        "SELECT t.participant_id, t.table_id, t.place FROM tables_seat t JOIN cafe_session s ON s.id = t.session_id"
        " WHERE s.event_id = %s AND s.number = %s",
        event,
        session,
    )
    return tuple(Seat(*row) for row in found)


def _uuid(value: UUID | str) -> str:
    """SQLite keeps 32 digits, PostgreSQL the thing itself."""
    return str(value if isinstance(value, UUID) else UUID(value))
