"""Sockets watched as one (`zoomcafe/serving/readers.py`) are read like those that a loop watches."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from sessions.live.precedence import afterwards, going_first, let_look
from sessions.models import Moderator
from zoomcafe.serving import readers
from zoomcafe.serving.readers import Readers

SOON_S = 20.0


class Ear:
    """One end of a pair of sockets, and what was read at it."""

    def __init__(self, watched: Readers) -> None:
        self.here, self.there = socket.socketpair()
        self.readers, self.heard = watched, b""
        watched.add(self.here.fileno(), self.read)

    def read(self) -> None:
        self.heard += self.here.recv(2)

    def close(self) -> None:
        self.here.close()
        self.there.close()


@pytest.fixture
async def ears() -> Iterator[list[Ear]]:
    both = Readers(asyncio.get_running_loop(), lambda: None)
    pair = [Ear(both), Ear(both)]
    yield pair
    for ear in pair:
        ear.close()


async def turns(count: int = 6) -> None:
    for _turn in range(count):
        await asyncio.sleep(0.001)


async def test_each_is_called_until_nothing_is_left(ears: list[Ear]) -> None:
    for ear, text in zip(ears, (b"Benches", b"Trees"), strict=True):
        ear.there.sendall(text)
    await turns()
    assert [ear.heard for ear in ears] == [b"Benches", b"Trees"]


async def test_who_is_discarded_is_not_read_and_can_come_back(ears: list[Ear]) -> None:
    one, other = ears
    descriptor = one.here.fileno()
    one.readers.discard(descriptor)
    one.readers.discard(descriptor)
    for ear in ears:
        ear.there.sendall(b"Shade")
    await turns()
    assert (one.heard, other.heard) == (b"", b"Shade")
    one.readers.add(descriptor, one.read)
    await turns()
    assert one.heard == b"Shade"


async def test_one_may_end_another_in_the_same_turn(ears: list[Ear]) -> None:
    called: list[str] = []

    def ends(this: str, other: Ear) -> None:
        called.append(this)
        other.readers.discard(other.here.fileno())

    for name, ear, other in (("a", *ears), ("b", *reversed(ears))):
        ear.readers.add(ear.here.fileno(), lambda name=name, other=other: ends(name, other))
        ear.there.sendall(b".")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(set(called)) == 1


async def test_a_closed_one_is_forgotten_and_its_descriptor_serves_the_next(ears: list[Ear]) -> None:
    one, other = ears
    descriptor = one.here.fileno()
    spare, there = socket.socketpair()
    one.close()
    one.readers.discard(descriptor)
    with spare, there, socket.socket(fileno=os.dup2(spare.fileno(), descriptor)) as following:
        heard: list[bytes] = []
        one.readers.add(descriptor, lambda: heard.append(following.recv(9)))
        there.sendall(b"Sun")
        await turns()
        one.readers.discard(descriptor)
    assert (heard, one.heard, other.heard) == ([b"Sun"], b"", b"")


async def test_while_a_batch_is_written_nobody_is_read(ears: list[Ear], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "LONGEST_REST_S", 60.0)
    one, other = ears
    with going_first():
        one.there.sendall(b"Be")  # is read, and found to be early
        await turns()
        for text in (b"nc", b"he"):
            other.there.sendall(text)
            await turns()
        one.there.sendall(b"s")
        await turns()
        assert (one.heard, other.heard) == (b"Be", b"")
    await turns()
    assert (one.heard, other.heard) == (b"Bes", b"nche")


async def test_a_batch_that_takes_long_keeps_nobody_from_being_read(ears: list[Ear]) -> None:
    with going_first():
        for ear, text in zip(ears, (b"Benches", b"Trees"), strict=True):
            ear.there.sendall(text)
        async with asyncio.timeout(SOON_S):
            while (ears[0].heard, ears[1].heard) != (b"Benches", b"Trees"):
                await asyncio.sleep(0.001)
    await turns()
    ears[0].there.sendall(b".")
    await turns()
    assert ears[0].heard == b"Benches."


def test_what_goes_first_may_end_when_the_loop_is_gone() -> None:
    async def rests() -> Ear:
        ear = Ear(Readers(asyncio.get_running_loop(), lambda: None))
        ear.there.sendall(b".")
        await turns()
        return ear

    with going_first():
        ear = asyncio.run(rests())
    assert ear.heard == b"."
    ear.close()


async def test_while_the_disk_is_waited_for_sockets_are_read(ears: list[Ear], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "LONGEST_REST_S", 60.0)
    one, other = ears
    with going_first():
        one.there.sendall(b"Be")
        await turns()
        other.there.sendall(b"nc")
        let_look()
        await turns()
        other.there.sendall(b"he")
        await turns()
        assert (one.heard, other.heard) == (b"Be", b"nc")


@pytest.mark.django_db(transaction=True)
def test_who_waits_may_look_before_sqlite_commits() -> None:
    within: list[bool] = []  # a transaction
    here = threading.current_thread()

    def look() -> None:
        if threading.current_thread() is here:
            within.append(getattr(connection.connection, "in_transaction", False))
        else:
            afterwards(look)  # somebody else's

    afterwards(look)
    with transaction.atomic():
        Moderator.objects.create(email="anna@example.org")
        assert within == []
    assert within == [True] * (connection.vendor == "sqlite")
    let_look()
