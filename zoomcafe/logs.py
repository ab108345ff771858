"""Log lines: one per event, with the id of the request, without personal data, and never a flood.

Addresses of pages hold codes and one-time secrets, so a line names the route (`/j/<code>/`), never the path.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template import TemplateDoesNotExist, TemplateSyntaxError

HOME = f"{Path(__file__).resolve().parent.parent}/"
SLOW_S = 1.0
LONGEST = 2_000
FRAMES = 30
MOST_KINDS = 1_000
Counts = dict[tuple[object, ...], tuple[float, int]]  # since when, how many
ESCAPES = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {
    ord("\\"): "\\\\",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}

SAY_NOTHING_OF_PEOPLE = (
    AssertionError,
    AttributeError,
    DatabaseError,
    ImportError,
    ImproperlyConfigured,
    NameError,
    OSError,
    RuntimeError,
    TemplateDoesNotExist,
    TemplateSyntaxError,
    TypeError,
)
SIMPLE = re.compile(r"[\w./:<>~+-]+", re.ASCII)

logger = logging.getLogger("zoomcafe")
request_id: ContextVar[str] = ContextVar("request_id", default="-")
worker: int | None = None  # which of several processes this is


def answered(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """One line for what failed or was slow; the rest is counted by whoever stands in front of us."""
    status = response.status_code
    level = logging.ERROR if status >= 500 and status != 503 else logging.WARNING if status >= 400 else logging.INFO
    if status < 400 and seconds < SLOW_S:
        level = logging.DEBUG
    fields = {
        "method": (request.method or "")[:10],
        "route": route_of(request),
        "status": status,
        "ms": round(seconds * 1000),
    }
    logger.log(level, "answered", extra={"fields": fields})


def route_of(request: HttpRequest) -> str:
    match = request.resolver_match
    return f"/{match.route}" if match else "unknown"


class Fields(logging.Formatter):
    """A record as a list of named values."""

    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        fields = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "request": request_id.get(),
            **({} if worker is None else {"worker": worker}),
            "message": record.getMessage()[:LONGEST],
            **getattr(record, "fields", {}),
        }
        if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
            fields |= failure(record.exc_info[1])
        return fields


class JsonLines(Fields):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self.fields(record), ensure_ascii=True, default=str)


class TextLines(Fields):
    """`time level message key=value …`, with control characters escaped: one record is one line."""

    def format(self, record: logging.LogRecord) -> str:
        fields = self.fields(record)
        head = f"{fields.pop('time')} {fields.pop('level'):7} {plain(fields.pop('message'))}"
        return " ".join([head, *(f"{name}={quoted(value)}" for name, value in fields.items())])


def plain(value: object) -> str:
    return str(value).translate(ESCAPES)


def quoted(value: object) -> str:
    text = str(value)
    return text if SIMPLE.fullmatch(text) else json.dumps(text)


def failure(problem: BaseException) -> dict[str, str]:
    """What went wrong and where; what it says only if such messages speak of code and not of people.

    Of databases the first line: they put the values into the second.
    """
    frames = traceback.extract_tb(problem.__traceback__)[-FRAMES:]
    lines = str(problem).strip().splitlines() if isinstance(problem, SAY_NOTHING_OF_PEOPLE) else []
    return {
        "error": type(problem).__qualname__,
        "says": lines[0][:200] if lines else "",
        "at": " > ".join(f"{short(frame.filename)}:{frame.lineno}" for frame in frames),
    }


def short(filename: str) -> str:
    return filename.rpartition("site-packages/")[2].removeprefix(HOME)


class Discreet(logging.Filter):
    """Django's own lines about requests name the path and the agent; here they name the route."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest):
            if getattr(record, "status_code", 500) < 500:
                return False  # `answered` says it: whose request is wrong is no trouble of ours
            record.msg, record.args = "request failed", ()
            record.fields = {"route": route_of(request)}
        elif record.name.startswith("django.security"):
            record.msg, record.args = "suspicious request", ()
        return True


class Flood(logging.Filter):
    """In `seconds` at most `most` alike lines, and `in_all` of one logger and level, however much they differ.

    Then silence, and one line that says how many were left out.
    """

    def __init__(self, most: int = 20, seconds: float = 10.0, in_all: int = 100) -> None:
        super().__init__()
        self._most, self._seconds, self._in_all = most, seconds, in_all
        self._lock = threading.Lock()
        self._alike: Counts = {}
        self._all: Counts = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.INFO:
            return True
        fields = getattr(record, "fields", {})
        kind = (record.name, record.levelno, str(record.msg)[:100], fields.get("route"), fields.get("status"))
        with self._lock:
            if len(self._alike) > MOST_KINDS:
                self._alike.clear()
            alike = self._let_through(self._alike, kind, self._most, record)
            return alike and self._let_through(self._all, (record.name, record.levelno), self._in_all, record)

    def _let_through(self, counts: Counts, key: tuple[object, ...], most: int, record: logging.LogRecord) -> bool:
        now = time.monotonic()
        since, count = counts.get(key, (now, 0))
        if now - since >= self._seconds:
            if count > most:
                fields = getattr(record, "fields", {})
                record.fields = {**fields, "left_out": fields.get("left_out", 0) + count - most}
            since, count = now, 0
        counts[key] = (since, count + 1)
        return count < most


def config(style: str, level: str) -> dict[str, Any]:
    """Django's `LOGGING`."""
    formatter = {"json": JsonLines, "text": TextLines}[style]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "filters": {"discreet": {"()": Discreet}, "flood": {"()": Flood}},
        "handlers": {
            "lines": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["discreet", "flood"]},
        },
        "root": {"handlers": ["lines"], "level": "WARNING"},
        "loggers": {
            "zoomcafe": {"level": level},
            "sessions": {"level": level},
            "tables": {"level": level},
            "daphne": {"level": "WARNING"},
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }
