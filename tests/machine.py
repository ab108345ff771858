"""What some tests need from the machine. By hand a test that lacks it is skipped and names it; in CI it fails."""

from __future__ import annotations

import os
import shutil
import signal

import pytest

REPORT: list[str] = []  # measured by tests, said at the end, never asserted
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def or_say(found: str | None, what: str) -> str:
    """`found`, or the end of the test with a sentence."""
    if found:
        return found
    sentence = f"{what} is missing on this machine"
    if os.environ.get("CI"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


def pytest_configure() -> None:
    """Who starts us in the background has Ctrl-C ignored; the programs we start would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is."""
    return or_say(next(filter(None, map(shutil.which, BROWSERS)), None), "Chromium (apt install chromium)")


@pytest.fixture(scope="session")
def node() -> str:
    """Where Node is."""
    return or_say(shutil.which("node"), "Node (apt install nodejs)")


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A PostgreSQL server on which databases may be made and dropped, whatever the other tests run on."""
    found = os.environ.get("TEST_POSTGRES_URL") or os.environ.get("TEST_DATABASE_URL")
    return or_say(found, "PostgreSQL (TEST_POSTGRES_URL=postgres://… or .ci/run)")


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A Redis server that tests may flush."""
    return or_say(os.environ.get("TEST_REDIS_URL"), "Redis (TEST_REDIS_URL=redis://… or .ci/run)")


@pytest.fixture(scope="session")
def redis_server() -> str:
    """Where the program is, for tests that kill theirs."""
    return or_say(shutil.which("redis-server"), "Redis (apt install redis-server)")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in REPORT:
        terminalreporter.write_line(line)
