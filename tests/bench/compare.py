"""Several runs of several targets side by side: medians, spread, and ratios between neighbours in time."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from tests.bench.cafe import GENERATOR_WAS, HELD_UP
from tests.bench.lines import Line

Figure = Callable[[Line], float | None]


@dataclass(frozen=True, slots=True)
class Median:
    """The middle of the values, and how far they lie apart: (highest - lowest) ÷ middle."""

    value: float
    low: float
    high: float
    count: int

    @property
    def spread(self) -> float:
        return (self.high - self.low) / self.value if self.value else 0.0

    @classmethod
    def of(cls, values: Sequence[float]) -> Median | None:
        """None of nothing."""
        return cls(statistics.median(values), min(values), max(values), len(values)) if values else None


def median(lines: Iterable[Line], figure: Figure) -> Median | None:
    return Median.of([value for line in lines if (value := figure(line)) is not None])


def ratio(ours: Iterable[Line], theirs: Iterable[Line], figure: Figure) -> Median | None:
    """Of each run ours ÷ theirs: they ran one after the other, so a slow hour of the machine concerns both. Runs of one
    command where both are in one; else those of the same number.
    """
    ours, theirs = [*ours], [*theirs]
    together = {line.get("series") for line in ours} & {line.get("series") for line in theirs}
    by_run = {_run(line, together): figure(line) for line in theirs}
    quotients = []
    for line in ours:
        mine, other = figure(line), by_run.get(_run(line, together))
        if mine is not None and other:
            quotients.append(mine / other)
    return Median.of(quotients)


def _run(line: Line, together: Collection[str | None]) -> tuple[str | None, int]:
    return line.get("series") if together else None, line["run"]


def figures(lines: Iterable[Line]) -> dict[str, dict[str, dict[str, float]]]:
    """Of each workload and target the medians over its runs; of a search those of its best steps."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line["what"], line["target"]), []).append(line.get("best") or line)
    found: dict[str, dict[str, dict[str, float]]] = {}
    for (what, target), those in groups.items():
        names = [name for name, value in those[0].items() if name != "run" and type(value) in (int, float)]
        values = {name: median(those, field(name)) for name in names}
        found.setdefault(what, {})[target] = {name: one.value for name, one in values.items() if one}
    return found


def deliveries(line: Line) -> float | None:
    """Of a search: deliveries a second of the best step; nothing when none passed or the generator was the limit."""
    if line.get("ended_by") in {GENERATOR_WAS, HELD_UP}:
        return None
    return line["best"]["deliveries_per_s"] if line.get("best") else None


def field(*names: str) -> Figure:
    """The value at this path of a line."""

    def found(line: Line) -> float | None:
        value: object = line
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return float(value) if isinstance(value, int | float) else None

    return found
