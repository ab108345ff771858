"""Addresses, headers and methods no page of ours leads to (A18, A19, A21, A35, A36, A100), at the front door."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from sessions.live import threads
from sessions.models import Event
from tests.cafe import Cafe
from tests.test_foundations_lanes import answer, visit
from zoomcafe.lanes import Lanes, Pages

pytestmark = pytest.mark.django_db(transaction=True)
LANES = 2
WEIRD = {
    "NUL": "%00",
    "eight NULs": "%00" * 8,
    "no UTF-8": "%ff%fe",
    "half a character": "%ed%a0%80",
    "overlong": "%C0%80",
    "the folder above": "..%2f..%2fetc%2fpasswd",
    "5,000 letters": "A" * 5_000,
    "5,000 digits": "9" * 5_000,
    "other digits": "%D9%A1%D9%A2",
    "-1": "-1",
    "a line of its own": "%0d%0aSet-Cookie:%20a=b",
    "right to left": "%e2%80%ae",
    "SQL": "'%22;--",
    "a template": "%7B%7B7*7%7D%7D",
    "a dot": "%2e",
    "a backslash": "%5c%5cevil.example",
    "a UUID": "00000000-0000-0000-0000-000000000000",
}
Asked = tuple[int, dict[str, str], bytes]


class Door:
    """The front door, with who may stand before it."""

    def __init__(self, cafe: Cafe, pages: Pages) -> None:
        self.cafe, self.pages = cafe, pages
        browser = Client()
        browser.force_login(cafe.ada)
        session = browser.cookies[settings.SESSION_COOKIE_NAME].value
        self.cookies = ("", cafe.cookie(cafe.cem), f"{settings.SESSION_COOKIE_NAME}={session}")

    async def ask(
        self, path: str, *, method: str = "GET", cookie: str = "", body: bytes = b"", **headers: str
    ) -> Asked:
        """`path` as it stands in a request line; Daphne unquotes it."""
        place, mark, query = path.partition("?")
        said = {"accept_language": "en", **({"cookie": cookie} if cookie else {}), **headers}
        visitor = visit(self.pages, unquote(place) + mark + query, method=method, **said)
        return await answer(visitor, body=body)


@pytest.fixture
async def door(transactional_db: None) -> AsyncIterator[Door]:
    lanes = Lanes(LANES, patience=20)
    pages = Pages(lanes)
    yield await sync_to_async(lambda: Door(Cafe().runs(), pages))()
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(asyncio.wrap_future(lanes.submit(connections.close_all), loop=loop) for _ in range(LANES)))
    lanes.shutdown()
    await threads.close()
    await sync_to_async(connections.close_all)()


def routes(found: URLResolver | None = None, above: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in (found or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            yield from routes(entry, above + str(entry.pattern))
        else:
            yield f"/{above}{entry.pattern}", entry


def filled(route: str, value: str) -> str:
    return re.sub(r"<[^>]+>", value, route)


def addresses(cafe: Cafe) -> list[str]:
    """Every address there is, for this event."""
    board = str(cafe.board().pk)
    return [filled(route.replace("<int:board>", board), cafe.event.key) for route, _entry in routes()]


QUERIES = (
    "/?{0}={0}",
    "/e/{key}/gallery/?q={0}&session={0}&table={0}&question={0}&view={0}",
    "/e/{key}/gallery/{board}?at={0}",
    "/e/{key}/table/?board={0}",
    "/sign-in/?next={0}",
    "/sign-in/?next=/{0}",
    "/events/new/?template={0}",
    "/events/{key}/console/?table={0}&ask={0}",
    "/events/{key}/?saved={0}",
    "/live/{key}/parts?since={0}&epoch={0}&as={0}",
    "/live/{key}/parts?since=%7B%22{0}%22:0%7D",
)


@pytest.mark.parametrize("weird", WEIRD.values(), ids=WEIRD)
async def test_no_address_breaks_anything(door: Door, weird: str) -> None:
    """For strangers, guests and the moderator."""
    board = await sync_to_async(lambda: door.cafe.board().pk)()
    paths = [filled(route, weird) for route, _entry in routes() if "<" in route] + [f"/{weird}", f"/static/{weird}"]
    paths += [query.format(weird, key=door.cafe.event.key, board=board) for query in QUERIES]
    for path in paths:
        for cookie in door.cookies:
            status, headers, content = await door.ask(path, cookie=cookie)
            assert status < 500, path[:80]
            assert "x-request-id" in headers
            assert b"Traceback" not in content
            assert "set-cookie" not in headers or "a=b" not in headers["set-cookie"]
            assert not headers.get("location", "/").startswith(("//", "\\", "http"))


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", "PROPFIND", "X" * 500])
async def test_other_methods_are_told_what_there_is_and_change_nothing(door: Door, method: str) -> None:
    """A21"""
    before = await sync_to_async(lambda: list(Event.objects.order_by("pk").values()))()
    for path in await sync_to_async(addresses)(door.cafe):
        for cookie in door.cookies:
            status, headers, _content = await door.ask(
                path, method=method, cookie=cookie, x_http_method_override="POST"
            )
            if method == "HEAD":
                assert (status < 500, status != 405 or "allow" in headers) == (True, True)
            else:
                assert (path, status, headers["allow"]) == (path, 405, "GET, HEAD, POST")
    assert await sync_to_async(lambda: list(Event.objects.order_by("pk").values()))() == before


async def test_looking_changes_nothing(door: Door) -> None:
    """A21: GET on every address, also on those that only take POST"""
    before = await sync_to_async(lambda: list(Event.objects.order_by("pk").values()))()
    for path in await sync_to_async(addresses)(door.cafe):
        for cookie in door.cookies:
            status, headers, _content = await door.ask(f"{path}?_method=DELETE", cookie=cookie)
            assert (path, status < 500, status != 405 or "POST" in headers["allow"]) == (path, True, True)
    assert await sync_to_async(lambda: list(Event.objects.order_by("pk").values()))() == before


HEADERS: dict[str, dict[str, str]] = {
    "a long language": {"accept_language": "x" * 3_000},
    "languages": {"accept_language": ",".join(f"a{i}" for i in range(900))},
    "a language without weight": {"accept_language": "de;q=nan, en;q=1e999"},
    "a language that is none": {"cookie": 'language="\\000"'},
    "cookies of nothing": {"cookie": ';;;=;=;a;"'},
    "a session with NUL": {"cookie": settings.SESSION_COOKIE_NAME + '="' + "\\000" * 11 + '"'},
    "a token with NUL": {"cookie": 'csrf="\\000"'},
    "htmx at nowhere": {"hx_request": "true", "hx_current_url": "http://["},
    "htmx with half an address": {
        "hx_request": "true",
        "hx_current_url": "%ff",
        "hx_current_url_uri_autoencoded": "true",
    },
    "htmx with half an event": {"hx_request": "true", "triggering_event": "{"},
    "a date that is none": {"if_modified_since": "Tue, 99 Foo 99999 99:99:99 GMT"},
    "tags": {"if_none_match": '"' * 100},
    "a charset that is none": {"content_type": "text/html; charset=rot13"},
    "a charset of bytes": {"content_type": "text/html; charset=undefined"},
    "a boundary that is none": {"content_type": "multipart/form-data"},
    "A18 a root of its own": {"daphne_root_path": "/evil"},
    "A18 another client": {"x_forwarded_for": "127.0.0.1", "x_forwarded_host": "evil.example", "forwarded": "for=1"},
    "another page": {"referer": "http://["},
    "an id of its own": {"x_request_id": "x\\x1b[2J"},
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
async def test_no_header_breaks_anything(door: Door, headers: dict[str, str]) -> None:
    for path in await sync_to_async(addresses)(door.cafe):
        for cookie in door.cookies[1:]:
            status, answered, _content = await door.ask(f"{path}?q=%41", **{"cookie": cookie, **headers})
            assert (path, status < 500) == (path, True)
            assert "evil" not in answered.get("location", "")
            assert re.fullmatch("[0-9a-f]{16}", answered["x-request-id"])


async def test_ten_thousand_parameters_are_too_many_and_said_so(door: Door) -> None:
    query = "&".join(f"a{n}=1" for n in range(10_000))
    for path in await sync_to_async(addresses)(door.cafe):
        for cookie in door.cookies[1:]:
            assert (path, (await door.ask(f"{path}?{query}", cookie=cookie))[0] < 500) == (path, True)
    status, _headers, content = await door.ask(f"/e/{door.cafe.event.key}/gallery/?{query}", cookie=door.cookies[1])
    assert (status, b"your browser sent something" in content.lower() or status == 302) in {(400, True), (302, True)}


async def test_a_cursor_of_a_megabyte_is_no_cursor(door: Door) -> None:
    path = f"/live/{door.cafe.event.key}/parts?since="
    for since in ("%7B%22" + "x" * 1_000_000 + "%22:0%7D", "9" * 1_000_000, "[" * 1_000_000):
        status, _headers, content = await door.ask(path + since, cookie=door.cookies[1])
        assert (status in {200, 422}, len(content) < 2_000) == (True, True)


FORMS = {
    "NUL": b"code=%00&name=%00&email=%00&password=%00&language=%00&title=%00&text=%00&id=%00&s=%00&k=%00",
    "no UTF-8": b"code=%ff&name=%ff%fe&email=%ff&title=%ff&text=%ff",
    "twice": b"code=a&code=b&name=Eve&name=Mallory&next=/&next=//evil.example&language=de&language=xx",
    "other digits": "starts=٢٠٢٦-١١-٢٣T١٠:٠٠&tables-0-cap=٣&sessions-0-minutes=٣&cap=٣".encode(),
    "huge numbers": b"sessions-0-minutes=" + b"9" * 5_000 + b"&table_count=" + b"9" * 5_000 + b"&cap=1e3&count=-1",
    "a time that never was": b"title=T&starts=0001-01-01T00:00&time_zone=Asia/Kathmandu",
    "a time far away": b"title=T&starts=9999-12-31T23:59&time_zone=../../etc/passwd",
    "nothing": b"",
    "a wish that is none": b"do=explode-9-9&do=up-99999999999999999999-1",
    "900 kB": b"title=" + b"x" * 900_000,
    "5,000 fields": b"&".join(b"a%d=1" % n for n in range(5_000)),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
async def test_no_form_breaks_anything(door: Door, form: bytes) -> None:
    token = "a" * 32
    spared = re.compile("sign-out|/delete/|/leave/")
    for path in await sync_to_async(addresses)(door.cafe):
        for cookie in () if spared.search(path) else door.cookies:
            status, headers, content = await door.ask(
                path,
                method="POST",
                cookie=f"csrf={token}; {cookie}",
                body=form,
                content_type="application/x-www-form-urlencoded",
                x_csrftoken=token,
            )
            assert (path, status < 500, b"Traceback" in content) == (path, True, False)
            assert "evil" not in headers.get("location", "")


# ── A100 ──
def breaks(view: Callable[..., Any]) -> Callable[..., Any]:
    """The same view, which always fails, in a way that says too much."""

    def fails(_request: HttpRequest, **_names: Any) -> HttpResponse:
        raise RuntimeError("SELECT secret FROM /srv/zoomcafe")

    async def fails_on_the_loop(_request: HttpRequest, **_names: Any) -> HttpResponse:
        raise RuntimeError("SELECT secret FROM /srv/zoomcafe")

    return fails_on_the_loop if iscoroutinefunction(view) else fails


@pytest.mark.parametrize(
    ("headers", "kind"),
    [({}, "page"), ({"hx_request": "true"}, "fragment"), ({"accept": "application/json"}, "frame")],
    ids=["page", "fragment", "frame"],
)
async def test_a_view_that_breaks_shows_a_request_id_and_nothing_else(
    door: Door, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], kind: str
) -> None:
    paths = await sync_to_async(addresses)(door.cafe)
    for _route, entry in routes():
        monkeypatch.setattr(entry, "callback", breaks(entry.callback))
    for path in paths:
        for cookie in door.cookies:
            status, answered, content = await door.ask(path, cookie=cookie, **headers)
            text = content.decode()
            assert (path, status) == (path, 500)
            for leak in ("Traceback", "RuntimeError", "SELECT", "/srv", ".py"):
                assert leak not in text
            is_frame = kind == "frame" or path.startswith("/live/")  # which only the live client asks for
            if is_frame:
                assert '"code": "internal"' in text
            else:
                assert "Something went wrong on our side" in text
                assert answered["x-request-id"] in text
            assert ("<html" in text) is (kind == "page" and not is_frame)
