"""What is remembered between batches is what a reading would have found, whoever has written meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from sessions.clock import now_ms
from sessions.live import scene, streams
from sessions.live.memory import Memory
from sessions.live.ops import Op
from sessions.live.uuid7 import uuid7
from sessions.models import Event, Participant, Stream
from sessions.phases import GRACE_MS, LATE_MS
from tables.models import Authorship, Board, Note
from tests.cafe import Cafe
from tests.notes_on_their_way import heard

pytestmark = pytest.mark.django_db(transaction=True)
TRIES = 40
WORDS = ("BEGIN", "FOR UPDATE", "pg_current_snapshot", "INSERT", "COMMIT")  # of a batch's statements on PostgreSQL
SOON = 20.0  # seconds, on a machine that has other things to do
Elsewhere = Callable[[Callable[[], object]], None]


@pytest.fixture
def cafe(transactional_db: None) -> Cafe:
    return Cafe().runs()


@pytest.fixture
def remembers(cafe: Cafe) -> Cafe:
    """Cem and Ben have written just now."""
    for who in (cafe.cem, cafe.ben, cafe.cem):
        assert cafe.writes(who, "Benches").code is None
    return cafe


def elsewhere(does: Callable[[], object]) -> None:
    """By another connection, as pages and other threads have theirs."""

    def work() -> None:
        try:
            does()
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def here(does: Callable[[], object]) -> None:
    does()


def is_remembered(cafe: Cafe, who: Participant) -> bool:
    """Whether a note of theirs is judged without reading the event; it is written."""
    op = new(cafe, who)
    with CaptureQueriesContext(connection) as found:
        assert streams.apply([op])[0].code is None
    return not any(f'FROM "{Event._meta.db_table}"' in each["sql"] for each in found)


def comes_to_be_remembered(cafe: Cafe, who: Participant) -> bool:
    """PostgreSQL numbers what others write in its other databases too, and what it does by itself: at some time nobody
    writes anywhere between two notes.
    """
    return any(is_remembered(cafe, who) for _note in range(1 if connection.vendor == "sqlite" else TRIES))


def new(cafe: Cafe, who: Participant, **more: Any) -> Op:
    data = {"q": cafe.question().pk, "text": "Shade", "colour": "mint", **more}
    return cafe.op(who, f"board:{cafe.board().pk}", "note.add", **data)


def test_whoever_has_just_written_is_judged_from_memory(remembers: Cafe) -> None:
    assert comes_to_be_remembered(remembers, remembers.cem)
    assert comes_to_be_remembered(remembers, remembers.ben)
    seqs = sorted(Note.objects.values_list("seq", flat=True))
    assert len(set(seqs)) == remembers.board().note_count >= 5
    assert Stream.objects.get(kind="board", ref=remembers.board().pk).head == seqs[-1]


def test_a_batch_that_is_remembered_locks_looks_and_writes(remembers: Cafe) -> None:
    if connection.vendor == "sqlite":  # `test_budgets.py` counts it there
        return
    ops = [new(remembers, who) for who in (remembers.cem, remembers.ben) for _note in range(3)]
    for _try in range(TRIES):
        batch = [op._replace(id=uuid7()) for op in ops]
        with CaptureQueriesContext(connection) as found:
            assert {answer.code for answer in streams.apply(batch)} == {None}
        said = [each["sql"] for each in found]
        if not any(f'FROM "{Event._meta.db_table}"' in sql for sql in said):
            break
    assert [next(word for word in WORDS if word in sql) for sql in said] == list(WORDS)


def test_of_who_is_new_no_more_is_read_than_who_they_are(remembers: Cafe) -> None:
    gil, fay, eve = (remembers.comes(name) for name in ("Gil", "Fay", "Eve"))
    for who in (gil, eve):
        assert remembers.does(who, "room", "seat.take", table=remembers.table(1).pk).code is None
    Participant.objects.filter(pk=eve.pk).update(removed_at=timezone.now())
    Authorship.objects.create(participant=gil, board=remembers.board(1), notes=1)
    Authorship.objects.create(participant=gil, board=remembers.board(2), notes=2)
    remembers.writes(remembers.cem, "Trees")
    if connection.vendor == "sqlite":
        assert is_remembered(remembers, gil)
    else:
        assert remembers.writes(gil, "Trees").code is None
    assert remembers.writes(fay, "Trees").code == "no_seat"
    assert remembers.writes(eve, "Trees").code == "not_allowed"
    with override_settings(LIMIT_NOTES_PER_PERSON=4):
        assert remembers.writes(gil, "Fences").code == "board_full"


@pytest.mark.parametrize("where", [here, elsewhere])
def test_what_somebody_else_writes_counts_at_once(remembers: Cafe, where: Elsewhere) -> None:
    removed = Participant.objects.filter(pk=remembers.cem.pk)
    where(lambda: removed.update(removed_at=timezone.now()))
    assert not is_remembered(remembers, remembers.ben)
    assert remembers.writes(remembers.cem, "Trees").code == "not_allowed"


def test_what_somebody_began_before_and_ends_after_a_batch_counts(remembers: Cafe) -> None:
    """Their number was given away before the batch's: that no other one was tells nothing."""
    if connection.vendor == "sqlite":  # has one writer at a time
        return
    begun, may_end = threading.Event(), threading.Event()

    def work() -> None:
        with transaction.atomic():
            Participant.objects.filter(pk=remembers.cem.pk).update(removed_at=timezone.now())
            begun.set()
            assert may_end.wait(SOON)

    slow = threading.Thread(target=elsewhere, args=[work])
    slow.start()
    assert begun.wait(SOON)
    found = [is_remembered(remembers, remembers.ben) for _note in range(2)]
    may_end.set()
    slow.join()
    assert found == [False, False]
    assert remembers.writes(remembers.cem, "Trees").code == "not_allowed"


