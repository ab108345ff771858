"""The page that says what runs came to, made anew from the figures beside it each time one is added.

`python -m tests.chaos.reliability PAGE` makes it anew without adding any.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.chaos.campaign import MODERATOR_TABS, Outcome
from tests.chaos.checker import ZEROS
from tests.chaos.convergence import percentiles
from tests.chaos.hunting import CLIENTS, STORM_S, Hunt
from tests.chaos.mutants import MUTANTS
from tests.chaos.nemesis import ALONE, kinds
from tests.chaos.postgres import MissingError, programs
from tests.chaos.report import bound
from tests.machine import BROWSERS
from zoomcafe.environment import HOME

Figures = dict[str, Any]
FINE_S = 10.0  # below, times are kept to a tenth of a second, above to a second
INTRO = """# What was acknowledged is not lost

This page is written by `python3 manage.py chaos`; run it and see for yourself. The real thing is started: with the
profile `sqlite` one server over a SQLite file, with `scale` two servers over PostgreSQL and Redis, and wires of ours
between everything. Simulated clients at eight tables and real browsers (Chromium) write, change, move, delete and
change tables, while a nemesis drawn from the seed kills, stops, cuts and slows down what there is. Then everything is
healed, and a checker that reads the database by itself compares it with what every client had sent and was told, and
with what all of them see.
"""
ENDING = """## What it has found

- When a visit ended (removed, too many tabs), the page took the server's word about the visit for the answer to what
  was on its way, and showed a note as refused that may have been stored. Both profiles, seed 1, two minutes.
- A page whose browser was too busy to open its store within two seconds lived without one, and never looked for what
  a crashed tab had left there: twelve entries stayed unsent until a reload. Profile scale, seed 1, ten minutes, on a
  machine with a load of twelve.
- The harness itself was wrong once: a drill took the seat of a browser's guest, who then was not where it was looked
  for.

## Beside the storms

Measured 2026-11-27 on two cores (x86_64), with the commands named; these figures are not written by `chaos`.

- Two workers over PostgreSQL and Redis are renewed one after the other while 500 pages are open and people write
  (`python3 manage.py tool python -m tests.bench.rolling --sockets 500`): of 2,379 acknowledged notes none was lost or
  doubled, none refused, no page was sent away for good; 99 % were back within 1.4 s, all within 1.7 s, and all showed
  what the database has.
- While one process floods the server with eight callers, in thirteen ways
  (`python3 manage.py tool python -m tests.bench.flood`; the server has a core, callers and guests share the other), a
  change reaches the other side of the table after 1.0 to 1.8 times as long as in peace at the median (9 to 11 ms in
  peace, that day), and in 19 of 20 cases within 1.1 to 2.2 times as long as 19 of 20 take in peace.

## What this does not show

