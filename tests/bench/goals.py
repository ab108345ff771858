"""What was to be reached, and what the stored lines say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.compare import Figure, Median, deliveries, field, median, ratio
from tests.bench.lines import Line

Lines = Sequence[Line]
OURS, POSTGRES = "zoomcafe sqlite", "zoomcafe postgres"
PLAIN = f"{OURS}, plain Daphne"
HOCUSPOCUS, SOCKETIO, TLDRAW = "Hocuspocus + SQLite", "socket.io room", "tldraw sync + SQLite (WAL)"
SMALL, LARGE, HALL = (50, 6), (300, 6), (170, 6)
ENOUGH = 0.25  # a ratio that spreads more proves nothing
P99, LONGEST = field("p99_ms"), field("backlog", "longest_ms")


@dataclass(frozen=True, slots=True)
class Goal:
    """`bound` is the least wanted when `least`, else the most. `is_ratio`: then its spread matters."""

    name: str
    bound: float
    least: bool
    unit: str
    found: Callable[[Lines], Median | None]
    is_ratio: bool = False

    def is_met(self, value: float) -> bool:
        return value >= self.bound if self.least else value <= self.bound


def of(lines: Lines, what: str, target: str, shape: tuple[int, int] | None = None) -> list[Line]:
    """Those of a workload with this target, in this shape: tables and seats."""
    return [
        line
        for line in lines
        if line["what"] == what
        and line["target"] == target
        and (shape is None or (line["tables"], line["seats"]) == shape)
    ]


def best(lines: Lines, target: str, shape: tuple[int, int]) -> list[Line]:
    """The searches of our configuration that came furthest, whose name begins so."""
    names = {line["target"] for line in lines if line["what"] == "search" and line["target"].startswith(target)}
    own = [name for name in names if "workers" not in name and (PLAIN in target or PLAIN not in name)]

    def reached(name: str) -> float:
        middle = median(of(lines, "search", name, shape), deliveries)
        return middle.value if middle else 0.0

    return of(lines, "search", max(own, key=reached), shape) if own else []


def over(target: str, other: str, shape: tuple[int, int]) -> Callable[[Lines], Median | None]:
    return lambda lines: ratio(best(lines, target, shape), of(lines, "search", other, shape), deliveries)


def figure(
    what: str, value: Figure, *, target: str = OURS, shape: tuple[int, int] | None = None
) -> Callable[[Lines], Median | None]:
    return lambda lines: median(of(lines, what, target, shape), value)


def quotient(what: str, value: Figure, shape: tuple[int, int]) -> Callable[[Lines], Median | None]:
    return lambda lines: ratio(of(lines, what, OURS, shape), of(lines, what, HOCUSPOCUS, shape), value)


def two_workers(lines: Lines) -> Median | None:
    """By CPU per delivery: twice the cores, each delivery at its price; at the highest rate that both were given.

    Where there is less to do than one core can, each of two workers has batches of half the size, which nobody needs.
    """
    price = field("us_per_delivery")
    one, two = of(lines, "cafe", POSTGRES, SMALL), of(lines, "cafe", f"{POSTGRES}, 2 workers", SMALL)
    highest = max({line["rate"] for line in one} & {line["rate"] for line in two}, default=None)
    found = ratio(*([line for line in those if line["rate"] == highest] for those in (one, two)), price)
    return found and Median(2 * found.value, 2 * found.low, 2 * found.high, found.count)


def faults(lines: Lines) -> Median | None:
    """Over every step that is kept whole; rates that were too high count for those too."""
    names = ("lost", "doubled", "stray")
    whole = [line.get("best") or line for line in lines if line.get("target", "").startswith("zoomcafe")]
    return Median.of(
        [float(sum(step[name] for name in names)) for step in whole if all(name in step for name in names)]
    )


GOALS = (
    *(
        Goal(
            f"highest deliveries/s, {tables} × {seats}: SQLite ÷ {other}",
            bound,
            True,
            "×",
            over(OURS, other, (tables, seats)),
            True,
        )
        for tables, seats in (SMALL, LARGE)
        for other, bound in ((HOCUSPOCUS, 1.5), (SOCKETIO, 1.0), (TLDRAW, 3.0))
    ),
    Goal(f"the same, 50 × 6: on plain Daphne ÷ {HOCUSPOCUS}", 1.0, True, "×", over(PLAIN, HOCUSPOCUS, SMALL), True),
    Goal(f"the same, 50 × 6: PostgreSQL ÷ {HOCUSPOCUS}", 1.1, True, "×", over(POSTGRES, HOCUSPOCUS, SMALL), True),
    Goal("1,000 seats at 170 tables, 50 notes/s: p50", 10, False, "ms", figure("cafe", field("p50_ms"), shape=HALL)),
    Goal("the same: p99", 50, False, "ms", figure("cafe", P99, shape=HALL)),
    Goal("the same: server", 0.3, False, "cores", figure("cafe", field("cpu_server"), shape=HALL)),
    Goal("two workers ÷ one, by CPU per delivery", 1.7, True, "×", two_workers, True),
    Goal("1,000 joins through the join page", 30, False, "s", figure("storm", field("took_s"), shape=HALL)),
    Goal("the same: p99 of one", 2_000, False, "ms", figure("storm", P99, shape=HALL)),
    Goal(
        "the same: longest wait for a note",
        1_000,
        False,
        "ms",
        figure("storm", field("meanwhile", "max_ms"), shape=HALL),
    ),
    Goal(f"joins/s by cookie and rights ÷ {HOCUSPOCUS}", 0.5, True, "×", quotient("back", field("per_s"), HALL), True),
    Goal(
        "the same: longest that one can have waited in the backlog",
        100,
        False,
        "ms",
        figure("back", LONGEST, shape=HALL),
    ),
    Goal("server memory for a seated guest", 40, False, "KiB", figure("idle", field("kib_per_seat"))),
    Goal("150 notes/s at 300 seats: p99", 10, False, "ms", figure("cafe", P99, shape=SMALL)),
    Goal(f"the same ÷ {HOCUSPOCUS}", 1.5, False, "×", quotient("cafe", P99, SMALL), True),
    Goal("gallery of 5,000 notes", 5, False, "ms", figure("pages", field("pages", "gallery, 5,000 notes", "cpu_ms"))),
    Goal(
        "the same, one board changed",
        15,
        False,
        "ms",
        figure("pages", field("pages", "gallery, one board changed", "cpu_ms")),
    ),
    Goal("lost, doubled or at the wrong table", 0, False, "", faults),
)
