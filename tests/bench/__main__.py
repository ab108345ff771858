"""`manage.py bench`: what the product does at which rate, as JSON lines and a table to read.

Server and generator have a core each. A figure counts only when nothing was lost, doubled or at the wrong table, and
when the generator was not what held things up.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.cafe import Figures, Step
from tests.bench.lines import Log, say, shown, table
from tests.bench.loop import MissingError
from tests.bench.ours import Product
from tests.bench.search import fixed, search
from tests.bench.site import GENERATOR_CORE, PROFILES
from zoomcafe.environment import var_dir

COLUMNS = ("notes/s", "deliveries/s", "p50 ms", "p99 ms", "lost", "doubled", "stray", "server", "generator", "others")
NAMES = ("sent_per_s", "deliveries_per_s", "p50_ms", "p99_ms", "lost", "doubled", "stray")
SHARES = ("cpu_server", "cpu_generator", "strangers")


def main() -> int:
    options = arguments()
    os.sched_setaffinity(0, {GENERATOR_CORE} & os.sched_getaffinity(0) or os.sched_getaffinity(0))
    log = Log(options.out, " ".join(sys.argv[1:]))
    product = Product(options.profile, options.workers, dict(options.limit), options.rate)
    try:
        for run in range(options.runs):
            for name in options.what:
                found = WORKLOADS[name](product, options)
                log.write({"what": name, "target": product.name, "run": run, **found})
    except MissingError as missing:
        say(f"This needs {missing}.")
        return 1
    say(f"The lines are in {options.out}.")
    return 0


def cafe(product: Product, options: argparse.Namespace) -> Figures:
    with product.runs(tables=options.tables, seats=options.seats) as target:
        found = fixed(target, Step(options.rate, options.seconds))
    say(rows_of([found]))
    return shape(options) | found


def highest(product: Product, options: argparse.Namespace) -> dict[str, Any]:
    with product.runs(tables=options.tables, seats=options.seats) as target:
        found = search(target, Step(options.rate, options.seconds), tells=lambda step: say(rows_of([step])))
    best = found["best"]
    say(f"highest: {shown(best and best['deliveries_per_s'])} deliveries/s; ended by: {found['ended_by']}")
    return shape(options) | found


def shape(options: argparse.Namespace) -> dict[str, int]:
    return {"tables": options.tables, "seats": options.seats}


def rows_of(steps: list[Figures]) -> str:
    rows = [[step["verdict"], *(step[name] for name in (*NAMES, *SHARES))] for step in steps]
    return table(("", *COLUMNS), rows)


WORKLOADS: dict[str, Callable[[Product, argparse.Namespace], dict[str, Any]]] = {"cafe": cafe, "search": highest}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="manage.py bench", description=__doc__)
    parser.add_argument("what", nargs="*", default=["cafe"], help=f"of {', '.join(WORKLOADS)} (default: cafe)")
    parser.add_argument("--profile", choices=PROFILES, default="sqlite")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--tables", type=int, default=50)
    parser.add_argument("--seats", type=int, default=6, help="at each table")
    parser.add_argument("--rate", type=float, default=150, help="notes a second, all together; where a search begins")
    parser.add_argument("--seconds", type=float, default=3, help="how long a step is measured")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument(
        "--limit",
        type=limit,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a limit of the product raised for the measurement (LIMIT_OPS_PER_SECOND=100); told with the figures",
    )
    parser.add_argument("--out", type=Path, default=var_dir() / "bench" / "lines.jsonl", help="where lines are added")
    options = parser.parse_args()
    if unknown := set(options.what) - WORKLOADS.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    return options


def limit(text: str) -> tuple[str, int]:
    name, _, value = text.partition("=")
    if not name.startswith("LIMIT_") or not value.isdigit():
        raise argparse.ArgumentTypeError(f"{text} is no limit with its value")
    return name, int(value)


if __name__ == "__main__":
    sys.exit(main())
