"""Whether the harness notices that a rule is missing, and how soon."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from tests.chaos.campaign import Campaign, Outcome, Plan
from tests.chaos.mutants import MUTANTS, switched_off
from tests.chaos.site import scratch

MOST_S = 600.0
STORM_S = 75.0  # a memory of a minute must have time to fail
CLIENTS = 24
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Hunt:
    """`after` in seconds since the first run began; `by` the zeros that were none in the last run."""

    mutant: str
    is_caught: bool
    after: float
    runs: int
    by: tuple[str, ...]

    def __str__(self) -> str:
        word = "caught" if self.is_caught else "NOT CAUGHT"
        return f"mutant {self.mutant}: {word} after {self.after:.0f} s in {self.runs} runs, by: {', '.join(self.by)}"


def hunt(name: str, *, seed: int = 1, seconds: float = STORM_S, tells: Callable[[str], None]) -> Hunt:
    """Runs with one seed after the other until the zero that this rule stands for is none, ten minutes at most."""
    began, runs = time.monotonic(), 0
    while True:
        outcome = run(name, seed + runs, seconds, tells)
        runs += 1
        after, by = time.monotonic() - began, tuple(zero for zero, found in outcome.zeros.items() if found)
        if MUTANTS[name].zero in by or after > MOST_S:
            return Hunt(name, MUTANTS[name].zero in by and after <= MOST_S, after, runs, by)


def run(mutant: str, seed: int, seconds: float, tells: Callable[[str], None]) -> Outcome:
    """One run without this rule, on one server."""
    in_clients = MUTANTS[mutant].of == "client"
    with scratch() as folder, switched_off(mutant) if in_clients else nullcontext():
        of_server = "" if in_clients else mutant
        plan = Plan("sqlite", seed, seconds, folder, clients=CLIENTS, mutant=of_server, patience=PATIENCE_S, alone=0)
        return asyncio.run(Campaign(plan, tells=tells).run())
