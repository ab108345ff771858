"""The highest rate that still passes: 1.6 times as much until it fails, then halving what is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from tests.bench.cafe import GENERATOR_WAS, HELD_UP, Figures, Step, verdict

FACTOR = 1.6
LOWEST = 2.0  # notes a second
STRANGERS = 0.15  # of a core: a step that others spoilt gets a second chance
REST_S = 0.2
BRIEF = ("rate", "deliveries_per_s", "p99_ms", "strangers", "verdict")  # of each step; the best one is kept whole


class Target(Protocol):
    """Something that can be driven at a rate. Above `most_per_s` it would refuse by its own limits."""

    @property
    def most_per_s(self) -> float: ...

    def take(self, step: Step) -> Figures: ...


def fixed(target: Target, step: Step) -> Figures:
    found = target.take(step)
    return found | {"verdict": verdict(found)}


def search(
    target: Target, step: Step, *, halvings: int = 3, most_steps: int = 14, tells: Callable[[Figures], None]
) -> dict[str, Any]:
    """The best step, all steps, and what ended the search. `step.rate` is the first one tried."""
    steps: list[Figures] = []

    def is_over() -> bool:
        return len(steps) >= most_steps

    def passes(rate: float, *, again: bool = True) -> bool:
        found = fixed(target, replace(step, rate=rate))
        steps.append(found)
        tells(found)
        time.sleep(REST_S)
        spoilt = found["strangers"] > STRANGERS or found["verdict"] in {GENERATOR_WAS, HELD_UP}
        if found["verdict"] != "pass" and spoilt and again and not is_over():
            return passes(rate, again=False)
        return bool(found["verdict"] == "pass")

    low, high = bounds(passes, step.rate, target.most_per_s, is_over)
    for _ in range(halvings):
        if not low or not high or is_over():
            break
        middle = (low * high) ** 0.5
        if passes(middle):
            low = middle
        else:
            high = middle
    good = [found for found in steps if found["verdict"] == "pass"]
    best = max(good, key=lambda found: float(found["deliveries_per_s"]), default=None)
    brief = [{name: found[name] for name in BRIEF} for found in steps]
    return {"best": best, "steps": brief, "ended_by": ended_by(steps, low, high, target.most_per_s)}


def bounds(passes: Callable[..., bool], rate: float, most: float, is_over: Callable[[], bool]) -> tuple[float, float]:
    """The highest rate tried that passed and the lowest above it that did not; 0 for none."""
    low = high = 0.0
    rate = min(rate, most)
    while not is_over() and rate >= LOWEST:
        if passes(rate):
            low = rate
            if high or rate >= most:
                break
            rate = min(rate * FACTOR, most)
        else:
            high = rate
            if low:
                break
            rate /= FACTOR
    return low, high


def ended_by(steps: list[Figures], low: float, high: float, most: float) -> str:
    if not low:
        return "no rate passed"
    if not high:
        return "the limits for one person" if low >= most else "the number of steps for a search"
    return str(next(found["verdict"] for found in reversed(steps) if found["verdict"] != "pass"))
