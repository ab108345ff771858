"""`docs/performance.md`, written from the stored lines; nothing in it is typed by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.bench.compare import Median, deliveries, field, median
from tests.bench.goals import ENOUGH, GOALS, Goal, of
from tests.bench.lines import Line, read, shown
from tests.bench.peers.peer import PEERS

ROOT = Path(__file__).resolve().parent.parent.parent
LINES, PAGE = ROOT / "docs" / "performance.jsonl", ROOT / "docs" / "performance.md"
STORED = {"zoomcafe": "yes, committed and on the disk", **{peer.name: peer.stores for peer in PEERS}}
FACTS = ("processor", "cores", "system", "python", "django", "sqlite", "node", "PostgreSQL", "Redis", "commit")


def write() -> None:
    PAGE.write_text(page(read(LINES)), encoding="utf-8")


def page(lines: Sequence[Line]) -> str:
    """The newest record first."""
    parts = [
        "# Performance\n\nWritten by `python3 manage.py bench --document` from [performance.jsonl](performance.jsonl).",
        HOW,
    ]
    for title, those in reversed(records(lines).items()):
        machines = [line for line in those if line["what"] == "machine"]
        found = [line for line in those if line["what"] != "machine"]
        parts += [
            f"# {title}",
            "" if all(line.get("apart") for line in machines) else TOGETHER,
            f"## Goals\n\n{goals(found, lines)}",
            *searches(found),
            *steady(found),
            *others(found),
            *pages(found),
            *in_browser(found),
            f"## Machine and commands\n\n{machine(machines)}",
        ]
    return "\n\n".join(part for part in parts if part) + "\n"


def records(lines: Sequence[Line]) -> dict[str, list[Line]]:
    """Lines by the day on which a command began, and the commit that was measured."""
    found: dict[str, list[Line]] = {}
    title = ""
    for line in lines:
        if line["what"] == "machine":
            title = f"{line['at'][:10]}, commit {line.get('commit', '')}"
        found.setdefault(title, []).append(line)
    return found


HOW = """\
Server (with PostgreSQL and Redis, where they are used) and generator have a core each. Notes are written in an open
loop: the moments are drawn beforehand, and latency counts from the moment a note was meant to be sent to its arrival
at each seat, the author's too. A step passes when p99 is at most 100 ms, nothing was lost, doubled or at the wrong
table, and deliveries kept up. Our people came in by the join page, sit at their tables by an operation, and a console
and a screen are open. Limits are those of the product; where one was raised for a measurement, its name stands with
the figure. For one person the limit is ten notes a second, so 300 people cannot write more than 3,000 without that.
A table takes 1,000 notes and a person 200, which a step of 12,500 notes a second fills: for such steps they are raised.
Values are medians, with the lowest and the highest; ratios are taken in each run, between neighbours in time. A ratio
that spreads more than 25 % proves nothing and is marked with `?`. That no join waits in the listen backlog is taken to
mean 100 ms at most, what a note may take; callers stood there without a break for no longer than is told.

The machine is shared: a core is half of a processor's, and while a stranger uses the other half ours does its work in
1.6 times the time, for some tenths of a second or for minutes. Since the record after ecdf8b9 a metronome beside the
server tells (`tests/bench/tempo.py`). A step waits for a calm core, three seconds at most; one that failed while it was
slowed down for more than a tenth of the time is taken again, unless it would have failed on a calm core too, and at a
fixed rate the calmest step counts: of four tries at most. The searches of a run go side by side, a step of each in
turn. All of it holds for every server alike. In the records before a search ran to its end before the next began, and a
step that a slow moment spoilt counted, so they say less than each server can do.

