"""The real thing under test: one server over SQLite, or two over PostgreSQL and Redis, wires of ours in between."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.browser.house import START_S, House
from tests.browser.wire_cutter import WireCutter
from tests.chaos.postgres import Cluster, MissingError
from tests.chaos.rows import Database
from tests.redis_server import RedisServer

PROFILES = ("sqlite", "scale")
WIRES = 6


class Machine(House):
    """A server of ours. With a mutant's name it runs without that rule."""

    def __init__(self, folder: Path, *, database_url: str, mutant: str, **env: str) -> None:
        folder.mkdir()
        super().__init__(folder, database_url=database_url)
        self.env |= env
        if mutant:
            self.program = ["-m", "tests.chaos.mutated", mutant]

    def comes_up(self) -> None:
        """Tries until it serves: its database may be away just now. Raises the last failure."""
        end = time.monotonic() + START_S
        while True:
            try:
                self.start()
            except AssertionError:
                self.stop(signal.SIGKILL)
                if time.monotonic() > end:
                    raise
                time.sleep(0.3)
            else:
                return


@dataclass
class Site:
    """`wires` lie between people and servers, `database_wires` and `redis_wires` before what each server needs."""

    profile: str
    folder: Path
    mutant: str = ""
    machines: list[Machine] = field(default_factory=list)
    wires: list[WireCutter] = field(default_factory=list)
    database_wires: list[WireCutter] = field(default_factory=list)
    redis_wires: list[WireCutter] = field(default_factory=list)
    postgres: Cluster | None = None
    redis: RedisServer | None = None

    def open(self) -> None:
        """Starts everything; what was started before a failure is ended by `close`."""
        self._build()
        ports = [machine.port for machine in self.machines]
        for number in range(WIRES):
            turn = number % len(ports)
            self.wires.append(WireCutter(*ports[turn:], *ports[:turn]))
        for machine in self.machines:
            machine.trusts(*(wire.url for wire in self.wires))
        if self.postgres is not None:
            self.machines[0].does("migrate", "--verbosity", "0")
        for machine in self.machines:
            machine.comes_up()

    def _build(self) -> None:
        key = {"SECRET_KEY": secrets.token_urlsafe(48)}
        if self.profile == "sqlite":
            self.machines.append(
                Machine(self.folder / "machine0", database_url="", mutant=self.mutant, REDIS_URL="", **key)
            )
            return
        self.postgres, self.redis = Cluster(self.folder), RedisServer(redis_program(), self.folder)
        self.postgres.start()
        self.postgres.create()
        self.redis.start()
        for number in range(2):
            self.database_wires.append(WireCutter(self.postgres.port))
            self.redis_wires.append(WireCutter(self.redis.port))
            machine = Machine(
                self.folder / f"machine{number}",
                database_url=self.postgres.url(self.database_wires[-1].port),
                mutant=self.mutant,
                REDIS_URL=f"redis://127.0.0.1:{self.redis_wires[-1].port}",
                **key,
            )
            self.machines.append(machine)

    @property
    def database(self) -> Database:
        return Database(self.postgres.url() if self.postgres else self.file)

    @property
    def file(self) -> Path:
        return self.folder / "machine0" / "zoomcafe.sqlite3"

    def does(self, *command: str) -> str:
        """One of our commands beside the servers."""
        return self.machines[0].does(*command)

    def runs(self, script: str) -> str:
        """A script with our models; what it prints."""
        return self.does("shell", "-v", "0", "-c", f"from tests.chaos import opening; {script}").strip()

    def set_up(self, *, tables: int, seats: int) -> dict[str, Any]:
        """The event in which everything happens."""
        found: dict[str, Any] = json.loads(self.runs(f"print(opening.set_up(tables={tables}, seats={seats}))"))
        return found

    def heal(self) -> None:
        """Every wire passes again. People find out for themselves what is half-open, databases do not."""
        for wire in (*self.wires, *self.database_wires, *self.redis_wires):
            wire.let_through()
        for wire in (*self.database_wires, *self.redis_wires):
            wire.end_dead()

    def close(self) -> None:
        for machine in self.machines:
            if machine.process is not None:
                with contextlib.suppress(ProcessLookupError):
                    machine.thaw()
                machine.kill()
        for wire in (*self.wires, *self.database_wires, *self.redis_wires):
            wire.close()
        if self.postgres is not None:
            self.postgres.close()
        if self.redis is not None:
            self.redis.kill()


def redis_program() -> str:
    found = shutil.which("redis-server")
    if found is None:
        raise MissingError("Redis (apt install redis-server)")
    return found


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder for one run, to be read by everybody: PostgreSQL has an account of its own."""
    with tempfile.TemporaryDirectory(prefix="zoomcafe-chaos-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


class Neighbour:
    """Another process at the same SQLite file, as a command of ours would be: many short writes."""

    PAUSE_S = 0.004

    def __init__(self, path: Path) -> None:
        self.path, self.ends = path, threading.Event()
        self.thread = threading.Thread(target=self._writes, name="neighbour", daemon=True)
        self.count = 0

    def __enter__(self) -> Neighbour:
        self.thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.ends.set()
        self.thread.join()

    def _writes(self) -> None:
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("CREATE TABLE IF NOT EXISTS neighbour (count INTEGER)")
        while not self.ends.wait(self.PAUSE_S):
            connection.execute("INSERT INTO neighbour VALUES (?)", (self.count,))
            self.count += 1
        connection.close()
