"""How pages reach the database: through a fixed number of lanes."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.db import connection, connections
from pytest_django import Settings

from sessions.live import precedence
from tests import foundation_urls as urls
from zoomcafe import fairness
from zoomcafe.lanes import Lanes, Pages
from zoomcafe.proxies import seen_through

pytestmark = pytest.mark.django_db(transaction=True)
LANES = 3


@pytest.fixture(autouse=True)
def _doors(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.foundation_urls"
    urls.gate.clear()
    urls.seen.clear()
    while urls.inside.acquire(blocking=False):
        pass


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    lanes = Lanes(LANES, patience=0.3)
    yield Pages(lanes)
    urls.gate.set()
    loop = asyncio.get_running_loop()
    await asyncio.gather(*(asyncio.wrap_future(lanes.submit(connections.close_all), loop=loop) for _ in range(LANES)))
    lanes.shutdown()


others = itertools.count(1)


def visit(
    pages: Pages, path: str, *, method: str = "GET", address: str = "", **headers: str
) -> ApplicationCommunicator:
    """By somebody new, unless there is an address."""
    path, _, query = path.partition("?")
    named = {"host": "testserver", **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "root_path": "/somewhere",
        "scheme": "http",
        "client": [address or f"2001:db8::{next(others):x}", 4711],
        "server": ["testserver", 80],
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await pages(seen_through(scope), receive, send)

    return ApplicationCommunicator(app, scope)


async def answer(visitor: ApplicationCommunicator, *, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    await visitor.send_input({"type": "http.request", "body": body})
    start = await visitor.receive_output(timeout=10)
    content, more = b"", True
    while more:
        part = await visitor.receive_output(timeout=10)
        content, more = content + part.get("body", b""), part.get("more_body", False)
    await visitor.wait(timeout=10)
    return start["status"], {name.decode().lower(): value.decode() for name, value in start["headers"]}, content


async def get(pages: Pages, path: str, **wishes: str) -> tuple[int, dict[str, str], bytes]:
    return await answer(visit(pages, path, **wishes))


async def opens_many(pages: Pages, **wishes: str) -> list[asyncio.Task[Any]]:
    """More than there are lanes, of pages that take long; the first is at work."""
    opened = [asyncio.create_task(get(pages, "/test/wait", **wishes)) for _ in range(LANES + 2)]
    assert await asyncio.to_thread(urls.inside.acquire, timeout=5)
    return opened


async def fill_all_lanes(pages: Pages) -> list[asyncio.Task[Any]]:
    waiting = [asyncio.create_task(get(pages, f"/test/wait?name={n}")) for n in range(LANES)]
    for _ in range(LANES):
        assert await asyncio.to_thread(urls.inside.acquire, timeout=5)
    return waiting


async def test_three_hundred_visitors_need_no_more_connections_than_lanes(pages: Pages) -> None:
    pages.lanes._patience = 20
    answers = await asyncio.gather(*(get(pages, "/test/ask") for _ in range(300)))
    assert {status for status, _headers, _body in answers} == {200}
    pooled = connection.vendor == "postgresql"  # a lane then takes any of the pool's
    assert 1 <= len(urls.seen) <= (settings.POOL_SIZE if pooled else LANES)


async def test_who_gets_no_lane_in_time_is_told_to_come_again(pages: Pages) -> None:
    waiting = await fill_all_lanes(pages)
    status, headers, body = await get(pages, "/test/ask", accept_language="de")
    assert (status, headers["retry-after"], headers["content-language"]) == (503, "2", "de")
    assert b"<h1>" in body
    assert headers["x-request-id"].encode() in body
    assert "nonce-" in headers["content-security-policy"]
    urls.gate.set()
    assert [status for status, _h, _b in await asyncio.gather(*waiting)] == [200] * LANES
    assert (await get(pages, "/test/ask"))[0] == 200


async def test_what_needs_no_database_answers_while_all_lanes_are_taken(pages: Pages) -> None:
    waiting = await fill_all_lanes(pages)
    assert (await get(pages, "/healthz"))[0] == 200
    assert (await get(pages, "/test/soon"))[2] == b"GET True"
    assert (await get(pages, "/static/css/base.css"))[0] == 200
    urls.gate.set()
    await asyncio.gather(*waiting)


@pytest.mark.parametrize("same", [{"address": "192.0.2.1"}, {"address": "192.0.2.1", "cookie": "guest=1"}], ids=str)
async def test_who_opens_many_pages_takes_one_lane(
    pages: Pages, same: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fairness, "RESTS", {})
    pages.lanes._patience = pages.queues._patience = 20
    opened = await opens_many(pages, **same)
    assert (await get(pages, "/test/ask"))[0] == 200
    assert (await get(pages, "/test/ask", address="192.0.2.1", cookie="guest=2"))[0] == 200
    assert (await answer(visit(pages, "/test/echo", method="POST", **same)))[0] != 503
    assert (await get(pages, "/static/css/base.css", **same))[0] == 200
    assert (await get(pages, "/readyz", **same))[0] == 200
    assert not urls.inside.acquire(blocking=False)
    urls.gate.set()
    assert [status for status, _h, _b in await asyncio.gather(*opened)] == [200] * len(opened)
    await asyncio.sleep(0)
    assert (pages.queues._gates, pages.queues._there) == ({}, {})


async def test_who_fetches_many_files_leaves_the_loop_to_others_in_between(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one's turn comes after a rest."""
    monkeypatch.setattr(fairness, "RESTS", {"file": 1e9})
    pages.queues._patience = 0.05
    same = {"address": "192.0.2.1"}
    files = await asyncio.gather(*(get(pages, "/static/css/base.css", **same) for _file in range(3)))
    assert sorted(status for status, _headers, _body in files) == [200, 503, 503]
    assert (await get(pages, "/static/css/base.css"))[0] == 200
    assert (await get(pages, "/test/ask", **same))[0] == 200


