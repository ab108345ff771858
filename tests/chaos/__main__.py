"""`manage.py chaos`: things go wrong on the real thing, and what was promised is counted. 0 only if all is zero."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

from tests.chaos import reliability, report
from tests.chaos.campaign import CLIENTS, Campaign, Plan
from tests.chaos.hunting import hunt
from tests.chaos.mutants import MUTANTS
from tests.chaos.postgres import MissingError
from tests.chaos.site import PROFILES, scratch


def main() -> int:
    options = arguments()
    try:
        return hunts(options) if options.mutant else runs(options)
    except MissingError as what:
        sys.exit(f"Missing on this machine: {what}.")
    except KeyboardInterrupt:
        return 130


def runs(options: argparse.Namespace) -> int:
    with scratch() as folder:
        plan = Plan(
            options.profile,
            options.seed,
            options.minutes * 60,
            folder,
            clients=options.clients,
            browsers=options.browsers,
        )
        outcome = asyncio.run(Campaign(plan, tells=Teller()).run())
    if options.report:
        reliability.add_run(options.report, outcome)
    for line in (*report.findings(outcome), *report.by_fault(outcome), report.figures(outcome)):
        sys.stdout.write(f"{line}\n")
    return 0 if outcome.is_good else 1


def hunts(options: argparse.Namespace) -> int:
    """With a rule switched off it is good when that is noticed."""
    names = list(MUTANTS) if options.mutant == "all" else [options.mutant]
    found = []
    for name in names:
        found.append(hunt(name, seed=options.seed, tells=Teller()))
        sys.stdout.write(f"{found[-1]}\n")
        sys.stdout.flush()
        if options.report:
            reliability.add_hunt(options.report, found[-1])
    sys.stdout.write(f"{sum(one.is_caught for one in found)} of {len(found)} mutants caught\n")
    return 0 if all(one.is_caught for one in found) else 1


class Teller:
    """Says on stderr what goes on, and when."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def __call__(self, sentence: str) -> None:
        sys.stderr.write(f"{time.monotonic() - self.began:6.1f} s  {sentence}\n")
        sys.stderr.flush()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="manage.py chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0, help="how long things go wrong (default 2)")
    parser.add_argument(
        "--seed", type=int, default=1, help="the same number makes the same things go wrong (default 1)"
    )
    parser.add_argument("--profile", choices=PROFILES, default="sqlite", help="one server, or two and what they need")
    parser.add_argument("--clients", type=int, default=CLIENTS, help=f"simulated guests (default {CLIENTS})")
    parser.add_argument("--browsers", type=int, default=2, help="real ones (default 2; 0 where there is no Chromium)")
    parser.add_argument(
        "--mutant", choices=[*MUTANTS, "all"], default="", help="with a rule switched off, until that is noticed"
    )
    parser.add_argument("--report", type=Path, metavar="PAGE", help="adds the figures to this page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
