"""What goes wrong, and when: drawn from a seed, the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

# how long each kind lasts, in seconds, least and most; in the profile `scale` there is more that can break
EVERYWHERE: dict[str, tuple[float, float]] = {
    "kill one server": (0.2, 2.0),
    "kill all servers": (0.2, 3.0),
    "restart a server": (0.0, 1.0),
    "stop a server": (5.0, 20.0),
    "latency": (3.0, 8.0),
    "cut": (0.5, 5.0),
    "half-open": (2.0, 8.0),
    "slow reading": (4.0, 10.0),
    "lost frames": (5.0, 10.0),
    "refused connections": (1.0, 5.0),
    "kill clients": (0.2, 3.0),
}
BEHIND: dict[str, tuple[float, float]] = {
    "restart PostgreSQL": (0.2, 3.0),
    "kill PostgreSQL": (0.2, 3.0),
    "stop PostgreSQL at once": (0.2, 3.0),
    "cut the database": (0.5, 4.0),
    "database latency": (3.0, 6.0),
    "half-open database": (2.0, 6.0),
    "restart Redis": (0.2, 4.0),
    "empty Redis": (0.0, 0.0),
    "pause Redis": (2.0, 8.0),
    "cut Redis": (0.5, 5.0),
    "half-open Redis": (2.0, 6.0),
    "Redis latency": (3.0, 6.0),
}
IN_BROWSERS: dict[str, tuple[float, float]] = {"crash a tab": (0.2, 3.0)}
ALONE = "kill all servers, nothing else"  # once the storm is over: only then the time it costs is its own
ALONE_TIMES, ALONE_S = 2, 1.0
QUIET_FIRST_S = 3.0  # everybody has said something before anything breaks
GAP_S = (1.5, 4.0)
OVERLAP = (0.3, 1.0)  # how much of a fault is over when the next one begins


@dataclass(frozen=True, slots=True)
class Fault:
    """`at` and `lasts` in seconds; `on` says which of the things that can break so, `dial` (0…1) how badly."""

    at: float
    kind: str
    lasts: float
    on: int
    dial: float


def kinds(profile: str, *, browsers: int = 0) -> dict[str, tuple[float, float]]:
    found = EVERYWHERE | (BEHIND if profile == "scale" else {})
    return found | (IN_BROWSERS if browsers else {})


def schedule(seed: int, profile: str, seconds: float, *, browsers: int = 0) -> list[Fault]:
    """All kinds in a drawn order, then again in another one, as long as there is time."""
    dice = random.Random(f"nemesis {seed} {profile}")
    spans = kinds(profile, browsers=browsers)
    found: list[Fault] = []
    at, bag = QUIET_FIRST_S, list[str]()
    while True:
        bag = bag or dice.sample(sorted(spans), len(spans))
        kind = bag.pop()
        fault = Fault(round(at, 2), kind, round(dice.uniform(*spans[kind]), 2), dice.randrange(1000), dice.random())
        if fault.at + fault.lasts > seconds:
            return found
        found.append(fault)
        at += fault.lasts * dice.uniform(*OVERLAP) + dice.uniform(*GAP_S)
