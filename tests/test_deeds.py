"""Two who lead the same event: what they do is ordered, the later one wins, and both see who did what."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from sessions.live import streams
from sessions.live.stage import MOST_DEEDS, now_part
from sessions.models import Stream
from tests.browsing import Browser, session_of
from tests.cafe import Cafe
from tests.test_socket import running

live = running


def stage(cafe: Cafe) -> Any:
    stream = Stream.objects.get(event=cafe.event, kind="stage")
    [(_stream, [part])] = streams.since([(stream.pk, -1)]).values()
    return part


def leads(cafe: Cafe, kind: str, **data: Any) -> str:
    op = cafe.op(cafe.moderator, "stage", kind, **data)
    [answer] = streams.apply([op])
    assert answer.code is None
    return str(op.id)


@pytest.mark.django_db
def test_moderators_read_what_was_done_last_and_guests_do_not() -> None:
    cafe = Cafe()
    ops = [leads(cafe, kind, **data) for kind, data in [("phase.next", {}), ("word.say", {"text": "Welcome"})]]
    done = stage(cafe).moderators["done"]
    assert [(deed["op"], deed["kind"], deed["name"]) for deed in done] == [
        (ops[1], "word.say", "Ada"),
        (ops[0], "phase.next", "Ada"),
    ]
    assert "done" not in stage(cafe).guests
    assert {**stage(cafe).guests, "done": done} == stage(cafe).moderators


@pytest.mark.django_db
def test_it_is_the_newest_few_and_neither_refusals_nor_the_plan() -> None:
    cafe = Cafe()
    cafe.steps(3)
    before = [leads(cafe, "clock.add", minutes=minute) for minute in range(1, 16)]
    assert cafe.does(cafe.cem, "stage", "clock.pause").code == "not_allowed"
    with streams.governing(cafe.event) as scene:
        cafe.event.stage_seq = scene.raise_head(cafe.event, streams.Name("stage"), "now")
        scene.saves.update(cafe.event, "stage_seq")
    assert [deed["op"] for deed in stage(cafe).moderators["done"]] == before[: -MOST_DEEDS - 1 : -1]


@pytest.mark.django_db
def test_each_event_has_its_own() -> None:
    one, other = Cafe(), Cafe()
    ops = [leads(cafe, "phase.next") for cafe in (one, other)]
    found = [[deed["op"] for deed in stage(cafe).moderators["done"]] for cafe in (one, other)]
    assert found == [[ops[0]], [ops[1]]]


@pytest.mark.django_db
def test_an_event_in_the_making_has_none() -> None:
    assert now_part(Cafe().event).moderators["done"] == []


@pytest.mark.django_db(transaction=True)
async def test_two_consoles_at_once_both_see_both_in_the_same_order(live: Cafe) -> None:
    cookie = await sync_to_async(lambda: session_of(live))()
    ada, bea = [await Browser(live.event.key, cookie, query="?as=moderator").hello() for _console in range(2)]
    answers = await asyncio.gather(
        ada.posts("stage", "phase.go", phase="over", session=1), bea.posts("stage", "phase.go", phase="gallery")
    )
    assert [answer["t"] for answer in answers] == ["ack", "ack"]
    seqs = {answer["id"]: answer["seq"] for answer in answers}
    wanted = sorted(seqs, key=lambda op: -seqs[op])
    later = "over" if wanted[0] == answers[0]["id"] else "gallery"
    assert (await sync_to_async(lambda: live.now)()).phase == later
    for console in (ada, bea):
        await comes_to_know(console, wanted)
        await console.leaves()


async def comes_to_know(console: Browser, wanted: list[str]) -> None:
    """Until these operations are the newest that this console knows."""
    while not any(newest(frame, len(wanted)) == wanted for frame in console.got):
        await console.hears("parts", s="stage")


def newest(frame: dict[str, Any], count: int) -> list[str]:
    parts = frame["parts"] if (frame["t"], frame.get("s")) == ("parts", "stage") else []
    return [deed["op"] for part in parts for deed in part["done"]][:count]
