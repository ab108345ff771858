"""What things may cost, as numbers that are the same on every machine. Who makes something dearer changes them here."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from sessions.live import streams, threads, visit
from sessions.live.desk import BATCH
from sessions.live.ops import Answer, Name
from sessions.live.shown import shelf
from sessions.live.wire import answer_frame, dump, parts_frames
from sessions.models import Participant
from tables.live.board import written_of
from tables.models import Note
from tests.browsing import Browser, board_of, browser
from tests.cafe import Cafe
from tests.notes_on_their_way import go, heads, said
from tests.opcodes import Opcodes

PAGES = {"join": 1, "lobby": 13, "table": 17, "console": 19, "screen": 19, "gallery": 14}
LATER, OF_ROOM = 8, 4
HELLO_QUERIES = {"lobby": 5, "table": 8}  # who it is, what they may follow, where they sit
COMES_IN_QUERIES = 6
BATCH_QUERIES, TICK_QUERIES = {"sqlite": 8, "postgresql": 5}, 2
# Of a batch after which nobody else has written; PostgreSQL remembers none inside one transaction (`test_memory.py`).
REMEMBERED_QUERIES = {"sqlite": 5, "postgresql": 5}
AROUND_TEXT, ACK = 303, 77  # bytes of a frame with one note, without its text; of an answer
MANY = 60
BATCH_OPCODES = {"sqlite": 14_100, "postgresql": 19_100}  # whatever stands in it
REMEMBERED_OPCODES = {"sqlite": 6_900, "postgresql": 19_100}
NOTE_OPCODES = {"sqlite": 945, "postgresql": 1_315}  # and for each note
ROOM = 1.02 if sys.version_info[:2] == (3, 11) else 1.25  # other Pythons have other opcodes


def queries(found: CaptureQueriesContext) -> list[str]:
    """Without the marks of transactions inside a test's own."""
    return [each["sql"] for each in found if not each["sql"].startswith(("SAVEPOINT", "RELEASE"))]


def browser_of(cafe: Cafe, who: Participant | None) -> Client:
    """Of a guest, or the moderator's."""
    client = Client()
    if who is None:
        client.force_login(cafe.ada)
    else:
        client.cookies.load(cafe.cookie(who))
    return client


def asked(cafe: Cafe, page: str) -> int:
    """By the first who sees it; whoever comes later asks less."""
    shelf.clear()
    return asked_again(cafe, page)


def asked_again(cafe: Cafe, page: str) -> int:
    key, code = cafe.event.key, cafe.event.join_code
    places = {"join": f"/j/{code}/", "console": f"/events/{key}/console/", "screen": f"/events/{key}/screen/"}
    client = {"join": Client(), "console": browser_of(cafe, None), "screen": browser_of(cafe, None)}
    who = client.get(page) or browser_of(cafe, cafe.cem)
    with CaptureQueriesContext(connection) as found:
        answer = who.get(places.get(page, f"/e/{key}/{page}/"))
    assert answer.status_code == 200
    return len(queries(found))


def all_pages(cafe: Cafe) -> dict[str, int]:
    """How many queries each page needs, the gallery when it is open."""
    found = {page: asked(cafe, page) for page in ("join", "lobby", "table", "console", "screen")}
    assert cafe.does(cafe.moderator, "stage", "phase.go", phase="gallery").code is None
    return found | {"gallery": asked(cafe, "gallery")}


def test_each_page_needs_its_number_of_queries(running: Cafe) -> None:
    running.writes(running.cem, "Benches")
    assert all_pages(running) == PAGES


def test_who_comes_later_reads_what_has_risen_alone(running: Cafe) -> None:
    asked(running, "lobby")
    assert asked_again(running, "lobby") == LATER
    gil = running.comes("Gil")
    assert running.does(gil, "room", "seat.take", table=running.table(2).pk).code is None
    assert asked_again(running, "lobby") == LATER + OF_ROOM


@pytest.mark.parametrize("page", ["lobby", "table"])
def test_a_hello_needs_its_number_of_queries(running: Cafe, page: str) -> None:
    who = running.comes("Gil") if page == "lobby" else running.cem
    wishes = {"room": 0} if page == "lobby" else {"room": 0, f"board:{running.board().pk}": 0}
    with CaptureQueriesContext(connection) as found:
        person = visit.viewer(running.event.key, running.cookie(who), as_moderator=False)
        followed = visit.followed(person, wishes, None)
    assert (len(found), followed.refused) == (HELLO_QUERIES[page], [])


def test_coming_in_needs_its_number_of_queries(cafe: Cafe) -> None:
    cafe.steps(1)
    with CaptureQueriesContext(connection) as found:
        answer = Client().post(f"/j/{cafe.event.join_code}/", {"name": "Gil", "ticket": "t" * 32})
    assert (answer.status_code, len(queries(found))) == (302, COMES_IN_QUERIES)


def test_more_tables_guests_and_notes_are_no_more_queries(db: None) -> None:
    large = Cafe(tables=6, seats=8).runs()
    for number in range(5):
        large.comes(f"Guest {number}")
    for number in range(10):
        large.writes(large.cem, f"Bench {number}")
        large.writes(large.dana, f"Tree {number}", table=2)
    assert all_pages(large) == PAGES


