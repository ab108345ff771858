"""nginx and Caddy with the files of `deploy/`, before a real `serve`: what a guest does gets through, nothing else."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from sessions.live.client import Client
from sessions.live.visitor import Visitor
from tests.browser.house import House
from tests.cafe import new_id
from tests.machine import or_say
from tests.proxies import Proxy, program

NAMES = ["nginx", *filter(program, ["caddy"])]  # whoever has Caddy sees it tried as well
MIB = 1024 * 1024
SET_UP = """
import json
from tests.cafe import Cafe
cafe = Cafe().runs()
print(json.dumps([cafe.event.key, cafe.event.join_code, cafe.cookie(cafe.cem)]))
"""


class Front:
    """A web server, the house behind it and a running event in it."""

    def __init__(self, proxy: Proxy, house: House) -> None:
        self.proxy, self.house, self.url = proxy, house, proxy.url
        self.key, self.code, self.cookie = json.loads(house.does("shell", "-v0", "-c", SET_UP).splitlines()[-1])

    def ask(self, method: str, path: str, *, source: str = "127.0.0.1", **more: Any) -> tuple[int, str]:
        """The status and where it leads or what it says."""
        headers = {"Host": f"localhost:{self.proxy.port}", **more.pop("headers", {})}
        with self.proxy.connection(source=source) as there:
            there.request(method, path, headers=headers, **more)
            answer = there.getresponse()
            return answer.status, answer.headers.get("Location") or answer.read().decode()

    def socket(self, *, origin: str) -> Any:
        trusted = ssl.create_default_context(cafile=str(self.proxy.root))
        address = f"wss://localhost:{self.proxy.port}/live/{self.key}/"
        cookie = {"Cookie": self.cookie}
        return connect(address, origin=origin, ssl=trusted, proxy=None, additional_headers=cookie)  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=NAMES)
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    or_say(program(request.param), f"{request.param} (apt install {request.param})")
    proxy = Proxy(request.param, tmp_path_factory.mktemp(request.param))
    house = House(tmp_path_factory.mktemp("house"))
    house.env |= {"BASE_URL": proxy.url}
    try:
        house.start()
        proxy.start(house.port)
        yield Front(proxy, house)
    finally:
        proxy.stop()
        house.stop()


@pytest.fixture
def trusting(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a known authority had signed."""
    monkeypatch.setenv("SSL_CERT_FILE", str(front.proxy.root))


@pytest.mark.usefixtures("trusting")
async def test_a_guest_comes_in_sits_down_and_writes(front: Front) -> None:
    dana = Visitor(front.url)
    page = await dana.submit(await dana.get(f"/j/{front.code}/"), {"name": "Dana"})
    assert page.status == 200
    assert f"__Host-zc-{front.key}" in dana.cookies
    async with Client.of_page(front.url, page.main, cookies=dana.cookie_header) as client:
        await client.do("room", "seat.any", {})
        await client.until(lambda: client.parts["me"].get("seat", {}).get("board") is not None)
        question = client.parts["stage"]["now"]["questions"][0]["id"]
        board = f"board:{client.parts['me']['seat']['board']}"
        await client.do(board, "note.add", {"q": question, "text": "Through the front door", "colour": "mint"})
    assert "Through the front door" in (await dana.get(f"/e/{front.key}/table/")).text


async def test_sockets_open_for_our_own_pages_alone(front: Front) -> None:
    async with front.socket(origin=front.url) as live:
        await live.send(json.dumps({"t": "hello", "v": 1, "streams": {}}))
        assert json.loads(await live.recv())["t"] == "welcome"
    for origin in ("https://evil.example", front.url.replace("https", "http"), f"https://localhost:{front.house.port}"):
        with pytest.raises(InvalidStatus) as refused:
            await front.socket(origin=origin).__aenter__()
        assert refused.value.response.status_code == 403


def test_polling_and_posting_get_through(front: Front) -> None:
    assert front.ask("GET", f"/live/{front.key}/parts", headers={"Cookie": front.cookie})[0] == 200
    frame = {"t": "op", "id": str(new_id()), "s": "room", "k": "seat.leave", "d": {}}
    headers = {"Cookie": f"{front.cookie}; __Host-csrf={'a' * 32}", "X-CSRFToken": "a" * 32, "Origin": front.url}
    headers |= {"Content-Type": "application/json"}
    status, said = front.ask("POST", f"/live/{front.key}/ops", body=json.dumps(frame), headers=headers)
    assert (status, json.loads(said)["t"]) == (200, "ack")
    status, _page = front.ask(
        "POST", f"/live/{front.key}/ops", body=json.dumps(frame), headers={**headers, "Origin": "https://evil.example"}
    )
    assert status == 403


def test_the_address_is_the_one_the_proxy_saw_and_no_other(front: Front) -> None:
    """A18: wrong codes are counted by address, whatever a caller claims about theirs."""
    claims = [{"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": "203.0.113.99"} for number in range(12)]
    statuses = [front.ask("GET", "/j/ZZZZZZZZ/", headers=claim)[0] for claim in claims]
    assert (statuses[:10], statuses[-1]) == ([404] * 10, 429)
    with contextlib.suppress(OSError):
        assert front.ask("GET", "/j/ZZZZZZZZ/", source="127.0.0.2")[0] == 404


def test_plain_http_is_led_to_https(front: Front) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", front.proxy.plain, timeout=30)) as there:
        there.request("GET", f"/j/{front.code}/", headers={"Host": "localhost"})
        answer = there.getresponse()
        assert answer.status in {301, 308}
        assert answer.headers["Location"].startswith("https://localhost")
        assert answer.headers["Location"].endswith(f"/j/{front.code}/")


def test_a_body_of_two_megabytes_is_refused(front: Front) -> None:
    """A31"""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
        assert front.ask("POST", f"/j/{front.code}/", body=b"a" * 2 * MIB)[0] == 413
    assert front.ask("GET", "/healthz")[0] == 200


def test_headers_that_never_end_are_hung_up(front: Front) -> None:
    """A83"""
    trusted = ssl.create_default_context(cafile=str(front.proxy.root))
    with (
        socket.create_connection(("127.0.0.1", front.proxy.port), timeout=30) as raw,
        trusted.wrap_socket(raw, server_hostname="localhost") as caller,
    ):
        caller.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):
            assert b"200" not in caller.recv(4096)
    assert front.ask("GET", "/healthz")[0] == 200


def test_while_the_server_restarts_caddy_lets_requests_wait_and_nginx_says_so(front: Front) -> None:
    front.house.stop()
    answers: list[int] = []
    asking = threading.Thread(target=lambda: answers.append(front.ask("GET", "/healthz")[0]))
    asking.start()
    if front.proxy.name == "nginx":
        asking.join()
        assert answers == [502]
    front.house.start()
    asking.join()
    assert (answers[-1], front.ask("GET", "/healthz")[0]) == (200 if front.proxy.name == "caddy" else 502, 200)


def test_addresses_are_written_into_no_access_log(front: Front) -> None:
    """They hold codes, and secrets that work once."""
    assert front.ask("GET", "/h/a-secret-that-works-once/")[0] == 404
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", front.proxy.plain, timeout=30)) as there:
        there.request("GET", "/h/a-secret-that-works-once/", headers={"Host": "localhost"})
        there.getresponse()
    logs = [front.proxy.folder / "log", front.proxy.folder / "access"]
    assert not any("works-once" in log.read_text(encoding="utf-8") for log in logs if log.exists())
