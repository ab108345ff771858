"""A throw-away Redis server of ours, which can be restarted, emptied and paused."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.chaos.ports import free_port
from tests.chaos.postgres import MissingError

PATIENCE_S = 30.0


class Redis:
    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise MissingError("Redis (apt install redis-server)")
        self.program, self.folder, self.port = program, folder / "redis", free_port()
        self.folder.mkdir()
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, port: int | None = None) -> str:
        return f"redis://127.0.0.1:{port or self.port}/0"

    def start(self) -> None:
        """Keeps nothing on disk, as the hints deserve."""
        where = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, *where, "--save", "", "--appendonly", "no"], stdout=log, stderr=log
            )
        end = time.monotonic() + PATIENCE_S
        while self.says("PING") != b"+PONG":
            if time.monotonic() > end:
                raise TimeoutError("Redis does not start")
            time.sleep(0.05)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        self.says("FLUSHALL")

    def says(self, *words: str) -> bytes:
        """The first line of the answer to a command; nothing when nobody answers."""
        said = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5) as line:
            line.sendall(said.encode())
            return line.recv(1000).partition(b"\r\n")[0]
        return b""

    def close(self) -> None:
        self.go_on()
        self.kill()

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=PATIENCE_S)
            self.process = None
