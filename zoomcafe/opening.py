"""What must be in place before the doors open: the folder for ourselves, a sound database, current static files."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import logging
import os
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TextIO, cast

import django
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from sessions import ledger
from zoomcafe import logs, slim, storage, whole
from zoomcafe.backups import shelf
from zoomcafe.backups.keeper import keeping
from zoomcafe.backups.taking import NotTaken, take
from zoomcafe.serving import CafeServer, Limits, listening_socket
from zoomcafe.serving.lifeline import Lifeline
from zoomcafe.serving.supervisor import NoStartError, Supervisor
from zoomcafe.serving.tally import Share, Tally

logger = logging.getLogger("zoomcafe.serving")
RESERVED = "superuser_reserved_connections"
UNUSED = ["htmax-*", "htmx-4*", "htmx-2.js", "htmx-2-*", "hx-*"]  # of what django-htmx brings along


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
        server = server_at(listener)
        with keeping():
            server.run(ready=ready)


def serve_together(workers: int, *, host: str, port: int, ready: Callable[[], None]) -> None:
    """The same with several processes at one port; SIGHUP renews them one after the other."""
    check_settings()
    check_sharing()
    listener = taken_port_explained(host, port)
    prepare_database()
    complete_the_ledger()
    check_pools(workers)
    collect_static_files()
    cast("Any", connection).close_pool()  # the workers have their own
    manage = (sys.executable, str(settings.BASE_DIR / "manage.py"), "worker")
    supervisor = Supervisor(manage, count=workers, listener=listener, ready=ready, prepare=(*manage, "--prepare"))
    try:
        in_order = asyncio.run(supervisor.run())
    except NoStartError:
        raise CommandError("A worker could not start; what it said stands above.") from None
    if not in_order:
        raise CommandError("A worker did not end in order.")


def work(*, number: int, place: int, listener: int, tally: int, lifeline: int) -> None:
    """One worker, until its supervisor cuts the lifeline. The others are named by their file descriptors."""
    logs.worker = number
    line = Lifeline(lifeline)
    server = server_at(socket.socket(fileno=listener), share=Share(Tally(tally), place))
    line.when_cut(server.loop, server.leave)
    server.run(ready=line.tell_ready)


def prepare() -> None:
    """Before new workers come in place of old ones: raises `CommandError` when they could not start."""
    check_settings()
    prepare_database()
    complete_the_ledger()
    collect_static_files()


def server_at(listener: socket.socket, *, share: Share | None = None) -> CafeServer:
    asgi, live = application(), LiveSide(others=share is not None)
    limits = Limits(body_bytes=settings.LIMIT_BODY_BYTES)
    server = CafeServer(asgi, listener=listener, farewell=live.farewell, settle=live.settle, limits=limits, share=share)
    server.loop.call_soon(live.begin)
    return server


def check_settings() -> None:
    """What Django's system check finds, in plain sentences."""
    if found := [str(each.msg) for each in run_checks() if each.is_serious()]:
        raise CommandError(" ".join(found))


def check_sharing() -> None:
    """Several workers share one database and tell each other what is new."""
    if connection.vendor == "sqlite":
        raise CommandError(
            "Several workers need a database they can share: set DATABASE_URL=postgres://user:password@host/name,"
            " or start with --workers 1."
        )
    if not settings.REDIS_URL:
        raise CommandError(
            "Several workers tell each other through Redis what is new: set REDIS_URL=redis://host:6379,"
            " or start with --workers 1."
        )


def check_pools(workers: int) -> None:
    """Says when PostgreSQL has fewer connections than the workers may open; a pooler between us may know better."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('max_connections')::int - current_setting(%s)::int", [RESERVED])
        there = cursor.fetchone()[0]
    wanted = (workers + 1) * settings.POOL_SIZE
    if wanted > there:
        logger.warning(
            "%d workers, and one more while they are renewed, may open %d connections (POOL_SIZE %d each), but"
            " PostgreSQL has %d: lower POOL_SIZE, start fewer workers or raise its max_connections",
            workers,
            wanted,
            settings.POOL_SIZE,
            there,
        )


def application() -> Any:
    from zoomcafe.asgi import application  # reads the settings as they stand now

    return application


class LiveSide:
    """What lives beside the server on its loop."""

    def __init__(self, *, others: bool) -> None:
        from sessions.live import desk, hub

        self.desk, self.farewell = desk, partial(hub.farewell, others=others)
        self.hints = None
        if settings.REDIS_URL:
            from sessions.live.hints import Hints

            self.hints = Hints(settings.REDIS_URL)

    def begin(self) -> None:
        if self.hints is not None:
            self.hints.start()

    async def settle(self) -> None:
        await self.desk.Writer.here().finish()
        if self.hints is not None:
            await self.hints.stop()


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
            call_command("migrate", verbosity=0, interactive=False, while_live=True)  # nobody is served yet
        elif missing:
            raise CommandError(f"The database lacks {missing} migrations: run python3 manage.py migrate first.")
    except DatabaseError as problem:
        if connection.vendor == "postgresql":
            cast("Any", connection).close_pool()  # which tries again in the background, and would say so last
        raise CommandError(f"The database does not answer ({str(problem).strip()}): check DATABASE_URL.") from None


def check_file() -> None:
    from zoomcafe.sqlite.base import checkpoint_here

    checkpoint_here()
    name = connection.settings_dict["NAME"]
    check_rights(Path(name))
    try:
        with connection.cursor() as cursor:
            sound = cursor.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
    except DatabaseError as problem:
        if "malformed" not in str(problem) and "not a database" not in str(problem):
            raise
        sound = False
    if not sound:
        raise CommandError(f"The database file {name} is damaged: {how_to_restore(shelf.newest())}")


def check_rights(path: Path) -> None:
    """A file that can be read alone would let the doors open, and then refuse everything."""
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise CommandError(
            f"This account may not read and write {path}: give it that file and all else in {path.parent} (chown)."
        )


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
    """Only when a file, the storage or Django has changed since the last time; one process at a time."""
    stamp = settings.VAR_DIR / "static.stamp"
    now = fingerprint()
    with lock_file(settings.VAR_DIR / "static.lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if Path(settings.STATIC_ROOT).is_dir() and stamp.exists() and stamp.read_text(encoding="ascii") == now:
            return
        try:
            call_command("collectstatic", verbosity=0, interactive=False, ignore_patterns=UNUSED)
        except (ValueError, OSError) as problem:
            raise CommandError(f"The static files could not be collected: {problem}") from None
        stamp.write_text(now, encoding="ascii")


def fingerprint() -> str:
    ways = [Path(module.__file__ or "").read_bytes() for module in (slim, storage, whole)]
    facts = [repr((django.VERSION, settings.STORAGES["staticfiles"], UNUSED, ways))]
    for finder in finders.get_finders():
        for path, where in finder.list(UNUSED):
            found = Path(where.path(path)).stat()
            facts.append(f"{path} {found.st_size} {found.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(facts)).encode()).hexdigest()
