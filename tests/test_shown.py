"""What pages keep of what they have shown, and how they are put together of it."""

import gzip
import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from sessions.live import reading
from sessions.live.shared import Shared
from sessions.live.shown import IN_STRETCH, At, Several, Shelf
from sessions.models import Event, Participant
from tables.models import Table
from tables.plan.writing import build
from tests.cafe import Cafe, plan
from tests.pages import reads
from zoomcafe import packing

MANY = IN_STRETCH + 10


@pytest.fixture
def large(db: None) -> Cafe:
    return Cafe(tables=MANY).runs()


def lobby_of(cafe: Cafe, who: Participant, **headers: str) -> Any:
    client = Client(headers=headers)
    client.cookies.load(cafe.cookie(who))
    return client.get(f"/e/{cafe.event.key}/lobby/")


def room_of(who: Participant) -> list[dict[str, object]]:
    viewer = Participant.objects.select_related("event").get(pk=who.pk)
    return reading.page(viewer, ["room"]).parts["room"]


def test_a_large_lobby_is_the_same_page_packed_or_not(large: Cafe) -> None:
    packed, plain = lobby_of(large, large.cem, accept_encoding="gzip"), lobby_of(large, large.cem)

    assert (packed["Content-Encoding"], plain.headers.get("Content-Encoding")) == ("gzip", None)
    pages = [gzip.decompress(packed.content), plain.content]
    for answer, page in zip((packed, plain), pages, strict=True):
        assert int(answer["Content-Length"]) == len(answer.content)
        assert "Accept-Encoding" in answer["Vary"]
        assert page.count(b'data-part="table:') == 2 * MANY
    assert lasting(pages[0]) == lasting(pages[1])


def lasting(page: bytes) -> list[bytes]:
    """The lines about tables; tokens, ids and the moment are other ones each time."""
    return [line for line in page.split(b"\n") if b'data-part="table:' in line]


def test_a_person_who_sits_down_stands_in_the_next_page_of_others(large: Cafe) -> None:
    before = room_of(large.cem)
    gil = large.comes("Gil")
    assert large.does(gil, "room", "seat.take", table=large.table(3).pk).code is None
    after = room_of(large.ben)

    assert reads(lobby_of(large, large.cem).content.decode(), "Gil")
    kept = [one is other for one, other in zip(before, after, strict=True)]
    assert [place for place, same in enumerate(kept, 1) if not same] == [3]


def test_stretches_without_news_stay(large: Cafe) -> None:
    before = room_of(large.cem)
    assert (
        large.does(large.moderator, "room", "table.set", table=large.table(MANY).pk, name="By the window").code is None
    )
    after = room_of(large.cem)

    assert isinstance(before, Several)
    assert isinstance(after, Several)
    assert [len(those) for those in after.stretches] == [IN_STRETCH, MANY - IN_STRETCH]
    assert [one is other for one, other in zip(before.stretches, after.stretches, strict=True)] == [True, False]
    assert [part for those in after.stretches for part in those] == list(after)


def test_several_with_fewer_or_more_parts_have_their_own_stretches() -> None:
    many = [{"id": number} for number in range(2 * IN_STRETCH + 5)]
    before = Several(many)

    for parts in ([], many[:5], many[:IN_STRETCH], many, [*many, {"id": -1}]):
        now = Several(parts, before)
        assert [part for those in now.stretches for part in those] == parts
    fewer = Several(many[: IN_STRETCH + 1], before)
    assert [one is other for one, other in zip(fewer.stretches, before.stretches, strict=False)] == [True, False]


def test_notes_stay_by_their_questions_where_nothing_is_new() -> None:
    """Also when the others have changed more than once between two looks."""
    notes = [{"id": number, "q": 1 + number % 2} for number in range(2 * IN_STRETCH)]
    before = Several(notes)
    first = before.split("q")
    later = Several([*notes, {"id": -1, "q": 2}], Several([*notes, {"id": -2, "q": 2}], before))
    now = later.split("q")

    assert [[note["id"] for note in now[q]] for q in (1, 2)] == [
        [note["id"] for note in later if note["q"] == q] for q in (1, 2)
    ]
    assert now[1].stretches[0] is first[1].stretches[0]
    assert now[2].stretches[0] is first[2].stretches[0]
    assert now is later.split("q")
    assert 3 not in now


