"""Every rule that can be switched off makes a difference that can be seen, and nothing outside the tests can do it."""

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, cast

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections
from pytest_django import DjangoDbBlocker

from sessions.live import desk, news, streams, threads
from sessions.live import hub as hubs
from sessions.live.client import Frame
from sessions.live.hub import Hub
from sessions.models import Change, Participant, Stream
from tables.models import Note, Seat
from tests.cafe import Cafe
from tests.chaos import broken_server
from tests.chaos.mutants import MUTANTS, switched_off
from tests.readers import Reader
from tests.test_client import Wire
from tests.test_desk import answer_to
from zoomcafe import database
from zoomcafe.sqlite.base import DatabaseWrapper

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30.0
Off = Callable[[str], AbstractContextManager[None]]


@pytest.fixture(params=["with the rule", "without it"])
def off(request: pytest.FixtureRequest) -> Off:
    """Switches a rule off in one of two runs; `broken(off)` says in which."""
    return switched_off if request.param == "without it" else lambda _name: nullcontext()


def broken(off: Off) -> bool:
    return off is switched_off


def test_there_are_ten() -> None:
    assert len(MUTANTS) == 10


@pytest.mark.django_db
def test_without_dedupe_a_repeated_note_is_there_twice(running: Cafe, off: Off) -> None:
    op = running.op(running.cem, f"board:{running.board().pk}", "note.add", q=running.question().pk, text="Benches")
    with off("dedupe"):
        answers = [streams.apply([op])[0] for _time in range(2)]

    assert [answer.op_id for answer in answers] == [op.id, op.id]
    assert Note.objects.filter(text="Benches").count() == 1 + broken(off)


@pytest.mark.django_db
@pytest.mark.parametrize("age_s", [59, 61])
def test_without_a_long_memory_a_note_repeated_late_is_there_twice(running: Cafe, off: Off, age_s: int) -> None:
    op = running.op(running.cem, f"board:{running.board().pk}", "note.add", q=running.question().pk, text="Benches")
    with off("dedupe-60s"):
        streams.apply([op])
        said = Change.objects.get(op_id=op.id)
        Change.objects.filter(pk=said.pk).update(at=said.at - age_s * 1_000)
        streams.apply([op])

    assert Note.objects.filter(text="Benches").count() == 1 + (broken(off) and age_s > 60)


async def test_without_the_cursor_check_a_gap_is_not_noticed(off: Off) -> None:
    client = Wire({"board:1": 5})
    with off("cursor"):
        sent = await client.takes(
            {"t": "frame", "frame": {"t": "parts", "s": "board:1", "from": 6, "to": 7, "head": 7, "parts": []}}
        )

    assert client.cursors == {"board:1": 7 if broken(off) else 5}
    assert ({"t": "sub", "s": "board:1", "after": 5} in sent) is not broken(off)


async def test_without_an_outbox_what_was_cut_off_is_never_sent_again(off: Off) -> None:
    client = Wire({"board:1": 0})
    client._socket = cast("Any", object())
    welcome: Frame = {"t": "welcome", "v": 1, "me": {}, "now": 0, "epoch": "E", "limits": {}}
    await client.takes({"t": "frame", "frame": welcome})
    with off("outbox"):
        doing = asyncio.create_task(client.do("board:1", "note.gone", {}))
        while not client.sent:
            await asyncio.sleep(0)  # until the operation has gone out
        client.queue.lose()
        sent = await client.takes({"t": "frame", "frame": welcome})
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)

    assert [frame["t"] for frame in sent] == ([] if broken(off) else ["op"])


@pytest.fixture
async def talking(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cafe]:
    """Beats come by hand."""
    monkeypatch.setattr(hubs, "BEAT_S", 1_000.0)
    yield await sync_to_async(lambda: Cafe().runs())()
    await threads.close()
    await sync_to_async(connections.close_all)()


