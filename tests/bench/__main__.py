"""`manage.py bench`: what the product does at which rate, as JSON lines and a table to read."""

from __future__ import annotations

import argparse
import json
import os
import sys

from tests.bench.cafe import Step, take, verdict
from tests.bench.crowd import seated
from tests.bench.site import GENERATOR_CORE, PROFILES, site


def main() -> int:
    options = arguments()
    os.sched_setaffinity(0, {GENERATOR_CORE})
    with site(options.profile, workers=options.workers) as place:
        crowd = seated(place, tables=options.tables, seats=options.seats)
        loop = crowd.loop()
        loop.rest(0.5)
        found = take(crowd, loop, Step(options.rate, options.seconds))
        found["verdict"] = verdict(found)
        sys.stdout.write(json.dumps(found) + "\n")
        loop.close()
        crowd.leave()
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="manage.py bench", description=__doc__)
    parser.add_argument("--profile", choices=PROFILES, default="sqlite")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--tables", type=int, default=50)
    parser.add_argument("--seats", type=int, default=6)
    parser.add_argument("--rate", type=float, default=150)
    parser.add_argument("--seconds", type=float, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
