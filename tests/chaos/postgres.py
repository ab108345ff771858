"""A throw-away PostgreSQL cluster of ours, which can be restarted and killed. It keeps what it has committed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.chaos.ports import free_port

PATIENCE_S = 60.0
AS_POSTGRES = ("runuser", "-u", "postgres", "--")  # it refuses to run as root
USER = "zoomcafe"


class MissingError(Exception):
    """A program that this machine does not have."""


class Cluster:
    """Lives in `folder`; `port` stays the same through restarts."""

    def __init__(self, folder: Path) -> None:
        self.programs = programs()
        self.folder, self.port = folder / "postgres", free_port()
        self.folder.mkdir(mode=0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self.data = self.folder / "data"
        self._run("initdb", "-D", str(self.data), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")

    def url(self, port: int | None = None) -> str:
        """At its own port, or at that of a wire before it."""
        return f"postgres://{USER}@127.0.0.1:{port or self.port}/{USER}"

    def start(self) -> None:
        """Tries until it runs: a killed one leaves children that take a moment to notice."""
        end = time.monotonic() + PATIENCE_S
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c max_connections=100"
        while not self._does(
            "pg_ctl", "-D", str(self.data), "-l", str(self.folder / "log"), "-w", "-o", options, "start"
        ):
            if time.monotonic() > end:
                raise TimeoutError((self.folder / "log").read_text(encoding="utf-8")[-2000:])
            time.sleep(0.2)

    def create(self) -> None:
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, USER)

    def stop(self) -> None:
        """Orderly, though sessions are cut off: what an operator's restart does."""
        self._does("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "stop")

    def stop_at_once(self) -> None:
        """Without a checkpoint: the next start recovers from the log."""
        self._does("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")

    def kill(self) -> None:
        with contextlib.suppress(OSError, IndexError):
            os.kill(int((self.data / "postmaster.pid").read_text(encoding="utf-8").split()[0]), signal.SIGKILL)

    def close(self) -> None:
        self.stop_at_once()

    def _does(self, program: str, *arguments: str) -> bool:
        return self._call(program, *arguments).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        done = self._call(program, *arguments)
        if done.returncode:
            raise OSError(f"{program}: {done.stdout}")

    def _call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        before = AS_POSTGRES if os.geteuid() == 0 else ()
        with (self.folder / "commands.log").open(
            "a+", encoding="utf-8"
        ) as said:  # a pipe would stay open with the server
            done = subprocess.run(
                [*before, str(self.programs / program), *arguments],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            said.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, said.read()[-2000:])


def programs() -> Path:
    """The folder of the newest `initdb`. Raises `MissingError`."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    found = places[-1] if places else shutil.which("initdb")
    if found is None:
        raise MissingError("PostgreSQL (apt install postgresql)")
    return Path(found).parent