@pytest.mark.django_db(transaction=True)
async def test_without_the_heartbeat_nobody_learns_what_was_written_beside(
    talking: Cafe, off: Off, monkeypatch: pytest.MonkeyPatch
) -> None:
    cem = await Participant.objects.select_related("event").aget(pk=talking.cem.pk)
    board = await Stream.objects.aget(kind="board", ref=(await sync_to_async(talking.board)()).pk)
    reader = Reader(cem).follows(board)
    await reader.stands_at(0)
    monkeypatch.setattr(news, "listeners", [])  # as in another process

    await sync_to_async(talking.writes)(talking.ben, "Benches")
    with off("heartbeat"):
        await Hub.here()._look()

    assert Hub.here().dirty == (set() if broken(off) else {board.pk})
    Hub.here().leave(reader.follower)


@pytest.mark.django_db(transaction=True)
async def test_with_an_early_ack_the_answer_is_there_before_the_note(
    talking: Cafe, off: Off, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = threading.Event()
    monkeypatch.setattr(broken_server, "wait_for_the_disk", lambda: disk.wait(PATIENCE))
    board, question = await sync_to_async(lambda: (talking.board().pk, talking.question().pk))()
    op = talking.op(talking.cem, f"board:{board}", "note.add", q=question, text="Benches")
    with off("early-ack"):
        answer = await answer_to(op)
        there = await Note.objects.filter(pk=op.id).acount()
        disk.set()
        await answer_to(talking.op(talking.cem, f"board:{board}", "note.gone", note=op.id))

    assert answer.code is None
    assert there == (0 if broken(off) else 1)
    assert await Note.objects.filter(pk=op.id).acount() == 1


@pytest.mark.django_db(transaction=True)
def test_with_an_early_word_there_is_nothing_to_see_yet(off: Off, monkeypatch: pytest.MonkeyPatch) -> None:
    running, seen = Cafe().runs(), []
    monkeypatch.setattr(broken_server, "wait_for_the_disk", lambda: None)
    with ThreadPoolExecutor(1) as others:

        def look(_ids: Collection[int], _told: Sequence[news.News]) -> None:
            seen.append(others.submit(count_of_notes).result(PATIENCE))

        monkeypatch.setattr(news, "listeners", [look])
        with off("early-publish"):
            running.writes(running.cem, "Benches")

    assert seen == [0 if broken(off) else 1]


def count_of_notes() -> int:
    try:
        return Note.objects.count()
    finally:
        connections.close_all()


@pytest.fixture
def two_writers(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[list[DatabaseWrapper]]:
    """Connections to one SQLite file that do not wait for each other."""
    settings = database.sqlite(tmp_path / "cafe.sqlite3")
    settings |= {"OPTIONS": {**settings["OPTIONS"], "timeout": 0}, "TIME_ZONE": None, "AUTOCOMMIT": True}
    settings |= {"CONN_HEALTH_CHECKS": False, "TEST": {}, "HOST": "", "PORT": "", "USER": "", "PASSWORD": ""}
    with django_db_blocker.unblock():
        made = [DatabaseWrapper(settings, alias=f"writer{number}") for number in range(2)]
        made[0].cursor().execute("CREATE TABLE cup (sugar INTEGER)")
        yield made
        for connection in made:
            connection.close()


def test_deferred_transactions_fail_where_others_wait(two_writers: list[DatabaseWrapper], off: Off) -> None:
    first, second = two_writers
    with off("deferred"):
        first.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        first.cursor().execute("SELECT * FROM cup").fetchall()
        assert succeeds(second) is broken(off)  # with the rule it would wait; here nobody waits
        assert succeeds(first) is not broken(off)
        first.rollback()


def succeeds(connection: DatabaseWrapper) -> bool:
    try:
        connection.cursor().execute("INSERT INTO cup VALUES (1)")
    except OperationalError:  # database is locked
        return False
    return True


@pytest.mark.django_db
def test_without_the_condition_more_people_sit_than_there_are_chairs(off: Off) -> None:
    cafe = Cafe(tables=1, seats=2)
    cafe.steps(2)
    table = cafe.table(1).pk
    with off("seat"):
        answers = [cafe.does(person, "room", "seat.take", table=table) for person in (cafe.ben, cafe.cem, cafe.dana)]

    assert [answer.code for answer in answers] == [None, None, None if broken(off) else "table_full"]
    assert Seat.objects.count() == 2 + broken(off)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("stream", "kind", "data"),
    [("room", "person.set", {"removed": True}), ("stage", "phase.go", {"phase": "closed"})],
    ids=["removal", "end of the event"],
)
def test_rights_read_too_early_let_through_what_came_too_late(
    running: Cafe, off: Off, stream: str, kind: str, data: dict[str, Any]
) -> None:
    who = {"p": running.cem.pk} if stream == "room" else {}
    ends = running.op(running.moderator, stream, kind, **data, **who)
    board, question = f"board:{running.board().pk}", running.question().pk
    writes = running.op(running.cem, board, "note.add", q=question, text="Benches")
    with off("rights"):
        _ended, written = streams.apply([ends, writes])

    assert (written.code is None) is broken(off)
    assert Note.objects.count() == int(broken(off))


@pytest.mark.django_db(transaction=True)
async def test_rights_read_too_early_are_read_when_the_operation_arrives(talking: Cafe, off: Off) -> None:
    remove = talking.op(talking.moderator, "room", "person.set", p=talking.cem.pk, removed=True)
    board, question = await sync_to_async(lambda: (f"board:{talking.board().pk}", talking.question().pk))()
    op = talking.op(talking.cem, board, "note.add", q=question, text="Benches")
    with off("rights"):
        writer = desk.Writer()  # one that nothing has been said to yet
        removed, written = await asyncio.gather(answer_to(remove, writer), answer_to(op, writer))

    assert removed.code is None
    assert (written.code is None) is broken(off)


@pytest.mark.parametrize("name", MUTANTS)
def test_after_the_block_everything_is_as_before(name: str) -> None:
    before = functions()
    with switched_off(name):
        assert functions() != before
    assert functions() == before


def functions() -> dict[str, Any]:
    """What the mutants touch, by name."""
    owners = [streams, desk.Writer, DatabaseWrapper, *(sys.modules[name] for name in OWNERS)]
    owners += [sys.modules["sessions.live.client"].Client, sys.modules["sessions.live.scene"].Scene]
    owners += [sys.modules["tables.live.cloth"].Cloth, sys.modules["sessions.live.client"].Queue]
    return {f"{owner.__name__}.{name}": value for owner in owners for name, value in vars(owner).items()}


OWNERS = ("tables.seating", "sessions.live.client")
SEARCHED = re.compile("|".join(["mutant", "mutated", "switched_off", "chaos", *map(re.escape, MUTANTS)]), re.IGNORECASE)


def test_no_setting_and_no_variable_switches_a_rule_off(tmp_path: Path) -> None:
    """The product as it is served, in an environment that says yes to everything one might think of."""
    names = {name.upper().replace("-", "_") for name in MUTANTS} | {"MUTANT", "CHAOS", "SWITCHED_OFF", "TESTING"}
    wishes = dict.fromkeys(names, "1") | {f"ZOOMCAFE_{name}": "1" for name in names}
    wishes |= {"MUTANT": "dedupe", "PYTEST_CURRENT_TEST": "x"}
    script = (
        "import json, sys, django; django.setup(); import zoomcafe.asgi, zoomcafe.opening;"
        "from sessions.live import desk, streams; from tables import seating;"
        "made = [streams.apply, streams.heads, streams._read, desk.Writer.submit, seating.free_chair];"
        "print(json.dumps([[f.__module__ for f in made], [m for m in sys.modules if m.split('.')[0] == 'tests']]))"
    )
    base = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "zoomcafe.settings"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=base | wishes, capture_output=True, text=True, check=True
    )

    live = "sessions.live."
    ours = [f"{live}streams"] * 3 + [f"{live}desk", "tables.seating"]
    assert json.loads(done.stdout) == [ours, []]


def test_the_product_knows_no_name_of_a_mutant() -> None:
    ordinary = {"cursor", "deferred", "heartbeat", "outbox", "rights", "seat", "dedupe"}  # words we need ourselves
    found = {
        (str(path.relative_to(ROOT)), word.lower())
        for package in ("sessions", "tables", "zoomcafe")
        for path in (ROOT / package).rglob("*.py")
        for word in SEARCHED.findall(path.read_text(encoding="utf-8"))
    }

    assert {(place, word) for place, word in found if word not in ordinary} <= {("zoomcafe/environment.py", "chaos")}
