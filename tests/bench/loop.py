"""The hot loop in C (`loop.c`), built on first use. Python prepares what is sent and reads what was booked."""

from __future__ import annotations

import array
import ctypes
import hashlib
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.chaos.postgres import MissingError
from zoomcafe.environment import var_dir

SOURCE = Path(__file__).with_name("loop.c")
MOST_PLACES = 64  # bits of one number
SPACE = 8  # numbers more than needed: C gets no empty arrays


class Counts(ctypes.Structure):
    """As in loop.c. `late` and `close` in seconds, all else counted."""

    _fields_ = [
        *[(name, ctypes.c_int64) for name in ("delivered", "booked", "doubled", "stray", "gaps", "acks", "refusals")],
        *[(name, ctypes.c_int64) for name in ("note_frames", "note_bytes", "other_frames", "other_bytes")],
        *[(name, ctypes.c_int64) for name in ("ended", "close_code", "sent", "stream_frames", "stream_bytes")],
        *[(name, ctypes.c_double) for name in ("late", "close")],
    ]

    delivered: int
    booked: int
    doubled: int
    stray: int
    gaps: int
    acks: int
    refusals: int
    note_frames: int
    note_bytes: int
    other_frames: int
    other_bytes: int
    ended: int
    close_code: int
    sent: int
    stream_frames: int
    stream_bytes: int
    late: float
    close: float


@dataclass(slots=True)
class Line:
    """One open socket on its way into the loop. `stream` is what it watches, as `"s":"board:7"` in a frame."""

    fd: int
    table: int
    place: int
    rest: bytes = b""
    handled: int = 0
    stream: str = ""
    cursor: int = 0


@dataclass(slots=True)
class Plan:
    """What is sent when: `due` in seconds from the start, `senders` the numbers of the lines, `frames` ready to send.

    The notes bear the marks `first_mark` and so on; `first_booked` is the first one after the warming up.
    """

    due: array.array[float]
    senders: array.array[int]
    frames: list[bytes]
    first_mark: int
    first_booked: int = 0


@cache
def library() -> ctypes.CDLL:
    """Raises `MissingError` where there is no C compiler."""
    place = var_dir() / "cache" / "bench"
    built = place / f"loop-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}.so"
    if not built.exists():
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise MissingError("a C compiler (apt install gcc)")
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(built), str(SOURCE)], check=True)
    return declared(ctypes.CDLL(str(built)))


def declared(found: ctypes.CDLL) -> ctypes.CDLL:
    pointer, number, big, real, text = (
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_int64,
        ctypes.c_double,
        ctypes.c_char_p,
    )
    found.bench_new.restype = pointer
    found.bench_new.argtypes = [number, pointer, pointer, pointer, number, number]
    found.bench_take_over.argtypes = [pointer, number, text, ctypes.c_size_t, big, text, big]
    found.bench_plan.argtypes = [pointer, number, number, number, *[pointer] * 7, real]
    found.bench_run.argtypes = [pointer, real, big, number]
    found.bench_counts.argtypes = [pointer, pointer]
    found.bench_refusal.argtypes, found.bench_refusal.restype = [pointer], text
    found.bench_cursor.argtypes, found.bench_cursor.restype = [pointer, number], big
    found.bench_is_open.argtypes = [pointer, number]
    found.bench_free.argtypes = [pointer]
    return found


class Loop:
    """All lines, from now on read by C alone. `speaks`: they talk to ZoomCafé and answer as its pages do."""

    def __init__(self, lines: Sequence[Line], *, speaks: bool, window: int = 256) -> None:
        self.library = library()
        self.count = len(lines)
        columns = [array.array("i", (getattr(line, name) for line in lines)) for name in ("fd", "table", "place")]
        self.run = self.library.bench_new(self.count, *map(place_of, columns), int(speaks), window)
        for number, line in enumerate(lines):
            self.library.bench_take_over(
                self.run, number, line.rest, len(line.rest), line.handled, line.stream.encode(), line.cursor
            )
        self.kept: list[object] = []

    def plan(self, plan: Plan, *, per_note: int, start: float) -> None:
        """`start` on the monotonic clock, in seconds; `per_note` how many seats each note reaches."""
        notes = len(plan.due)
        offsets = array.array("Q", [0])
        for frame in plan.frames:
            offsets.append(offsets[-1] + len(frame))
        self.reached = array.array("Q", bytes(8 * (notes + SPACE)))
        self.latency = array.array("d", bytes(8 * (notes * per_note + SPACE)))
        self.acked = array.array("d", [-1.0]) * (notes + SPACE)
        blob = b"".join(plan.frames)
        self.kept = [plan, offsets, blob]
        self.library.bench_plan(
            self.run,
            notes,
            plan.first_mark,
            plan.first_booked,
            place_of(plan.due),
            place_of(plan.senders),
            ctypes.cast(ctypes.c_char_p(blob), ctypes.c_void_p),
            place_of(offsets),
            place_of(self.reached),
            place_of(self.latency),
            place_of(self.acked),
            start,
        )

    def until(self, moment: float, *, deliveries: int = 0, answers: int = 0) -> None:
        """Runs until that moment of the monotonic clock, or until so many deliveries or answers since `plan`."""
        self.library.bench_run(self.run, moment, deliveries or answers, int(answers > 0))

    def rest(self, seconds: float) -> None:
        self.until(time.monotonic() + seconds)

    @property
    def counts(self) -> Counts:
        found = Counts()
        self.library.bench_counts(self.run, ctypes.byref(found))
        return found

    @property
    def refusal(self) -> str:
        """The first `err` since `plan`."""
        text: bytes = self.library.bench_refusal(self.run)
        return text.decode(errors="replace")

    def cursors(self) -> list[int]:
        """How far each line's watched stream has come."""
        return [self.library.bench_cursor(self.run, number) for number in range(self.count)]

    def close(self) -> None:
        self.library.bench_free(self.run)


def place_of(numbers: array.array[int] | array.array[float]) -> ctypes.c_void_p:
    return ctypes.c_void_p(numbers.buffer_info()[0])
