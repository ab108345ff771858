"""What a run leaves behind when it was not good: enough to find out why."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from zoomcafe.environment import var_dir

LOGS = ("history.jsonl", "machine*/server.log", "redis.log", "postgres/log")


def keep(folder: Path, name: str, findings: Iterable[str]) -> Path:
    """Copies histories and logs out of a run's folder, which goes with the run; returns where to."""
    place = var_dir() / "chaos" / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for pattern in LOGS:
        for file in folder.glob(pattern):
            shutil.copyfile(file, place / "-".join(file.relative_to(folder).parts))
    (place / "findings.txt").write_text("".join(f"{sentence}\n" for sentence in findings), encoding="utf-8")
    return place
