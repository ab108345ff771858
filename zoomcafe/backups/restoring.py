"""Puts a copy in the place of the SQLite database.

Everything is done to the copy before anything of the present goes.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from sessions import ledger
from sessions.live.renewal import Renewed, put_down_what_is_missing, renew
from zoomcafe.backups import shelf
from zoomcafe.backups.taking import is_sound

SIDE_FILES = ("-wal", "-shm")


class NotRestored(Exception):  # noqa: N818 - an answer, not an error
    """Nothing has changed; the sentence says why."""


class Restored(NamedTuple):
    """`aside` is where the former database lies now; null when there was none."""

    renewed: Renewed
    aside: Path | None


def restore(copy: Path, *, ledgers: Sequence[Path] = ()) -> Restored:
    """Replaces the database by `copy`, renewed. The server must be stopped. Raises `NotRestored`."""
    place = Path(connection.settings_dict["NAME"])
    work = place.with_name(f"{place.name}.restoring")
    try:
        remove(work)
        bring(copy, work)
        catch_up_with(place)
        with working_on(work):
            renewed = made_ready(copy, ledgers)
        return Restored(renewed, exchange(place, work))
    except (OSError, DatabaseError) as problem:
        raise NotRestored(f"{copy} could not be restored ({str(problem).strip()}).") from problem
    finally:
        remove(work)


def bring(copy: Path, work: Path) -> None:
    """A copy made by other means may have part of its pages in a log beside it."""
    if not copy.is_file():
        raise NotRestored(f"There is no file {copy}.")
    work.parent.mkdir(parents=True, exist_ok=True)
    work.touch(mode=0o600)
    shutil.copyfile(copy, work)
    log = Path(f"{copy}-wal")
    if log.exists():
        shutil.copyfile(log, f"{work}-wal")
    elif not is_sound(work):
        raise NotRestored(f"{copy} is damaged, or no copy of a ZoomCafé database: choose another one.")


def catch_up_with(place: Path) -> None:
    """The present database, as far as it can still be read, knows best what was erased."""
    if place.exists():
        with contextlib.suppress(DatabaseError):
            put_down_what_is_missing(ledger.read())
        connection.close()


@contextlib.contextmanager
def working_on(path: Path) -> Iterator[None]:
    """Within the block the database is the file `path`; afterwards all of it is in that file, on the disk."""
    connection.close()
    usual = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
    if Path(f"{path}-wal").exists():
        raise NotRestored(f"The log of {path} could not be written back.")
    shelf.sync(path)


def made_ready(copy: Path, ledgers: Sequence[Path]) -> Renewed:
    """Checks what lies there, brings it up to date and renews it."""
    with connection.cursor() as cursor:
        sound = cursor.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
    if not sound:
        raise NotRestored(f"{copy} is damaged: choose another copy.")
    applied = set(MigrationRecorder(connection).applied_migrations())
    if ("cafe", "0001_first") not in applied:
        raise NotRestored(f"{copy} holds no ZoomCafé: choose another copy.")
    unknown = sorted(applied - MigrationLoader(None).disk_migrations.keys())
    if unknown:
        raise NotRestored(f"{copy} comes from a newer ZoomCafé (it has {'.'.join(unknown[0])}): update this one first.")
    call_command("migrate", verbosity=0, interactive=False, while_live=True)
    return renew(ledger.read(ledger.path(), *ledgers))


def exchange(place: Path, work: Path) -> Path | None:
    """At every moment a whole database lies at `place`, with no log beside it that belongs to another one."""
    aside = None
    if place.exists():
        aside = shelf.path_for(datetime.now(UTC), mark="-before-restore")
        aside.parent.mkdir(parents=True, exist_ok=True)
        for ending in SIDE_FILES:
            with contextlib.suppress(FileNotFoundError):
                shutil.move(f"{place}{ending}", f"{aside}{ending}")
        second_name(place, aside)
    work.replace(place)
    shelf.sync(place.parent)
    return aside


def second_name(place: Path, aside: Path) -> None:
    """A copy only where the two lie on different disks."""
    try:
        aside.hardlink_to(place)
    except OSError:
        shutil.copyfile(place, aside)
        shelf.sync(aside)


def remove(path: Path) -> None:
    for ending in ("", *SIDE_FILES):
        Path(f"{path}{ending}").unlink(missing_ok=True)
