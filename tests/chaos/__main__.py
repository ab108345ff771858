"""`manage.py chaos`: one run, its verdict and its figures. Ends with 0 only if everything is zero."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from tests.chaos import report
from tests.chaos.campaign import Campaign, Outcome, Plan
from tests.chaos.mutants import MUTANTS, switched_off
from tests.chaos.site import PROFILES


def main() -> int:
    options = arguments()
    outcome = run(options)
    for line in (*report.findings(outcome), *report.by_fault(outcome), report.figures(outcome)):
        sys.stdout.write(f"{line}\n")
    return 0 if outcome.is_good else 1


def run(options: argparse.Namespace) -> Outcome:
    in_clients = options.mutant and MUTANTS[options.mutant].of == "client"
    with (
        tempfile.TemporaryDirectory(prefix="zoomcafe-chaos-", ignore_cleanup_errors=True) as name,
        switched_off(options.mutant) if in_clients else nullcontext(),
    ):
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL has an account of its own
        plan = Plan(
            options.profile,
            options.seed,
            options.minutes * 60,
            folder,
            clients=options.clients,
            browsers=options.browsers,
            mutant="" if in_clients else options.mutant,
        )
        return asyncio.run(Campaign(plan, tells=Teller()).run())


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
    parser.add_argument("--seed", type=int, default=1, help="the same number makes the same things go wrong")
    parser.add_argument("--profile", choices=PROFILES, default="sqlite")
    parser.add_argument("--clients", type=int, default=36, help="simulated guests; the moderator's tabs come on top")
    parser.add_argument("--browsers", type=int, default=2, help="real ones (default 2; 0 where there is no Chromium)")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), default="", help="with this rule switched off")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
