"""The page that tries the connection, and what answers it: for anybody, without an event, a cookie or the database."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from sessions.live import socket
from sessions.live.house import house
from tests.browsing import Browser
from tests.pages import reads, words

PING = {"t": "ping", "c": 1}


def visitor(**options: Any) -> Browser:
    return Browser("check", "", **options)


async def ends(someone: Browser) -> int:
    return int((await someone.hears("close"))["code"])


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "The other trials need JavaScript"), ("de", "Die anderen Proben brauchen JavaScript")],
)
def test_without_javascript_the_page_says_what_was_not_tried(db: None, language: str, sentence: str) -> None:
    page = Client(headers={"accept-language": language}).get("/check/").content.decode()
    assert reads(page, sentence)
    assert words(page).count({"en": "not tried", "de": "nicht probiert"}[language]) == 10
    assert not reads(page, {"en": "All is well.", "de": "Alles in Ordnung."}[language])


def test_the_page_about_the_house_leads_there(db: None) -> None:
    assert 'href="/check/"' in Client().get("/about/").content.decode()


@pytest.mark.parametrize(
    ("origin", "known"), [("http://testserver", True), ("https://testserver", False), ("http://testserver:80", False)]
)
def test_the_server_says_whether_it_knows_the_address(origin: str, *, known: bool) -> None:
    """And its clock; all that without the database."""
    answer = Client().get("/live/check/", {"origin": origin})
    assert (answer["Cache-Control"], answer.json()["t"], answer.json()["known"]) == ("no-store", "pong", known)
    assert abs(answer.json()["now"] - socket.now_ms()) < 60_000


def test_a_handshake_whose_upgrade_was_taken_away_is_noted(caplog: pytest.LogCaptureFixture) -> None:
    answer = Client().get("/live/check/", headers={"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="})
    assert (answer.status_code, answer["Upgrade"]) == (426, "websocket")
    assert "passes on no Upgrade header" in caplog.text


async def test_pings_are_answered_up_to_the_longest_frame() -> None:
    eve = visitor()
    assert await eve.opens()
    for said in (1, "x" * (16_384 - len('{"t":"ping","c":""}'))):
        await eve.says(json.dumps({"t": "ping", "c": said}, separators=(",", ":")))
        assert (await eve.hears("pong"))["c"] == said
    await eve.leaves()


async def test_one_byte_more_is_too_large() -> None:
    eve = visitor()
    await eve.opens()
    await eve.says(json.dumps({"t": "ping", "c": "x" * (16_384 - len('{"t":"ping","c":"'))}, separators=(",", ":")))
    assert (await eve.hears("err"))["code"] == "too_large"
    assert await ends(eve) == 4413


@pytest.mark.parametrize(
    "frame",
    ['{"t":"hello","v":1,"streams":{"room":0}}', '{"t":"op","id":"x","s":"room","k":"seat.any","d":{}}', "[]", "{"],
)
async def test_nothing_but_a_ping_is_understood_and_the_third_closes(frame: str) -> None:
    eve = visitor()
    await eve.opens()
    for _thrice in range(3):
        await eve.says(frame)
    assert await ends(eve) == 4400
    assert {found["code"] for found in eve.got if found["t"] == "err"} <= {"bad_frame", "bad_json"}


async def test_a_flood_of_pings_ends() -> None:
    eve = visitor()
    await eve.opens()
    for _forty in range(40):
        await eve.says(PING)
    assert await ends(eve) == 4429
    assert len([found for found in eve.got if found["t"] == "pong"]) < 40


async def test_who_says_nothing_is_closed(settings: Settings) -> None:
    settings.LIMIT_HELLO_SECONDS = 0.1
    eve = visitor()
    await eve.opens()
    assert await ends(eve) == 1000


async def test_nobody_stays_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "TRIAL_S", 0.1)
    eve = visitor()
    await eve.opens()
    await eve.says(PING)
    await eve.hears("pong")
    assert await ends(eve) == 1000


async def test_trials_take_a_quarter_of_the_places_before_hello_at_most(settings: Settings) -> None:
    settings.LIMIT_SOCKETS_BEFORE_HELLO = 8
    before = (house.sockets, house.before_hello, house.trials)
    first, second, third = visitor(), visitor(), visitor()
    for someone in (first, second):
        await someone.opens()
        await someone.says(PING)
        await someone.hears("pong")
    await third.opens()
    assert (await third.hears("bye"))["why"] == "full"
    assert await ends(third) == 1013
    assert (house.before_hello, house.trials, house.has_room()) == (before[1] + 2, before[2] + 2, True)
    for someone in (first, second):
        await someone.leaves()
    assert (house.sockets, house.before_hello, house.trials) == before


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://testserver"])
async def test_other_origins_are_refused_before_accept(origin: str) -> None:
    assert not await visitor(origin=origin).opens()
