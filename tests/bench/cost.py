"""What processes used, read from /proc."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Used:
    """CPU seconds of the servers, of this process and of the whole machine, at one moment."""

    at: float
    servers: float
    own: float
    machine: float

    def since(self, before: Used) -> dict[str, float]:
        """Shares of one core; `strangers` is what neither the servers nor this process used."""
        span = self.at - before.at
        servers, own = (self.servers - before.servers) / span, (self.own - before.own) / span
        machine = (self.machine - before.machine) / span
        return {
            "cpu_server": round(servers, 3),
            "cpu_generator": round(own, 3),
            "strangers": round(max(0.0, machine - servers - own), 2),
        }


def used(pids: Iterable[int]) -> Used:
    own = resource.getrusage(resource.RUSAGE_SELF)
    return Used(
        time.monotonic(), sum(cpu_of(pid) for pid in family(pids)), own.ru_utime + own.ru_stime, cpu_of_machine()
    )


def family(pids: Iterable[int]) -> list[int]:
    """These processes and all below them."""
    children: dict[int, list[int]] = {}
    for path in PROC.glob("[0-9]*/stat"):
        with suppress(OSError):
            children.setdefault(int(fields(path)[1]), []).append(int(path.parent.name))
    found, waiting = [], list(pids)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def cpu_of(pid: int) -> float:
    total = 0
    for path in PROC.glob(f"{pid}/task/*/schedstat"):
        with suppress(OSError):
            total += int(path.read_text(encoding="ascii").split()[0])
    return total / 1e9


def cpu_of_machine() -> float:
    user, nice, system, _idle, _waiting, *more = map(int, (PROC / "stat").read_text(encoding="ascii").split()[1:9])
    return (user + nice + system + sum(more)) / TICK


def memory(pids: Iterable[int]) -> float:
    """Resident memory in KiB."""
    total = 0
    for pid in family(pids):
        with suppress(OSError):
            total += int(fields(PROC / str(pid) / "stat")[21]) * PAGE
    return total / 1024


def fields(path: Path) -> list[str]:
    """What stands in a `stat` file behind the program's name."""
    return path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
