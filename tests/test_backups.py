"""Copies of the SQLite file: taken while people write, kept in bounded number, brought back by one command."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker, Settings

from tests.machine import REPORT
from zoomcafe import database
from zoomcafe.backups import shelf
from zoomcafe.backups.keeper import Keeper
from zoomcafe.backups.taking import NotTaken, take
from zoomcafe.sqlite.base import DatabaseWrapper

MINUTE_S = 60
DAY = timedelta(days=1)
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def var(tmp_path: Path, settings: Settings) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


@pytest.fixture
def connection(var: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[DatabaseWrapper]:
    """To a file of its own, whatever database the other tests use."""
    settings = ConnectionHandler({"default": database.sqlite(var / "cafe.sqlite3")}).settings["default"]
    with django_db_blocker.unblock():
        connection = DatabaseWrapper(settings, alias="cafe")
        connection.inc_thread_sharing()
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE cup (id INTEGER PRIMARY KEY, sugar INTEGER)")
        yield connection
        connection.close()


def sugars(path: Path) -> list[int]:
    with contextlib.closing(sqlite3.connect(path)) as opened:
        return [sugar for (sugar,) in opened.execute("SELECT sugar FROM cup ORDER BY id")]


def writer(var: Path) -> sqlite3.Connection:
    """Somebody else at the same file."""
    return sqlite3.connect(var / "cafe.sqlite3", isolation_level=None, check_same_thread=False)


# ── which copies stay ──
def names(*moments: datetime) -> list[Path]:
    return [shelf.path_for(moment) for moment in moments]


def test_the_newest_copies_stay_and_the_last_one_of_each_day() -> None:
    today = [NOW - timedelta(minutes=5 * n) for n in range(20)]
    before = [NOW - DAY * n - timedelta(hours=h) for n in range(1, 12) for h in (0, 3)]
    gone = shelf.superfluous(names(*today, *before), recent=12, days=7)
    stay = sorted(set(names(*today, *before)) - set(gone))
    assert stay == sorted(names(*today[:12], *(NOW - DAY * n for n in range(1, 7))))


def test_no_copy_goes_because_time_has_passed() -> None:
    old = names(*(NOW - DAY * 365 - DAY * n for n in range(7)))
    assert shelf.superfluous(old, recent=1, days=7) == []


def test_what_the_server_did_not_make_is_not_taken_away(var: Path) -> None:
    ours = [shelf.path_for(NOW + timedelta(minutes=n)) for n in range(20)]
    others = [shelf.path_for(NOW, mark="-by-hand"), shelf.folder() / "zoomcafe-20269999-101500.sqlite3"]
    shelf.folder().mkdir()
    begun, abandoned = (shelf.folder() / f".{ours[0].name}.{pid}.part" for pid in (1, 2))
    for path in [*ours, *others, begun, abandoned]:
        path.touch()
    os.utime(abandoned, (0, 0))
    shelf.clear()
    assert sorted(shelf.folder().iterdir()) == sorted([*ours[-12:], *others, begun])


# ── taking one ──
def test_a_copy_holds_what_was_committed_and_nothing_half_done(connection: DatabaseWrapper, var: Path) -> None:
    other = writer(var)
    other.execute("INSERT INTO cup (sugar) VALUES (1)")
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO cup (sugar) VALUES (2)")
    take(var / "copies" / "one.sqlite3", connection=connection)
    other.execute("COMMIT")
    other.close()
    assert sugars(var / "copies" / "one.sqlite3") == [1]
    assert [path.name for path in (var / "copies").iterdir()] == ["one.sqlite3"]
    assert (var / "copies" / "one.sqlite3").stat().st_mode & 0o777 == 0o600


def test_people_write_on_while_a_copy_is_taken(connection: DatabaseWrapper, var: Path) -> None:
    """Measured, not asserted: how long a commit waits. Asserted: each copy is a moment of the whole."""
    waits: dict[bool, list[float]] = {True: [], False: []}
    copying, ended = threading.Event(), threading.Event()

    def write() -> None:
        other = writer(var)
        while not ended.is_set():
            started, during = time.perf_counter(), copying.is_set()
            other.execute("BEGIN IMMEDIATE")
            other.execute("INSERT INTO cup (sugar) SELECT coalesce(max(sugar), 0) + 1 FROM cup")
            other.execute("COMMIT")
            waits[during].append(time.perf_counter() - started)
        other.close()

    other = writer(var)
    other.execute("CREATE TABLE filling (words TEXT)")
    other.executemany("INSERT INTO filling VALUES (?)", [("x" * 100_000,)] * 100)
    other.close()
    thread = threading.Thread(target=write)
    thread.start()
    try:
        for n in range(5):
            copying.set()
            take(var / f"copy-{n}.sqlite3", connection=connection)
            copying.clear()
    finally:
        ended.set()
        thread.join()
    for n in range(5):
        found = sugars(var / f"copy-{n}.sqlite3")
        assert found == list(range(1, len(found) + 1))
    longest = {during: max(those, default=0.0) * 1_000 for during, those in waits.items()}
    REPORT.append(
        f"a commit waited at most {longest[True]:.0f} ms while 10 MB were copied, {longest[False]:.0f} ms else"
    )


def test_a_copy_never_fills_the_disk(connection: DatabaseWrapper, var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    take(var / "one.sqlite3", connection=connection)
    free = (var / "cafe.sqlite3").stat().st_size
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10 * free, 9 * free, free))
    with pytest.raises(NotTaken, match="too little room on the disk"):
        take(var / "two.sqlite3", connection=connection)
    assert not (var / "two.sqlite3").exists()


def test_a_copy_of_a_damaged_database_is_not_kept(connection: DatabaseWrapper, var: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO cup (sugar) WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n LIMIT 5000)"
            " SELECT x FROM n"
        )
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with (var / "cafe.sqlite3").open("r+b") as file:
        file.seek(2 * 4096)
        file.write(b"coffee" * 600)
    with pytest.raises(NotTaken):
        take(var / "one.sqlite3", connection=connection)
    assert not list(var.glob("*one*"))


# ── the server's own ──
def test_the_keeper_copies_at_most_every_five_minutes_and_only_what_has_changed(
    connection: DatabaseWrapper, var: Path
) -> None:
    keeper, other = Keeper(connection), writer(var)
    now = time.time()

    def copied(after_minutes: float) -> bool:
        return keeper.look(now + after_minutes * MINUTE_S) is not None

    assert copied(0)
    assert [copied(minutes) for minutes in (1, 5, 30)] == [False, False, False]
    other.execute("INSERT INTO cup (sugar) VALUES (1)")
    assert [copied(minutes) for minutes in (31, 32, 35.9, 60)] == [True, False, False, False]
    other.execute("INSERT INTO cup (sugar) VALUES (2)")
    assert [copied(minutes) for minutes in (61, 120)] == [True, False]
    other.close()
    assert [sugars(path) for path in shelf.copies()] == [[], [1], [1, 2]]


def test_a_restarted_server_goes_on_counting_from_the_last_copy(connection: DatabaseWrapper, var: Path) -> None:
    now = time.time() + MINUTE_S
    assert Keeper(connection).look(now)
    assert not Keeper(connection).look(now + MINUTE_S)
    assert not Keeper(connection).look(now + 6 * MINUTE_S)
    later = now + 10 * MINUTE_S
    os.utime(var / "cafe.sqlite3", (later, later))
    assert Keeper(connection).look(now + 11 * MINUTE_S)


def test_a_clock_that_was_set_back_stops_no_copies(connection: DatabaseWrapper, var: Path) -> None:
    keeper, other = Keeper(connection), writer(var)
    assert keeper.look(time.time() + 365 * 24 * 60 * MINUTE_S)
    other.execute("INSERT INTO cup (sugar) VALUES (1)")
    other.close()
    assert keeper.look(time.time())


def test_after_a_copy_that_failed_the_keeper_tries_again_later(
    connection: DatabaseWrapper, var: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keeper, now = Keeper(connection), time.time()
    shelf.folder().write_text("in the way")
    assert [keeper.look(now), keeper.look(now + MINUTE_S)] == [None, None]
    assert ["No copy could be written" in record.getMessage() for record in caplog.records] == [True]
    shelf.folder().unlink()
    assert keeper.look(now + 6 * MINUTE_S)
