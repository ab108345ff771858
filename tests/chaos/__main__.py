"""`manage.py chaos`: things go wrong on the real thing, and what was promised is counted. 0 only if all is zero."""

from __future__ import annotations

import argparse
import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import FrameType

from tests.chaos import reliability, report
from tests.chaos.campaign import CLIENTS, Campaign, Outcome, Plan
from tests.chaos.hunting import hunt
from tests.chaos.keeping import keep
from tests.chaos.mutants import MUTANTS
from tests.chaos.postgres import MissingError
from tests.chaos.site import PROFILES, scratch

ENDINGS = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    options = arguments()
    profiles = PROFILES if options.profile == "all" else (options.profile,)
    try:
        if options.mutant == "all":
            return one_after_the_other(options, [("--mutant", name) for name in MUTANTS])
        if options.mutant:
            return hunts(options)
        if len(profiles) * len(options.seed) > 1:
            return one_after_the_other(
                options, [("--profile", profile, "--seed", str(seed)) for seed in options.seed for profile in profiles]
            )
        return runs(options)
    except MissingError as what:
        sys.exit(f"Missing on this machine: {what}.")
    except KeyboardInterrupt:
        return 130


def one_after_the_other(options: argparse.Namespace, wishes: list[tuple[str, ...]]) -> int:
    """Each in a process of its own: what one of them comes to is kept, whatever becomes of the next."""
    common = ["--minutes", str(options.minutes), "--clients", str(options.clients), "--browsers", str(options.browsers)]
    common += ["--seed", *map(str, options.seed), *(["--report", str(options.report)] if options.report else [])]
    command = [sys.executable, "-m", "tests.chaos", *common]
    good = [outlived([*command, *wish]) == 0 for wish in wishes]
    sys.stdout.write(f"{sum(good)} of {len(good)} as they should be\n")
    return 0 if all(good) else 1


def outlived(command: list[str]) -> int:
    """The status of a process that tidies up before it ends, even when we are told to end."""
    with subprocess.Popen(command) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGTERM)
            process.wait()
            raise


def runs(options: argparse.Namespace) -> int:
    [seed] = options.seed
    seconds, people = options.minutes * 60, {"clients": options.clients, "browsers": options.browsers}
    with scratch() as folder:
        campaign = Campaign(Plan(options.profile, seed, seconds, folder, **people), tells=Teller())
        outcome = Outcome(campaign.plan)
        try:
            outcome = asyncio.run(campaign.run())
        finally:
            if not outcome.is_good:
                place = keep(folder, f"{options.profile}-{seed}", report.findings(outcome))
                campaign.tells(f"histories and logs are in {place}")
    if options.report:
        reliability.add_run(options.report, outcome)
    say((*report.findings(outcome), *report.by_fault(outcome), report.figures(outcome)))
    return 0 if outcome.is_good else 1


def hunts(options: argparse.Namespace) -> int:
    """With a rule switched off it is good when that is noticed."""
    found = hunt(options.mutant, seed=options.seed[0], tells=Teller())
    if options.report:
        reliability.add_hunt(options.report, found)
    say([str(found)])
    return 0 if found.is_caught else 1


def say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


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
        "--seed",
        type=int,
        nargs="+",
        default=[1],
        help="the same number makes the same things go wrong (default 1); with several, one run after the other",
    )
    parser.add_argument(
        "--profile", choices=[*PROFILES, "all"], default="sqlite", help="one server, or two and what they need"
    )
    parser.add_argument("--clients", type=int, default=CLIENTS, help=f"simulated guests (default {CLIENTS})")
    parser.add_argument("--browsers", type=int, default=2, help="real ones (default 2; 0 where there is no Chromium)")
    parser.add_argument(
        "--mutant", choices=[*MUTANTS, "all"], default="", help="with a rule switched off, until that is noticed"
    )
    parser.add_argument("--report", type=Path, metavar="PAGE", help="adds the figures to this page")
    return parser.parse_args()


def ends(_number: int, _frame: FrameType | None) -> None:
    """With us end the servers and databases that we have started; being told once is enough."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    for ending in ENDINGS:
        signal.signal(ending, ends)
    sys.exit(main())
