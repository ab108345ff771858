"""Log lines: one record, one line; nobody's name or secret; no flood."""

import json
import logging
from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from zoomcafe import logs


class Lines(logging.Handler):
    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.addFilter(logs.Discreet())
        self.addFilter(logs.Flood(most=3, seconds=60))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture(params=[logs.TextLines, logs.JsonLines])
def lines(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    handler = Lines(request.param())
    logging.getLogger().addHandler(handler)
    yield handler.lines
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def browser(settings: Settings, db: None) -> Client:
    settings.ROOT_URLCONF = "tests.foundation_urls"
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    "nasty", ["a\nb", "a\r\nb", "a\x1b[2Jb", "a\x00b", "a\u2028b", "a\x85b", "a\x0bb", 'a" level="info']
)
def test_nobody_writes_lines_of_their_own(lines: list[str], nasty: str) -> None:
    logs.logger.warning("said %s", nasty, extra={"fields": {"said": nasty}})
    [line] = lines
    assert len(line.splitlines()) == 1
    assert line.isprintable()
    assert line.count('level="info"') == 0


def test_every_line_names_the_request(lines: list[str], browser: Client) -> None:
    response = browser.get("/nothing")
    assert [response["X-Request-ID"] in line for line in lines] == [True]


def test_lines_name_the_route_and_never_the_path(lines: list[str], browser: Client) -> None:
    browser.get("/j/K7M2QXHB/?name=Cem")
    browser.get("/sign-in/a-very-secret-secret/")
    browser.get("/e/K7M2QXHB/table/")
    assert len(lines) == 3
    assert not any(word in line for line in lines for word in ("K7M2QXHB", "secret-secret", "Cem"))
    assert "/j/<str:code>/" in lines[0]


def test_a_failure_says_where_and_not_who(lines: list[str], browser: Client) -> None:
    browser.get("/test/broken?name=Cem")
    failed = [line for line in lines if "ZeroDivisionError" in line]
    assert len(failed) == 1
    assert "foundation_urls.py" in failed[0]
    assert not any("Cem" in line for line in lines)


def test_a_database_says_its_first_line_only() -> None:
    from django.db import IntegrityError

    said = logs.failure(
        IntegrityError('duplicate key violates "person_once"\nDETAIL: Key (name)=(Cem) already exists.')
    )
    assert said["says"] == 'duplicate key violates "person_once"'


def test_a_flood_becomes_a_few_lines(lines: list[str]) -> None:
    for _ in range(100):
        logs.logger.warning("socket refused: %s", "origin")
    logs.logger.warning("something else")
    assert len(lines) == 4


def test_a_flood_of_lines_that_differ_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other loggers, and graver lines, still get through."""
    now = 1000.0
    monkeypatch.setattr(logs.time, "monotonic", lambda: now)
    flood = logs.Flood(most=2, seconds=10, in_all=5)

    def says(what: str, level: int = logging.WARNING, name: str = "zoomcafe") -> bool:
        return flood.filter(logging.LogRecord(name, level, "", 0, what, (), None))

    assert [says(f"kind {n}") for n in range(9)] == [True] * 5 + [False] * 4
    assert says("kind 0", logging.ERROR)
    assert says("kind 0", name="zoomcafe.serving")
    now += 10
    late = logging.LogRecord("zoomcafe", logging.WARNING, "", 0, "later", (), None)
    assert flood.filter(late)
    assert late.fields == {"left_out": 4}  # type: ignore[attr-defined]


def test_kinds_without_end_are_not_all_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_KINDS", 10)
    flood = logs.Flood(most=1, seconds=60, in_all=5)
    records = [logging.LogRecord("zoomcafe", logging.WARNING, "", 0, f"kind {n}", (), None) for n in range(100)]
    assert sum(flood.filter(record) for record in records) == 5
    assert len(flood._alike) <= 11


def test_what_was_left_out_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(logs.time, "monotonic", lambda: now)
    flood = logs.Flood(most=2, seconds=10)

    def say() -> logging.LogRecord | None:
        record = logging.LogRecord("zoomcafe", logging.WARNING, "", 0, "alike", (), None)
        return record if flood.filter(record) else None

    assert [bool(say()) for _ in range(5)] == [True, True, False, False, False]
    now += 10
    record = say()
    assert record is not None
    assert record.fields == {"left_out": 3}  # type: ignore[attr-defined]


def test_json_lines_can_be_read_by_machines() -> None:
    record = logging.LogRecord("zoomcafe", logging.INFO, "", 0, "served %s", ("ä\n",), None)
    logs.request_id.set("0123")
    read = json.loads(logs.JsonLines().format(record))
    assert (read["level"], read["logger"], read["request"], read["message"]) == (
        "info",
        "zoomcafe",
        "0123",
        "served ä\n",
    )


def test_calm_requests_are_not_noted(lines: list[str], browser: Client) -> None:
    browser.get("/healthz")
    assert lines == []
