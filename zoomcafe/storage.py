"""Static files under names that hold a hash of their content, beside packed copies, made by `collectstatic`.

ES modules are renamed with their imports rewritten, so that every file can be kept for a year and no import map (an
inline script) is needed. Django has such a mode too, but it reads `import("./x.js").Type` in JSDoc as code.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import HashedFilesMixin, ManifestStaticFilesStorage
from django.core.files.base import ContentFile, File

from zoomcafe.slim import slim
from zoomcafe.whole import is_page, whole_module

STATEMENT = r"^(?:import|export)\s*(?:[\w$*,\s]|\{[^{}]*\})*?\bfrom\s*|^import\s*"
CALL = r"^(?!\s*(?:\*|//|/\*)).*?\bimport\(\s*"  # not in a comment
HEAD = rf"(?P<head>{STATEMENT}|{CALL})"
MODULE_IMPORT = rf"""(?m)(?P<matched>{HEAD}["'](?P<url>\.{{1,2}}/[^"']+)["'])"""
PACKED = {".css", ".js", ".mjs", ".json", ".svg", ".txt", ".webmanifest", ".html", ".xml", ".wasm", ".map"}
WORTH_BYTES = 200
SHEETS = {"css/zoomcafe.css", "css/moderator.css"}
SHEET_IMPORT = re.compile(r'^@import "([\w-]+\.css)";$', re.MULTILINE)
OWN_MODULE = re.compile(r"js/([\w-]+)\.js")


class ModuleStorage(ManifestStaticFilesStorage):
    """Without a manifest (no `collectstatic` yet: tests, first steps) files keep their names and finders serve them."""

    max_post_process_passes = 12  # one per storey of the import graph
    patterns = (
        HashedFilesMixin.patterns[0],
        ("*.js", ((MODULE_IMPORT, """%(head)s"%(url)s\""""),)),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._addresses: dict[str, str] = {}

    def stored_name(self, name: str) -> str:
        return super().stored_name(name) if self.hashed_files else name

    def url(self, name: Any, force: bool = False) -> str:  # noqa: FBT001, FBT002
        """Every page asks for the same few; collected, they have their addresses for good."""
        if force or settings.DEBUG or not self.hashed_files:
            return str(super().url(name, force))
        if name not in self._addresses:
            self._addresses[name] = str(super().url(name, force))
        return self._addresses[name]

    def save_manifest(self) -> None:
        """Puts it in place whole: workers of before an update read it meanwhile."""
        self._addresses.clear()
        name, draft = self.manifest_name, f"{self.manifest_name}.draft"
        self.manifest_name = draft
        try:
            super().save_manifest()
        finally:
            self.manifest_name = name
        Path(self.path(draft)).replace(self.path(name))

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:  # noqa: FBT001, FBT002
        """Names files by what is served of them."""
        shaped = {name: (Shaped(name, storage), path) for name, (storage, path) in paths.items()}
        for name, hashed_name, processed in super().post_process(shaped, dry_run, **options):
            if hashed_name and not isinstance(processed, Exception):
                pack(Path(self.path(hashed_name)))
            yield name, hashed_name, processed


class Shaped:
    """A source as it travels: our modules without comments, our sheets in one piece."""

    def __init__(self, name: str, storage: Any) -> None:
        self.name, self.storage = name, storage

    def open(self, path: str) -> File[Any]:
        own = OWN_MODULE.fullmatch(self.name)
        shape = partial(whole_script, own[1]) if own else whole_sheet if self.name in SHEETS else None
        source: File[Any] = self.storage.open(path)
        if shape is None:
            return source
        with source:
            return ContentFile(shape(source.read().decode()).encode())


def whole_script(module: str, source: str) -> str:
    """A page's module with all it imports, any other as it is; both without what only people read."""
    return slim(whole_module(module, lambda name: _source(f"js/{name}.js")) if is_page(source) else source)


def whole_sheet(source: str) -> str:
    """The sheet with each import replaced by the sheet it names: one request instead of twenty."""
    return SHEET_IMPORT.sub(lambda found: _source(f"css/{found[1]}"), source)


def _source(name: str) -> str:
    place = finders.find(name)
    if not place:
        raise FileNotFoundError(name)
    return Path(place).read_text(encoding="utf-8")


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
