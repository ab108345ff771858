from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3 import base as django_base

from sessions.live.precedence import let_look
from zoomcafe.sqlite.turns import Turn, turn_for

READS = re.compile(r"\s*(?:SELECT|EXPLAIN|VALUES|PRAGMA(?!\s+wal_checkpoint))\b", re.IGNORECASE)
CHECKPOINT_PAGES = 1_000  # 4 MB of log


class Checkpoints:
    """Only the server checkpoints, inside its lock; commands beside it leave their pages in the log for the server."""

    by_this_process = False


class DatabaseWrapper(django_base.DatabaseWrapper):
    """Takes the file's turn before a transaction or a lone write begins and gives it back when it has ended."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_turn = False

    @property
    def turn(self) -> Turn:
        return turn_for(str(self.settings_dict["NAME"]))

    def take_turn(self) -> None:
        """Raises `OperationalError` when others write for longer than the `timeout` option."""
        if self.has_turn:
            return
        if not self.turn.take(self.settings_dict["OPTIONS"].get("timeout", 5.0)):
            raise self.Database.OperationalError("database is locked: waited too long for other writers")
        self.has_turn = True

    def give_turn_back(self) -> None:
        """Does nothing while a transaction is open."""
        if self.has_turn and not (self.connection and self.connection.in_transaction):
            self.has_turn = False
            self.turn.give_back()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if not self.is_in_memory_db():
            self.keep_from_others()
        connection = super().get_new_connection(conn_params)
        if not self.is_in_memory_db():
            pages = CHECKPOINT_PAGES if Checkpoints.by_this_process else 0
            connection.execute(f"PRAGMA wal_autocheckpoint = {pages}")
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                self.start_log(connection)
        return connection

    def keep_from_others(self) -> None:
        """A new file is its owner's alone, as copies of it are; SQLite gives its logs the same rights."""
        with contextlib.suppress(OSError):  # it is there, or SQLite says why it cannot be
            os.close(os.open(self.settings_dict["NAME"], os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    def start_log(self, connection: Any) -> None:
        """Switches a new file to WAL, once; that needs the file for itself."""
        self.take_turn()
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            self.give_turn_back()

    def is_usable(self) -> bool:
        """Whether the connection below still answers; asked after an error, where Django takes it for granted."""
        try:
            self.connection.execute("SELECT 1")
        except self.Database.Error:
            return False
        return True

    def straight(self, query: str, params: Sequence[Any]) -> Any:
        """The driver's cursor after a statement inside this connection's transaction: Django's layers around it take
        longer than SQLite. Null where somebody listens to what they tell, or they would refuse it.
        """
        if not self.has_turn or self.needs_rollback or self.execute_wrappers or self.queries_logged:
            return None
        with self.wrap_database_errors:
            return self.connection.execute(converted(query), params)

    def create_cursor(self, name: str | None = None) -> Cursor:  # noqa: ARG002 - SQLite has no named cursors
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        cursor.wrapper = self
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        with self.wrap_database_errors:
            self.take_turn()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        finally:
            self.give_turn_back()

    def _commit(self) -> None:
        """The disk takes longer than SQLite: meanwhile sockets are read."""
        let_look()
        try:
            super()._commit()  # type: ignore[misc]
        finally:
            self.give_turn_back()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self.give_turn_back()

    def _close(self) -> None:
        """The last connection to close checkpoints, so closing is a write."""
        if self.connection is None:
            return
        held = self.has_turn or self.turn.take(self.settings_dict["OPTIONS"].get("timeout", 5.0))
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self.has_turn = False
            if held:
                self.turn.give_back()


class Cursor(django_base.SQLiteCursorWrapper):
    """A lone write (outside a transaction) is finished, with the rows it returns, before the turn is given back."""

    wrapper: DatabaseWrapper
    rows: Iterator[Any] | None = None

    def execute(self, query: str, params: Any = None) -> Cursor:
        self.run(query, lambda: django_base.SQLiteCursorWrapper.execute(self, query, params))
        return self

    def executemany(self, query: str, param_list: Any) -> Cursor:
        self.run(query, lambda: django_base.SQLiteCursorWrapper.executemany(self, query, param_list))
        return self

    def convert_query(self, query: str, *, param_names: Any = None) -> str:
        return converted(query) if param_names is None else super().convert_query(query, param_names=param_names)

    def run(self, query: str, statement: Callable[[], Any]) -> None:
        self.rows = None
        if self.wrapper.has_turn or READS.match(query):
            statement()
            return
        self.wrapper.take_turn()
        try:
            statement()
            # The commit of INSERT … RETURNING happens when its last row has been read.
            self.rows = iter(super().fetchall()) if self.description else None
        finally:
            self.wrapper.give_turn_back()

    def fetchone(self) -> Any:
        return super().fetchone() if self.rows is None else next(self.rows, None)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        size = self.arraysize if size is None else size
        if self.rows is None:
            return super().fetchmany(size)
        return [row for _, row in zip(range(size), self.rows, strict=False)]

    def fetchall(self) -> list[Any]:
        return super().fetchall() if self.rows is None else list(self.rows)

    def __next__(self) -> Any:
        return super().__next__() if self.rows is None else next(self.rows)


@lru_cache(maxsize=256)
def converted(query: str) -> str:
    """With the marks that SQLite knows. The regular expression takes its time over thousands of them."""
    if "%%" not in query:
        return query.replace("%s", "?")
    return django_base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")


def checkpoint_here() -> None:
    """Says that this process is the server; before its first connection."""
    Checkpoints.by_this_process = True
