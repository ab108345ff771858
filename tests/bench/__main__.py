"""`manage.py bench`: what the product does at which rate, as JSON lines and a table to read.

Server and generator have a core each. A figure counts only when nothing was lost, doubled or at the wrong table, and
when the generator was not what held things up.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from dataclasses import replace
from pathlib import Path

from tests.bench.compare import deliveries, figures, median, ratio
from tests.bench.cores import GENERATOR_CORE, on_core
from tests.bench.document import write
from tests.bench.lines import Line, Log, say, table
from tests.bench.ours import Product
from tests.bench.peers.peer import PEERS, Peer
from tests.bench.site import PROFILES
from tests.bench.tempo import Tempo
from tests.bench.workloads import ALL, WITH_PEERS, measure
from tests.chaos.postgres import MissingError
from zoomcafe.environment import var_dir


def main() -> int:
    options = arguments()
    if options.document:
        write()
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing we started is left
    log = Log(options.out, " ".join(sys.argv[1:]))
    try:
        with on_core(GENERATOR_CORE), Tempo() as tempo:
            lines = run(options, log, tempo)
    except MissingError as missing:
        say(f"This needs {missing}.")
        return 1
    if options.against and "search" in options.what:
        say(side_by_side(lines))
    say(f"The lines are in {options.out}.")
    sys.stdout.write(f"{json.dumps(figures(lines), ensure_ascii=False)}\n")
    return 0


def run(options: argparse.Namespace, log: Log, tempo: Tempo) -> list[Line]:
    """Every workload with every target, as often as asked: A B C, A B C."""
    product = Product(options.profile, options.workers, dict(options.limit))
    ours = [product, *([replace(product, plain=True)] if options.plain else [])]
    peers = [peer for peer in PEERS if options.against and (not options.peer or peer.key in options.peer)]
    lines: list[Line] = []
    for name in options.what:
        targets: list[Product | Peer] = [*ours, *(peers if name in WITH_PEERS else [])]
        for number in range(options.runs):
            say(f"{name}, run {number + 1} of {options.runs}")
            for found in measure(name, targets, options, tempo):
                line = {"run": number, **found}
                log.write(line)
                lines.append(line)
    return lines


def side_by_side(lines: list[Line]) -> str:
    """The searches: medians, spread, and ours ÷ theirs."""
    searches = [line for line in lines if line["what"] == "search"]
    names = list(dict.fromkeys(line["target"] for line in searches))
    of = {name: [line for line in searches if line["target"] == name] for name in names}
    rows = []
    for name in names:
        middle, over = median(of[name], deliveries), ratio(of[names[0]], of[name], deliveries)
        rows.append(
            [
                name,
                middle and middle.value,
                middle and middle.low,
                middle and middle.high,
                over and over.value,
                over and f"{over.spread:.0%}",
            ]
        )
    return table(("deliveries/s at p99 ≤ 100 ms", "median", "lowest", "highest", "ours ÷ theirs", "spread"), rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="manage.py bench", description=__doc__)
    parser.add_argument("what", nargs="*", default=["cafe"], help=f"of {', '.join(ALL)} (default: cafe)")
    parser.add_argument("--against", choices=["peers"], help="what others would use, interleaved; installed by npm")
    parser.add_argument("--peer", action="append", choices=[peer.key for peer in PEERS], help="only this one")
    parser.add_argument("--profile", choices=PROFILES, default="sqlite")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="beside it the product by Daphne's own command line")
    parser.add_argument("--tables", type=int, default=50)
    parser.add_argument("--seats", type=int, default=6, help="at each table")
    parser.add_argument("--rate", type=float, default=150, help="of cafe: notes a second, all together")
    parser.add_argument("--first-rate", type=float, help="where a search begins")
    parser.add_argument("--seconds", type=float, default=3, help="how long a step is measured")
    parser.add_argument("--steps", type=int, default=14, help="how many one search may take")
    parser.add_argument("--at-once", type=int, default=40, help="of storm and back: how many come in at any time")
    parser.add_argument("--notes", type=int, default=500, help="of gallery: how many hang there")
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
    parser.add_argument("--document", action="store_true", help="only write docs/performance.md from its .jsonl")
    options = parser.parse_args()
    if unknown := set(options.what) - {*ALL}:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    return options


def limit(text: str) -> tuple[str, int]:
    name, _, value = text.partition("=")
    if not name.startswith("LIMIT_") or not value.isdigit():
        raise argparse.ArgumentTypeError(f"{text} is no limit with its value")
    return name, int(value)


if __name__ == "__main__":
    sys.exit(main())
