"""What another connection holds (F34), and transactions that wait for each other (F35): nobody else waits for that.

PostgreSQL locks streams. SQLite has one lock for all: there everybody waits, and not for long.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection, connections, transaction

from sessions.live import desk, streams, threads
from sessions.live.ops import Answer, Op
from sessions.models import Participant, Stream
from tables.models import Note
from tests.cafe import Cafe
from tests.test_desk import Trouble, answer_to, codes, submit

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 20.0


@pytest.fixture
async def running(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cafe]:
    monkeypatch.setattr(desk, "PATIENCE_S", PATIENCE)
    yield await sync_to_async(lambda: Cafe().runs())()
    await threads.close()
    await sync_to_async(connections.close_all)()


def rows_are_locked() -> bool:
    return connection.features.has_select_for_update


async def writes(cafe: Cafe, *texts: str, table: int = 1, by: Participant | None = None) -> list[Op]:
    who = by or (cafe.cem if table == 1 else cafe.dana)

    def made() -> list[Op]:
        board, question = f"board:{cafe.board(table).pk}", cafe.question().pk
        return [cafe.op(who, board, "note.add", q=question, text=text) for text in texts]

    return await sync_to_async(made)()


async def written() -> list[str]:
    return await sync_to_async(lambda: list(Note.objects.order_by("board", "seq").values_list("text", flat=True)))()


@contextmanager
def held(*rows: Stream, by: Sequence[Op] = ()) -> Iterator[Callable[[], None]]:
    """Another connection has these streams, or those of operations that it has not committed yet, until it is told to
    let go, as one of a process that was stopped.
    """
    has, may_go = threading.Event(), threading.Event()

    def holds() -> None:
        try:
            with transaction.atomic():
                list(Stream.objects.filter(pk__in=[row.pk for row in rows]).select_for_update())
                if by:
                    assert codes(streams.apply(by)) == [None] * len(by)
                has.set()
                assert may_go.wait(PATIENCE)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(holds)
        assert has.wait(PATIENCE)

        def lets_go() -> None:
            may_go.set()
            done.result(PATIENCE)

        try:
            yield lets_go
        finally:
            may_go.set()


async def stream_of(cafe: Cafe, kind: str, table: int = 0) -> Stream:
    def found() -> Stream:
        return Stream.objects.get(event=cafe.event, kind=kind, ref=cafe.board(table).pk if table else 0)

    return await sync_to_async(found)()


async def test_a_board_somebody_holds_holds_up_no_other(running: Cafe) -> None:
    [here], [there] = await writes(running, "Benches"), await writes(running, "Trees", table=2)
    with held(await stream_of(running, "board", 1)) as lets_go:
        waits, passes = (asyncio.create_task(answer_to(op)) for op in (here, there))
        if rows_are_locked():
            assert (await passes).code is None
            assert not waits.done()
        await asyncio.to_thread(lets_go)
        assert codes([await waits, await passes]) == [None, None]
    assert await written() == ["Benches", "Trees"]


@pytest.mark.parametrize("earlier", [False, True])
async def test_who_writes_at_two_tables_holds_up_neither(running: Cafe, earlier: bool) -> None:
    """What is counted of an author is counted for each board."""
    if earlier:
        for table in (1, 2):
            assert codes(await submit(*await writes(running, "Shade", table=table, by=running.moderator))) == [None]
    here = await writes(running, "Benches", by=running.moderator)
    there = [*await writes(running, "Trees", table=2), *await writes(running, "Sun", table=2, by=running.moderator)]
    with held(by=here) as lets_go:
        passes = [asyncio.create_task(answer_to(op)) for op in there]
        if rows_are_locked():
            assert codes([await each for each in passes]) == [None, None]
        await asyncio.to_thread(lets_go)
        assert codes([await each for each in passes]) == [None, None]
    assert await written() == ["Shade"] * earlier + ["Benches"] + ["Shade"] * earlier + ["Trees", "Sun"]


async def test_who_waits_too_long_for_a_held_board_is_told_to_come_again(
    running: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "PATIENCE_S", 0.1)
    [op] = await writes(running, "Benches")
    with held(await stream_of(running, "board", 1)) as lets_go:
        waits = asyncio.create_task(answer_to(op))
        if rows_are_locked():
            assert (await waits).code == "busy"
            assert await written() == []
        await asyncio.to_thread(lets_go)
        await waits
    assert codes(await submit(op)) == [None]
    assert await written() == ["Benches"]


async def test_what_was_held_up_is_done_in_its_order(running: Cafe) -> None:
    ops = await writes(running, "Benches", "Trees", "Shade")
    with held(await stream_of(running, "board", 1)) as lets_go:
        first = [asyncio.create_task(answer_to(op)) for op in ops[:2]]
        if rows_are_locked():
            await somebody_is_held_up()
        last = asyncio.create_task(answer_to(ops[2]))
        await asyncio.sleep(0)
        await asyncio.to_thread(lets_go)
        assert codes(await asyncio.gather(*first, last)) == [None] * 3
    assert await written() == ["Benches", "Trees", "Shade"]


async def somebody_is_held_up() -> None:
    async with asyncio.timeout(PATIENCE):
        while not desk.Writer.here().held_up:
            await asyncio.sleep(0.01)


async def test_who_governs_an_event_waits_for_all_of_it_and_another_event_does_not(running: Cafe) -> None:
    ends = running.op(running.moderator, "stage", "phase.go", phase="gallery")
    other = await sync_to_async(lambda: a_word_elsewhere(running))()
    with held(await stream_of(running, "board", 2)) as lets_go:
        waits, passes = (asyncio.create_task(answer_to(op)) for op in (ends, other))
        if rows_are_locked():
            assert (await passes).code == "not_allowed"  # Eve is a guest there; she was judged
            assert not waits.done()
        await asyncio.to_thread(lets_go)
        assert codes([await waits, await passes]) == [None, "not_allowed"]


def a_word_elsewhere(cafe: Cafe) -> Op:
    op = cafe.op(cafe.eve, "stage", "word.say", text="Hello")
    return Op(op.id, cafe.eve.event_id, cafe.eve.pk, op.stream, op.kind, op.data, None, op.arrived)


async def test_a_note_that_needs_the_gallery_waits_for_it(running: Cafe) -> None:
    """After the session a note raises its exhibit too: what turns out to be needed may be held as well."""
    await sync_to_async(lambda: running.does(running.moderator, "stage", "phase.go", phase="over", session=1))()
    [late] = await writes(running, "Benches")
    other = await sync_to_async(lambda: a_word_elsewhere(running))()
    with held(await stream_of(running, "gallery")) as lets_go:
        waits, passes = (asyncio.create_task(answer_to(op)) for op in (late, other))
        if rows_are_locked():
            assert (await passes).code == "not_allowed"
            assert not waits.done()
        await asyncio.to_thread(lets_go)
        assert codes([await waits, await passes]) == [None, "not_allowed"]


async def test_who_leaves_while_held_up_is_not_waited_for_for_ever(
    running: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "PATIENCE_S", 0.1)
    [op] = await writes(running, "Benches")
    writer = desk.Writer.here()
    with held(await stream_of(running, "board", 1)):
        waits = asyncio.create_task(answer_to(op))
        await asyncio.sleep(0)
        waits.cancel()
        await asyncio.wait({waits})
        if rows_are_locked():
            assert writer.task is not None
            await asyncio.wait_for(writer.task, PATIENCE)
            assert (writer.held_up, await written()) == ([], [])


# ── F35 ──
def deadlock() -> OperationalError:
    trouble = OperationalError("deadlock detected")
    trouble.__cause__ = psycopg.errors.DeadlockDetected("deadlock detected")
    return trouble


class Deadlocks(Trouble):
    """So many times the database ends the transaction."""

    def __init__(self, times: int) -> None:
        super().__init__(deadlock())
        self.left = times

    def _answer(self, execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        if self.left and f'INSERT INTO "{Note._meta.db_table}"' in sql:
            self.left -= 1
            raise deadlock()
        return execute(sql, *args)


@pytest.mark.parametrize(("times", "code"), [(1, None), (3, None), (4, "busy")])
async def test_a_deadlock_is_tried_again_three_times_under_the_same_id(
    running: Cafe, monkeypatch: pytest.MonkeyPatch, times: int, code: str | None
) -> None:
    monkeypatch.setattr(streams, "apply", Deadlocks(times))
    ops = await writes(running, "Benches", "Trees")
    answers: list[Answer] = await submit(*ops)
    assert codes(answers) == [code, code]
    assert await written() == ([] if code else ["Benches", "Trees"])
    assert codes(await submit(*ops)) == [None, None]
    assert [answer.op_id for answer in answers] == [op.id for op in ops]
    assert await written() == ["Benches", "Trees"]
