"""One lock around all writes of the process. These run on a file of their own, whatever database the others use."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from django.db import OperationalError, connections, transaction
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from zoomcafe import database
from zoomcafe.sqlite.base import Checkpoints, DatabaseWrapper
from zoomcafe.sqlite.turns import turn_for

Opener = Callable[[], DatabaseWrapper]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "cafe.sqlite3")


@pytest.fixture
def opened(path: str, django_db_blocker: DjangoDbBlocker) -> Iterator[Opener]:
    """Opens connections to one file; each belongs to the thread that opens it."""
    made: list[DatabaseWrapper] = []

    def opener() -> DatabaseWrapper:
        settings = ConnectionHandler({"default": database.sqlite(path)}).settings["default"]
        made.append(DatabaseWrapper(settings, alias=f"file{len(made)}"))
        made[-1].inc_thread_sharing()  # the fixture closes what threads have opened
        return made[-1]

    with django_db_blocker.unblock():
        yield opener
        for connection in made:
            connection.close()


@pytest.fixture
def connection(opened: Opener) -> DatabaseWrapper:
    connection = opened()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE cup (id INTEGER PRIMARY KEY, sugar INTEGER)")
        cursor.execute("INSERT INTO cup (sugar) VALUES (0)")
    return connection


def one(connection: DatabaseWrapper, sql: str) -> object:
    with connection.cursor() as cursor:
        return cursor.execute(sql).fetchone()[0]


def atomic(connection: DatabaseWrapper) -> transaction.Atomic:
    """Django finds connections by alias only."""
    setattr(connections._connections, connection.alias, connection)
    connections.settings.setdefault(connection.alias, connection.settings_dict)
    return transaction.atomic(using=connection.alias)


@pytest.fixture(autouse=True)
def _forget_aliases() -> Iterator[None]:
    yield
    for alias in [alias for alias in connections.settings if alias.startswith("file")]:
        del connections.settings[alias]
        if hasattr(connections._connections, alias):
            delattr(connections._connections, alias)


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)],
)
def test_a_connection_is_safe_from_the_first_statement(connection: DatabaseWrapper, pragma: str, value: object) -> None:
    assert one(connection, f"PRAGMA {pragma}") == value


def test_a_new_file_and_its_logs_are_read_by_their_owner_only(connection: DatabaseWrapper, path: str) -> None:
    assert one(connection, "SELECT sugar FROM cup") == 0
    assert {f"{path}{end}": Path(f"{path}{end}").stat().st_mode & 0o777 for end in ("", "-wal", "-shm")} == {
        f"{path}{end}": 0o600 for end in ("", "-wal", "-shm")
    }


def test_only_the_server_checkpoints(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Checkpoints, "by_this_process", False)
    assert one(opened(), "PRAGMA wal_autocheckpoint") == 0
    monkeypatch.setattr(Checkpoints, "by_this_process", True)
    assert one(opened(), "PRAGMA wal_autocheckpoint") == 1000


def test_a_transaction_has_the_turn_from_its_begin_to_its_end(connection: DatabaseWrapper, path: str) -> None:
    with atomic(connection):
        assert not turn_for(path).take(0)
        assert connection.connection.in_transaction
    assert turn_for(path).take(0)
    turn_for(path).give_back()


def test_the_turn_is_given_back_however_a_transaction_ends(connection: DatabaseWrapper, path: str) -> None:
    with pytest.raises(ZeroDivisionError), atomic(connection):
        raise ZeroDivisionError
    with pytest.raises(OperationalError), atomic(connection):
        one(connection, "SELECT nothing")
    with contextlib.suppress(ZeroDivisionError), atomic(connection):
        connection.close()
        raise ZeroDivisionError
    assert turn_for(path).take(0)
    turn_for(path).give_back()


def test_a_lone_write_is_committed_before_the_turn_is_given_back(connection: DatabaseWrapper, opened: Opener) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO cup (sugar) VALUES (1), (2), (3) RETURNING sugar")
        assert not connection.connection.in_transaction
        assert one(opened(), "SELECT count(*) FROM cup") == 4
        assert (cursor.fetchone(), cursor.fetchmany(1), cursor.fetchall()) == ((1,), [(2,)], [(3,)])
        assert cursor.fetchone() is None


def test_rows_of_a_lone_write_can_be_walked(connection: DatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        assert [row for (row,) in cursor.execute("UPDATE cup SET sugar = 7 RETURNING sugar")] == [7]


def test_reading_needs_no_turn(connection: DatabaseWrapper, path: str) -> None:
    turn_for(path).take(0)
    try:
        assert one(connection, "SELECT count(*) FROM cup") == 1
    finally:
        turn_for(path).give_back()


@pytest.mark.parametrize("lone", [True, False], ids=["lone write", "transaction"])
def test_waiting_for_other_writers_has_an_end(connection: DatabaseWrapper, path: str, *, lone: bool) -> None:
    connection.settings_dict["OPTIONS"]["timeout"] = 0.05
    turn_for(path).take(0)
    try:
        write = partial(one, connection, "UPDATE cup SET sugar = 1") if lone else atomic(connection).__enter__
        with pytest.raises(OperationalError, match="database is locked"):
            write()
    finally:
        turn_for(path).give_back()
    assert one(connection, "SELECT sugar FROM cup") == 0
    with atomic(connection), connection.cursor() as cursor:
        cursor.execute("UPDATE cup SET sugar = 2")
    assert one(connection, "SELECT sugar FROM cup") == 2


def test_no_writer_is_turned_away_and_no_write_is_lost(connection: DatabaseWrapper, opened: Opener) -> None:
    start = threading.Barrier(8)

    def stir(_: int) -> None:
        mine = opened()
        start.wait()
        for _turn in range(25):
            with atomic(mine), mine.cursor() as cursor:
                (sugar,) = cursor.execute("SELECT sugar FROM cup").fetchone()
                cursor.execute("UPDATE cup SET sugar = %s", [sugar + 1])

    with ThreadPoolExecutor(8) as people:
        list(people.map(stir, range(8)))
    assert one(connection, "SELECT sugar FROM cup") == 200
