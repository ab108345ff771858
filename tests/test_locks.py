"""The head is the lock: two connections, one of them held at the worst moment."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Waits
from threading import Event as Signal
from threading import get_ident
from typing import Any

import pytest
from django.db import connections

from sessions.live import reading, streams
from sessions.live.kinds import KINDS, Part
from sessions.models import Change, Participant, Stream
from tables.models import Note
from tests.cafe import Cafe

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 20.0
A_WHILE = 0.3  # long enough to see that somebody waits, shorter than any lock_timeout


class Held:
    """Stops one thread's work before a function until it may go on; others pass."""

    def __init__(self, usual: Callable[..., Any]) -> None:
        self.usual, self.thread = usual, 0
        self.arrived, self.may_go = Signal(), Signal()

    def __call__(self, *args: Any) -> Any:
        if get_ident() == self.thread and not self.may_go.is_set():
            self.arrived.set()
            assert self.may_go.wait(PATIENCE)
        return self.usual(*args)

    def stops(self, pool: ThreadPoolExecutor, work: Callable[[], Any]) -> "Held":
        def runs() -> Any:
            self.thread = get_ident()
            return work()

        self.done = elsewhere(pool, runs)
        assert self.arrived.wait(PATIENCE)
        return self

    def goes_on(self) -> Any:
        self.may_go.set()
        return self.done.result(PATIENCE)


def elsewhere(pool: ThreadPoolExecutor, work: Callable[[], Any]) -> "Future[Any]":
    """On another connection."""

    def runs() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    return pool.submit(runs)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool
    connections.close_all()


@pytest.fixture
def running(transactional_db: None) -> Cafe:
    return Cafe().runs()


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> Held:
    """Between what a batch has locked and what it writes."""
    held = Held(streams._write)
    monkeypatch.setattr(streams, "_write", held)
    return held


def test_who_ends_the_session_waits_for_the_batch_that_is_being_judged(
    running: Cafe, pool: ThreadPoolExecutor, writing: Held
) -> None:
    batch = writing.stops(pool, lambda: running.writes(running.cem, "The last word"))

    ends = elsewhere(pool, lambda: running.does(running.moderator, "stage", "phase.go", phase="closed"))
    with pytest.raises(Waits):
        ends.result(A_WHILE)
    written = batch.goes_on()

    assert (written.code, ends.result(PATIENCE).code) == (None, None)
    assert list(Change.objects.order_by("pk").values_list("kind", flat=True))[-2:] == ["note.add", "phase.go"]
    assert Note.objects.get().late is False


def test_a_batch_is_judged_by_what_it_waited_for(running: Cafe, pool: ThreadPoolExecutor, writing: Held) -> None:
    ends = writing.stops(pool, lambda: running.does(running.moderator, "stage", "phase.go", phase="closed"))

    batch = elsewhere(pool, lambda: running.writes(running.cem, "Too late"))
    with pytest.raises(Waits):
        batch.result(A_WHILE)
    ends.goes_on()

    assert batch.result(PATIENCE).code == "session_closed"
    assert Note.objects.count() == 0


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [("seat.leave", {}, None), ("table.set", {"cap": 1}, "table_full"), ("table.set", {"open": False}, "table_full")],
)
def test_who_sits_down_waits_for_what_happens_to_the_table(
    running: Cafe,
    pool: ThreadPoolExecutor,
    writing: Held,
    kind: str,
    data: dict[str, Any],
    code: str | None,
) -> None:
    table = running.table(2).pk
    who = running.moderator if data else running.dana
    change = {"table": table, **data} if data else {}
    first = writing.stops(pool, lambda: running.does(who, "room", kind, **change))

    sits = elsewhere(pool, lambda: running.does(running.cem, "room", "seat.take", table=table))
    with pytest.raises(Waits):
        sits.result(A_WHILE)
    assert first.goes_on().code is None
    assert sits.result(PATIENCE).code == code


def test_who_is_being_removed_writes_nothing_more(running: Cafe, pool: ThreadPoolExecutor, writing: Held) -> None:
    out = {"p": running.cem.pk, "removed": True}
    removes = writing.stops(pool, lambda: running.does(running.moderator, "room", "person.set", **out))

    writes = elsewhere(pool, lambda: running.writes(running.cem, "Still here"))
    with pytest.raises(Waits):
        writes.result(A_WHILE)
    assert removes.goes_on().code is None
    assert (writes.result(PATIENCE).code, Note.objects.count()) == ("not_allowed", 0)


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