async def test_who_makes_a_page_lets_notes_go_first(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "LONGEST_S", 60.0)
    with precedence.going_first():
        page = asyncio.create_task(get(pages, "/test/ask"))
        await asyncio.sleep(0.05)
        assert not page.done()
    assert (await page)[0] == 200


async def test_whatever_cookies_they_make_up_one_address_has_half_of_the_lanes(
    pages: Pages, settings: Settings
) -> None:
    settings.LANES = 4  # of which these pages have three
    pages.queues._patience = 20
    opened = [
        asyncio.create_task(get(pages, "/test/wait", address="192.0.2.1", cookie=f"guest={number}"))
        for number in range(LANES)
    ]
    for _half in range(2):
        assert await asyncio.to_thread(urls.inside.acquire, timeout=5)
    assert not await asyncio.to_thread(urls.inside.acquire, timeout=0.2)
    assert (await get(pages, "/test/ask"))[0] == 200
    urls.gate.set()
    assert [status for status, _h, _b in await asyncio.gather(*opened)] == [200] * LANES


async def test_who_hangs_up_has_their_turn_until_the_page_is_made(pages: Pages) -> None:
    same = {"address": "192.0.2.1"}
    leaver = visit(pages, "/test/wait", **same)
    await leaver.send_input({"type": "http.request", "body": b""})
    assert await asyncio.to_thread(urls.inside.acquire, timeout=5)
    await leaver.send_input({"type": "http.disconnect"})
    second = asyncio.create_task(get(pages, "/test/wait", **same))
    assert not await asyncio.to_thread(urls.inside.acquire, timeout=0.2)
    urls.gate.set()
    assert (await second)[0] == 200
    await leaver.wait(timeout=5)


