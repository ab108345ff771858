"""The disk is full (F30): what is new waits and says why, what there is can be read, and room is enough to go on."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection, connections
from django.db.models import Model
from django.test import AsyncClient, Client
from pytest_django import Settings

from sessions import identity
from sessions.live import streams, threads
from sessions.live.threads import in_writer
from sessions.live.trouble import code_of, storage
from sessions.models import Device, Event, Moderator, Participant
from tables.models import Note
from tests.browsing import Browser, board_of, browser, session_of
from tests.cafe import Cafe, new_id
from tests.cast import browser_of
from tests.test_desk import Trouble

pytestmark = pytest.mark.django_db(transaction=True)
LONG = "Benches " * 120
MOST = 100  # notes until a page of the file is full


@pytest.fixture
async def running(transactional_db: None, settings: Settings) -> AsyncIterator[Cafe]:
    settings.LIMIT_OPS_BURST = 1_000
    yield await sync_to_async(lambda: Cafe().runs())()
    storage.full = False
    await threads.close()
    await sync_to_async(connections.close_all)()


def disk_full(words: str = "could not extend file: No space left on device") -> OperationalError:
    """As Django hands on what PostgreSQL says, in whatever language it speaks."""
    trouble = OperationalError(words)
    trouble.__cause__ = psycopg.errors.DiskFull(words)
    return trouble


def allow_pages(most: int) -> None:
    """How far this connection may let the SQLite file grow."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA max_page_count = {most}")


def as_it_is() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # what earlier tests have freed is no room
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()
    allow_pages(pages)


