"""`backup`, `restore` and `restored` as people type them, and what a start says about a damaged file."""

from __future__ import annotations

import contextlib
import re
import signal
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.test_commands import Place, visit, wait_until

CAFE = "from tests.cafe import *; from sessions.live.ops import *; from sessions.models import *; "
FRESH = CAFE + "cafe = Cafe().runs(); print(cafe.writes(cafe.cem, 'In the copy').op_id)"
HERE = (
    CAFE + "cafe = Cafe.__new__(Cafe); cafe.event = Event.objects.get(title='Neighbours', participants__name='Cem'); "
)
LATER = (
    HERE
    + "cem = Participant.objects.get(name='Cem'); board = cafe.board();"
    + "cafe.does(cem, f'board:{board.pk}', 'note.gone', note=uuid.UUID('%s'));"
    + "print(cafe.writes(cem, 'After the copy').op_id)"
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def said(place: Place, *arguments: str, **env: str) -> str:
    with place.command(*arguments, **env) as process:
        told, complained = process.communicate(timeout=120)
    assert process.returncode == 0, complained
    return told.strip()


def does(place: Place, script: str, **env: str) -> str:
    return said(place, "shell", "-v", "0", "-c", script, **env)


def database(place: Place) -> Path:
    return place.var / "zoomcafe.sqlite3"


def asked(file: Path, question: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(file)) as opened:
        return opened.execute(question).fetchall()


def notes(file: Path) -> dict[str, bool]:
    """The words of every note, and whether it is gone."""
    return {str(text): gone_at is not None for text, gone_at in asked(file, "SELECT text, gone_at FROM tables_note")}


def damage(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(4096)
        opened.write(b"coffee" * 2_000)


@pytest.fixture
def copied(place: Place) -> tuple[Path, str]:
    """A copy with one note, which is deleted afterwards in the database; another one is written."""
    said(place, "migrate", "-v", "0")
    first = does(place, FRESH)
    copy = said(place, "backup")
    does(place, LATER % first)
    return Path(copy), first


def test_a_copy_is_brought_back_without_what_was_deleted_since(place: Place, copied: tuple[Path, str]) -> None:
    copy, _first = copied
    epoch = asked(database(place), "SELECT epoch FROM cafe_event")
    assert notes(database(place)) == {"In the copy": True, "After the copy": False}
    told = said(place, "restore", str(copy))
    assert notes(database(place)) == {"In the copy": True}
    assert notes(copy) == {"In the copy": False}
    assert database(place).stat().st_mode & 0o777 == 0o600
    assert not set(asked(database(place), "SELECT epoch FROM cafe_event")) & set(epoch)
    aside = place.var / told.split("What was there before is in ")[1].removesuffix(".")
    assert notes(aside) == {"In the copy": True, "After the copy": False}
    assert said(place, "restore", str(aside)).startswith("Restored ")
    assert notes(database(place)) == {"In the copy": True, "After the copy": False}


def test_a_copy_stands_where_one_says_and_takes_no_others_place(place: Place, tmp_path: Path) -> None:
    assert "There is nothing to copy yet" in place.refusal("backup")
    said(place, "migrate", "-v", "0")
    wish = tmp_path / "elsewhere" / "cafe.sqlite3"
    assert said(place, "backup", str(wish)) == str(wish)
    assert asked(wish, "SELECT count(*) FROM cafe_event") == [(0,)]
    assert place.refusal("backup", str(wish)) == f"CommandError: {wish} exists already: choose another name."
    by_hand = Path(said(place, "backup"))
    assert by_hand.parent == place.var / "backups"
    assert re.fullmatch(r"zoomcafe-\d{8}-\d{6}-by-hand\.sqlite3", by_hand.name)


def test_nothing_is_brought_back_under_a_running_server(place: Place, copied: tuple[Path, str]) -> None:
    copy, _first = copied
    with place.running("serve", "ZoomCafé listens") as (_said, process):
        for command in (("restore", str(copy)), ("restored",)):
            sentence = place.refusal(*command)
            assert sentence.endswith(
                f"(process {process.pid}, {place.url}/) already works in {place.var}: stop it first."
            )
        assert Path(said(place, "backup", str(place.var / "meanwhile.sqlite3"))).exists()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert notes(database(place)) == {"In the copy": True, "After the copy": False}


def test_a_damaged_file_is_refused_with_the_command_that_helps(place: Place, copied: tuple[Path, str]) -> None:
    copy, _first = copied
    damage(database(place))
    sentence = place.refusal("serve", "--port", str(place.port))
    assert "zoomcafe.sqlite3 is damaged: the newest copy is of 20" in sentence
    command = re.search(r"python3 manage\.py (restore \S+) and start again", sentence)
    assert command is not None
    assert command[1] == f"restore {copy}"
    said(place, *command[1].split())
    assert notes(database(place)) == {"In the copy": True}
    with place.running("serve", "ZoomCafé listens"):
        assert visit(f"{place.url}/healthz") == 200


def test_a_damaged_file_without_a_copy_is_said_to_be_so(place: Place) -> None:
    place.var.mkdir()
    database(place).write_bytes(b"coffee" * 4096)
    assert "there is no copy in" in place.refusal("serve", "--port", str(place.port))


@pytest.mark.parametrize("kind", ["missing", "text", "damaged", "foreign", "newer"])
def test_what_is_no_copy_of_ours_changes_nothing(place: Place, copied: tuple[Path, str], kind: str) -> None:
    wrong = place.var / "wrong.sqlite3"
    if kind == "text":
        wrong.write_text("cake recipes")
    elif kind == "foreign":
        asked(wrong, "CREATE TABLE cake (id INTEGER PRIMARY KEY)")
    elif kind != "missing":
        wrong.write_bytes(copied[0].read_bytes())
    if kind == "damaged":
        damage(wrong)
    if kind == "newer":
        with contextlib.closing(sqlite3.connect(wrong, isolation_level=None)) as opened:
            opened.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES ('cafe', '9999_far', '2030-01-01')"
            )
    before = database(place).read_bytes()
    sentence = place.refusal("restore", str(wrong))
    says = {
        "missing": "There is no file",
        "text": "is damaged, or no copy of a ZoomCafé database",
        "damaged": "is damaged",
        "foreign": "holds no ZoomCafé",
        "newer": "comes from a newer ZoomCafé (it has cafe.9999_far): update this one first.",
    }
    assert says[kind] in sentence
    assert database(place).read_bytes() == before
    assert not list(place.var.glob("*restoring*"))


def test_a_running_server_takes_copies_by_itself_unless_told_otherwise(place: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "without")
    with place.running("serve", "ZoomCafé listens"), other.running("serve", "ZoomCafé listens", BACKUP_MINUTES="0"):
        wait_until(lambda: any((place.var / "backups").glob("zoomcafe-*.sqlite3")))
        assert not (other.var / "backups").exists()
    [copy] = (place.var / "backups").iterdir()
    assert asked(copy, "PRAGMA quick_check") == [("ok",)]
    assert asked(copy, "SELECT count(*) FROM cafe_event") == [(0,)]


def test_a_copy_from_an_older_version_is_brought_up_to_date(place: Place, tmp_path: Path) -> None:
    said(place, "migrate", "-v", "0", "cafe", "0001")
    copy = said(place, "backup")
    said(place, "migrate", "-v", "0")
    said(place, "restore", copy)
    assert asked(database(place), "SELECT count(*) FROM cafe_event WHERE restored_at > 0") == [(0,)]
    with place.running("serve", "ZoomCafé listens"):
        assert visit(f"{place.url}/readyz") == 200


def test_before_an_update_a_copy_is_taken(place: Place) -> None:
    said(place, "migrate", "-v", "0", "cafe", "0001")
    with place.running("serve", "ZoomCafé listens"):
        pass
    [copy] = (place.var / "backups").iterdir()
    names = [name for _app, name in asked(copy, "SELECT app, name FROM django_migrations WHERE app = 'cafe'")]
    assert names == ["0001_first"]


@pytest.fixture
def shared(postgres_url: str) -> Iterator[str]:
    """The address of a PostgreSQL database of its own."""
    name = f"restored_{uuid.uuid4().hex}"
    server, _slash, _name = postgres_url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield f"{server}/{name}"
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_with_postgresql_its_own_tools_are_named(place: Place, shared: str) -> None:
    assert "The data is in PostgreSQL: copy it with pg_dump" in place.refusal("backup", DATABASE_URL=shared)
    sentence = place.refusal("restore", "cafe.dump", DATABASE_URL=shared)
    assert sentence.endswith("bring it back with pg_restore, then run python3 manage.py restored.")
    assert "lacks" in place.refusal("restored", DATABASE_URL=shared)


def test_restored_renews_a_shared_database_with_the_ledgers_of_all_machines(
    place: Place, shared: str, tmp_path: Path
) -> None:
    said(place, "migrate", "-v", "0", DATABASE_URL=shared)
    first = does(place, FRESH, DATABASE_URL=shared)
    does(place, LATER % first, DATABASE_URL=shared)
    ledger = place.var / "ledger.jsonl"
    elsewhere = ledger.rename(tmp_path / "other.jsonl")
    with psycopg.connect(shared, autocommit=True) as older:
        older.execute(
            "UPDATE tables_note SET gone_at = NULL; UPDATE tables_board SET note_count = 2 WHERE note_count = 1"
        )
        [epoch] = older.execute("SELECT epoch FROM cafe_event ORDER BY id LIMIT 1").fetchall()
        assert "There is no file" in place.refusal("restored", "--ledger", "nowhere.jsonl", DATABASE_URL=shared)
        told = said(place, "restored", "--ledger", str(elsewhere), DATABASE_URL=shared)
        assert told.startswith("2 events, and 0 deleted again")
        gone = older.execute("SELECT text FROM tables_note WHERE gone_at IS NOT NULL").fetchall()
        assert gone == [("In the copy",)]
        assert older.execute("SELECT epoch FROM cafe_event ORDER BY id LIMIT 1").fetchall() != [epoch]


def test_restored_does_nothing_while_servers_use_the_database(place: Place, shared: str) -> None:
    said(place, "migrate", "-v", "0", DATABASE_URL=shared)
    with psycopg.connect(shared, application_name="zoomcafe"):
        sentence = place.refusal("restored", DATABASE_URL=shared)
    assert "ZoomCafé servers still use the database (1 connections): stop them first." in sentence
