"""Static files under names that hold a hash of their content, beside packed copies, made by `collectstatic`.

ES modules are renamed with their imports rewritten, so that every file can be kept for a year and no import map (an
inline script) is needed. Django has such a mode too, but it reads `import("./x.js").Type` in JSDoc as code.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]
from django.contrib.staticfiles.storage import HashedFilesMixin, ManifestStaticFilesStorage
from django.core.files.base import ContentFile, File

from zoomcafe.slim import slim

STATEMENT = r"^(?:import|export)\s*(?:[\w$*,\s]|\{[^{}]*\})*?\bfrom\s*|^import\s*"
CALL = r"^(?!\s*(?:\*|//|/\*)).*?\bimport\(\s*"  # not in a comment
HEAD = rf"(?P<head>{STATEMENT}|{CALL})"
MODULE_IMPORT = rf"""(?m)(?P<matched>{HEAD}["'](?P<url>\.{{1,2}}/[^"']+)["'])"""
PACKED = {".css", ".js", ".mjs", ".json", ".svg", ".txt", ".webmanifest", ".html", ".xml", ".wasm", ".map"}
WORTH_BYTES = 200
OWN_MODULE = re.compile(r"js/[\w-]+\.js")


class ModuleStorage(ManifestStaticFilesStorage):
    """Without a manifest (no `collectstatic` yet: tests, first steps) files keep their names and finders serve them."""

    max_post_process_passes = 12  # one per storey of the import graph
    patterns = (
        HashedFilesMixin.patterns[0],
        ("*.js", ((MODULE_IMPORT, """%(head)s"%(url)s\""""),)),
    )

    def _save(self, name: str, content: File[Any]) -> str:
        if OWN_MODULE.fullmatch(name):
            content = ContentFile(slim(content.read().decode()).encode())
        saved: str = super()._save(name, content)  # type: ignore[misc]
        return saved

    def stored_name(self, name: str) -> str:
        return super().stored_name(name) if self.hashed_files else name

    def post_process(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        for name, hashed_name, processed in super().post_process(*args, **kwargs):
            if hashed_name and not isinstance(processed, Exception):
                pack(Path(self.path(hashed_name)))
            yield name, hashed_name, processed


def pack(path: Path) -> None:
    """Writes `.br` and `.gz` beside the file where that saves bytes; what is there already fits, by its name."""
    if path.suffix not in PACKED or path.stat().st_size < WORTH_BYTES:
        return
    plain = path.read_bytes()
    for ending, squeeze in (("br", squeeze_brotli), ("gz", squeeze_gzip)):
        packed = path.with_name(f"{path.name}.{ending}")
        if not packed.exists() and len(content := squeeze(plain)) < len(plain):
            packed.write_bytes(content)


def squeeze_brotli(plain: bytes) -> bytes:
    packed: bytes = brotli.compress(plain, mode=brotli.MODE_TEXT, quality=11)
    return packed


def squeeze_gzip(plain: bytes) -> bytes:
    return gzip.compress(plain, compresslevel=9, mtime=0)
