"""What operations hear when the database is slow, full or away, or when one of them meets a mistake of ours."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DataError, Error, InterfaceError, OperationalError, connection, connections

from sessions.live import desk, streams, threads
from sessions.live.ops import Answer, Op
from sessions.live.precedence import is_free
from sessions.live.threads import in_thread
from tables.live import new_notes
from tables.models import Note
from tests.cafe import Cafe

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 20.0


@pytest.fixture
async def running(transactional_db: None) -> AsyncIterator[Cafe]:
    yield await sync_to_async(lambda: Cafe().runs())()
    await threads.close()
    await sync_to_async(connections.close_all)()


async def notes(cafe: Cafe, *texts: str) -> list[Op]:
    def made() -> list[Op]:
        board, question = f"board:{cafe.board().pk}", cafe.question().pk
        return [cafe.op(cafe.cem, board, "note.add", q=question, text=text) for text in texts]

    return await sync_to_async(made)()


async def written() -> list[str]:
    return await sync_to_async(lambda: list(Note.objects.order_by("seq").values_list("text", flat=True)))()


async def answer_to(op: Op, writer: desk.Writer | None = None) -> Answer:
    told: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    (writer or desk.Writer.here()).submit(op, lambda answer: told.done() or told.set_result(answer))
    return await told


async def submit(*ops: Op) -> list[Answer]:
    return await asyncio.gather(*(answer_to(op) for op in ops))


def codes(answers: list[Answer]) -> list[str | None]:
    return [answer.code for answer in answers]


class Trouble:
    """`streams.apply` while the database answers every INSERT of a note with an error, as long as there is one."""

    def __init__(self, error: Error | None) -> None:
        self.error = error
        self.usual = streams.apply

    def __call__(self, ops: list[Op]) -> list[Answer]:
        with connection.execute_wrapper(self._answer):
            return self.usual(ops)

    def _answer(self, execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        if self.error is not None and f'INSERT INTO "{Note._meta.db_table}"' in sql:
            raise self.error
        return execute(sql, *args)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OperationalError("database or disk is full"), "storage_full"),
        (OperationalError("could not extend file: No space left on device"), "storage_full"),
        (OperationalError("canceling statement due to lock timeout"), "busy"),
        (OperationalError("server closed the connection unexpectedly"), "busy"),
        (InterfaceError("the connection is closed"), "busy"),
        (DataError("value too long"), "internal"),
    ],
)
async def test_what_could_not_be_written_may_be_sent_again_and_is_written_then(
    running: Cafe, monkeypatch: pytest.MonkeyPatch, error: Error, code: str
) -> None:
    trouble = Trouble(error)
    monkeypatch.setattr(streams, "apply", trouble)
    ops = await notes(running, "Benches", "Trees")

    assert codes(await submit(*ops)) == [code, code]
    assert await written() == []

    trouble.error = None
    assert codes(await submit(*ops)) == [None, None]
    assert await written() == ["Benches", "Trees"]


async def test_a_mistake_in_one_operation_harms_no_other(
    running: Cafe, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumbles(scene: Any, cloth: Any, ops: list[Op]) -> list[Answer] | None:
        judged.append(len(ops))
        answers = judge(scene, cloth, ops)
        if any(op.data["text"] == "Trees" for op in ops):
            raise ValueError("a mistake of ours")
        return answers

    judge, judged = new_notes.judge, list[int]()
    monkeypatch.setattr(new_notes, "judge", stumbles)
    texts = ["Trees" if number == 20 else f"Shade {number}" for number in range(64)]
    ops = await notes(running, *texts)
    assert codes(await submit(*ops)) == ["internal" if text == "Trees" else None for text in texts]
    assert sorted(await written()) == sorted(text for text in texts if text != "Trees")
    assert str(ops[20].id) in caplog.text
    assert sorted(judged, reverse=True) == [64, 32, 32, 16, 16, 8, 8, 4, 4, 2, 2, 1, 1]


@contextmanager
def held_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The first batch waits for somebody in the database."""
    usual, may_go, begun = streams.apply, threading.Event(), threading.Event()

    def waits(ops: list[Op]) -> list[Answer]:
        begun.set()
        assert may_go.wait(PATIENCE)
        return usual(ops)

    monkeypatch.setattr(streams, "apply", waits)
    try:
        yield begun
    finally:
        may_go.set()


async def test_who_waits_too_long_for_the_batch_before_is_told_to_come_again(
    running: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "PATIENCE_S", 0.1)
    first, second = await notes(running, "Benches", "Trees")
    with held_up(monkeypatch) as begun:
        writing = asyncio.create_task(answer_to(first))
        await asyncio.to_thread(begun.wait, PATIENCE)
        assert codes(await submit(second)) == ["busy"]
        assert not writing.done()
    assert (await writing).code is None
    assert await written() == ["Benches"]
    assert codes(await submit(second)) == [None]


async def test_a_batch_is_handed_on_before_the_next_one_begins(running: Cafe, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await notes(running, "Benches", "Trees")
    loop, handing_on, between = asyncio.get_running_loop(), asyncio.Event(), []

    def told(_answer: Answer) -> None:
        """As with the hub: it is woken in one turn of the loop and speaks in the next."""
        loop.call_soon(loop.call_soon, look)

    def look() -> None:
        between.append(is_free())
        handing_on.set()

    with held_up(monkeypatch) as begun:
        desk.Writer.here().submit(first, told)
        await asyncio.to_thread(begun.wait, PATIENCE)
        later = asyncio.create_task(answer_to(second))
        await asyncio.sleep(0)
    await handing_on.wait()
    assert between == [True], "nothing is being written meanwhile"
    assert (await later).code is None


async def test_words_do_not_wait_behind_a_crowd_that_comes_in(running: Cafe) -> None:
    doors = threading.Event()
    crowd = [asyncio.create_task(in_thread(doors.wait, PATIENCE)) for _one in range(settings.LIVE_THREADS * 3)]
    await asyncio.sleep(0)
    [op] = await notes(running, "Benches")
    assert codes(await submit(op)) == [None]
    assert not any(one.done() for one in crowd)
    doors.set()
    assert all(await asyncio.gather(*crowd))