The disk is a real one and nobody pulls its plug: that a commit outlives the loss of power rests on
`synchronous = FULL` and PostgreSQL's own defaults. Latencies are those of one machine that does everything. Times are
measured, never judged: the verdict does not depend on how fast a machine is.
"""


def add_run(page: Path, outcome: Outcome) -> None:
    plan = outcome.plan
    name = f"{plan.profile} {plan.seed} {plan.seconds / 60:g}"
    run: Figures = {
        "machine": machine(),
        "made": made(),
        "profile": plan.profile,
        "seed": plan.seed,
        "minutes": plan.seconds / 60,
        "clients": plan.clients,
        "browsers": plan.browsers,
        "operations": len(outcome.deeds),
        "acknowledged": outcome.acknowledged,
        "repeated": outcome.resent,
        "faults": dict(sorted(outcome.faults.items())),
        "zeros": {zero: len(found) for zero, found in outcome.zeros.items()},
        "since_healed": {kind: kept(samples) for kind, samples in sorted(outcome.since_healed.items())},
        "since_back": {kind: kept(samples) for kind, samples in sorted(outcome.since_back.items())},
        "never": outcome.never,
    }
    change(page, lambda figures: figures["runs"].update({name: run}))


def add_hunt(page: Path, hunt: Hunt) -> None:
    found = {"caught": hunt.is_caught, "after": round(hunt.after), "runs": hunt.runs, "by": list(hunt.by)}
    change(
        page, lambda figures: figures["mutants"].update({hunt.mutant: {"machine": machine(), "made": made(), **found}})
    )


def change(page: Path, act: Any) -> None:
    """The figures lie beside the page, as JSON; runs that end at the same time wait for each other."""
    with page.with_suffix(".json").open("a+", encoding="utf-8") as beside:
        fcntl.flock(beside, fcntl.LOCK_EX)
        beside.seek(0)
        figures = json.loads(beside.read() or '{"runs": {}, "mutants": {}}')
        act(figures)
        beside.truncate(0)
        beside.write(json.dumps(figures, indent=1, sort_keys=True) + "\n")
        page.write_text(written(figures), encoding="utf-8")


def kept(samples: Iterable[float]) -> dict[str, int]:
    """Times as counts of rounded ones: the same for our purposes, and short."""
    return dict(sorted(Counter(f"{s:.1f}" if s < FINE_S else f"{s:.0f}" for s in samples).items()))


def unfolded(counts: Mapping[str, int]) -> list[float]:
    return [float(value) for value, count in counts.items() for _sample in range(count)]


def written(figures: Figures) -> str:
    runs = sorted(figures["runs"].values(), key=lambda run: (run["profile"], run["minutes"], run["seed"]))
    parts = [INTRO, _runs(runs), _zeros(runs)]
    parts += [_faults(profile, [run for run in runs if run["profile"] == profile]) for profile in ("sqlite", "scale")]
    return "\n".join(filter(None, [*parts, _mutants(figures["mutants"]), ENDING]))


def _runs(runs: list[Figures]) -> str:
    if not runs:
        return "## Runs\n\nNone is recorded yet.\n"
    head = (
        "profile",
        "seed",
        "minutes",
        "clients + browsers",
        "operations",
        "acknowledged",
        "sent again",
        "faults",
        "lost",
        "other zeros",
    )
    rows = [
        (
            run["profile"],
            run["seed"],
            f"{run['minutes']:g}",
            f"{run['clients'] + MODERATOR_TABS} + {run['browsers']}",
            f"{run['operations']:,}",
            f"{run['acknowledged']:,}",
            f"{run['repeated']:,}",
            f"{sum(run['faults'].values())} ({len(_kinds(run) & run['faults'].keys())} of {len(_kinds(run))} kinds)",
            run["zeros"]["lost"],
            _others(run["zeros"]),
        )
        for run in runs
    ]
    acknowledged = sum(run["acknowledged"] for run in runs)
    lost = sum(run["zeros"]["lost"] for run in runs)
    said = f"{lost} of {acknowledged:,} acknowledged operations were lost"
    said += f": the rate is {bound(acknowledged)} (3/n)." if not lost else "."
    return "\n".join(["## Runs", "", *table(head, rows), "", said, "", *_where(runs)])


def _where(entries: Collection[Figures]) -> Iterator[str]:
    """On what they were made, and when."""
    for place in sorted({entry["machine"] for entry in entries}):
        days = sorted({entry["made"] for entry in entries if entry["machine"] == place})
        yield f"Machine: {place}. Made {', '.join(days)}.\n"


def _kinds(run: Figures) -> set[str]:
    return set(kinds(run["profile"], browsers=run["browsers"]))


def _others(zeros: Mapping[str, int]) -> str:
    broken = {name: count for name, count in zeros.items() if count and name != "lost"}
    return ", ".join(f"{name}: {count}" for name, count in broken.items()) or f"all {len(zeros) - 1} are 0"


def _zeros(runs: list[Figures]) -> str:
    rows = [
        (name, " ".join((zero.__doc__ or "").split()), sum(run["zeros"].get(name, 0) for run in runs) if runs else "")
        for name, zero in ZEROS.items()
    ]
    return "\n".join(["## What has to be zero", "", *table(("zero", "what holds", "times it did not"), rows), ""])


def _faults(profile: str, runs: list[Figures]) -> str:
    if not runs:
        return ""
    head = ("fault", "times", "p50", "p95", "p99", "max", "after return: p50", "p95", "p99", "max")
    rows = []
    for kind in (*kinds(profile, browsers=1), ALONE):
        times = sum(run["faults"].get(kind, 0) for run in runs)
        healed, back = (_together(runs, which, kind) for which in ("since_healed", "since_back"))
        rows.append((kind, times, *_seconds(healed), *_seconds(back)))
    never = sum(run["never"] for run in runs)
    said = (
        "Seconds from the end of the fault until a client had everything that was in the database by then and all its"
        " own operations were answered; on the right from the moment the client itself was connected again, which it"
        " tries after a drawn pause. Faults overlap, so the tail of one belongs to the next;"
        " the last line is about one that came alone. A line that loses only what goes up brings beats as ever: it is"
        " the server that ends it, after fifty seconds."
        f" {never} clients did not get there in time."
    )
    return "\n".join([f"## Faults and time to converge, profile {profile}", "", said, "", *table(head, rows), ""])


def _together(runs: list[Figures], which: str, kind: str) -> list[float]:
    return [second for run in runs for second in unfolded(run[which].get(kind, {}))]


def _seconds(samples: list[float]) -> tuple[str, ...]:
    return tuple(f"{value:.1f}" for value in percentiles(samples)) if samples else ("",) * 4


def _mutants(found: Figures) -> str:
    if not found:
        return ""
    head = ("mutant", "rule that is switched off", "caught", "seconds", "runs", "by")
    rows = [
        (name, mutant.rule, "yes" if one["caught"] else "no", one["after"], one["runs"], ", ".join(one["by"]))
        for name, mutant in MUTANTS.items()
        if (one := found.get(name))
    ]
    caught = sum(row[2] == "yes" for row in rows)
    said = (
        "Zeros mean little unless the harness would notice. Each rule was switched off from outside, in a server or"
        f" client of the tests' own, over SQLite, with {CLIENTS + MODERATOR_TABS} clients and storms of {STORM_S:g} s,"
        f" until the zero it stands for was none, for ten minutes at most: {caught} of {len(MUTANTS)} were caught."
        " Seconds count from the first start of a server to the verdict."
    )
    if missing := MUTANTS.keys() - found.keys():
        said += f" Not tried yet: {', '.join(sorted(missing))}."
    return "\n".join(["## Mutants", "", said, "", *table(head, rows), "", *_where(found.values())])


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    titles = list(head)
    yield f"| {' | '.join(titles)} |"
    yield f"|{'---|' * len(titles)}"
    for row in rows:
        yield f"| {' | '.join(str(cell) for cell in row)} |"


def made() -> str:
    """Today, and of what: the commit, where there is a repository."""
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    asked = ["git", "-C", str(HOME), "rev-parse", "--short", "HEAD"]
    if shutil.which("git") is None:
        return today
    commit = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return f"{today} from {commit}" if commit else today


def machine() -> str:
    """What kind it is, not which."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    facts = [
        f"{os.cpu_count()} cores ({platform.machine()})",
        f"{memory:.0f} GB memory",
        platform.system(),
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
    ]
    return ", ".join([*facts, *filter(None, map(_version, _programs()))])


def _programs() -> Iterator[str]:
    yield next(filter(None, map(shutil.which, BROWSERS)), "")
    with contextlib.suppress(MissingError):
        yield str(programs() / "postgres")
    yield shutil.which("redis-server") or ""


def _version(program: str) -> str:
    """Such as `Chromium 149.0`: the name and the number a program says of itself."""
    if not program:
        return ""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.split()
    name = "PostgreSQL" if program.endswith("postgres") else said[0] if said else ""
    number = next((word.removeprefix("v=") for word in said if word.removeprefix("v=")[:1].isdigit()), "")
    return f"{name} {'.'.join(number.split('.')[:2])}".strip()


if __name__ == "__main__":
    change(Path(sys.argv[1]), lambda _figures: None)
