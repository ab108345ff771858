"""Static files that one server of the tests has collected and packed, lent to those that start after it.

Each has a folder of its own, and a first start takes seconds for them; whether they still fit it looks itself.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

STAMP, FILES = "static.stamp", "static"
_shelf = tempfile.TemporaryDirectory(prefix="zoomcafe-collected-")


def lend(var_dir: Path) -> None:
    """To a server that has not started yet."""
    shelf = Path(_shelf.name)
    if (shelf / STAMP).exists() and not (var_dir / FILES).exists():
        shutil.copytree(shelf / FILES, var_dir / FILES)
        shutil.copy(shelf / STAMP, var_dir / STAMP)


def keep(var_dir: Path) -> None:
    """Of the first server that listens."""
    shelf = Path(_shelf.name)
    if (var_dir / STAMP).exists() and not (shelf / FILES).exists():
        shutil.copytree(var_dir / FILES, shelf / FILES)
        shutil.copy(var_dir / STAMP, shelf / STAMP)
