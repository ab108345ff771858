"""The short way to PostgreSQL: the same answers and the same errors as the long one, only without its layers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.db import DataError, IntegrityError, OperationalError, ProgrammingError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test.utils import CaptureQueriesContext

from zoomcafe import database
from zoomcafe.postgres.base import numbered

NAME = "on the short way"
MOMENT = datetime(2026, 11, 29, 12, tzinfo=UTC)
KEY = UUID("01a22904-b3a4-7f1a-a69c-d5546dbdf2d5")
KINDS = "SELECT %s::int, %s::text, %s::bool, %s::uuid, %s::timestamptz, %s::int[], '100 %%', NULL"


@pytest.fixture
def own(postgres_url: str, django_db_blocker: Any) -> Iterator[Any]:
    """A connection to the database that every server has, with a table of its own, which nobody else sees."""
    url = urlsplit(postgres_url)._replace(path="/postgres").geturl()
    with django_db_blocker.unblock():
        connections.databases[NAME] = connections.configure_settings(
            {NAME: database.parse(url, pool_size=2), "default": {}}
        )[NAME]
        connection: Any = connections[NAME]
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE one (n int PRIMARY KEY)")
        yield connection
        connection.close()
        connection.close_pool()
        del connections[NAME], connections.databases[NAME]


def the_long_way(connection: BaseDatabaseWrapper, sql: str, parameters: list[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def there(connection: BaseDatabaseWrapper) -> list[int]:
    return [n for (n,) in the_long_way(connection, "SELECT n FROM one ORDER BY n", [])]


def test_both_ways_find_the_same(own: Any) -> None:
    parameters = [7, "Bäume 🌳 %s", True, str(KEY), str(MOMENT), "{1,2,NULL}"]
    rows = f"{KINDS} UNION ALL SELECT 8, NULL, NULL, NULL, NULL, NULL, '', 'more' ORDER BY 1"
    with transaction.atomic(using=NAME):
        found = own.straight(rows, parameters)
        first, rest = found.fetchone(), found.fetchall()
        assert [first, *rest] == the_long_way(own, rows, parameters)
        assert first == (7, "Bäume 🌳 %s", True, KEY, MOMENT, [1, 2, None], "100 %", None)
        assert (found.fetchone(), found.fetchall()) == (None, [])


def test_marks_are_numbered() -> None:
    assert numbered("SELECT %s, '5 %%', %s") == b"SELECT $1, '5 %', $2"


def test_it_begins_a_transaction_that_can_be_taken_back(own: Any) -> None:
    with suppress(KeyError), transaction.atomic(using=NAME):
        own.straight("INSERT INTO one VALUES (%s)", [1])
        raise KeyError
    with transaction.atomic(using=NAME):
        own.straight("INSERT INTO one VALUES (%s)", [2])
        with suppress(KeyError), transaction.atomic(using=NAME):
            own.straight("INSERT INTO one VALUES (%s)", [3])
            raise KeyError
    assert there(own) == [2]


def test_it_is_for_transactions_to_which_nobody_listens(own: Any) -> None:
    assert own.straight("SELECT 1", []) is None
    with transaction.atomic(using=NAME):
        with own.execute_wrapper(lambda execute, *how: execute(*how)):
            assert own.straight("SELECT 1", []) is None
        with CaptureQueriesContext(own):
            assert own.straight("SELECT 1", []) is None
        assert own.straight("SELECT 1", []).fetchone() == (1,)
        assert own.straight("SELECT %s", [[1]]) is own.straight("SELECT %s", [b"1"]) is None
        transaction.set_rollback(True, using=NAME)
        assert own.straight("SELECT 1", []) is None


def test_a_text_is_not_cut_off_at_what_postgresql_cannot_hold(own: Any) -> None:
    for ask in (own.straight, lambda *how: the_long_way(own, *how)):
        with transaction.atomic(using=NAME):
            with pytest.raises(DataError):
                ask("SELECT %s::text", ["a\0b"])
            transaction.set_rollback(True, using=NAME)


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("INSERT INTO one VALUES (1), (%s)", IntegrityError),
        ("SELECT 'x'::int + %s", DataError),
        ("SELECT nothing + %s", ProgrammingError),
        ("SELECT pg_sleep(%s)", OperationalError),
    ],
)
def test_errors_are_those_of_the_long_way(own: Any, sql: str, error: type[Exception]) -> None:
    causes = []
    for ask in (own.straight, lambda *how: the_long_way(own, *how)):
        with transaction.atomic(using=NAME):
            the_long_way(own, "SELECT set_config('statement_timeout', '50', true)", [])
            with pytest.raises(error) as raised:
                ask(sql, [1])
            transaction.set_rollback(True, using=NAME)
        causes.append(type(raised.value.__cause__))
    assert causes[0] is causes[1]


def test_a_connection_that_is_lost_is_an_operational_error_and_the_next_one_is_good(own: Any) -> None:
    with transaction.atomic(using=NAME):
        own.straight("SELECT 1", [])
        other: Any = connections.create_connection(NAME)
        the_long_way(other, "SELECT pg_terminate_backend(%s)", [own.connection.info.backend_pid])
        other.close()
        with pytest.raises(OperationalError):
            own.straight("SELECT 1", [])
        transaction.set_rollback(True, using=NAME)
    with transaction.atomic(using=NAME):
        assert own.straight("SELECT %s + 1", [1]).fetchall() == [(2,)]
