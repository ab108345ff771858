"""The page "Does my connection work?" says what is true: of a good line, a refused one, a clogged one, and the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser.house import House, People, people
from tests.browser.wire_cutter import WireCutter

ENDS = 60_000
LINES = ["page", "cookies", "store", "secure", "poll", "clock", "socket", "there", "long", "hold"]
SOCKET = ("socket", "there", "long", "hold")
LINE = "() => [...document.querySelectorAll('[data-check]')].map((li) => li.dataset.state)"


@pytest.fixture(scope="module")
def wire(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WireCutter, House, People]]:
    house = House(tmp_path_factory.mktemp("checked"))
    wire = WireCutter(house.port)
    house.trusts(wire.url)
    try:
        house.start()
        with people(chromium, wire.url) as visitors:
            yield wire, house, visitors
    finally:
        house.stop()
        wire.close()


@pytest.fixture
def line(wire: tuple[WireCutter, House, People]) -> Iterator[WireCutter]:
    yield wire[0]
    wire[0].let_through()
    wire[0].end_dead()


@pytest.fixture
def eve(wire: tuple[WireCutter, House, People]) -> Iterator[Page]:
    person = wire[2].comes(width=360)
    yield person.page
    person.context.close()


def tries(page: Page, address: str) -> dict[str, str]:
    """The state of each line when all is tried."""
    page.goto(f"{address}/check/")
    page.locator("[data-done]").wait_for(timeout=ENDS)
    return dict(zip(LINES, page.evaluate(LINE), strict=True))


def all_fine(**but: str) -> dict[str, str]:
    return {**dict.fromkeys(LINES, "ok"), **but}


def says(page: Page, *sentences: str) -> None:
    for sentence in sentences:
        expect(page.get_by_text(sentence)).to_be_visible()
    shown = page.locator("[data-part=verdict] p:not([hidden])")
    expect(shown).to_have_count(len(sentences))


def advises(page: Page, *words: str) -> None:
    page.get_by_text("For whoever runs the server").click()
    items = page.locator("[data-part=operators] li:not([hidden])")
    expect(items).to_have_count(len(words))
    for word in words:
        expect(items.filter(has_text=word)).to_have_count(1)


def test_on_a_good_line_everything_works(line: WireCutter, eve: Page) -> None:
    assert tries(eve, line.url) == all_fine()
    says(eve, "All is well.")
    advises(eve, "Nothing to do.")
    expect(eve.locator("li .chip:visible")).to_have_text(["works"] * len(LINES))
    kept = eve.evaluate("async () => [document.cookie, localStorage.length, sessionStorage.length]")
    assert kept == ["", 0, 0]


def test_the_text_to_send_holds_what_was_seen(line: WireCutter, eve: Page) -> None:
    line.refuse_sockets()
    tries(eve, line.url)
    report = eve.locator("#report").input_value().splitlines()
    assert report[0].startswith(f"ZoomCafé · {line.url} · 20")
    assert "✗ Opening a live connection (WebSocket): It was refused." in report
    assert "– Holding for ten seconds" in report
    assert "(upgrade)" in report


def test_refused_sockets_are_said_and_the_rest_is_not_tried(line: WireCutter, eve: Page) -> None:
    line.refuse_sockets()
    assert tries(eve, line.url) == all_fine(socket="bad", there="none", long="none", hold="none")
    says(eve, "Live connections do not get through here.")
    advises(eve, "must pass on Upgrade and Connection")


def test_clogged_sockets_are_said(line: WireCutter, eve: Page) -> None:
    line.clog(only_sockets=True)
    assert tries(eve, line.url) == all_fine(socket="bad", there="none", long="none", hold="none")
    says(eve, "Live connections do not get through here.")
    advises(eve, "turn buffering off for /live/")


def test_an_address_the_server_does_not_know_is_named(
    wire: tuple[WireCutter, House, People], line: WireCutter, eve: Page
) -> None:
    """localhost leads there too, but nobody told the server."""
    other = line.url.replace("127.0.0.1", "localhost")
    wire[1].stop()
    wire[1].env["ALLOWED_HOSTS"] = "127.0.0.1 localhost"
    wire[1].start()
    assert tries(eve, other) == all_fine(socket="bad", there="none", long="none", hold="none")
    says(eve, "Live connections do not get through here.")
    advises(eve, f"does not know the address {other}")
    assert "socket refused: origin" in wire[1].log.read_text(encoding="utf-8")


def swallowing(longest: int) -> Callable[[WebSocketRoute], None]:
    """A filter that drops what is longer."""

    def route(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        socket.on_message(lambda said: server.send(said) if len(said) <= longest else None)

    return route


def cutting(socket: WebSocketRoute) -> None:
    """A web server that ends a connection after its first quiet seconds."""
    server = socket.connect_to_server()

    def hear(said: str | bytes) -> None:
        if b"once" in (said if isinstance(said, bytes) else said.encode()):
            socket.close(code=1001)
        else:
            server.send(said)

    socket.on_message(hear)


@pytest.mark.parametrize(
    ("route", "states", "word"),
    [
        (swallowing(-1), {"there": "bad", "long": "none", "hold": "none"}, "turn buffering off"),
        (swallowing(10_000), {"long": "bad"}, "Messages of 16 KiB do not pass"),
        (cutting, {"hold": "bad"}, "The connection is cut"),
    ],
    ids=["buffered", "filtered", "cut"],
)
def test_sockets_that_open_and_do_not_carry_are_said(
    line: WireCutter, eve: Page, route: Callable[[WebSocketRoute], None], states: dict[str, str], word: str
) -> None:
    eve.route_web_socket("**/live/check/", route)
    assert tries(eve, line.url) == all_fine(**states)
    says(eve, "Live connections open, but do not hold.")
    advises(eve, word)


def test_a_hotels_page_in_place_of_ours_is_said(line: WireCutter, eve: Page) -> None:
    def sign_in(route: Route) -> None:
        route.fulfill(status=200, content_type="text/html", body="<h1>Please accept our terms</h1>")

    eve.route("**/live/check/?*", sign_in)
    states = tries(eve, line.url)
    assert (states["poll"], states["clock"]) == ("bad", "none")
    says(eve, "Something else answers in place of this server.")


def test_a_browser_that_keeps_nothing_is_told(line: WireCutter, eve: Page) -> None:
    eve.add_init_script(
        "Object.defineProperty(window, 'indexedDB', { get() { throw new DOMException('no', 'SecurityError'); } });"
        "Object.defineProperty(Document.prototype, 'cookie', { get: () => '', set() {} });"
    )
    assert tries(eve, line.url) == all_fine(cookies="bad", store="bad")
    says(eve, "Your browser refuses cookies.", "This browser keeps nothing.")


def test_without_javascript_the_page_says_what_was_not_tried(wire: tuple[WireCutter, House, People]) -> None:
    person = wire[2].comes(width=360, scripts=False)
    person.page.goto(f"{wire[0].url}/check/")
    says(person.page, "Only the page itself has been tried.")
    assert person.page.evaluate(LINE) == ["none"] * len(LINES)
    expect(person.page.get_by_role("button", name="Copy text")).to_be_hidden()
    person.context.close()
