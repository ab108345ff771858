"""The log of a real `serve` while people try to write into it, or to fill it: a record is a line, and few of them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from urllib.parse import quote, urlencode

import pytest

from tests.raw import Raw, frame, read_all, status

FORGED = "\n2026-11-24T10:00:00.000+00:00 critical hacked logger=zoomcafe\r\n\x1b[2J\x00\u2028\x85"
LINE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00 (info|warning|error|critical) +\S.* logger=[\w.]+ request=\S+.*")
GOODBYE = frame(b"\x03\xe8", first=0x88)  # or the server would wait a second for it
PER_WINDOW, WINDOW_S = 20, 10  # alike lines


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    raw = Raw(tmp_path_factory.mktemp("logged"))
    yield raw
    raw.house.stop()


def comes_in(raw: Raw, name: str) -> bytes:
    token = "a" * 32
    headers = f"Cookie: csrf={token}\r\nX-CSRFToken: {token}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    body = urlencode({"name": name}).encode()
    return raw.get(f"/j/{raw.code}/", method="POST", headers=headers.encode(), body=body)


def test_nobody_writes_lines_of_their_own(raw: Raw) -> None:
    """By path, query, method, header, cookie, name, code, or origin."""
    told = quote(FORGED)
    header = FORGED.translate(dict.fromkeys(map(ord, "\r\n\0\u2028\x85")))
    raw.new_lines()
    statuses = {
        status(raw.get(f"/{told}?{told}={told}")),
        status(raw.get(f"/j/{told}/")),
        status(raw.get(f"/e/{told}/table/")),
        status(raw.get(f"/static/{told}")),
        status(raw.get("/nowhere", method="hacked")),
        status(raw.get("/nowhere", headers=f"User-Agent: {header}\r\nReferer: {header}\r\n".encode())),
        status(raw.get("/nowhere", headers=f"X-Request-ID: {header}\r\nCookie: zoomcafe={header}\r\n".encode())),
        status(raw.get("/nowhere", headers=b"Host: hacked.example\r\n")),
        status(comes_in(raw, FORGED)),
        status(comes_in(raw, "\x1b[2J\n\n")),
    }
    assert statuses <= {302, 400, 404, 405, 422, 429}
    with raw.handshake(f"/live/check/?{told}", origin="https://hacked.example") as caller:
        assert status(caller.recv(4096)) == 403
    lines = raw.new_lines()
    assert len(lines) >= 5
    assert [line for line in lines if not LINE.fullmatch(line) or not line.isascii() or not line.isprintable()] == []
    assert [line for line in lines if "hacked" in line or " critical " in line] == []


def unknown_page(raw: Raw, n: int) -> None:
    raw.get(f"/{n}")


def wrong_code(raw: Raw, n: int) -> None:
    raw.get(f"/j/{n:08}/")


def other_method(raw: Raw, n: int) -> None:
    raw.get(f"/e/{n:08}/", method=f"M{n}")


def foreign_origin(raw: Raw, n: int) -> None:
    with raw.handshake("/live/check/", origin=f"https://{n}.example") as caller:
        caller.recv(4096)


def no_request(raw: Raw, n: int) -> None:
    raw.ask(b"%d\r\n\r\n" % n)


def no_frame(raw: Raw, n: int) -> None:
    with raw.handshake("/live/check/") as caller:
        caller.recv(4096)
        caller.sendall(frame(b"{%d" % n) * 3 + GOODBYE)
        read_all(caller)


def broken_protocol(raw: Raw, n: int) -> None:
    with raw.handshake("/live/check/") as caller:
        caller.recv(4096)
        caller.sendall(frame(b"%d" % n, first=0xC1))
        read_all(caller)


FLOODS: list[Callable[[Raw, int], None]] = [
    unknown_page,
    wrong_code,
    other_method,
    foreign_origin,
    no_request,
    no_frame,
    broken_protocol,
]


@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.__name__)
def test_a_flood_of_what_is_wrong_leaves_few_lines(raw: Raw, flood: Callable[[Raw, int], None]) -> None:
    """However long it takes: so many in each window of time."""
    raw.new_lines()
    begun = time.monotonic()
    for n in range(150):
        flood(raw, n)
    windows = int((time.monotonic() - begun) / WINDOW_S) + 2
    lines = raw.new_lines()
    assert len(lines) <= PER_WINDOW * windows
    assert [line for line in lines if " error " in line or " critical " in line] == []
    assert raw.is_well()
