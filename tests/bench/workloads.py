"""What can be measured, by name. Each takes a running target and says on the way what it finds."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from tests.bench import arriving, lobby, pages, smooth, walk
from tests.bench.cafe import Figures, Step
from tests.bench.lines import say, shown, table
from tests.bench.ours import Ours, Product
from tests.bench.peers.peer import Peer, Rooms
from tests.bench.search import abreast, calmest, search
from tests.bench.tempo import Pulse

COLUMNS = (
    "notes/s",
    "deliveries/s",
    "p50 ms",
    "p99 ms",
    "lost",
    "doubled",
    "stray",
    "server",
    "generator",
    "others",
    "slowed",
)
NAMES = ("sent_per_s", "deliveries_per_s", "p50_ms", "p99_ms", "lost", "doubled", "stray")
SHARES = ("cpu_server", "cpu_generator", "strangers", "slowed")


@dataclass(frozen=True, slots=True)
class Terms:
    """On which a workload runs: what was asked for, and how fast the core is meanwhile."""

    options: argparse.Namespace
    pulse: Pulse


Workload = Callable[[Any, Terms], dict[str, Any]]


def measure(
    name: str, targets: Sequence[Product | Peer], options: argparse.Namespace, pulse: Pulse
) -> Iterator[dict[str, Any]]:
    """One workload with each target, started for it and ended: searches side by side, all else one after the other."""
    if name == "search":
        yield from highest(targets, options, pulse)
        return
    for target in targets:
        say(f"{name}, {target.name}")
        with target.runs(tables=options.tables, seats=options.seats) as running:
            pulse.wait_for_calm()
            began = time.monotonic()
            found = WORKLOADS[name](running, Terms(options, pulse))
            slowed = pulse.slowed(began, time.monotonic())
        yield {**heads(name, target, options), "slowed": slowed, **found}


def heads(name: str, target: Product | Peer, options: argparse.Namespace) -> dict[str, Any]:
    shape = {"tables": options.tables, "seats": options.seats} if name in SHAPED else {}
    return {"what": name, "target": target.name, **shape}


def highest(targets: Sequence[Product | Peer], options: argparse.Namespace, pulse: Pulse) -> Iterator[dict[str, Any]]:
    with ExitStack() as stack:
        running = [stack.enter_context(each.runs(tables=options.tables, seats=options.seats)) for each in targets]
        searches = [
            (
                one,
                search(
                    one,
                    Step(options.first_rate or target.first_rate, options.seconds),
                    pulse,
                    most_steps=options.steps,
                    tells=lambda step, name=target.name: say(row_of(name, step)),
                ),
            )
            for one, target in zip(running, targets, strict=True)
        ]
        all_found = abreast(searches)
    for target, found in zip(targets, all_found, strict=True):
        best = found["best"]
        say(f"  {target.name}: {shown(best and best['deliveries_per_s'])} deliveries/s; {found['ended_by']}")
        yield {**heads("search", target, options), **found}


def cafe(target: Ours | Rooms, terms: Terms) -> Figures:
    found = calmest(target, Step(terms.options.rate, terms.options.seconds), terms.pulse)
    say(rows_of([found]))
    return found


def storm(target: Ours | Rooms, terms: Terms) -> Figures:
    options = terms.options
    if isinstance(target, Rooms):
        return told(arriving.storm_at(target, at_once=options.at_once))
    people = options.tables * options.seats
    return told(arriving.storm(target.site, arrivals=people, seats=options.seats, at_once=options.at_once))


def back(target: Ours | Rooms, terms: Terms) -> Figures:
    options = terms.options
    if isinstance(target, Rooms):
        return told(arriving.storm_at(target, at_once=options.at_once))
    found = arriving.back(target.site, tables=options.tables, seats=options.seats, at_once=options.at_once)
    return told(found)


def idle(target: Ours | Rooms, terms: Terms) -> Figures:
    if isinstance(target, Rooms):
        return told(arriving.idle_at(target))
    return told(arriving.idle(target.site, tables=terms.options.tables, seats=terms.options.seats))


def rush(target: Ours, terms: Terms) -> Figures:
    return told(lobby.rush(target.site, tables=terms.options.tables, seats=terms.options.seats))


def opening(target: Ours, terms: Terms) -> Figures:
    options = terms.options
    return told(walk.opens(target.site, tables=options.tables, seats=options.seats, notes=options.notes))


def timings(target: Ours, _terms: Terms) -> dict[str, Any]:
    found = pages.pages(target.site)
    rows = [(name, page["ms"], page["cpu_ms"], page["kib"]) for name, page in found.items()]
    say(table(("page", "ms", "server ms", "KiB"), rows))
    return {"pages": found}


def feels(target: Ours, _terms: Terms) -> dict[str, Any]:
    found = smooth.smooth(target.site)
    rows = [(name, *page.values()) for name, page in found.items()]
    say(table(("page", *next(iter(found.values()))), rows))
    return {"pages": found}


def told(found: Figures) -> Figures:
    flat = found | {f"backlog {name}": value for name, value in found.get("backlog", {}).items()}
    say("  " + ", ".join(f"{name} {shown(value)}" for name, value in flat.items() if not isinstance(value, dict)))
    return found


def rows_of(steps: list[Figures]) -> str:
    return table(("", *COLUMNS), [[step["verdict"], *(step[name] for name in (*NAMES, *SHARES))] for step in steps])


def row_of(name: str, step: Figures) -> str:
    """A step of a search in one line."""
    rate, seen = shown(step["sent_per_s"]), shown(step["deliveries_per_s"])
    busy = f"server {step['cpu_server']:.2f}, generator {step['cpu_generator']:.2f}, others {step['strangers']:.2f}"
    late = f"p99 {shown(step['p99_ms']):>7} ms"
    shares = f"{busy}, slowed {step['slowed']:.0%}"
    return f"  {name[:30]:<30} {rate:>8} notes/s {seen:>9} deliveries/s  {late}  {shares}  {step['verdict']}"


WORKLOADS: dict[str, Workload] = {
    "cafe": cafe,
    "storm": storm,
    "back": back,
    "idle": idle,
    "lobby": rush,
    "gallery": opening,
    "pages": timings,
    "browser": feels,
}
ALL = ("search", *WORKLOADS)
SHAPED = {*ALL} - {"pages", "browser"}
WITH_PEERS = ("cafe", "search", "storm", "back", "idle")