@pytest.mark.parametrize(("count", "pieces"), [(1, 1), (3, 1), (31, 1), (32, 1), (MANY, 2), (BATCH, 17)])
def test_a_batch_of_notes_needs_its_number_of_queries(
    running: Cafe, settings: Settings, count: int, pieces: int
) -> None:
    """SQLite is given notes in pieces, and their changes too."""
    settings.LIMIT_NOTES_PER_BOARD = settings.LIMIT_NOTES_PER_PERSON = 2 * BATCH
    more = 2 * (pieces - 1) if connection.vendor == "sqlite" else 0
    messages, cursors = said(running, count), heads(running)
    with CaptureQueriesContext(connection) as found:
        frames = go(messages, cursors)
    assert len(queries(found)) == BATCH_QUERIES[connection.vendor] + more
    assert sum(frame.count('"id":"note:') for frame in frames) == count
    messages, cursors = said(running, count), heads(running)
    with CaptureQueriesContext(connection) as found:
        frames = go(messages, cursors)
    assert len(queries(found)) == REMEMBERED_QUERIES[connection.vendor] + more
    assert sum(frame.count('"id":"note:') for frame in frames) == count


@pytest.mark.parametrize("boards", [1, 2])
def test_a_look_at_boards_is_as_many_queries_whatever_number_has_risen(running: Cafe, boards: int) -> None:
    cursors = heads(running)
    go(said(running, 3 if boards == 2 else 2), cursors)
    risen = {pk: head for pk, head in heads(running).items() if head > cursors[pk]}
    assert len(risen) == boards
    with CaptureQueriesContext(connection) as found:
        streams.since([(pk, cursors[pk]) for pk in risen])
    assert len(found) == TICK_QUERIES


def opcodes(cafe: Cafe, count: int) -> int:
    return Opcodes().of(go, said(cafe, count), heads(cafe))


def test_a_note_takes_no_more_instructions_than_it_may(running: Cafe) -> None:
    for count in (1 + MANY, 1):  # fills what is remembered for good
        go(said(running, count), heads(running))
    running.comes("Gil")
    afresh = opcodes(running, 1)
    go(said(running, 3), heads(running))
    one, many = opcodes(running, 1), opcodes(running, 1 + MANY)
    assert afresh <= BATCH_OPCODES[connection.vendor] * ROOM
    assert one <= REMEMBERED_OPCODES[connection.vendor] * ROOM
    assert (many - one) / MANY <= NOTE_OPCODES[connection.vendor] * ROOM


def test_what_stands_on_other_boards_makes_a_note_no_dearer(running: Cafe) -> None:
    go(said(running, 3), heads(running))
    before = opcodes(running, 1)
    for number in range(30):
        running.writes(running.dana, f"Tree {number}", table=2)
        running.comes(f"Guest {number}")
    go(said(running, 3), heads(running))
    assert opcodes(running, 1) == before


def test_a_note_is_these_bytes() -> None:
    note = Note(
        id=UUID(int=1),
        board_id=4,
        question_id=2,
        author_id=7,
        text="Benches",
        order="i",
        seq=9,
        at=10**12,
        edited=10**12,
    )
    [(to, frame)] = parts_frames(Name("board", 4), 8, 9, [written_of(note, {7: "Cem"}).encoded()], audience="guests")
    ack = dump(answer_frame(Answer(UUID(int=1), Name("board", 4), seq=9)))
    assert (to, len(frame) - len("Benches"), len(ack)) == (9, AROUND_TEXT, ACK)


@pytest.fixture
async def live(transactional_db: None) -> AsyncIterator[Cafe]:
    yield await sync_to_async(lambda: Cafe().runs())()
    await threads.close()
    await sync_to_async(connections.close_all)()


async def at_the_table(cafe: Cafe, who: str, board: str) -> Browser:
    """With everything that a table's page follows; it has got what there is."""
    page = await browser(cafe, who).hello(stage=0, me=0, room=0, **{board.replace(":", "_"): 0})
    lacking = {"stage", "me", "room"}
    while lacking:
        lacking.discard((await page.hears("parts"))["s"])
    return page


async def since_then(page: Browser, seen: int) -> list[str]:
    """The kinds of frames that came, when there is nothing more on its way."""
    await page.says({"t": "ping", "c": 1})
    await page.hears("pong")
    return [frame["t"] for frame in page.got[seen:] if frame["t"] not in {"pong", "beat"}]


@pytest.mark.django_db(transaction=True)
async def test_a_note_is_one_frame_for_each_at_its_table_and_none_elsewhere(live: Cafe) -> None:
    (board, question), (other, _question) = await board_of(live), await board_of(live, 2)
    sit = (("ben", board), ("cem", board), ("dana", other))
    ben, cem, dana = [await at_the_table(live, *each) for each in sit]
    before = [len(page.got) for page in (ben, cem, dana)]

    await cem.posts(board, "note.add", q=question, text="Benches", colour="mint")
    await ben.hears("parts", s=board)
    if "parts" not in [frame["t"] for frame in cem.got[before[1] :]]:
        await cem.hears("parts", s=board)

    came = [sorted(await since_then(page, seen)) for page, seen in zip((ben, cem, dana), before, strict=True)]
    assert came == [["parts"], ["ack", "parts"], []]
    for page in (ben, cem, dana):
        await page.leaves()


@pytest.mark.django_db(transaction=True)
async def test_notes_of_one_batch_are_one_frame(live: Cafe) -> None:
    board, _question = await board_of(live)
    ben = await at_the_table(live, "ben", board)
    before = len(ben.got)

    await sync_to_async(lambda: go(said(live, MANY), heads(live)))()
    frame = await ben.hears("parts", s=board)

    assert len(frame["parts"]) == MANY * 2 // 3
    assert await since_then(ben, before) == ["parts"]
    await ben.leaves()
