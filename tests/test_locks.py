"""Readers that are overtaken: two connections, one of them held between a head and its parts."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sessions.live import reading, streams
from sessions.live.kinds import KINDS, Part
from sessions.models import Participant, Stream
from tests.cafe import Cafe
from tests.held import Held

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def running(transactional_db: None) -> Cafe:
    return Cafe().runs()


def overtaken(
    cafe: Cafe, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, reads: Callable[[], Any]
) -> tuple[Any, list[str]]:
    """What a reader gets between whose head and parts a note commits; and what there is then."""
    first = cafe.writes(cafe.cem, "first")
    reading_parts = Held(KINDS["board"].parts)
    monkeypatch.setattr(KINDS["board"], "parts", reading_parts)
    reader = reading_parts.stops(pool, reads)
    assert cafe.writes(cafe.ben, "second").seq == 2
    edit = {"note": first.op_id, "text": "first, again", "_base": cafe.note(first).edited}
    assert cafe.does(cafe.cem, f"board:{cafe.board().pk}", "note.edit", **edit).seq == 3
    return reader.goes_on(), ["first, again", "second"]


def test_a_reader_overtaken_by_a_note_misses_nothing_the_next_time(
    running: Cafe, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Stream.objects.get(event=running.event, kind="board", ref=running.board().pk)
    found, texts = overtaken(running, pool, monkeypatch, lambda: streams.since([(row.pk, 0)]))
    stream, parts = found[row.pk]
    assert (stream.head, [part.seq for part in parts if part.seq > stream.head]) == (1, [])
    kept = texts_of(parts) | texts_of(streams.since([(row.pk, stream.head)])[row.pk][1])
    assert sorted(kept.values()) == texts


def test_a_page_overtaken_by_a_note_misses_nothing_once_it_follows(
    running: Cafe, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Stream.objects.get(event=running.event, kind="board", ref=running.board().pk)
    name = f"board:{row.ref}"
    cem = Participant.objects.select_related("event").get(pk=running.cem.pk)
    page, texts = overtaken(running, pool, monkeypatch, lambda: reading.page(cem, [name]))
    assert page.streams[name] == 1
    shown = {part["id"]: part["text"] for part in page.parts[name]}
    kept = shown | texts_of(streams.since([(row.pk, page.streams[name])])[row.pk][1])
    assert sorted(kept.values()) == texts


def texts_of(parts: list[Part]) -> dict[str, str]:
    return {part.id: part.guests["text"] for part in parts}
