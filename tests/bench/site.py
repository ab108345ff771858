"""The product under measurement: `manage.py serve` on a core of its own, over a database of its own."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.cores import SERVER_CORE, on_core
from tests.browser.house import START_S, House
from tests.chaos.postgres import Cluster
from tests.chaos.site import redis_program
from tests.redis_server import RedisServer

PROFILES = ("sqlite", "postgres")
LOOK_S = 0.1


class PlainDaphne(House):
    """Our application by Daphne's own command line, with nothing of `zoomcafe/serving/`."""

    def start(self) -> None:
        self.does("migrate", "--verbosity", "0")
        self.does("collectstatic", "--no-input", "--verbosity", "0")
        place = ["-b", "127.0.0.1", "-p", str(self.port)]
        command = [sys.executable, "-m", "daphne", *place, "zoomcafe.asgi:application"]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(command, cwd=self.root, env=self.env, text=True, stdout=log, stderr=log)
        until = time.monotonic() + START_S
        while not self.answers():
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            assert time.monotonic() < until, "Daphne does not listen"
            time.sleep(LOOK_S)

    def answers(self) -> bool:
        with socket.socket() as door:
            return door.connect_ex(("127.0.0.1", self.port)) == 0


@dataclass
class Site:
    """`raised` are limits that are not the product's own; whoever prints a figure says so."""

    house: House
    pids: list[int]
    profile: str
    workers: int = 1
    raised: dict[str, int] = field(default_factory=dict)

    @property
    def where(self) -> tuple[str, int]:
        return "127.0.0.1", self.house.port

    def event(self, *, tables: int, seats: int, **how: int) -> dict[str, Any]:
        """A new event, as `opening.event` tells of it."""
        wishes = "".join(f", {name}={value}" for name, value in how.items())
        found: dict[str, Any] = json.loads(self.runs(f"print(opening.event(tables={tables}, seats={seats}{wishes}))"))
        return found

    def runs(self, script: str) -> str:
        """A script with our models beside the server, on the generator's core; what it prints."""
        return self.house.does("shell", "-v", "0", "-c", f"from tests.bench import opening; {script}").strip()


@contextlib.contextmanager
def site(
    profile: str = "sqlite", *, workers: int = 1, raised: dict[str, int] | None = None, plain: bool = False
) -> Iterator[Site]:
    """Runs until the block ends; then nothing of it is left."""
    with contextlib.ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="zoomcafe-bench-", ignore_cleanup_errors=True))
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL has an account of its own
        (folder / "server").mkdir()
        house = (PlainDaphne if plain else House)(folder / "server")
        house.env |= {"REDIS_URL": "", "SECRET_KEY": secrets.token_urlsafe(48), "BACKUP_MINUTES": "0"}
        house.env |= {limit: str(value) for limit, value in (raised or {}).items()}
        house.arguments = ["--workers", str(workers)] if workers > 1 else []
        with on_core(SERVER_CORE):
            pids = services(stack, folder, house) if profile == "postgres" else []
            house.start()
        stack.callback(house.stop)
        assert house.process is not None
        yield Site(house, [house.process.pid, *pids], profile, workers, dict(raised or {}))


def services(stack: contextlib.ExitStack, folder: Path, house: House) -> list[int]:
    """PostgreSQL and Redis beside the server, on its core; their processes."""
    cluster, redis = Cluster(folder), RedisServer(redis_program(), folder)
    stack.callback(cluster.close)
    stack.callback(redis.kill)
    cluster.start()
    cluster.create()
    redis.start()
    house.env |= {"DATABASE_URL": cluster.url(), "REDIS_URL": redis.url}
    house.does("migrate", "--verbosity", "0")
    assert redis.process is not None
    postmaster = int((cluster.data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
    return [postmaster, redis.process.pid]
