"""Takes copies while the server runs, in a thread of its own."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError
from django.db import connection as usual
from django.db.backends.base.base import BaseDatabaseWrapper

from zoomcafe.backups import shelf
from zoomcafe.backups.taking import NotTaken, take

log = logging.getLogger(__name__)
LOOK_S = 5.0


class Keeper:
    """Looks every few seconds; at most every `BACKUP_MINUTES` a copy, and only of what has changed."""

    def __init__(self, connection: BaseDatabaseWrapper = usual) -> None:
        self.connection = connection
        self.ended = threading.Event()
        self.tried_at = -1e9
        self.seen: int | None = None  # SQLite's count of what others have changed, as of the last copy

    def run(self) -> None:
        while not self.ended.wait(LOOK_S):
            try:
                self.look(time.time())
            except DatabaseError as problem:
                log.warning("No copy of the database could be taken: %s", problem)
            except Exception:  # the boundary of a thread: without it there would be no copy any more
                log.exception("Taking copies of the database stumbled; it goes on")
        self.connection.close()

    def look(self, now: float) -> Path | None:
        """Takes a copy if it is time and something has changed; `now` in seconds since the epoch."""
        last = shelf.copies()[-1:]
        before = max([self.tried_at, *(taken_at(path) for path in last)])
        if 0 <= now - before < settings.BACKUP_MINUTES * 60:
            return None
        version = self.changes()
        if version == self.seen or (self.seen is None and not self.is_newer_than(last)):
            self.seen = version
            return None
        self.tried_at = now
        return self.copy(shelf.path_for(datetime.fromtimestamp(now, UTC)), version)

    def copy(self, path: Path, version: int) -> Path | None:
        started = time.perf_counter()
        try:
            size = take(path, connection=self.connection)
        except NotTaken as reason:
            log.warning("%s", reason)
            return None
        self.seen = version
        shelf.clear()
        log.info("copied the database to %s: %d kB, %.0f ms", path, size // 1024, (time.perf_counter() - started) * 1e3)
        return path

    def changes(self) -> int:
        """A number that is another one when anybody else has committed since."""
        with self.connection.cursor() as cursor:
            return int(cursor.execute("PRAGMA data_version").fetchone()[0])

    def is_newer_than(self, copies: list[Path]) -> bool:
        """Whether the database was written to since the newest of these copies was begun; true when there is none."""
        name = str(self.connection.settings_dict["NAME"])
        written = [file.stat().st_mtime for file in (Path(name), Path(f"{name}-wal")) if file.exists()]
        return not copies or max(written, default=0.0) > taken_at(copies[-1])


def taken_at(path: Path) -> float:
    moment = shelf.moment_of(path)
    return moment.timestamp() if moment else 0.0


@contextlib.contextmanager
def keeping() -> Iterator[None]:
    """Copies are taken as long as the block lasts; with another database than SQLite, or by wish, none."""
    if usual.vendor != "sqlite" or not settings.BACKUP_MINUTES:
        yield
        return
    keeper = Keeper()
    thread = threading.Thread(target=keeper.run, name="backups", daemon=True)
    thread.start()
    try:
        yield
    finally:
        keeper.ended.set()
        thread.join(timeout=10)