What one record says in ms must not be compared with another's without a look at how long the same took there (the join
page, Hocuspocus), so records stand one after the other, newest first. From the record of a220a25 on two things differ,
beside the product: Python is Debian's 3.11.2, as a server has it; with the 3.11.7 of the records before, compiled
without a profile, what a batch does in Python took 1.4 times as long. And the ids of our notes are in the order of
their moments, as those of browsers are; before, all of a step bore the same one, and came in an order of chance, which
costs a database more."""

TOGETHER = "Here server and generator shared one core, by a mistake of the bench: each could do more than it says."


def goals(lines: Sequence[Line], of_all: Sequence[Line]) -> str:
    """What this record says of them; where none says anything, every one says so."""
    found = [(goal, goal.found(lines)) for goal in GOALS]
    rows = [row_of(goal, one) for goal, one in found if one or not goal.found(of_all)]
    return grid(("goal", "wanted", "found", "lowest – highest", "runs", ""), rows)


def row_of(goal: Goal, found: Median | None) -> list[str]:
    wanted = f"{'≥' if goal.least else '≤'} {shown(goal.bound)} {goal.unit}".strip()
    if found is None:
        return [goal.name, wanted, "–", "", "0", "not measured"]
    doubt = " ?" if goal.is_ratio and found.spread > ENOUGH else ""
    span = f"{shown(found.low)} – {shown(found.high)}"
    return [goal.name, wanted, f"{shown(found.value)}{doubt}", span, str(found.count), judged(goal, found.value)]


def judged(goal: Goal, value: float) -> str:
    if goal.is_met(value):
        return "met"
    if goal.bound and value:
        factor = goal.bound / value if goal.least else value / goal.bound
        return f"**missed** by a factor of {shown(round(factor, 2))}"
    return f"**missed** by {shown(abs(value - goal.bound))}"


def searches(lines: Sequence[Line]) -> Iterable[str]:
    """A table for each shape."""
    shapes = dict.fromkeys((line["tables"], line["seats"]) for line in lines if line["what"] == "search")
    for tables, seats in shapes:
        rows = []
        for name in names_of(lines, "search"):
            those = of(lines, "search", name, (tables, seats))
            middle = median(those, deliveries)
            if those:
                ended = ", ".join(dict.fromkeys(line["ended_by"] for line in those))
                rows.append([name, *spans(middle), str(len(those)), ended, stored(name)])
        heads = ("server", "deliveries/s", "lowest – highest", "runs", "ended by", "stored before others see it?")
        yield f"## Highest rate, {tables} tables × {seats}\n\n{grid(heads, rows)}"


def steady(lines: Sequence[Line]) -> Iterable[str]:
    """Latencies at a rate."""
    kinds = dict.fromkeys((line["tables"], line["seats"], line["rate"]) for line in lines if line["what"] == "cafe")
    for tables, seats, rate in kinds:
        rows = []
        for name in names_of(lines, "cafe"):
            those = [line for line in of(lines, "cafe", name, (tables, seats)) if line["rate"] == rate]
            columns = ("p50_ms", "p99_ms", "cpu_server", "us_per_delivery", "notes_per_frame", "bytes_per_note")
            if those:
                rows.append([name, *(value(median(those, field(column))) for column in columns), str(len(those))])
        heads = (
            "server",
            "p50 ms",
            "p99 ms",
            "cores",
            "µs CPU per delivery",
            "notes per frame",
            "bytes per note",
            "runs",
        )
        yield f"## {shown(rate)} notes/s, {tables} tables × {seats}\n\n{grid(heads, rows)}"


BACKLOG = {
    "wait in the backlog for each, ms": ("backlog", "mean_ms"),
    "at most": ("backlog", "longest_ms"),
    "turned away": ("backlog", "turned_away"),
}
OTHERS: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "storm": (
        "Everybody comes in",
        {"joins": ("arrivals",), "s": ("took_s",), "joins/s": ("per_s",), "p50 ms": ("p50_ms",), "p99 ms": ("p99_ms",)}
        | {"too busy": ("busy",), "longest wait for a note, ms": ("meanwhile", "max_ms")}
        | BACKLOG,
    ),
    "back": (
        "Everybody comes back at once, by their cookies",
        {"joins": ("arrivals",), "s": ("took_s",), "joins/s": ("per_s",), "p50 ms": ("p50_ms",), "p99 ms": ("p99_ms",)}
        | BACKLOG,
    ),
    "idle": ("Memory of a seat", {"seats": ("seats",), "base MiB": ("base_mib",), "KiB per seat": ("kib_per_seat",)}),
    "lobby": (
        "Everybody sits down within ten seconds",
        {"people": ("people",), "p50 ms": ("p50_ms",), "p99 ms": ("p99_ms",), "pages behind, ms": ("behind_ms",)}
        | {
            "frames/s per page": ("frames_per_watcher_per_s",),
            "five frames take at least, ms": ("five_frames_ms",),
            "KiB per page": ("kib_per_watcher",),
            "cores": ("cpu_server",),
        },
    ),
    "gallery": (
        "The gallery opens for all",
        {"people": ("people",), "told, p99 ms": ("told_p99_ms",), "page there, p50 ms": ("seen_p50_ms",)}
        | {"p99 ms": ("seen_p99_ms",), "too busy": ("busy",)},
    ),
}


def others(lines: Sequence[Line]) -> Iterable[str]:
    for what, (title, columns) in OTHERS.items():
        rows = []
        for name in names_of(lines, what):
            those = of(lines, what, name)
            rows.append([name, *(value(median(those, field(*path))) for path in columns.values()), str(len(those))])
        if rows:
            yield f"## {title}\n\n{grid(('server', *columns, 'runs'), rows)}"


def pages(lines: Sequence[Line]) -> Iterable[str]:
    those = [line for line in lines if line["what"] == "pages"]
    names = dict.fromkeys(name for line in those for name in line["pages"])
    columns = ("ms", "cpu_ms", "kib")
    rows = [[name, *(value(median(those, field("pages", name, column))) for column in columns)] for name in names]
    if rows:
        heads = ("page", "ms until it is there", "ms of the server", "KiB as sent")
        yield f"## Pages\n\n{grid(heads, rows)}"


FEELS = {
    "painted, ms": "painted_ms",
    "long tasks of its start, ms": "begin_long_ms",
    "the longest": "begin_longest_ms",
    "a frame while scrolling, p50 ms": "frame_p50_ms",
    "p95": "frame_p95_ms",
    "longest": "frame_longest_ms",
    "long tasks while 20 notes come": "news_long",
    "the longest, ms": "news_longest_ms",
}


def in_browser(lines: Sequence[Line]) -> Iterable[str]:
    those = [line for line in lines if line["what"] == "browser"]
    names = dict.fromkeys(name for line in those for name in line["pages"])
    rows = [
        [name, *(value(median(those, field("pages", name, column))) for column in FEELS.values())] for name in names
    ]
    if rows:
        told = "Chromium at 360 × 800, its processor half as fast as the machine's; a task is long from 50 ms."
        yield f"## Pages in a browser\n\n{told}\n\n{grid(('page', *FEELS), rows)}"


def machine(lines: Sequence[Line]) -> str:
    facts = {name: dict.fromkeys(str(line[name]) for line in lines if line.get(name)) for name in FACTS}
    told = [f"- {name}: {', '.join(values)}" for name, values in facts.items() if values]
    packages = ", ".join(dict.fromkeys(each for peer in PEERS for each in peer.packages))
    commands = dict.fromkeys(f"python3 manage.py bench {line['command']}" for line in lines)
    return "\n".join([*told, f"- peers: {packages}", "", "```", *commands, "```"])


def names_of(lines: Sequence[Line], what: str) -> list[str]:
    return list(dict.fromkeys(line["target"] for line in lines if line["what"] == what))


def stored(name: str) -> str:
    return next((told for known, told in STORED.items() if known == name), STORED["zoomcafe"])


def value(found: Median | None) -> str:
    return shown(found.value) if found else "–"


def spans(found: Median | None) -> list[str]:
    return [shown(found.value), f"{shown(found.low)} – {shown(found.high)}"] if found else ["–", ""]


def grid(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table in Markdown."""
    told = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in row)} |" for row in told)
