"""Serves static files from memory: collected, hashed and packed ones for a year, sources while nothing is collected."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import re
import threading
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.exceptions import SuspiciousFileOperation
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils._os import safe_join
from django.utils.http import parse_etags

from zoomcafe import errors

YEAR = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".webmanifest": "application/manifest+json"}
ENCODINGS = {"br": "br", "gzip": "gz"}
HASHED = re.compile(r"\.[0-9a-f]{12}\.\w+$")


@dataclass(frozen=True, slots=True)
class File:
    """What is served under one name; `bodies` by content encoding, "" for none."""

    kind: str
    etag: str
    bodies: dict[str, bytes]
    hashed: bool


def concerns(path: str) -> bool:
    return path.startswith(settings.STATIC_URL)


def serve(request: HttpRequest) -> HttpResponseBase:
    return answer(request, found(request.path_info))


async def aserve(request: HttpRequest) -> HttpResponseBase:
    """Files that are in memory are answered at once; reading happens on a thread, none of the lanes."""
    name = request.path_info.removeprefix(settings.STATIC_URL)
    file = None if settings.DEBUG else shelf.files.get(name)
    return answer(request, file or await asyncio.to_thread(found, request.path_info))


def found(path: str) -> File | None:
    name = path.removeprefix(settings.STATIC_URL)
    collected = None if settings.DEBUG else shelf.look_up(name)
    return collected or from_source(name)


def from_source(name: str) -> File | None:
    try:
        place = finders.find(name)
    except (SuspiciousFileOperation, ValueError):  # leaves the folder, or holds a NUL
        return None
    return read(Path(place), hashed=False) if place and Path(place).is_file() else None


class Shelf:
    """The collected files in memory; a new manifest (files were collected again) fills it anew."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self._version: tuple[str, int] | None = None
        self._lock = threading.Lock()

    def look_up(self, name: str) -> File | None:
        with self._lock:
            if (version := manifest_version()) != self._version:
                self.files = collected_files() if version else {}
                self._version = version
        return self.files.get(name) or earlier(name)


def earlier(name: str) -> File | None:
    """A file of an earlier collection: pages made before an update still ask for it."""
    if not HASHED.search(name):
        return None
    try:
        path = Path(safe_join(settings.STATIC_ROOT, name))
    except SuspiciousFileOperation:
        return None
    return read(path, hashed=True) if path.is_file() else None


def manifest_version() -> tuple[str, int] | None:
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    try:
        return str(manifest), manifest.stat().st_mtime_ns
    except OSError:
        return None


def collected_files() -> dict[str, File]:
    root = Path(settings.STATIC_ROOT)
    hashed = hashed_names()
    names = {*hashed.keys(), *hashed.values()}
    return {name: read(root / name, hashed=name in hashed.values()) for name in names if (root / name).is_file()}


def hashed_names() -> dict[str, str]:
    names: dict[str, str] = staticfiles_storage.load_manifest()[0]  # type: ignore[attr-defined]
    return names


def read(path: Path, *, hashed: bool) -> File:
    plain = path.read_bytes()
    bodies = {"": plain}
    for encoding, ending in ENCODINGS.items():
        packed = path.with_name(f"{path.name}.{ending}")
        if hashed and packed.is_file():
            bodies[encoding] = packed.read_bytes()
    digest = hashlib.sha256(plain).hexdigest()[:20]
    return File(kind=kind_of(path), etag=f'"{digest}"', bodies=bodies, hashed=hashed)


def kind_of(path: Path) -> str:
    kind = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") or kind.endswith(("json", "xml")) else kind


def answer(request: HttpRequest, file: File | None) -> HttpResponseBase:
    if file is None:
        return errors.bare(404)
    if request.method not in {"GET", "HEAD"}:
        response = errors.bare(405)
        response["Allow"] = "GET, HEAD"
        return response
    encoding = preferred(request.headers.get("Accept-Encoding", ""), file)
    fresh = file.etag in parse_etags(request.headers.get("If-None-Match", ""))
    answered = HttpResponseNotModified() if fresh else HttpResponse(file.bodies[encoding], content_type=file.kind)
    answered["ETag"] = file.etag
    answered["Cache-Control"] = YEAR if file.hashed else ASK_AGAIN
    answered["Vary"] = "Accept-Encoding"
    if not fresh:
        answered["Content-Length"] = str(len(file.bodies[encoding]))
        if encoding:
            answered["Content-Encoding"] = encoding
    return answered


def preferred(accepted: str, file: File) -> str:
    """The smallest body the browser takes."""
    wanted = {}
    for entry in accepted.lower().split(","):
        name, _, weight = entry.strip().partition(";")
        wanted[name.strip()] = weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    usable = [encoding for encoding in file.bodies if encoding == "" or wanted.get(encoding)]
    return min(usable, key=lambda encoding: len(file.bodies[encoding]))


shelf = Shelf()
