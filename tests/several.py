"""Several server processes over one PostgreSQL database: workers at one port, and machines at ports of their own."""

from __future__ import annotations

import json
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from sessions.live.client import Client, Frame
from tests.browser.house import House

PATIENCE = 60.0
SCENE = """
import json
from tests.cafe import Cafe
cafe = Cafe(tables={tables}, seats={seats}).runs()
print(json.dumps({{
    "key": cafe.event.key,
    "board": f"board:{{cafe.board().pk}}",
    "question": cafe.question().pk,
    "cookies": {{name: cafe.cookie(getattr(cafe, name)) for name in ("ben", "cem", "dana")}},
}}))
"""


@contextmanager
def new_database(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database that is dropped in the end."""
    place, name = postgres_url.rpartition("/")[0], f"zoomcafe_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{place}/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{place}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Machine(House):
    """`serve` with some workers. All machines of one database share a secret key."""

    def __init__(self, folder: Path, *, database_url: str, redis_url: str, workers: int = 1, **env: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder, database_url=database_url)
        self.env |= {"REDIS_URL": redis_url, "SECRET_KEY": "the same for all machines of one café", **env}
        self.arguments = ["--workers", str(workers)] if workers > 1 else []

    def workers(self) -> list[int]:
        """The processes of its workers."""
        assert self.process is not None
        return children(self.process.pid)

    def worker_of(self, *clients: Client) -> list[int]:
        """The process at the other end of each client's socket; 0 for who has none."""
        ends = {port: pid for pid in self.workers() for port in callers_of(pid, self.port)}
        ports = [client._socket.local_address[1] if client._socket else 0 for client in clients]
        return [ends.get(port, 0) for port in ports]

    def scene(self, *, tables: int = 2, seats: int = 4) -> Scene:
        """An event whose first session runs, with Ben and Cem at table 1 and Dana at table 2."""
        script = SCENE.format(tables=tables, seats=seats)
        return Scene(self, **json.loads(self.does("shell", "--no-imports", "-c", script)))

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")


@dataclass
class Scene:
    """An event as its people know it."""

    machine: Machine
    key: str
    board: str
    question: int
    cookies: dict[str, str]

    def client(self, who: str, *, at: Machine | None = None, heard: Callable[[Frame], None] | None = None) -> Client:
        """A page at table 1, not open yet."""
        url = (at or self.machine).url
        streams = {"stage": 0, "me": 0, self.board: 0}
        return Client(url, f"/live/{self.key}/", cookies=self.cookies[who], streams=streams, heard=heard)

    async def writes(self, client: Client, text: str) -> Frame:
        return await client.do(self.board, "note.add", {"q": self.question, "text": text, "colour": "mint"})

    def sees(self, client: Client) -> list[str]:
        """The texts on the page's board, in the order they were written."""
        notes = client.parts.get(self.board, {}).values()
        return [note["text"] for note in sorted(notes, key=lambda note: note["seq"])]

    def guests(self, count: int) -> list[str]:
        """The names of so many more people, who sit down wherever there is a seat."""
        lines = self.machine.does("guests", self.key, "--count", str(count), "--seated").splitlines()
        come = dict(line.split("\t") for line in lines)
        self.cookies |= come
        return list(come)


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text(encoding="ascii").split()] if path.exists() else []


def callers_of(pid: int, port: int) -> Iterator[int]:
    """The ports from which the connections come that the process holds at its own `port`; all at 127.0.0.1."""
    files = open_files(pid)
    for line in Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        words = line.split()
        (_here, at), (_there, whence) = words[1].split(":"), words[2].split(":")
        if int(at, 16) == port and f"socket:[{words[9]}]" in files:
            yield int(whence, 16)


def open_files(pid: int) -> set[str]:
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(file.readlink()))
        except FileNotFoundError:  # closed in between
            continue
    return found


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, "it did not become true"
        time.sleep(0.05)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def tell(pid: int, number: signal.Signals) -> None:
    os.kill(pid, number)