async def test_whose_turn_does_not_come_in_time_is_told_to_come_again(pages: Pages) -> None:
    pages.queues._patience = 0.1
    opened = await opens_many(pages, address="192.0.2.1")
    done, _open = await asyncio.wait(opened, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    status, headers, _body = done.pop().result()
    assert (status, headers["retry-after"]) == (503, "2")
    urls.gate.set()
    assert min([status for status, _h, _b in await asyncio.gather(*opened)]) == 200
    assert (await get(pages, "/test/ask", address="192.0.2.1"))[0] == 200


async def test_who_leaves_before_their_turn_leaves_it_to_others(pages: Pages) -> None:
    pages.queues._patience = 20
    opened = await opens_many(pages, address="192.0.2.1")
    leaver = visit(pages, "/test/wait?name=leaver", address="192.0.2.1")
    await leaver.send_input({"type": "http.request", "body": b""})
    await asyncio.sleep(0.05)
    await leaver.send_input({"type": "http.disconnect"})
    await leaver.wait(timeout=5)
    urls.gate.set()
    assert [status for status, _h, _b in await asyncio.gather(*opened)] == [200] * len(opened)
    assert "leaver" not in urls.seen


async def test_readyz_says_when_no_lane_is_free(pages: Pages) -> None:
    assert (await get(pages, "/readyz"))[0] == 200
    await fill_all_lanes(pages)
    assert (await get(pages, "/readyz"))[0] == 503


async def test_who_leaves_the_queue_is_not_served(pages: Pages) -> None:
    waiting = await fill_all_lanes(pages)
    leaver = visit(pages, "/test/wait?name=leaver")
    await leaver.send_input({"type": "http.request", "body": b""})
    await asyncio.sleep(0.05)
    await leaver.send_input({"type": "http.disconnect"})
    await leaver.wait(timeout=5)
    urls.gate.set()
    await asyncio.gather(*waiting)
    await get(pages, "/test/ask")
    assert "leaver" not in urls.seen


async def test_a_slow_body_holds_no_lane(pages: Pages) -> None:
    slow = [visit(pages, "/test/echo", method="GET") for _ in range(LANES + 1)]
    for visitor in slow:
        await visitor.send_input({"type": "http.request", "body": b"half", "more_body": True})
    assert (await get(pages, "/test/ask"))[0] == 200
    assert [(await answer(visitor, body=b"done"))[2] for visitor in slow] == [b"8"] * (LANES + 1)


async def test_a_body_beyond_the_limit_is_refused_without_a_lane(pages: Pages, settings: Settings) -> None:
    settings.LIMIT_BODY_BYTES = 1000
    waiting = await fill_all_lanes(pages)
    visitor = visit(pages, "/test/echo", method="POST")
    await visitor.send_input({"type": "http.request", "body": b"x" * 800, "more_body": True})
    status, headers, body = await answer(visitor, body=b"x" * 800)
    assert (status, headers["x-content-type-options"]) == (413, "nosniff")
    assert b"<h1>" in body
    urls.gate.set()
    await asyncio.gather(*waiting)


async def test_a_root_path_from_outside_changes_nothing(pages: Pages) -> None:
    assert (await get(pages, "/somewhere/test/ask"))[0] == 404
    assert (await get(pages, "/test/ask"))[0] == 200


async def test_streams_arrive_whole(pages: Pages) -> None:
    assert (await get(pages, "/test/flow"))[2] == b"one two"


async def test_a_lane_recovers_when_the_database_has_been_away(pages: Pages) -> None:
    assert (await get(pages, "/test/ask"))[0] == 200
    await asyncio.wrap_future(pages.lanes.submit(break_connections))
    answers = [(await get(pages, "/test/ask"))[0] for _ in range(4 * LANES)]
    assert answers.count(200) >= 4 * LANES - 1
    assert set(answers[-LANES:]) == {200}


def break_connections() -> None:
    """Ends the connection below Django, as a restart of the database does."""
    for broken in connections.all(initialized_only=True):
        if broken.connection is not None:
            broken.connection.close()


async def test_steps_of_asynchronous_pages_use_lanes_too(pages: Pages) -> None:
    names = []

    async def step() -> None:
        names.append(await sync_to_async(lambda: threading.current_thread().name)())

    async with ThreadSensitiveContext(executor=pages.lanes):
        await step()
    assert names[0].startswith("lane")
