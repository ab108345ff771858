"""The highest rate that still passes: 1.6 times as much until it fails, then halving what is left.

On a shared machine a step that fails may say more about its neighbours than about the server. Each begins when the core
is as fast as it can be, and one that failed while others slowed it down is taken again. Targets that are compared take
their steps in turn, so what no waiting avoids concerns all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from tests.bench.cafe import GENERATOR_WAS, HELD_UP, Figures, Step, verdict
from tests.bench.tempo import CALM, Pulse

FACTOR = 1.6
LOWEST = 2.0  # notes a second
STRANGERS = 0.15  # of a core: a step from which others took it is spoilt
TRIES = 4  # of a step that others spoil
SHARED = 0.6  # more work is done in a time by a core that shares its processor with nobody
REST_S = 0.2
BRIEF = ("rate", "deliveries_per_s", "p99_ms", "strangers", "slowed", "verdict")  # of a step; the best is kept whole


class Target(Protocol):
    """Something that can be driven at a rate. Above `most_per_s` it would refuse by its own limits."""

    @property
    def most_per_s(self) -> float: ...

    def take(self, step: Step) -> Figures: ...

    def leave(self) -> None:
        """Everybody goes home: for as long as others are measured nobody here would answer its server."""


def fixed(target: Target, step: Step, pulse: Pulse) -> Figures:
    """As soon as the core is calm."""
    pulse.wait_for_calm()
    began = time.monotonic()
    found = target.take(step)
    found["slowed"] = pulse.slowed(began, time.monotonic())
    time.sleep(REST_S)
    return found | {"verdict": verdict(found)}


def is_spoilt(found: Figures) -> bool:
    """By others on this machine."""
    slowed = found["slowed"] > CALM or found["strangers"] > STRANGERS
    return slowed or found["verdict"] in {GENERATOR_WAS, HELD_UP}


def could_pass(found: Figures) -> bool:
    """Whether what was delivered would have been enough, had nobody slowed the core down."""
    able = found["deliveries_per_s"] * (1 + SHARED * found["slowed"])
    return bool(able >= found["sent_per_s"] * found["per_note"])


def calmest(target: Target, step: Step, pulse: Pulse) -> Figures:
    """Of some tries the first that nobody spoilt, or else the one that was slowed down least."""
    tried: list[Figures] = []
    while not tried or (is_spoilt(tried[-1]) and len(tried) < TRIES):
        tried.append(fixed(target, step, pulse))
    return min(reversed(tried), key=lambda found: (is_spoilt(found), found["slowed"]))


Search = Generator[None, None, dict[str, Any]]  # halts after each step


def search(
    target: Target,
    step: Step,
    pulse: Pulse,
    *,
    halvings: int = 3,
    most_steps: int = 14,
    tells: Callable[[Figures], None],
) -> Search:
    """The best step, all steps, and what ended the search. `step.rate` is the first of `most_steps` rates at most."""
    steps: list[Figures] = []

    def is_over() -> bool:
        return len({found["rate"] for found in steps}) >= most_steps

    def passes(rate: float) -> Generator[None, None, bool]:
        for _try in range(TRIES):
            found = fixed(target, replace(step, rate=rate), pulse)
            steps.append(found)
            tells(found)
            yield
            if found["verdict"] == "pass" or not (is_spoilt(found) and could_pass(found)):
                break
        return bool(found["verdict"] == "pass")

    low, high = yield from bounds(passes, step.rate, target.most_per_s, is_over)
    for _ in range(halvings):
        if not low or not high or is_over():
            break
        middle = (low * high) ** 0.5
        if (yield from passes(middle)):
            low = middle
        else:
            high = middle
    good = [found for found in steps if found["verdict"] == "pass"]
    best = max(good, key=lambda found: float(found["deliveries_per_s"]), default=None)
    brief = [{name: found[name] for name in BRIEF} for found in steps]
    return {"best": best, "steps": brief, "ended_by": ended_by(steps, low, high, target.most_per_s)}


def bounds(
    passes: Callable[[float], Generator[None, None, bool]], rate: float, most: float, is_over: Callable[[], bool]
) -> Generator[None, None, tuple[float, float]]:
    """The highest rate tried that passed and the lowest above it that did not; 0 for none."""
    low = high = 0.0
    rate = min(rate, most)
    while not is_over() and rate >= LOWEST:
        if (yield from passes(rate)):
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


def abreast(searches: Sequence[tuple[Target, Search]]) -> list[dict[str, Any]]:
    """What each of them finds, a step of each in turn."""
    found: dict[int, dict[str, Any]] = {}
    while len(found) < len(searches):
        for number, (target, steps) in enumerate(searches):
            if number in found:
                continue
            try:
                next(steps)
            except StopIteration as end:
                found[number] = end.value
            if len(searches) > 1:
                target.leave()
    return [found[number] for number in range(len(searches))]


def ended_by(steps: list[Figures], low: float, high: float, most: float) -> str:
    if not low:
        return "no rate passed"
    if not high:
        return "the limits for one person" if low >= most else "the number of steps for a search"
    return str(next(found["verdict"] for found in reversed(steps) if found["verdict"] != "pass"))
