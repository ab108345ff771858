"""Who may open a socket, and whose word about addresses counts."""

import asyncio
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from pytest_django import Settings

from zoomcafe.origins import gate
from zoomcafe.proxies import plain_address, seen_through

OURS = {"host": "cafe.example", "origin": "https://cafe.example", "sec-fetch-site": "same-origin"}


@pytest.fixture(autouse=True)
def _addresses(settings: Settings) -> None:
    settings.ORIGINS = ["https://cafe.example", "http://192.168.1.7:8000"]
    settings.ALLOWED_HOSTS = ["cafe.example", "192.168.1.7"]


def scope(headers: list[tuple[str, str]]) -> dict[str, Any]:
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": "websocket", "path": "/live/K7M2QXHB/", "scheme": "ws", "headers": pairs, "client": ["10.0.0.1", 1]}


async def first_word(headers: list[tuple[str, str]]) -> str:
    async def welcoming(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})

    visitor = ApplicationCommunicator(gate(welcoming), scope(headers))
    await visitor.send_input({"type": "websocket.connect"})
    answer = await visitor.receive_output(timeout=1)
    await visitor.wait(timeout=1)
    return str(answer["type"])


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"sec-fetch-site": None},
        {"host": "192.168.1.7:8000", "origin": "http://192.168.1.7:8000"},
    ],
)
async def test_our_own_pages_may_open_sockets(change: dict[str, str | None]) -> None:
    assert await first_word([(k, v) for k, v in (OURS | change).items() if v]) == "websocket.accept"


@pytest.mark.parametrize(
    "change",
    [
        {"origin": None},
        {"origin": ""},
        {"origin": "null"},
        {"origin": "http://cafe.example"},
        {"origin": "https://cafe.example:8443"},
        {"origin": "https://evil.example"},
        {"origin": "https://www.cafe.example"},
        {"origin": "https://cafe.example.evil.example"},
        {"origin": "https://cafe.example/"},
        {"origin": "https://cafe.example,https://evil.example"},
        {"origin": "http://192.168.1.7"},
        {"host": "evil.example"},
        {"host": None},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ],
)
async def test_nobody_else_may(change: dict[str, str | None]) -> None:
    assert await first_word([(k, v) for k, v in (OURS | change).items() if v is not None]) == "websocket.close"


@pytest.mark.parametrize("name", ["origin", "host", "sec-fetch-site"])
async def test_a_header_that_comes_twice_is_refused(name: str) -> None:
    assert await first_word([*OURS.items(), (name, OURS[name])]) == "websocket.close"


FORWARDED = [
    ("x-forwarded-for", "127.0.0.1, 203.0.113.7"),
    ("x-forwarded-for", "198.51.100.9"),
    ("x-forwarded-proto", "https"),
]


@pytest.mark.parametrize(
    ("hops", "client", "scheme"),
    [(0, "10.0.0.1", "ws"), (1, "198.51.100.9", "wss"), (2, "203.0.113.7", "wss"), (9, "127.0.0.1", "wss")],
)
def test_only_trusted_proxies_are_believed(settings: Settings, hops: int, client: str, scheme: str) -> None:
    settings.TRUSTED_PROXIES = hops
    seen = seen_through(scope(FORWARDED))
    assert (seen["client"][0], seen["scheme"]) == (client, scheme)


@pytest.mark.parametrize("forwarded", ["unknown", "<script>", "", ",,", "1.2.3.4.5", "999.1.1.1"])
def test_nonsense_from_a_proxy_leaves_the_address_as_it_is(settings: Settings, forwarded: str) -> None:
    settings.TRUSTED_PROXIES = 1
    assert seen_through(scope([("x-forwarded-for", forwarded)]))["client"] == ["10.0.0.1", 1]


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("cafe.example", None),
    ],
)
def test_addresses_come_in_several_dresses(entry: str, address: str | None) -> None:
    assert plain_address(entry) == address


def test_the_gate_lets_an_application_run_until_it_ends() -> None:
    async def run() -> list[str]:
        return [await first_word(list(OURS.items())) for _ in range(3)]

    assert asyncio.run(run()) == ["websocket.accept"] * 3
