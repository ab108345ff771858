"""A Redis server of its own, which tests may kill, freeze and start again."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

START_S = 30.0


class RedisServer:
    """At the same port whenever it runs; keeps nothing."""

    def __init__(self, program: str, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        quiet = ["--save", "", "--appendonly", "no", "--logfile", str(folder / "redis.log"), "--dir", str(folder)]
        self.command = [program, "--port", str(self.port), "--bind", "127.0.0.1", *quiet]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers."""
        self.process = subprocess.Popen(self.command)
        end = time.monotonic() + START_S
        while not self.answers():
            assert time.monotonic() < end, "Redis does not start"
            time.sleep(0.02)

    def answers(self) -> bool:
        try:
            with Redis.from_url(self.url) as client:
                return bool(client.ping())
        except RedisError:
            return False

    def kill(self) -> None:
        self.signals(signal.SIGKILL)
        if self.process is not None:
            self.process.wait(timeout=START_S)
            self.process = None

    def freeze(self) -> None:
        """Connections stay open, nothing is read."""
        self.signals(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signals(signal.SIGCONT)

    def signals(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)

    def flush(self) -> None:
        with Redis.from_url(self.url) as client:
            client.flushall()


@contextmanager
def redis_running(program: str, folder: Path) -> Iterator[RedisServer]:
    server = RedisServer(program, folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
