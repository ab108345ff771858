"""Hostile words (A12, A23, A26, A28, A30, A31, A71, A94): the same answer by every way, kept as they were meant."""

import sys
import unicodedata
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import Client

from sessions import names
from sessions.clock import now_ms
from sessions.live import fields, threads
from sessions.models import Event, Participant
from sessions.text import PERHAPS_MARKS, TWO_MARKS, composed
from tables.models import Note, Seat, Table
from tests.browsing import board_of
from tests.cafe import Cafe
from tests.pages import reads
from tests.transports import WAYS, by_form, client, everywhere, post

pytestmark = pytest.mark.django_db(transaction=True)
FAMILY, ASTRONAUT, FLAG, KEYCAP = "👨‍👩‍👧‍👦", "👩🏽‍🚀", "🇺🇳", "1️⃣"
JSON = ("socket", "post")
UPLOAD = b'--x\r\nContent-Disposition: form-data; name="text"; filename="a"\r\n\r\nb\r\n--x--'
MARKUP = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "javascript:alert(1)",
    "</textarea><script>alert(1)</script>",
    "{{7*7}}{% debug %}",
    '"><b onmouseover=alert(1)>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<form id=config><input name=attributes>",
    "\\u003cscript\\u003e",
    "<b hx-get=/evil hx-trigger=load hx-on:click=alert(1)>",
    "<i style='background:url(//evil.example)'>",
    "]]></script><!--",
]


@pytest.fixture
async def running(transactional_db: None) -> AsyncIterator[Cafe]:
    yield await sync_to_async(lambda: Cafe().runs())()
    await threads.close()
    await sync_to_async(connections.close_all)()


async def texts() -> list[str]:
    return await sync_to_async(lambda: list(Note.objects.values_list("text", flat=True)))()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\x00b", "ab"),
        ("a\x0b\x1b[2J\x7f\x85b", "a[2Jb"),
        ("  a\r\nb\tc  ", "a\nb\tc"),
        ("Ame\u0301lie", "Amélie"),
        (FAMILY + FLAG + KEYCAP, FAMILY + FLAG + KEYCAP),
        (ASTRONAUT * 200, ASTRONAUT * 200),
        ("שלום 3 عربي 4", "שלום 3 عربي 4"),
        ("x" * 1_000, "x" * 1_000),
    ],
    ids=["A12 NUL", "A12 controls", "line ends", "NFC", "A28 emoji", "A28 clusters", "A30 directions", "the most"],
)
async def test_text_is_kept_as_it_was_meant(running: Cafe, typed: str, kept: str) -> None:
    board, question = await board_of(running)
    assert await everywhere(running, running.cem, board, "note.add", {"q": question, "text": typed}) == {None}
    assert await texts() == [kept] * 3


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("\x00\x1b\x85", "empty"),
        (" \n\t ", "empty"),
        ("\u200b\u200d\ufeff", "empty"),
        ("\u2800\u3164", "empty"),
        ("x" * 1_001, "too_long"),
        ("x" * 4_000, "too_long"),
    ],
    ids=["A12 controls alone", "spaces", "A26 joiners", "A26 fillers", "A31 one too many", "A30 a word of 4,000"],
)
async def test_text_nobody_could_read_is_refused(running: Cafe, typed: str, code: str) -> None:
    board, question = await board_of(running)
    assert await everywhere(running, running.cem, board, "note.add", {"q": question, "text": typed}) == {code}
    assert await texts() == []


@pytest.mark.parametrize("marks", [1, 30, 40, 400], ids="{} marks".format)
async def test_marks_on_one_letter_are_sorted_as_long_as_a_language_could_want_them(running: Cafe, marks: int) -> None:
    """Unicode has them sorted, however many: 900 kB of them held up the whole house for minutes."""
    board, question = await board_of(running)
    typed = "a" + ("\u0301\u0316" * marks)[:marks]
    assert await everywhere(running, running.cem, board, "note.add", {"q": question, "text": typed}) == {None}
    (kept,) = set(await texts())
    assert len(kept) == marks  # one is part of the letter
    assert (kept == unicodedata.normalize("NFC", typed)) is (marks <= 30)


@pytest.mark.parametrize("mark", ["\u0301", "\u0f73", "\u0f75", "\u0f81"], ids=ascii)
def test_marks_that_say_they_were_none_are_not_sorted_either(mark: str) -> None:
    """Three of Tibet become two marks each."""
    short, long = "a" + f"{mark}\u0316" * 10, "a" + f"{mark}\u0316" * 400
    assert composed(short) == unicodedata.normalize("NFC", short)
    assert composed(long) != unicodedata.normalize("NFC", long)