def test_a_full_table_is_the_same_page_packed_or_not(running: Cafe) -> None:
    for number in range(IN_STRETCH + 5):
        assert running.writes(running.cem, f"Bench & tree {number}", q=running.question(1 + number % 2).pk).code is None
    packed, plain = (table_of(running, running.cem, **how) for how in ({"accept_encoding": "gzip"}, {}))

    pages = [gzip.decompress(packed.content), plain.content]
    for page in pages:
        assert page.count(b'data-part="note:') == IN_STRETCH + 5
        columns = page.split(b"data-composer")
        assert [len(re.findall(rb"Bench &amp; tree \d+</p>", column)) for column in columns] == [0, 28, 27]
    assert notes_of(pages[0]) == notes_of(pages[1])


def table_of(cafe: Cafe, who: Participant, **headers: str) -> Any:
    client = Client(headers=headers)
    client.cookies.load(cafe.cookie(who))
    return client.get(f"/e/{cafe.event.key}/table/")


def notes_of(page: bytes) -> list[bytes]:
    return [line for line in page.split(b"\n") if b"Bench &amp;" in line and b"data-parts" not in line]


def test_guests_and_moderators_share_nothing(large: Cafe) -> None:
    assert room_of(large.cem) == room_of(large.moderator)
    assert not {id(part) for part in room_of(large.cem)} & {id(part) for part in room_of(large.moderator)}


def test_a_restored_event_is_read_anew(large: Cafe) -> None:
    room_of(large.cem)
    Table.objects.filter(pk=large.table(1).pk).update(name="As it was in the copy")
    assert room_of(large.cem)[0]["name"] == "Table 1"
    Event.objects.filter(pk=large.event.pk).update(epoch=uuid4())
    assert room_of(large.cem)[0]["name"] == "As it was in the copy"


def test_a_draft_is_read_anew(large: Cafe) -> None:
    draft = build(large.ada, plan(2, 4))
    owner = Participant.objects.create(event=draft, name="Gil")
    assert len(room_of(owner)) == 2
    draft.tables.get(number=2).delete()
    assert len(room_of(owner)) == 1


def test_a_head_lower_than_what_was_kept_is_read_anew() -> None:
    epoch, kept = uuid4(), Shelf()
    kept.keep((1, "guests"), At(epoch, 5, {}, Several([])))

    assert [kept.get((1, "guests"), epoch, head).head for head in (4, 5, 6)] == [-1, 5, 5]
    assert kept.get((1, "moderators"), epoch, 5).head == kept.get((1, "guests"), uuid4(), 5).head == -1


def test_a_shelf_keeps_so_many_and_forgets_what_nobody_asked_for() -> None:
    epoch, kept = uuid4(), Shelf(most=2)
    for stream in (1, 2):
        kept.keep((stream, "guests"), At(epoch, 5, {}, Several([])))
    kept.get((1, "guests"), epoch, 5)
    kept.keep((3, "guests"), At(epoch, 5, {}, Several([])))

    assert [kept.get((stream, "guests"), epoch, 5).head for stream in (1, 2, 3)] == [5, -1, 5]


@pytest.mark.parametrize("content", [b"", b"one", b"a T1 b", b"T1", b"T2 and T1, and T1x", b"T2T1", b"a T1 b T2 c"])
def test_a_page_with_tokens_is_put_together(content: bytes) -> None:
    shared = {"T1": [Shared("first " * 2_000)], "T2": [Shared("zweiter ü " * 1_000), Shared("third"), Shared("")]}
    whole = content
    for token, stretches in shared.items():
        whole = whole.replace(token.encode(), "".join(stretches).encode(), 1)

    assert packing.plain(content, shared) == whole
    for _time in range(2):
        assert gzip.decompress(packing.packed(content, shared, most_random=100)) == whole