class Disk:
    """The disk on which operations are written: really full under SQLite, said to be full by PostgreSQL."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.trouble = Trouble(None)
        if connection.vendor != "sqlite":
            monkeypatch.setattr(streams, "apply", self.trouble)

    async def fills(self) -> None:
        self.trouble.error = disk_full()
        if connection.vendor == "sqlite":
            await in_writer(as_it_is)

    async def has_room(self) -> None:
        self.trouble.error = None
        if connection.vendor == "sqlite":
            await in_writer(allow_pages, 2**30)


@pytest.fixture
async def disk(running: Cafe, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Disk]:
    disk = Disk(monkeypatch)
    yield disk
    await disk.has_room()


async def writes_until_it_is_full(cem: Browser, board: str, question: int) -> tuple[str, list[str]]:
    """The id that was refused, and those that were saved before."""
    saved = []
    for _note in range(MOST):
        op_id = str(new_id())
        answer = await cem.posts(board, "note.add", _id=op_id, q=question, text=LONG)
        if answer["t"] == "err":
            assert (answer["code"], answer["retry"]) == ("storage_full", True)
            assert "no more room" in answer["text"]
            return op_id, saved
        saved.append(op_id)
    raise AssertionError("the disk was never full")


async def stored() -> list[str]:
    return await sync_to_async(lambda: [str(pk) for pk in Note.objects.order_by("seq").values_list("pk", flat=True)])()


async def test_what_finds_no_room_is_refused_for_now_and_written_when_there_is_some(running: Cafe, disk: Disk) -> None:
    board, question = await board_of(running)
    cem = await browser(running).hello()
    await disk.fills()
    refused, saved = await writes_until_it_is_full(cem, board, question)
    assert await stored() == saved  # nothing is written by half

    ben = await browser(running, "ben").hello(**{board.replace(":", "_"): 0})
    assert (await ben.hears("welcome"))["me"]["name"] == "Ben"
    page = await reader(running).get(f"/e/{running.event.key}/table/")
    assert (page.status_code, page.content.count(b"Benches") >= len(saved)) == (200, True)

    await disk.has_room()
    assert (await cem.posts(board, "note.add", _id=refused, q=question, text=LONG))["t"] == "ack"
    assert await stored() == [*saved, refused]
    for someone in (cem, ben):
        await someone.leaves()


def reader(cafe: Cafe) -> AsyncClient:
    found = AsyncClient()
    found.cookies.load(cafe.cookie(cafe.cem))
    return found


async def test_consoles_say_so_until_something_has_been_written(running: Cafe, disk: Disk) -> None:
    board, question = await board_of(running)
    cookie = await sync_to_async(session_of)(running)
    ada, cem = Browser(running.event.key, cookie, query="?as=moderator"), await browser(running).hello()
    await ada.hello(room=0)
    assert (await ada.hears("glance"))["full"] is False
    await disk.fills()
    refused, _saved = await writes_until_it_is_full(cem, board, question)
    await ada.hears("glance", full=True)
    assert storage_banner(await console(running)) == "shown"

    await disk.has_room()
    assert (await cem.posts(board, "note.add", _id=refused, q=question, text=LONG))["t"] == "ack"
    await ada.hears("glance", full=False)
    assert storage_banner(await console(running)) == "hidden"
    for someone in (ada, cem):
        await someone.leaves()


async def console(cafe: Cafe) -> str:
    page = await sync_to_async(lambda: browser_of(cafe.ada).get(f"/events/{cafe.event.key}/console/"))()
    return str(page.content.decode())


def storage_banner(page: str) -> str:
    assert "The server’s disk is full." in page
    [tag] = [line for line in page.splitlines() if 'id="storage"' in line]
    return "hidden" if " hidden>" in tag else "shown"


async def test_an_old_note_told_again_is_no_sign_of_room(running: Cafe, disk: Disk) -> None:
    board, question = await board_of(running)
    cem, op_id = await browser(running).hello(), str(new_id())
    assert (await cem.posts(board, "note.add", _id=op_id, q=question, text="Trees"))["t"] == "ack"
    await disk.fills()
    await writes_until_it_is_full(cem, board, question)
    assert (await cem.posts(board, "note.add", _id=op_id, q=question, text="Trees"))["dup"] is True
    assert storage.full
    await cem.leaves()


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (
            disk_full("konnte Datei nicht erweitern: Auf dem Gerät ist kein Speicherplatz mehr verfügbar"),
            "storage_full",
        ),
        (OperationalError("database or disk is full"), "storage_full"),
        (OperationalError("database is locked"), "busy"),
    ],
    ids=["PostgreSQL in German", "SQLite", "something else"],
)
def test_a_full_disk_is_known_in_every_language(trouble: OperationalError, code: str) -> None:
    assert code_of(trouble) == code


# ── pages ──
@contextmanager
def full_for_pages() -> Iterator[None]:
    if connection.vendor == "sqlite":
        as_it_is()
        yield
        allow_pages(2**30)
        return
    with no_room_in(Participant):
        yield


def no_room_in(model: type[Model]) -> AbstractContextManager[None]:
    def refuse(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        if sql.startswith("INSERT") and model._meta.db_table in sql:
            raise disk_full()
        return execute(sql, *args)

    return connection.execute_wrapper(refuse)


def test_a_page_says_what_is_the_matter_and_gives_back_what_was_typed(event: Event) -> None:
    door = f"/j/{event.join_code}/"
    with full_for_pages():
        for number in range(1_000):
            guest = Client(headers={"accept-language": "en"})
            answer = guest.post(door, {"name": f"Guest {number} of the Neighbours"})
            if answer.status_code != 302:
                break
        text = answer.content.decode()
        assert (answer.status_code, answer["Retry-After"]) == (503, "2")
        assert "There is no more room" in text
        assert f"Guest {number} of the Neighbours" in text
        assert guest.get(door).status_code == 200
    assert guest.post(door, {"name": "Cem"}).status_code == 302


def test_a_frame_says_so_as_well(event: Event, ada: Moderator) -> None:
    with full_for_pages():
        for number in range(1_000):
            name = {"name": f"Guest {number} of the Neighbours"}
            answer = Client().post(f"/j/{event.join_code}/", name, headers={"accept": "application/json"})
            if answer.status_code != 302:
                break
    assert (answer.status_code, answer.json()["code"], answer.json()["retry"]) == (503, "storage_full", True)


def test_a_link_that_found_no_room_is_not_used_up(cem: Participant, ada: Moderator) -> None:
    links: dict[str, type[Model]] = {
        f"/h/{identity.new_hand_over(cem)}/": Device,
        f"/sign-in/{ada.new_link()}/": Session,
    }
    for link, row in links.items():
        with no_room_in(row):
            assert Client().post(link).status_code == 503
        assert Client().post(link).status_code == 302
        assert Client().post(link).status_code == 410
