"""The folder of the copies, and which of them stay. A copy's name tells when it was taken, in UTC."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

STAMP = "%Y%m%d-%H%M%S"
ABANDONED_S = 3_600
NAME = re.compile(r"zoomcafe-(?P<stamp>\d{8}-\d{6})\.sqlite3")


def folder() -> Path:
    return Path(settings.VAR_DIR) / "backups"


def path_for(moment: datetime, *, mark: str = "") -> Path:
    """Where a copy taken at `moment` lies. One with a `mark` in its name is never taken away by us."""
    return folder() / f"zoomcafe-{moment.astimezone(UTC):{STAMP}}{mark}.sqlite3"


def moment_of(path: Path) -> datetime | None:
    """When a copy made by the server was taken; null for any other file."""
    found = NAME.fullmatch(path.name)
    try:
        return datetime.strptime(found["stamp"], STAMP).replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def copies() -> list[Path]:
    """The server's own copies, oldest first."""
    with contextlib.suppress(OSError):
        return sorted(path for path in folder().iterdir() if moment_of(path))
    return []


def newest() -> Path | None:
    """The newest copy of all, also one made by hand."""
    with contextlib.suppress(OSError):
        found = [path for path in folder().glob("*.sqlite3") if path.is_file() and "before-restore" not in path.name]
        return max(found, key=lambda path: path.stat().st_mtime, default=None)
    return None


def superfluous(paths: Sequence[Path], *, recent: int, days: int) -> list[Path]:
    """Which copies go: all but the `recent` newest ones and the last one of each of the `days` latest days with any."""
    dated = sorted(((moment, path) for path in paths if (moment := moment_of(path))), reverse=True)
    last_of_day = {moment.date(): path for moment, path in reversed(dated)}
    daily = [last_of_day[day] for day in sorted(last_of_day, reverse=True)[:days]]
    stay = {path for _moment, path in dated[:recent]} | set(daily)
    return [path for _moment, path in dated if path not in stay]


def clear() -> None:
    """Takes away the copies that need not stay, and what a process that was killed had begun to write."""
    begun = [path for path in folder().glob(".*.part") if time.time() - path.stat().st_mtime > ABANDONED_S]
    for path in [*superfluous(copies(), recent=settings.BACKUPS_RECENT, days=settings.BACKUPS_DAILY), *begun]:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def written(path: Path) -> Iterator[Path]:
    """A place to write to that becomes `path` at the end, on disk, whole or not at all. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    draft.unlink(missing_ok=True)
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        yield draft
        sync(draft)
        draft.replace(path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Brings a file, or the names in a folder, to the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def near(path: Path) -> str:
    """The path as one would type it here."""
    with contextlib.suppress(ValueError):
        return str(path.resolve().relative_to(Path.cwd()))
    return str(path)
