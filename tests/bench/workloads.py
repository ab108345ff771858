"""What can be measured, by name. Each takes a running target and says on the way what it finds."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from tests.bench import arriving, lobby, pages, smooth, walk
from tests.bench.cafe import Figures, Step
from tests.bench.lines import say, shown, table
from tests.bench.ours import Ours, Product
from tests.bench.peers.peer import Peer, Rooms
from tests.bench.search import fixed, search

Workload = Callable[[Any, argparse.Namespace, float], dict[str, Any]]
COLUMNS = ("notes/s", "deliveries/s", "p50 ms", "p99 ms", "lost", "doubled", "stray", "server", "generator", "others")
NAMES = ("sent_per_s", "deliveries_per_s", "p50_ms", "p99_ms", "lost", "doubled", "stray")
SHARES = ("cpu_server", "cpu_generator", "strangers")


def measure(name: str, target: Product | Peer, options: argparse.Namespace) -> dict[str, Any]:
    """One workload with one target, started for it and ended."""
    first_rate = options.rate if name == "cafe" else options.first_rate or target.first_rate
    with target.runs(tables=options.tables, seats=options.seats) as running:
        found = WORKLOADS[name](running, options, first_rate)
    shape = {"tables": options.tables, "seats": options.seats} if name in SHAPED else {}
    return {"what": name, "target": target.name, **shape, **found}


def cafe(target: Ours | Rooms, options: argparse.Namespace, rate: float) -> Figures:
    found = fixed(target, Step(rate, options.seconds))
    say(rows_of([found]))
    return found


def highest(target: Ours | Rooms, options: argparse.Namespace, rate: float) -> dict[str, Any]:
    found = search(target, Step(rate, options.seconds), most_steps=options.steps, tells=lambda step: say(row_of(step)))
    best = found["best"]
    say(f"  highest: {shown(best and best['deliveries_per_s'])} deliveries/s; ended by: {found['ended_by']}")
    return found


def storm(target: Ours | Rooms, options: argparse.Namespace, _rate: float) -> Figures:
    if isinstance(target, Rooms):
        return told(arriving.storm_at(target, at_once=options.at_once))
    people = options.tables * options.seats
    return told(arriving.storm(target.site, arrivals=people, seats=options.seats, at_once=options.at_once))


def back(target: Ours | Rooms, options: argparse.Namespace, _rate: float) -> Figures:
    if isinstance(target, Rooms):
        return told(arriving.storm_at(target, at_once=options.at_once))
    found = arriving.back(target.site, tables=options.tables, seats=options.seats, at_once=options.at_once)
    return told(found)


def idle(target: Ours | Rooms, options: argparse.Namespace, _rate: float) -> Figures:
    if isinstance(target, Rooms):
        return told(arriving.idle_at(target))
    return told(arriving.idle(target.site, tables=options.tables, seats=options.seats))


def rush(target: Ours, options: argparse.Namespace, _rate: float) -> Figures:
    return told(lobby.rush(target.site, tables=options.tables, seats=options.seats))


def opening(target: Ours, options: argparse.Namespace, _rate: float) -> Figures:
    return told(walk.opens(target.site, tables=options.tables, seats=options.seats, notes=options.notes))


def timings(target: Ours, _options: argparse.Namespace, _rate: float) -> dict[str, Any]:
    found = pages.pages(target.site)
    rows = [(name, page["ms"], page["cpu_ms"], page["kib"]) for name, page in found.items()]
    say(table(("page", "ms", "server ms", "KiB"), rows))
    return {"pages": found}


def feels(target: Ours, _options: argparse.Namespace, _rate: float) -> dict[str, Any]:
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


def row_of(step: Figures) -> str:
    """A step of a search in one line."""
    rate, seen = shown(step["sent_per_s"]), shown(step["deliveries_per_s"])
    busy = f"server {step['cpu_server']:.2f}, generator {step['cpu_generator']:.2f}, others {step['strangers']:.2f}"
    return f"  {rate:>8} notes/s {seen:>9} deliveries/s  p99 {shown(step['p99_ms']):>7} ms  {busy}  {step['verdict']}"


WORKLOADS: dict[str, Workload] = {
    "cafe": cafe,
    "search": highest,
    "storm": storm,
    "back": back,
    "idle": idle,
    "lobby": rush,
    "gallery": opening,
    "pages": timings,
    "browser": feels,
}
SHAPED = WORKLOADS.keys() - {"pages", "browser"}
WITH_PEERS = ("cafe", "search", "storm", "back", "idle")