def test_where_no_mark_can_be_there_is_none() -> None:
    """Such text is composed without a look at each character."""
    outside = [c for c in map(chr, range(sys.maxunicode + 1)) if not PERHAPS_MARKS.match(c)]
    assert len(outside) > 0x300
    assert not any(map(unicodedata.combining, outside))
    assert TWO_MARKS.isdisjoint(outside)


async def test_a_form_brings_no_longer_text_than_a_frame(running: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    """A31: it is not even looked at"""
    board, question = await board_of(running)
    monkeypatch.setattr(fields, "clean_text", lambda text: pytest.fail("looked at it"))
    data = {"q": question, "text": " " * 900_000}
    assert await by_form(running, running.cem, board, "note.add", data) == "too_long"


async def test_nor_a_longer_name(running: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    """A31"""
    monkeypatch.setattr(names, "clean_text", lambda text: pytest.fail("looked at it"))
    data = {"p": running.cem.pk, "name": "\u0301\u0323\x01" * 150_000}
    assert await by_form(running, running.cem, "room", "person.set", data) == "too_long"


@pytest.mark.parametrize("value", [7, None, ["x"], {"x": 1}, True])
async def test_text_is_text(running: Cafe, value: Any) -> None:
    board, question = await board_of(running)
    assert await everywhere(running, running.cem, board, "note.add", {"q": question, "text": value}, ways=JSON) == {
        "bad_field"
    }


async def test_half_a_character_is_no_text(running: Cafe) -> None:
    board, question = await board_of(running)
    assert await everywhere(running, running.cem, board, "note.add", {"q": question, "text": "\ud800"}, ways=JSON) == {
        "bad_text"
    }


@pytest.mark.parametrize("typed", MARKUP)
async def test_markup_is_stored_as_typed_and_shown_as_text(running: Cafe, typed: str) -> None:
    """A23"""
    board, question = await board_of(running)
    assert await everywhere(running, running.cem, board, "note.add", {"q": question, "text": typed}) == {None}
    page = (await client(running, running.cem).get(f"/e/{running.event.key}/table/")).content.decode()
    assert await texts() == [typed] * 3
    assert reads(page, typed)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("\u200b", "name_empty"),
        ("\u2800", "name_empty"),
        (" ", "name_empty"),
        ("x" * 41, "too_long"),
        (ASTRONAUT * 40, "too_long"),
    ],
)
async def test_names_given_by_the_moderator_can_be_seen(running: Cafe, name: str, code: str) -> None:
    """A26, A28"""
    running.secrets[running.moderator.pk] = await sync_to_async(lambda: device_of(running))()
    table = await sync_to_async(lambda: running.table(1).pk)()
    for kind, data in (("table.set", {"table": table}), ("person.set", {"p": running.cem.pk})):
        assert await everywhere(running, running.moderator, "room", kind, {**data, "name": f" {FAMILY} "}) == {None}
        assert await everywhere(running, running.moderator, "room", kind, {**data, "name": name}) == {code}
    stored = await sync_to_async(lambda: (running.table(1).name, Participant.objects.get(pk=running.cem.pk).name))()
    assert stored == (FAMILY, FAMILY)


def device_of(cafe: Cafe) -> str:
    """A cookie by which the moderator comes to the guests' pages."""
    from sessions import identity

    return identity.new_device(cafe.moderator)


@pytest.mark.parametrize("cap", [-1, 0, 51, 10**9, "1e3", "٣", 2.5])
async def test_seats_have_bounds(running: Cafe, cap: Any) -> None:
    """A71"""
    running.secrets[running.moderator.pk] = await sync_to_async(lambda: device_of(running))()
    table = await sync_to_async(lambda: running.table(1).pk)()
    assert await everywhere(running, running.moderator, "room", "table.set", {"table": table, "cap": cap}) == {
        "bad_field"
    }
    assert await everywhere(running, running.moderator, "room", "table.set", {"table": table, "cap": 50}) == {None}
    assert await sync_to_async(lambda: Table.objects.get(pk=table).cap)() == 50


