"""What was measured, as JSON lines; and tables for people."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import django

from tests.bench.cores import CORES

Line = dict[str, Any]
ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = {"node": ("node", "--version"), "PostgreSQL": ("postgres", "--version"), "Redis": ("redis-server", "-v")}


class Log:
    """Appends to a file, and says on stderr what goes on."""

    def __init__(self, path: Path, command: str) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.write({"what": "machine", "command": command, **machine()})

    def write(self, line: Line) -> None:
        at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at": at, **line}, ensure_ascii=False) + "\n")


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def read(path: Path) -> list[Line]:
    """The lines of all commands, each with its `series`: when its command began."""
    lines, series = [], ""
    for text in filter(None, path.read_text(encoding="utf-8").splitlines()):
        line = json.loads(text)
        series = line["at"] if line["what"] == "machine" else series
        lines.append({**line, "series": series})
    return lines


def machine() -> Line:
    """What the figures hang on; `apart` once server and generator have a core each."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "apart": len(CORES) > 1,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "django": django.get_version(),
        "sqlite": sqlite3.sqlite_version,
        "commit": said_by("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"),
        **{name: version for name, command in PROGRAMS.items() if (version := version_of(*command))},
    }


def processor() -> str:
    path = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", path.read_text(encoding="utf-8")) if path.exists() else None
    return found[1] if found else platform.machine()


def version_of(program: str, *arguments: str) -> str:
    places = [shutil.which(program), *map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}")))]
    place = next((place for place in places if place), None)
    found = re.search(r"\d+(\.\d+)+", said_by(place, *arguments)) if place else None
    return found[0] if found else ""


def said_by(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """In columns, numbers to the right."""
    cells = [list(columns), *([shown(value) for value in row] for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if not at else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    )


def shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(value)
