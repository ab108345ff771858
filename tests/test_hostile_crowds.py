"""Many at once and much of one (A69, A78, A85, F50), by every way: in order, counted, each answered."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from pytest_django import Settings

from sessions import identity
from sessions.live import desk, streams, threads
from sessions.models import Change, Event, Participant
from sessions.phases import Phase
from tables.models import Note, Seat
from tests import browsing
from tests.browsing import board_of, browser
from tests.cafe import Cafe, new_id
from tests.transports import WAYS, everywhere, post

pytestmark = pytest.mark.django_db(transaction=True)
PATIENT = 120.0
CROWD, SPIKE, TABLES = 200, 500, 20


@pytest.fixture
async def crowded(transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """However slow the machine: nobody is told to come again."""
    settings.LIMIT_OPS_BURST = settings.LIMIT_SOCKETS_PER_PERSON = 1_000
    monkeypatch.setattr(browsing, "SOON", PATIENT)
    monkeypatch.setattr(desk, "PATIENCE_S", PATIENT)
    monkeypatch.setattr(threads, "SOON_S", PATIENT)
    monkeypatch.setattr(streams, "JUDGED_WITHIN_MS", PATIENT * 1_000)
    yield
    await threads.close()
    await sync_to_async(connections.close_all)()


def room_for(guests: int, *, tables: int, seats: int) -> tuple[Cafe, list[Participant]]:
    """Everybody has come in, nobody sits, session 1 may be sat down to."""
    cafe = Cafe(tables=tables, seats=seats)
    people = [cafe.comes(f"Guest {n}") for n in range(guests)]
    cafe.steps(2)
    return cafe, people


async def test_the_last_seat_goes_to_one_of_two_hundred_by_whatever_way_they_come(crowded: None) -> None:
    """A69: the others hear where there is room"""
    cafe, people = await sync_to_async(room_for)(CROWD, tables=2, seats=1)
    table = await sync_to_async(lambda: cafe.table(2).pk)()
    ways = list(WAYS.values())
    wishes = (ways[n % 3](cafe, guest, "room", "seat.take", {"table": table}) for n, guest in enumerate(people))
    assert Counter(await asyncio.gather(*wishes)) == {None: 1, "table_full": CROWD - 1}
    assert await sync_to_async(Seat.objects.filter(table=table).count)() == 1
    standing = await sync_to_async(lambda: next(g for g in people if not Seat.objects.filter(participant=g).exists()))()
    frame = {"t": "op", "id": str(new_id()), "s": "room", "k": "seat.take", "d": {"table": table}}
    told = (await post(cafe, standing, json.dumps(frame))).json()
    assert (told["code"], "Free seats: Table 1." in told["text"]) == ("table_full", True)


async def test_five_hundred_change_tables_and_each_hears_where_they_sit(crowded: None) -> None:
    """F50: by POST, all at once; as many seats as people, so most are full at some moment"""
    cafe, people = await sync_to_async(room_for)(SPIKE, tables=TABLES, seats=SPIKE // TABLES)
    tables = await sync_to_async(lambda: list(cafe.event.tables.order_by("pk").values_list("pk", flat=True)))()
    sits = [cafe.op(guest, "room", "seat.take", table=tables[n % TABLES]) for n, guest in enumerate(people)]
    assert {answer.code for answer in await sync_to_async(streams.apply)(sits)} == {None}
    changed = await asyncio.gather(*(answered(cafe, g, tables[(n + 1) % TABLES]) for n, g in enumerate(people)))
    assert set(changed) <= {(200, None), (422, "table_full")}
    assert len(changed) == SPIKE
    seats = await sync_to_async(lambda: dict(Seat.objects.values_list("participant", "table")))()
    moved = {
        g.pk: tables[(n + (code is None)) % TABLES]
        for n, (g, (_s, code)) in enumerate(zip(people, changed, strict=True))
    }
    assert seats == moved
    assert max(Counter(seats.values()).values()) <= SPIKE // TABLES


async def answered(cafe: Cafe, guest: Participant, table: int) -> tuple[int, str | None]:
    frame = {"t": "op", "id": str(new_id()), "s": "room", "k": "seat.take", "d": {"table": table}}
    answer = await post(cafe, guest, json.dumps(frame))
    return answer.status_code, answer.json().get("code")


@pytest.mark.parametrize("stops", WAYS)
@pytest.mark.parametrize("starts", WAYS)
async def test_two_who_start_and_stop_a_session_at_once_are_both_heard_and_the_later_wins(
    crowded: None, starts: str, stops: str
) -> None:
    """A78: both pages show what is stored"""
    cafe = await sync_to_async(lambda: Cafe().runs())()
    cafe.secrets[cafe.moderator.pk] = await sync_to_async(identity.new_device)(cafe.moderator)
    pages = [await browser(cafe, "moderator").hello(stage=-1) for _each in range(2)]
    before = await sync_to_async(lambda: cafe.event.streams.get(kind="stage").head)()
    wishes = [{"phase": "running", "session": 2}, {"phase": "over", "session": 1}]
    acts = zip((starts, stops), wishes, strict=True)
    said = [WAYS[way](cafe, cafe.moderator, "stage", "phase.go", wish) for way, wish in acts]
    assert await asyncio.gather(*said) == [None, None]
    event = await sync_to_async(lambda: cafe.now)()
    assert (event.phase, event.session_no) in {(Phase.RUNNING, 2), (Phase.OVER, 1)}
    assert (event.ends_at is None) is (event.phase == Phase.OVER)
    for page in pages:
        frame = await page.hears("parts", s="stage", to=before + 2)
        shown = frame["parts"][-1]
        assert (shown["phase"], shown["session"], shown["ends_at"]) == (event.phase, event.session_no, event.ends_at)
        await page.leaves()
    assert await sync_to_async(orders)(event) == [before + 1, before + 2]


def orders(event: Event) -> list[int]:
    """The places of both in the order of the stage."""
    changes = Change.objects.filter(event=event, stream__kind="stage", kind="phase.go", answers=True)
    return list(changes.order_by("seq").values_list("seq", flat=True))


async def test_a_person_and_a_board_have_room_for_so_many_notes_by_whatever_way_they_come(
    crowded: None, settings: Settings
) -> None:
    """A85: what is full for one is not for others, until the board is"""
    settings.LIMIT_NOTES_PER_PERSON, settings.LIMIT_NOTES_PER_BOARD = 3, 5
    cafe = await sync_to_async(lambda: Cafe().runs())()
    board, question = await board_of(cafe)
    data = {"q": question, "text": "Benches"}
    assert await everywhere(cafe, cafe.cem, board, "note.add", data) == {None}
    assert await everywhere(cafe, cafe.cem, board, "note.add", data) == {"board_full"}
    assert await WAYS["form"](cafe, cafe.ben, board, "note.add", data) is None
    assert await WAYS["form"](cafe, cafe.ben, board, "note.add", data) is None
    assert await everywhere(cafe, cafe.ben, board, "note.add", data) == {"board_full"}
    assert await sync_to_async(Note.objects.count)() == 5
