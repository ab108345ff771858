"""How fast the server's core is just now.

A core of a shared machine is half of a processor's: while a stranger uses the other half, the same work takes half as
long again, for some seconds or for some minutes. No count of ours shows it, so a metronome beside the server does.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Protocol

from tests.bench.cores import SERVER_CORE, on_core
from tests.bench.metronome import EVERY_S, SAMPLE

SCRIPT = Path(__file__).with_name("metronome.py")
SLOW = 1.25  # times what the fastest tenth took
CALM = 0.1  # of the samples may be slow
LAST_S = 0.5  # that must have been calm before anything begins
MOST_WAIT_S = 3.0
STARTS_WITHIN_S = 10.0
Sample = tuple[float, float]


class Pulse(Protocol):
    """What a measurement asks of a tempo."""

    def wait_for_calm(self) -> None: ...

    def slowed(self, since: float, until: float) -> float: ...


class Tempo:
    """Runs a metronome on the server's core until the block ends; it takes half a percent of it."""

    def __enter__(self) -> Tempo:
        self.file = tempfile.NamedTemporaryFile(prefix="tempo-")
        with on_core(SERVER_CORE):
            self.metronome = subprocess.Popen([sys.executable, "-I", str(SCRIPT), self.file.name])
        return self

    def __exit__(self, *_exc: object) -> None:
        self.metronome.kill()
        self.metronome.wait()
        self.file.close()

    def wait_for_calm(self) -> None:
        """For some time at most: a machine that is never calm is measured as it is."""
        end = time.monotonic() + MOST_WAIT_S
        while (now := time.monotonic()) < end and not self.was_calm(now - LAST_S):
            time.sleep(EVERY_S)

    def was_calm(self, since: float) -> bool:
        samples = self.samples()
        seen = sum(at >= since for at, _took in samples)
        return seen * EVERY_S > LAST_S / 2 and share_of_slow(samples, since, time.monotonic()) <= CALM

    def slowed(self, since: float, until: float) -> float:
        """The share of that time (monotonic clock) in which the core was slower than it can be."""
        return round(share_of_slow(self.samples(), since, until), 2)

    def samples(self) -> list[Sample]:
        """All since the beginning. Raises `RuntimeError` when there is no metronome any more."""
        if self.metronome.poll() is not None:
            raise RuntimeError("the metronome has ended")
        written = Path(self.file.name).read_bytes()
        return list(SAMPLE.iter_unpack(written[: len(written) // SAMPLE.size * SAMPLE.size]))


def share_of_slow(samples: list[Sample], since: float, until: float) -> float:
    """Nothing of nothing. Fast is what the fastest tenth of all samples is."""
    those = [took for at, took in samples if since <= at <= until]
    if not those:
        return 0.0
    fast = sorted(took for _at, took in samples)[len(samples) // 10]
    return sum(took > SLOW * fast for took in those) / len(those)