@pytest.mark.parametrize("way", WAYS)
async def test_fewer_seats_than_people_send_nobody_away_and_let_nobody_in(running: Cafe, way: str) -> None:
    """A71: the table says by how many it is over"""
    running.secrets[running.moderator.pk] = await sync_to_async(lambda: device_of(running))()
    table = await sync_to_async(lambda: running.table(1).pk)()
    take = WAYS[way](running, running.dana, "room", "seat.take", {"table": table})
    assert await WAYS[way](running, running.moderator, "room", "table.set", {"table": table, "cap": 1}) is None
    assert await take == "table_full"
    page = (await client(running, running.dana).get(f"/e/{running.event.key}/lobby/")).content.decode()
    assert (reads(page, "over by 1"), await sync_to_async(Seat.objects.filter(table=table).count)()) == (True, 2)


@pytest.mark.parametrize("way", WAYS)
async def test_no_session_ends_before_now(running: Cafe, way: str) -> None:
    """A94: it has 20 minutes left, and ends; nobody is put back in time"""
    running.secrets[running.moderator.pk] = await sync_to_async(lambda: device_of(running))()
    began = now_ms()
    assert await WAYS[way](running, running.moderator, "stage", "clock.add", {"minutes": 0}) is None
    assert await WAYS[way](running, running.moderator, "stage", "clock.add", {"minutes": -240}) is None
    assert began <= await sync_to_async(lambda: running.now.ends_at)() <= now_ms()
    assert await WAYS[way](running, running.moderator, "stage", "clock.add", {"minutes": -241}) == "bad_field"


@pytest.mark.parametrize("minutes", [-(10**9), 10**9, "٣", "1e3", 0.5])
async def test_minutes_have_bounds(running: Cafe, minutes: Any) -> None:
    """A94"""
    running.secrets[running.moderator.pk] = await sync_to_async(lambda: device_of(running))()
    before = await sync_to_async(lambda: running.now.ends_at)()
    assert await everywhere(running, running.moderator, "stage", "clock.add", {"minutes": minutes}) == {"bad_field"}
    assert await sync_to_async(lambda: running.now.ends_at)() == before
    assert await everywhere(running, running.moderator, "stage", "clock.add", {"minutes": 5}) == {None}


@pytest.mark.parametrize("typed", ["base", "٣", "9" * 5_000, "-1", "1.5"])
async def test_a_forms_base_is_a_number_or_nothing(running: Cafe, typed: str) -> None:
    board, question = await board_of(running)
    good = {"s": board, "k": "note.add", "q": question, "text": "Benches"}
    answers = [
        await client(running, running.cem).post(
            f"/live/{running.event.key}/ops", {"id": str(uuid), "base": base, **good}
        )
        for uuid, base in ((running.event.epoch, typed), (running.eve.event.epoch, ""))
    ]
    assert [answer.status_code for answer in answers] == [422, 303]
    assert "Benches" in answers[0].content.decode()


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", b'{"t":"op"}', 422),
        ("application/json; charset=utf-16", '{"t":"op"}'.encode("utf-16"), 422),
        ("application/x-www-form-urlencoded; charset=rot13", b"text=%41", 422),
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=x; charset=rot13", UPLOAD, 422),
        ("multipart/form-data; boundary=x", UPLOAD, 422),
        ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(5_000)), 400),
        ("application/x-www-form-urlencoded", b"text=%ff%fe&s=%00&k=%00", 422),
        ("application/json", b"\xff\xfe", 422),
        ("application/json", b"[" * 100_000, 413),
        ("application/json", b'"' + b"x" * 900_000 + b'"', 413),
    ],
)
async def test_bodies_of_another_kind_are_refused(running: Cafe, kind: str, body: bytes, status: int) -> None:
    """A06, A31, A54"""
    answer = await post(running, running.cem, body, content_type=kind)
    assert (answer.status_code, await texts()) == (status, [])
    assert b"Traceback" not in answer.content


async def test_the_charset_of_an_address_is_utf_8_whatever_is_claimed(running: Cafe) -> None:
    for charset in ("rot13", "undefined", "utf-16", "nonsense"):
        answer = await client(running, running.cem).get(
            f"/e/{running.event.key}/table/?board=%41", headers={"content-type": f"text/html; charset={charset}"}
        )
        assert answer.status_code == 404


@pytest.mark.parametrize("typed", MARKUP)
def test_markup_in_titles_is_text_on_the_first_page_people_see(cafe: Cafe, typed: str) -> None:
    """A23"""
    Event.objects.filter(pk=cafe.event.pk).update(title=f"{typed}<b>", purpose=f"{typed}<b>")
    cafe.steps(1)
    page = Client().get(f"/j/{cafe.now.join_code}/").content.decode()
    assert "&lt;b&gt;" in page
    assert f"{typed}<b>" not in page