def test_what_another_process_writes_at_a_table_counts_at_its_limit(remembers: Cafe) -> None:
    """Each thread has a memory of its own, as each process has."""
    limit = Authorship.objects.get(participant=remembers.cem).notes + 6
    with override_settings(LIMIT_NOTES_PER_PERSON=limit):
        for _turn in range(3):
            elsewhere(lambda: remembers.writes(remembers.cem, "Trees"))
            assert remembers.writes(remembers.cem, "Trees").code is None
        assert remembers.writes(remembers.cem, "Fences").code == "board_full"


@pytest.mark.parametrize("where", [here, elsewhere])
def test_a_seat_that_is_left_and_a_board_that_is_locked_are_known(remembers: Cafe, where: Elsewhere) -> None:
    where(lambda: remembers.does(remembers.cem, "room", "seat.take", table=remembers.table(2).pk))
    assert remembers.note(remembers.writes(remembers.cem, "Trees")).late
    assert not remembers.note(remembers.writes(remembers.ben, "Trees")).late
    where(lambda: Board.objects.update(locked=True))
    assert remembers.writes(remembers.ben, "Fences").code == "board_locked"


def test_time_goes_on_by_itself(remembers: Cafe) -> None:
    Event.objects.filter(pk=remembers.event.pk).update(ends_at=1)
    assert remembers.writes(remembers.cem, "Trees").code == "session_closed"


def test_who_handed_in_a_note_just_after_a_session_may_not_do_so_later(
    cafe: Cafe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while the next session runs, in which others write."""
    passed = 0
    monkeypatch.setattr(scene, "now_ms", lambda: now_ms() + passed)
    first = f"board:{cafe.board(1).pk}"
    assert cafe.does(cafe.moderator, "stage", "phase.go", phase="running", session=2).code is None
    found = []
    for passed in (0, GRACE_MS + 1_000, LATE_MS + 5_000):
        note = {"q": cafe.question().pk, "text": "Benches", "colour": "mint", "_arrived": now_ms() + passed}
        op = cafe.op(cafe.cem, first, "note.add", **note)
        [answer] = streams.apply([op])
        found.append(answer.code or Note.objects.get(pk=op.id).late)

    assert found == [False, True, "session_closed"]


def test_an_operation_that_was_heard_is_answered_as_before(remembers: Cafe) -> None:
    op = new(remembers, remembers.cem)
    first, again, other = (streams.apply([one])[0] for one in (op, op, op._replace(data={**op.data, "text": "Sun"})))
    assert (again.seq, again.dup) == (first.seq, True)
    assert other.code == "op_id_conflict"
    with CaptureQueriesContext(connection) as found:
        answers = streams.apply([op, new(remembers, remembers.cem)])
    assert [answer.dup for answer in answers] == [True, False]
    assert sum("COMMIT" in each["sql"] for each in found) == 1, "in one go"
    twice = new(remembers, remembers.ben)
    one, same = streams.apply([twice, twice])
    assert (one.seq, one.dup, same.seq, same.dup) == (same.seq, False, one.seq, True)


def test_a_batch_that_fails_leaves_nothing_behind(remembers: Cafe) -> None:
    head = Stream.objects.get(kind="board", ref=remembers.board().pk).head
    with pytest.raises(UnicodeEncodeError):
        streams.apply([new(remembers, remembers.cem, text="half a pair: \ud83d")])
    assert remembers.writes(remembers.cem, "Trees").seq == head + 1
    assert remembers.board().note_count == 4


def test_an_id_that_a_note_has_already_is_refused(remembers: Cafe) -> None:
    note = Note.objects.create(
        id=uuid7(),
        board=remembers.board(),
        question=remembers.question(),
        author=remembers.ben,
        text="Before",
        seq=0,
        at=1,
        edited=1,
    )
    assert is_remembered(remembers, remembers.cem) is False
    taken, free = new(remembers, remembers.cem)._replace(id=note.pk), new(remembers, remembers.ben)
    with CaptureQueriesContext(connection) as found:
        answers = streams.apply([taken, free])
    assert [answer.code for answer in answers] == ["op_id_conflict", None]
    assert sum("COMMIT" in each["sql"] for each in found) == 1, "and holds up nobody else"


def test_what_was_told_stays_as_it_was(remembers: Cafe) -> None:
    _answers, [first] = heard([new(remembers, remembers.cem)])
    head = first.stream.head
    _answers, [later] = heard([new(remembers, remembers.ben)])
    assert (first.stream.head, later.start, later.stream.head) == (head, head, head + 1)


def test_nobody_else_has_a_memory_while_a_batch_is_judged(remembers: Cafe) -> None:
    assert comes_to_be_remembered(remembers, remembers.cem)
    Memory.take()
    assert not is_remembered(remembers, remembers.cem)
