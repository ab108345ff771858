"""Which ES modules a module imports, directly and through others."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage

from zoomcafe.storage import HEAD
from zoomcafe.whole import is_page

STATIC_IMPORT = re.compile(rf"""(?m){HEAD}["'](?P<url>\.{{1,2}}/[^"']+)["']""")


def graph(entry: str) -> tuple[str, ...]:
    """The entry and all it imports statically, nearest first, each once; sources are read again while developing."""
    return walk(entry) if settings.DEBUG else remembered(entry)


@lru_cache(maxsize=100)
def remembered(entry: str) -> tuple[str, ...]:
    return walk(entry)


def walk(entry: str) -> tuple[str, ...]:
    names = [entry]
    for name in names:  # grows while it is walked
        names += [found for found in imports(name) if found not in names]
    return tuple(filter(is_page_module, names)) if collected() and is_page_module(entry) else tuple(names)


def collected() -> bool:
    return bool(getattr(staticfiles_storage, "hashed_files", None))


def is_page_module(name: str) -> bool:
    """A page's own module: collected, it holds all it imports but other pages' modules."""
    return is_page(source(name))


def imports(name: str) -> list[str]:
    found = [match for match in STATIC_IMPORT.finditer(source(name)) if not match["head"].rstrip().endswith("(")]
    return list(dict.fromkeys(posixpath.normpath(posixpath.join(posixpath.dirname(name), m["url"])) for m in found))


def source(name: str) -> str:
    """Raises `FileNotFoundError` for a module that is not there."""
    place = finders.find(name)
    if not place:
        raise FileNotFoundError(f"no such module: {name}")
    return Path(place).read_text(encoding="utf-8")
