"""Peers as targets: installed by npm into a scratch folder, started as their manuals show, new rooms in each step."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import web
from tests.bench.cafe import TEXT, Figures, Step, drive, plan
from tests.bench.cores import SERVER_CORE, on_core
from tests.bench.crowd import together
from tests.bench.loop import Line, Loop
from tests.bench.peers.adapters import Adapter, Hocuspocus, Seat, SocketIO, Tldraw, YWebsocket
from tests.chaos.ports import free_port
from tests.chaos.postgres import MissingError
from zoomcafe.environment import var_dir

HERE = Path(__file__).resolve().parent
START_S = 30.0
AT_ONCE = 40
SETTLE_S = 0.2
MOST_MARKS = 100_000_000
SCHEMA = (
    "const { createTLSchema } = require('@tldraw/tlschema');"
    "require('fs').writeFileSync('schema.json', JSON.stringify(createTLSchema().serialize()))"
)


@dataclass(frozen=True)
class Peer:
    """`stores` says what of a note is kept when others see it; `packages` with their versions."""

    name: str
    folder: str
    adapter: type[Adapter]
    packages: tuple[str, ...]
    stores: str
    first_rate: float
    env: dict[str, str] = field(default_factory=dict)
    variant: str = ""

    @property
    def key(self) -> str:
        """Its name on the command line."""
        return f"{self.folder}{self.variant}"

    @property
    def place(self) -> Path:
        return var_dir() / "bench" / "peers" / self.folder

    def install(self) -> None:
        """Once for each set of versions. Raises `MissingError` without npm."""
        ready = self.place / "ready.json"
        if ready.exists() and json.loads(ready.read_text(encoding="utf-8")) == list(self.packages):
            return
        npm = shutil.which("npm")
        if npm is None:
            raise MissingError("npm (apt install npm)")
        self.place.mkdir(parents=True, exist_ok=True)
        (self.place / "package.json").write_text('{"private": true}', encoding="utf-8")
        quiet = ["--silent", "--no-audit", "--no-fund"]
        subprocess.run([npm, "install", *quiet, *self.packages], cwd=self.place, check=True)
        if self.adapter is Tldraw:
            subprocess.run(["node", "-e", SCHEMA], cwd=self.place, check=True)
        ready.write_text(json.dumps(self.packages), encoding="utf-8")

    @contextlib.contextmanager
    def runs(self, *, tables: int, seats: int) -> Iterator[Rooms]:
        """Its server on the servers' core, over an empty folder."""
        self.install()
        port = free_port()
        with tempfile.TemporaryDirectory(prefix="zoomcafe-bench-", ignore_cleanup_errors=True) as folder:
            env = {**os.environ, "PACKAGES": str(self.place), "PORT": str(port), "FOLDER": folder, **self.env}
            env["NODE_ENV"] = "production"
            with on_core(SERVER_CORE), (Path(folder) / "log").open("w") as log:
                program = ["node", str(HERE / f"{self.folder}.mjs")]
                process = subprocess.Popen(program, env=env, stdout=log, stderr=log)
            rooms = Rooms(self.adapter(self.place), ("127.0.0.1", port), process.pid, tables, seats)
            try:
                listens(port, process, Path(folder) / "log")
                yield rooms
            finally:
                rooms.close()
                process.kill()
                process.wait()


def listens(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits for it; raises `OSError` with its last words."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise OSError(f"it did not start: {log.read_text(encoding='utf-8')[-600:]}")


@dataclass
class Rooms:
    """A target: every step has rooms and sockets of its own."""

    adapter: Adapter
    where: web.Address
    pid: int
    tables: int
    seats: int
    steps: int = 0
    mark: int = 0
    most_per_s: float = float("inf")
    joined_in: list[float] = field(default_factory=list)
    wires: list[web.Wire] = field(default_factory=list)

    def take(self, step: Step) -> Figures:
        self.steps += 1
        seats = self.seats_of()
        asyncio.run(self.enter(seats))
        loop = Loop(self.lines(seats), speaks=False)
        loop.rest(SETTLE_S)

        def frame(sender: int, number: int) -> bytes:
            return self.adapter.post(seats[sender], self.mark + number, TEXT.format(self.mark + number))

        per_note = self.seats if self.adapter.echo else self.seats - 1
        made = plan(step, len(seats), frame, first_mark=self.mark)
        found = drive(loop, made, step, per_note=per_note, pids=[self.pid])
        self.mark = (self.mark + len(made.due)) % (MOST_MARKS // 2)
        loop.close()
        self.close()
        return found

    def leave(self) -> None:
        """They have left: every step has sockets of its own."""

    def seats_of(self) -> list[Seat]:
        return [
            Seat(f"r{self.steps}x{n // self.seats}", *divmod(n, self.seats)) for n in range(self.tables * self.seats)
        ]

    async def enter(self, seats: list[Seat], *, at_once: int = AT_ONCE) -> None:
        self.joined_in.clear()
        self.wires = await together([self.open(seat) for seat in seats], at_once=at_once)

    async def open(self, seat: Seat) -> web.Wire:
        began = time.monotonic()
        wire = await web.Wire.open(self.where, self.adapter.path(seat))
        await self.adapter.enter(wire, seat)
        self.joined_in.append(time.monotonic() - began)
        return wire

    def lines(self, seats: list[Seat]) -> list[Line]:
        return [
            Line(wire.socket.fileno(), seat.table, seat.place, wire.rest)
            for seat, wire in zip(seats, self.wires, strict=True)
        ]

    def close(self) -> None:
        for wire in self.wires:
            wire.close()
        self.wires = []


YJS, DRIVER = "yjs@13.6.33", "better-sqlite3"
WS = ("ws@8.23.0", DRIVER)
TLDRAW: dict[str, Any] = {
    "folder": "tldraw",
    "adapter": Tldraw,
    "packages": ("@tldraw/sync-core@5.1.1", "@tldraw/tlschema@5.1.1", *WS),
}
PEERS = (
    Peer(
        "Hocuspocus + SQLite",
        "hocuspocus",
        Hocuspocus,
        ("@hocuspocus/server@4.7.0", "@hocuspocus/extension-sqlite@4.7.0", YJS, DRIVER),
        "later: 2 s after the last change, 10 s at most",
        3_000,
    ),
    Peer("socket.io room", "socketio", SocketIO, ("socket.io@4.8.4",), "nothing", 5_000),
    Peer("y-websocket", "ywebsocket", YWebsocket, ("@y/websocket-server@0.1.1", YJS), "nothing (memory)", 3_000),
    Peer(
        "tldraw sync + SQLite (WAL)",
        stores="first, without waiting for the disk",
        first_rate=400,
        env={"WAL": "1"},
        variant="-wal",
        **TLDRAW,
    ),
    Peer("tldraw sync + SQLite", stores="first", first_rate=120, **TLDRAW),
)
