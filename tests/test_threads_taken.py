"""All threads are at work (F24), one operation meets a mistake of ours (F25), nobody was there at the end (F27)."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections

from sessions.clock import now_ms
from sessions.live import desk, threads
from sessions.live.threads import in_thread
from sessions.models import Event
from tables.live import new_notes
from tables.models import Note
from tests.browsing import board_of, browser
from tests.cafe import Cafe, new_id
from tests.test_desk import held_up
from tests.transports import client, post

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 20.0


@pytest.fixture
async def running(transactional_db: None) -> AsyncIterator[Cafe]:
    yield await sync_to_async(lambda: Cafe().runs())()
    await threads.close()
    await sync_to_async(connections.close_all)()


class ReadersTaken:
    """All threads that read are at work until the end of the block."""

    def __init__(self) -> None:
        self.may_go, self.begun = threading.Event(), threading.Semaphore(0)

    async def __aenter__(self) -> None:
        self.work = [asyncio.create_task(in_thread(self._wait)) for _thread in range(settings.LIVE_THREADS - 1)]
        for _thread in self.work:
            assert await asyncio.to_thread(self.begun.acquire, timeout=PATIENCE)

    async def __aexit__(self, *_trouble: object) -> None:
        self.may_go.set()
        await asyncio.gather(*self.work)

    def _wait(self) -> None:
        self.begun.release()
        assert self.may_go.wait(PATIENCE)


async def a_note(cafe: Cafe) -> dict[str, Any]:
    board, question = await board_of(cafe)
    return {"t": "op", "id": str(new_id()), "s": board, "k": "note.add", "d": {"q": question, "text": "Benches"}}


def as_form(frame: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in frame.items() if name not in "td"} | frame["d"]


async def test_when_all_readers_are_taken_posts_are_told_to_come_again_and_sockets_go_on(
    running: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "SOON_S", 0.1)
    frame, address = await a_note(running), f"/live/{running.event.key}"
    cem = await browser(running).hello()
    await cem.hears("parts", s="me")
    async with ReadersTaken():
        refused = await post(running, running.cem, json.dumps(frame))
        assert (refused.status_code, refused.json()["code"], refused.json()["retry"]) == (503, "busy", True)
        assert refused["Retry-After"] == "2"
        polled = await client(running, running.cem).get(f"{address}/parts?since={{}}")
        assert (polled.status_code, polled.json()["code"]) == (503, "busy")
        page = await client(running, running.cem).post(f"{address}/ops", as_form(frame))
        assert (page.status_code, "Benches" in page.content.decode()) == (503, True)
        assert "Refresh" not in page, "it would send nothing, and take the words away"
        assert (await client(running, None).get("/healthz")).status_code == 200
        assert (await cem.posts("room", "seat.any"))["t"] == "ack"
    assert (await post(running, running.cem, json.dumps(frame))).status_code == 200
    await cem.leaves()


async def test_when_the_writer_is_taken_operations_are_told_to_come_again_and_reading_goes_on(
    running: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "PATIENCE_S", 0.1)
    first, frame, (other, _question) = await a_note(running), await a_note(running), await board_of(running, table=2)
    await sync_to_async(lambda: running.writes(running.dana, "Trees", table=2))()
    cem, ben, dana = [await browser(running, who).hello() for who in ("cem", "ben", "dana")]
    with held_up(monkeypatch) as begun:
        await ben.says(first)
        assert await asyncio.to_thread(begun.wait, PATIENCE)
        await cem.says(frame)
        assert (await cem.hears("err", id=frame["id"]))["code"] == "busy"
        refused = await post(running, running.cem, json.dumps(frame))
        assert (refused.status_code, refused.json()["code"]) == (503, "busy")
        await dana.says({"t": "sub", "s": other, "after": 0})
        assert [part["text"] for part in (await dana.hears("parts", s=other))["parts"]] == ["Trees"]
        page = await client(running, running.dana).get(f"/e/{running.event.key}/table/")
        assert (page.status_code, b"Trees" in page.content) == (200, True)
    await ben.hears("ack", id=first["id"])  # whoever was in the batch waits for its end, however it ends
    assert (await post(running, running.cem, json.dumps(frame))).status_code == 200
    assert await Note.objects.acount() == 3
    for someone in (cem, ben, dana):
        await someone.leaves()


async def test_a_mistake_of_ours_is_said_by_every_way_and_nothing_of_it_is_written(
    running: Cafe, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """F25"""
    frame, address = await a_note(running), f"/live/{running.event.key}/ops"
    cem = await browser(running).hello()

    def stumbles(*batch: Any) -> None:
        judge(*batch)
        raise ValueError("a mistake of ours about Benches")

    judge = new_notes.judge
    with monkeypatch.context() as broken:
        broken.setattr(new_notes, "judge", stumbles)
        await cem.says(frame)
        said = await cem.hears("err", id=frame["id"])
        assert (said["code"], said["retry"]) == ("internal", True)
        refused = await post(running, running.cem, json.dumps(frame))
        assert (refused.status_code, refused.json()["code"], refused.json()["id"]) == (500, "internal", frame["id"])
        assert refused["X-Request-ID"]
        page = await client(running, running.cem).post(address, as_form(frame))
        assert (page.status_code, "Benches" in page.content.decode()) == (422, True)
    assert await Note.objects.acount() == 0
    assert frame["id"] in caplog.text
    assert "mistake" not in said["text"] + refused.json()["text"]
    assert (await cem.posts("room", "seat.any"))["t"] == "ack"
    await cem.says(frame)
    assert (await cem.hears("ack", id=frame["id"]))["seq"] == 1
    await cem.leaves()


async def test_a_session_that_ended_while_nobody_was_there_has_ended(running: Cafe) -> None:
    """F27: an end is a fact that needs no process; the first to look finds it."""
    await Event.objects.filter(pk=running.event.pk).aupdate(ends_at=now_ms() - 60_000)
    frame = await a_note(running)
    cem = await browser(running).hello(stage=0)
    stage = (await cem.hears("parts", s="stage"))["parts"][0]
    assert (stage["phase"], stage["ends_at"] < now_ms()) == ("running", True)  # pages apply the same rule themselves
    await cem.says(frame)
    await cem.hears("ack", id=frame["id"])
    assert (await Note.objects.aget()).late is True
    assert (await cem.posts(frame["s"], "note.move", note=frame["id"], after=None))["code"] == "session_closed"
    moved = await sync_to_async(lambda: running.does(running.moderator, "stage", "clock.pause"))()
    assert moved.code == "not_allowed_now"
    await cem.leaves()
