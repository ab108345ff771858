"""What must be in place before the doors open: the folder for ourselves, a sound database, current static files."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gc
import hashlib
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import django
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from sessions import ledger
from zoomcafe import slim, storage
from zoomcafe.backups import shelf
from zoomcafe.backups.keeper import keeping
from zoomcafe.backups.taking import NotTaken, take
from zoomcafe.serving import CafeServer, Limits, listening_socket


def serve(*, host: str, port: int, ready: Callable[[], None], prepare: Callable[[], None] | None = None) -> None:
    """Opens, serves until told to stop, closes. `ready` is called once callers are let in."""
    check_settings()
    with the_folder_to_ourselves(f"http://{host}:{port}/"):
        listener = taken_port_explained(host, port)
        prepare_database()
        complete_the_ledger()
        collect_static_files()
        if prepare is not None:
            prepare()
        gc.collect()
        gc.freeze()  # what start-up made stays; the collector need not walk it again and again
        server = CafeServer(
            application(), listener=listener, farewell=farewell(), limits=Limits(body_bytes=settings.LIMIT_BODY_BYTES)
        )
        with keeping():
            server.run(ready=ready)


def check_settings() -> None:
    """What Django's system check finds, in plain sentences."""
    if found := [str(each.msg) for each in run_checks() if each.is_serious()]:
        raise CommandError(" ".join(found))


def application() -> Any:
    from zoomcafe.asgi import application  # reads the settings as they stand now

    return application


def farewell() -> Callable[[], Awaitable[None]]:
    from sessions.live import hub

    return hub.farewell


@contextlib.contextmanager
def the_folder_to_ourselves(
    address: str, *, otherwise: str = "stop it first, or give this one a folder of its own with VAR_DIR."
) -> Iterator[None]:
    """With SQLite one server at a time: locks and hints live in its memory. The system frees the file at any end."""
    if connection.vendor != "sqlite":
        yield
        return
    path = settings.VAR_DIR / "server.lock"
    with lock_file(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"{other_server(path)}: {otherwise}") from None
        file.truncate(0)
        file.write(f"{os.getpid()} {address}\n")
        file.flush()
        yield


def lock_file(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+", encoding="utf-8")
    except OSError as problem:
        raise CommandError(
            f"Cannot write to {path.parent} ({problem.strerror}): make it writable,"
            " or set VAR_DIR to a folder of your own."
        ) from None


def other_server(path: Path) -> str:
    number, _blank, address = path.read_text(encoding="utf-8").strip().partition(" ")
    return f"A ZoomCafé server (process {number}, {address}) already works in {path.parent}"


def taken_port_explained(host: str, port: int) -> socket.socket:
    try:
        return listening_socket(host, port)
    except OSError as problem:
        why = {
            errno.EADDRINUSE: f"Port {port} is taken by another program: choose another, such as --port {port + 1}.",
            errno.EACCES: f"Port {port} needs more rights than this account has: choose one above 1023.",
            errno.EADDRNOTAVAIL: f"This computer has no address {host}: leave --host away, or use --lan for phones.",
        }
        sentence = why.get(problem.errno or 0, f"Cannot listen at {host}, port {port}: {problem.strerror}.")
        raise CommandError(sentence) from None


def prepare_database() -> None:
    """A SQLite file is checked and brought up to date; a shared database only its operator migrates."""
    try:
        if connection.vendor == "sqlite":
            check_file()
        missing = missing_migrations()
        if missing and connection.vendor == "sqlite":
            copy_before_an_update()
            call_command("migrate", verbosity=0, interactive=False)
        elif missing:
            raise CommandError(f"The database lacks {missing} migrations: run python3 manage.py migrate first.")
    except DatabaseError as problem:
        raise CommandError(f"The database does not answer ({str(problem).strip()}): check DATABASE_URL.") from None


def check_file() -> None:
    from zoomcafe.sqlite.base import checkpoint_here

    checkpoint_here()
    name = connection.settings_dict["NAME"]
    try:
        with connection.cursor() as cursor:
            sound = cursor.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
    except DatabaseError as problem:
        if "malformed" not in str(problem) and "not a database" not in str(problem):
            raise
        sound = False
    if not sound:
        raise CommandError(f"The database file {name} is damaged: {how_to_restore(shelf.newest())}")


def how_to_restore(copy: Path | None) -> str:
    if copy is None:
        return f"there is no copy in {shelf.folder()}; with one from elsewhere run python3 manage.py restore FILE."
    taken = datetime.fromtimestamp(copy.stat().st_mtime).astimezone()
    return (
        f"the newest copy is of {taken:%Y-%m-%d %H:%M}; bring it back with"
        f" python3 manage.py restore {shelf.near(copy)} and start again (what is there now is kept aside)."
    )


def copy_before_an_update() -> None:
    """A new database has nothing to lose yet."""
    if connection.introspection.table_names():
        with contextlib.suppress(NotTaken):
            take(shelf.path_for(datetime.now(UTC)))


def complete_the_ledger() -> None:
    """What the power cut off between a commit and its line in the ledger."""
    from sessions.live.renewal import put_down_what_is_missing

    try:
        put_down_what_is_missing(ledger.read())
    except OSError as problem:
        raise CommandError(f"{ledger.path()} cannot be read or written ({problem.strerror}).") from None


def missing_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def collect_static_files() -> None:
    """Only when a file, the storage or Django has changed since the last time."""
    stamp = settings.VAR_DIR / "static.stamp"
    now = fingerprint()
    if Path(settings.STATIC_ROOT).is_dir() and stamp.exists() and stamp.read_text(encoding="ascii") == now:
        return
    try:
        call_command("collectstatic", verbosity=0, interactive=False)
    except (ValueError, OSError) as problem:
        raise CommandError(f"The static files could not be collected: {problem}") from None
    stamp.write_text(now, encoding="ascii")


def fingerprint() -> str:
    ways = [Path(module.__file__ or "").read_bytes() for module in (slim, storage)]
    facts = [repr((django.VERSION, settings.STORAGES["staticfiles"], str(settings.STATIC_ROOT), ways))]
    for finder in finders.get_finders():
        for path, where in finder.list([]):
            found = Path(where.path(path)).stat()
            facts.append(f"{path} {found.st_size} {found.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(facts)).encode()).hexdigest()
