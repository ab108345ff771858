from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base as django_base
from psycopg import DataError, OperationalError, errors, pq
from psycopg.adapt import Transformer

PLAIN = {str, int, bool, type(None)}
MARK = re.compile("%[s%]")
GOOD = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


class DatabaseWrapper(django_base.DatabaseWrapper):
    def straight(self, query: str, params: Sequence[Any]) -> Found | None:
        """What the database answers inside a transaction when libpq itself is asked: Django's layers and psycopg's
        around a statement take longer than it does. Nothing is prepared: each plan fits the tables as they are then.

        Null where somebody listens to what the layers tell, or they would refuse it, and for other parameters than
        texts, whole numbers and truths.
        """
        if not self.in_atomic_block or self.needs_rollback or self.execute_wrappers or self.queries_logged:
            return None
        if not PLAIN.issuperset(map(type, params)):
            return None
        connection = self.connection.pgconn
        with self.wrap_database_errors:
            if connection.transaction_status == pq.TransactionStatus.IDLE:  # psycopg begins with the first statement
                _good(connection, connection.exec_(b"BEGIN"))
            result = connection.exec_params(numbered(query), [_written(value) for value in params])
            return Found(self.connection, _good(connection, result))


class Found:
    """The rows of an answer, as a cursor gives them."""

    def __init__(self, connection: Any, result: Any) -> None:
        self.connection, self.result, self.next = connection, result, 0

    def fetchone(self) -> tuple[Any, ...] | None:
        rows = self._rows(self.next, min(self.next + 1, self.result.ntuples))
        self.next += len(rows)
        return rows[0] if rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows = self._rows(self.next, self.result.ntuples)
        self.next += len(rows)
        return rows

    def _rows(self, first: int, end: int) -> list[tuple[Any, ...]]:
        """As what Django has told psycopg that they mean."""
        meaning: Any = Transformer(self.connection)
        meaning.set_pgresult(self.result)
        rows: list[tuple[Any, ...]] = meaning.load_rows(first, end, tuple)
        return rows


@functools.lru_cache(maxsize=512)
def numbered(query: str) -> bytes:
    """With PostgreSQL's own marks, $1 and so on."""
    number = itertools.count(1)
    return MARK.sub(lambda mark: f"${next(number)}" if mark[0] == "%s" else "%", query).encode()


def _written(value: Any) -> bytes | None:
    """In text, of which PostgreSQL finds out the type by where it stands."""
    if value is None:
        return None
    text = str(value)
    if "\0" in text:  # libpq would end there
        raise DataError("PostgreSQL's texts hold no NUL")
    return text.encode()


def _good(connection: Any, result: Any) -> Any:
    """The result; raises what psycopg raises of one that is none."""
    if result.status in GOOD:
        return result
    error = errors.error_from_result(result)
    raise error if connection.status == pq.ConnStatus.OK else OperationalError(str(error))
