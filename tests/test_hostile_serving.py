"""What no client of ours sends, byte by byte at a real `serve` (A01 to A21, A31, A83, A89): answered, and no more."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.cafe import new_id
from tests.raw import Raw, frame, read_all, status

MIB = 1024 * 1024
CLOSE = b"Connection: close\r\n"
POST = "POST / HTTP/1.1"
LINE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00 (debug|info|warning|error|critical) +\S")


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    raw = Raw(tmp_path_factory.mktemp("raw"))
    yield raw
    raw.house.stop()


@pytest.fixture(autouse=True)
def _the_server_has_no_trouble(raw: Raw) -> Iterator[None]:
    """Afterwards it still answers, and its log has no line about itself."""
    raw.new_lines()
    yield
    assert raw.is_well()
    lines = raw.new_lines()
    assert [line for line in lines if not LINE.match(line) or not line.isprintable()] == []
    assert [line for line in lines if " error " in line or " critical " in line or "Traceback" in line] == []


# ── HTTP ──
CHUNKED = "Transfer-Encoding: chunked\r\n"
REQUESTS: dict[str, tuple[set[int], bytes]] = {
    "as it should be": ({200}, b"GET / HTTP/1.1\r\nHOST"),
    "HTTP/1.0 without a host": ({200, 400}, b"GET / HTTP/1.0\r\n"),
    "HTTP/0.9": ({400}, b"GET /\r\n"),
    "HTTP/9.9": ({400}, b"GET / HTTP/9.9\r\nHOST"),
    "the preface of HTTP/2": ({400}, b"PRI * HTTP/2.0\r\n"),
    "TLS": ({400}, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x9a" * 60 + b"\r\n"),
    "no host": ({400}, b"GET / HTTP/1.1\r\n"),
    "two hosts": ({400}, b"GET / HTTP/1.1\r\nHOSTHost: evil.example\r\n"),
    "another host": ({400}, b"GET / HTTP/1.1\r\nHost: evil.example\r\n"),
    "the address of another server": ({400, 404}, b"GET http://evil.example/ HTTP/1.1\r\nHOST"),
    "two slashes": ({404}, b"GET //evil.example/ HTTP/1.1\r\nHOST"),
    "no slash": ({400, 404}, b"GET about/ HTTP/1.1\r\nHOST"),
    "an asterisk": ({405}, b"OPTIONS * HTTP/1.1\r\nHOST"),
    "a tunnel": ({405}, b"CONNECT evil.example:443 HTTP/1.1\r\nHOST"),
    "A18 a vertical tab": ({400}, b"GET / HTTP/1.1\r\nHOSTX: a\x0bb\r\n"),
    "A18 a next line": ({400}, b"GET / HTTP/1.1\r\nHOSTX: a\x85b\r\n"),
    "A18 NUL": ({400}, b"GET / HTTP/1.1\r\nHOSTX: a\x00b\r\n"),
    "A18 NUL in a name": ({400}, b"GET / HTTP/1.1\r\nHOSTX\x00: ab\r\n"),
    "A18 a line of its own": ({400}, b"GET / HTTP/1.1\r\nHOSTX: a\rb: c\r\n"),
    "A18 a blank before the colon": ({400}, b"GET / HTTP/1.1\r\nHOSTTransfer-Encoding : chunked\r\n"),
    "A18 the root of the pages": ({200}, b"GET / HTTP/1.1\r\nHOSTDaphne-Root-Path: /evil\r\n"),
    "a long address": ({431}, b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHOST"),
    "an address with NUL": ({400}, b"GET /\x00 HTTP/1.1\r\nHOST"),
    "an address with an escape": ({400}, b"GET /\x1b[2J HTTP/1.1\r\nHOST"),
    "an address that is no ASCII": ({400}, b"GET /\xff HTTP/1.1\r\nHOST"),
    "an address that would be two lines": ({404}, b"GET /%0d%0aSet-Cookie:a=b HTTP/1.1\r\nHOST"),
    "A19 a length and chunks": ({400}, f"{POST}\r\nHOST{CHUNKED}Content-Length: 4\r\n\r\n0\r\n\r\n".encode()),
    "A19 two lengths": ({400}, f"{POST}\r\nHOSTContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd".encode()),
    "A19 the same length twice": ({400}, f"{POST}\r\nHOSTContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc".encode()),
    "a list of lengths": ({400}, f"{POST}\r\nHOSTContent-Length: 3, 3\r\n\r\nabc".encode()),
    "a length with a sign": ({400}, f"{POST}\r\nHOSTContent-Length: +3\r\n\r\nabc".encode()),
    "a length below zero": ({400}, f"{POST}\r\nHOSTContent-Length: -3\r\n\r\nabc".encode()),
    "a length in base 16": ({400}, f"{POST}\r\nHOSTContent-Length: 0x3\r\n\r\nabc".encode()),
    "a length in other digits": ({400}, f"{POST}\r\nHOSTContent-Length: ٣\r\n\r\nabc".encode()),
    "a length of 5,000 digits": ({413}, f"{POST}\r\nHOSTContent-Length: {'9' * 5_000}\r\n\r\nabc".encode()),
    "an encoding nobody knows": ({400}, f"{POST}\r\nHOSTTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n".encode()),
    "an encoding that is none": ({400}, f"{POST}\r\nHOSTTransfer-Encoding: identity\r\n\r\n".encode()),
    "two encodings": ({400}, f"{POST}\r\nHOST{CHUNKED}Transfer-Encoding: identity\r\n\r\n0\r\n\r\n".encode()),
    "two encodings in one": ({400}, f"{POST}\r\nHOSTTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n".encode()),
    "chunks twice": ({400}, f"{POST}\r\nHOST{CHUNKED}{CHUNKED}\r\n0\r\n\r\n".encode()),
    "a chunk below zero": ({400}, f"{POST}\r\nHOST{CHUNKED}\r\n-3\r\nabc\r\n0\r\n\r\n".encode()),
    "a chunk with a sign": ({400}, f"{POST}\r\nHOST{CHUNKED}\r\n+3\r\nabc\r\n0\r\n\r\n".encode()),
    "a chunk that is longer": ({400}, f"{POST}\r\nHOST{CHUNKED}\r\n3\r\nabcd\r\n0\r\n\r\n".encode()),
    "a chunk with a long word": ({400}, f"{POST}\r\nHOST{CHUNKED}\r\n3;{'x' * 20_000}\r\nabc\r\n0\r\n\r\n".encode()),
    "trailers without end": ({400}, f"{POST}\r\nHOST{CHUNKED}\r\n0\r\n{'X: abcdefgh' * 9_000}\r\n\r\n".encode()),
    "A19 a header of 20 kB": ({431}, b"GET / HTTP/1.1\r\nHOSTX: " + b"a" * 20_000 + b"\r\n"),
    "A19 a thousand headers": ({400, 431}, b"GET / HTTP/1.1\r\nHOST" + b"X: a\r\n" * 1_000),
    "A19 60 MB announced": ({413}, f"{POST}\r\nHOSTContent-Length: {60 * MIB}\r\n".encode()),
    "A21 TRACE": ({405}, b"TRACE / HTTP/1.1\r\nHOST"),
    "A21 PROPFIND": ({405}, b"PROPFIND / HTTP/1.1\r\nHOST"),
    "A21 a method of 3,000 letters": ({405}, b"X" * 3_000 + b" / HTTP/1.1\r\nHOST"),
    "A21 a method that is none": ({400}, b"G\x1bT / HTTP/1.1\r\nHOST"),
    "A21 another method meant": ({200}, b"GET /about/ HTTP/1.1\r\nHOSTX-HTTP-Method-Override: DELETE\r\n"),
    "a thousand ranges": (
        {200},
        b"GET /static/css/base.css HTTP/1.1\r\nHOSTRange: bytes=" + b"0-1," * 900 + b"0-1\r\n",
    ),
}


@pytest.mark.parametrize(("statuses", "asked"), REQUESTS.values(), ids=REQUESTS)
def test_what_is_no_request_gets_one_answer(raw: Raw, statuses: set[int], asked: bytes) -> None:
    head, gap, body = asked.replace(b"HOST", raw.host, 1).partition(b"\r\n\r\n")
    answer = raw.ask(head + (b"\r\n" if gap else b"") + CLOSE + b"\r\n" + body)
    assert status(answer) in statuses
    assert answer.count(b"HTTP/1.") == 1
    assert b"evil" not in answer.partition(b"\r\n\r\n")[0]
    assert b"a=b" not in answer.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("path", ["/", "/about/", "/healthz", "/language/", "/live/check/", "/static/css/base.css"])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get2"])
def test_other_methods_are_told_which_there_are(raw: Raw, method: str, path: str) -> None:
    """A21"""
    answer = raw.get(path, method=method)
    assert status(answer) == 405
    assert re.search(rb"\r\nAllow: GET, HEAD", answer)


def test_a_second_request_hidden_in_the_body_of_the_first_is_not_answered(raw: Raw) -> None:
    """A19: smuggled past whoever stands in front"""
    hidden = b"GET /about/ HTTP/1.1\r\n" + raw.host + b"\r\n"
    answer = raw.get("/language/", method="POST", body=hidden)
    assert (status(answer), answer.count(b"HTTP/1.1 ")) == (403, 1)


def test_who_claims_another_address_is_counted_at_their_own(raw: Raw) -> None:
    """A18: without a proxy that is trusted"""
    claims = [b"X-Forwarded-For: 203.0.113.%d\r\nForwarded: for=203.0.113.%d\r\n" % (n, n) for n in range(12)]
    statuses = [status(raw.get("/j/ZZZZZZZZ/", headers=claim)) for claim in claims]
    assert (statuses[:10], statuses[-1]) == ([404] * 10, 429)


@pytest.mark.parametrize("path", ["/j/{code}/", "/live/{key}/ops"])
def test_ten_megabytes_are_too_large(raw: Raw, path: str) -> None:
    """A31"""
    kind = b"Content-Type: application/x-www-form-urlencoded\r\n"
    place = path.format(code=raw.code, key=raw.key)
    assert status(raw.get(place, method="POST", headers=kind, body=b"name=" + b"a" * 10 * MIB)) == 413


def posts(raw: Raw, body: bytes, kind: str) -> bytes:
    token = "a" * 32
    known = f"Cookie: {raw.cem}; csrf={token}\r\nX-CSRFToken: {token}\r\n"
    headers = f"{known}Content-Type: {kind}\r\nAccept-Language: en\r\n".encode()
    return raw.get(f"/live/{raw.key}/ops", method="POST", headers=headers, body=body)


def test_a_note_that_is_too_long_is_kept_and_counted(raw: Raw) -> None:
    """A31: with what was typed, to be shortened"""
    form = {"id": str(new_id()), "s": f"board:{raw.board}", "k": "note.add", "q": raw.question, "colour": "mint"}
    body = urlencode({**form, "text": "Kept " + "x" * 1_000}).encode()
    answer = posts(raw, body, "application/x-www-form-urlencoded")
    assert status(answer) == 422
    assert b"Kept xxx" in answer


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000 + b"]" * 100_000, b'{"t":"op","x":NaN}', b'{"t":"op","x":1e999}', b"\xff\xfe", b""],
    ids=["A06 deep", "A07 NaN", "A07 1e999", "no UTF-8", "nothing"],
)
def test_json_that_is_none_is_refused_by_post(raw: Raw, body: bytes) -> None:
    answer = posts(raw, body, "application/json")
    assert (status(answer), b'"retry": false' in answer) in {(422, True), (413, True)}


# ── slow ones, and many ──
def test_three_hundred_half_requests_hold_up_nobody_and_are_hung_up(raw: Raw) -> None:
    """A83: one of them trickles a byte now and then"""
    callers = [raw.call() for _ in range(300)]
    for caller in callers:
        caller.sendall(b"GET / HTTP/1.1\r\nX: ")
    assert raw.is_well()
    gone = threading.Event()
    trickling = threading.Thread(target=trickle, args=(callers[0], gone))
    trickling.start()
    assert [hears(caller) for caller in callers[1:]] == [b""] * 299
    assert gone.wait(60)
    trickling.join()
    for caller in callers:
        caller.close()


def hears(caller: socket.socket) -> bytes:
    with contextlib.suppress(ConnectionResetError):
        return caller.recv(4096)
    return b""


def trickle(caller: socket.socket, gone: threading.Event) -> None:
    while True:
        try:
            caller.sendall(b"a")
        except OSError:
            gone.set()
            return
        gone.wait(0.5)


def test_who_sends_requests_and_reads_no_answer_is_read_no_more(raw: Raw) -> None:
    one = b"GET /about/ HTTP/1.1\r\n" + raw.host + b"\r\n"
    with raw.call() as caller:
        caller.settimeout(2)
        with pytest.raises(TimeoutError):
            caller.sendall(one * (64 * MIB // len(one)))
        assert raw.is_well()


def test_a_hundred_at_one_page_at_once_are_served_or_told_to_come_again(raw: Raw) -> None:
    """A89"""
    headers = f"Cookie: {raw.cem}\r\n".encode()
    with ThreadPoolExecutor(100) as visitors:
        asked = [visitors.submit(raw.get, f"/e/{raw.key}/table/", headers=headers) for _ in range(100)]
        assert raw.is_well()
        answers = [each.result() for each in asked]
    assert {status(answer) for answer in answers} <= {200, 503}
    assert 200 in {status(answer) for answer in answers}
    assert all(b"\r\nRetry-After: " in answer for answer in answers if status(answer) == 503)


# ── sockets ──
def live(raw: Raw, cookie: str) -> Any:
    return connect(
        f"ws://127.0.0.1:{raw.house.port}/live/{raw.key}/",
        origin=raw.house.url,  # type: ignore[arg-type]
        additional_headers={"Cookie": cookie, "Accept-Language": "en"},
        proxy=None,
        max_size=None,
        ping_interval=None,
    )


async def hello(page: ClientConnection) -> None:
    await page.send('{"t":"hello","v":1,"streams":{}}')
    await next_of(page, "welcome")


async def next_of(page: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            found: dict[str, Any] = json.loads(await page.recv())
            if found["t"] == kind:
                return found


async def is_alive(page: ClientConnection) -> bool:
    await page.send('{"t":"ping","c":"still"}')
    return bool((await next_of(page, "pong"))["c"] == "still")


OP = '{"t":"op","id":"0191b7a0-0000-7000-8000-00000000000a","s":"room","k":"seat.any","d":{}'
FRAMES: dict[str, tuple[str, str | bytes]] = {
    "A06 100,000 levels": ("too_large", "[" * 100_000 + "]" * 100_000),
    "A06 8,000 levels": ("bad_json", "[" * 8_000 + "]" * 8_000),
    "A07 NaN": ("bad_json", '{"t":"ping","c":NaN}'),
    "A07 1e999": ("bad_json", '{"t":"ping","c":1e999}'),
    "A13 binary": ("bad_frame", b"\x00\xff"),
    "A13 empty": ("bad_frame", ""),
    "A14 no type": ("unknown_type", "{}"),
    "A14 of Channels": ("unknown_type", '{"t":"websocket.disconnect"}'),
    "A14 of Python": ("unknown_type", '{"t":"__class__"}'),
    "A15 a role": ("bad_field", OP + ',"role":"moderator"}'),
    "A17 many in one": ("bad_frame", f"[{OP}}},{OP}}}]"),
    "half a frame": ("bad_json", OP),
}


@pytest.mark.parametrize(("code", "said"), FRAMES.values(), ids=FRAMES)
async def test_what_is_no_frame_is_told_and_harms_no_other(raw: Raw, code: str, said: str | bytes) -> None:
    async with live(raw, raw.ben) as ben, live(raw, raw.cem) as cem:
        await hello(ben)
        await hello(cem)
        await cem.send(said)
        assert (await next_of(cem, "err"))["code"] == code
        assert await is_alive(ben)
        if code != "too_large":
            assert await is_alive(cem)


async def test_a_frame_of_16_kib_passes_and_one_byte_more_closes(raw: Raw) -> None:
    """A01"""
    around = '{"t":"ping","c":""}'
    async with live(raw, raw.cem) as cem:
        await hello(cem)
        await cem.send(around.replace('""', f'"{"x" * (16_384 - len(around))}"'))
        await next_of(cem, "pong")
        await cem.send(around.replace('""', f'"{"x" * (16_385 - len(around))}"'))
        assert (await next_of(cem, "err"))["code"] == "too_large"
        with pytest.raises(ConnectionClosed) as closed:
            await next_of(cem, "pong")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4413


WRONG = {
    "A02 1 MiB and a byte": frame(b"x" * (MIB + 1)),
    "A02 4 GiB announced": frame(b"x", length=1 << 32),
    "A04 200 of 1 MiB": frame(b"x" * MIB) * 200,
    "A10 no UTF-8": frame(b"\xff\xfe"),
    "A13 a ping of 126 bytes": frame(b"x" * 126, first=0x89),
    "reserved bits": frame(b"x", first=0xC1),
    "no mask": b"\x81\x01x",
}


@pytest.mark.parametrize("sent", WRONG.values(), ids=WRONG)
async def test_what_breaks_the_protocol_is_dropped_with_one_line(raw: Raw, sent: bytes) -> None:
    async with live(raw, raw.ben) as ben:
        await hello(ben)
        with raw.handshake(f"/live/{raw.key}/", headers=f"Cookie: {raw.cem}\r\n".encode()) as cem:
            assert status(cem.recv(4096)) == 101
            await asyncio.to_thread(sends_and_is_dropped, cem, sent)
        assert await is_alive(ben)
    assert [" warning A socket " in line for line in raw.new_lines()] == [True]


def sends_and_is_dropped(caller: socket.socket, sent: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        caller.sendall(sent)
    read_all(caller)


@pytest.mark.parametrize(
    ("origin", "headers"),
    [
        ("https://evil.example", b""),
        ("null", b""),
        ("http://localhost:1", b""),
        ("", b"Origin: https://evil.example\r\n"),
        ("", b"Sec-Fetch-Site: cross-site\r\n"),
    ],
    ids=["another site", "a sandbox", "another port", "A18 two origins", "from another site"],
)
def test_sockets_of_other_pages_are_refused_before_they_open(raw: Raw, origin: str, headers: bytes) -> None:
    with raw.handshake("/live/check/", origin=origin, headers=headers) as caller:
        assert status(caller.recv(4096)) in {400, 403}
    with raw.handshake("/live/check/") as caller:
        assert status(caller.recv(4096)) == 101


# ── anything ──
WORDS = """GET POST HEAD / /about/ /live/check/ ? %00 HTTP/1.1 HTTP/1.0 5 0 Cookie: csrf= "\\ Range: bytes= , - :
 Content-Length:"""
HEADERS = """Host: 127.0.0.1
Transfer-Encoding: chunked
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==
Expect: 100-continue
"""
TOKENS = st.sampled_from(
    [b" ", b"\r\n", b"\r\n\r\n", *WORDS.encode().split(), *(f"{line}\r\n".encode() for line in HEADERS.splitlines())]
)
BYTES = st.lists(st.one_of(TOKENS, st.binary(max_size=12)), max_size=40).map(b"".join)
LINES = st.lists(BYTES, min_size=1, max_size=6).map(
    lambda lines: b"GET / HTTP/1.1\r\n" + b"\r\n".join(lines) + b"\r\n\r\n"
)


@given(sent=st.one_of(BYTES, LINES))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_answered_or_hung_up(raw: Raw, sent: bytes) -> None:
    with raw.call() as caller, contextlib.suppress(ConnectionResetError, BrokenPipeError):
        caller.sendall(sent)
        caller.shutdown(socket.SHUT_WR)
        answer = caller.recv(65_536)
        assert answer == b"" or 100 <= status(answer) < 500
