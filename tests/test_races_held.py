"""Two at once, one of them held at the worst moment. Each race is run without its rule too, and is lost then.

Decided in the transaction, the same on SQLite and PostgreSQL. Crowds are in `test_races`, readers in `test_locks`.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial, partialmethod
from typing import Any

import pytest
from django.db import IntegrityError
from django.urls import reverse

from sessions.clock import now_ms
from sessions.live import streams
from sessions.live.kinds import KINDS
from sessions.live.ops import Answer
from sessions.live.scene import Scene
from sessions.models import Change, Event, Question
from tables.models import Board, Note, Seat, Table
from tables.plan.changing import TakenAway, change
from tables.plan.reading import plan_of
from tests.broken_races import (
    edits_start_from_anything,
    ids_say_nothing,
    judged_before_its_locks,
    nobody_stands_up,
    sessions_start_again,
)
from tests.cafe import Cafe, new_id
from tests.cast import browser_of
from tests.chaos.mutants import switched_off
from tests.held import PATIENCE, Arrivals, Held, HeldAfter, Rule, elsewhere, waits

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def running(transactional_db: None) -> Cafe:
    return Cafe().runs()


@pytest.fixture
def judging(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Held]:
    """`judging("board")` stops a batch of notes between what it was judged by and what it writes."""

    def behind(kind: str) -> Held:
        held = HeldAfter(KINDS[kind].load)
        monkeypatch.setattr(KINDS[kind], "load", held)
        return held

    return behind


def overtakes(rule: Rule, work: Future[Any]) -> None:
    """With the rule the others wait; without it they are done before."""
    if rule.holds:
        waits(work)
    else:
        assert work.result(PATIENCE).code is None


ENDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "closed": ("stage", "phase.go", {"phase": "closed"}),
    "over": ("stage", "phase.go", {"phase": "over", "session": 1}),
    "removed": ("room", "person.set", {"removed": True}),
}


def puts_an_end(cafe: Cafe, end: str) -> Answer:
    """To the event, to the session, to Cem."""
    stream, kind, data = ENDS[end]
    return cafe.does(cafe.moderator, stream, kind, **data, **({"p": cafe.cem.pk} if end == "removed" else {}))


def in_order(*kinds: str) -> bool:
    """Whether the last things that happened came in this order."""
    return list(Change.objects.filter(answers=True).order_by("pk").values_list("kind", flat=True))[-len(kinds) :] == [
        *kinds
    ]


# ── what is being judged is overtaken by nothing it is judged by ──
@pytest.mark.parametrize("end", ENDS)
def test_who_ends_it_waits_for_the_note_that_is_being_judged(
    running: Cafe, pool: ThreadPoolExecutor, judging: Callable[[str], Held], rule: Rule, end: str
) -> None:
    with rule.is_not(judged_before_its_locks):
        note = judging("board").stops(pool, lambda: running.writes(running.cem, "The last word"))
        ends = elsewhere(pool, lambda: puts_an_end(running, end))
        overtakes(rule, ends)
        written = note.goes_on()

    assert (written.code, ends.result(PATIENCE).code) == (None, None)
    assert in_order("note.add", ENDS[end][1]) is rule.holds
    assert Note.objects.get().late is False


def test_who_deletes_the_event_waits_for_the_note_and_it_goes_too(
    running: Cafe, pool: ThreadPoolExecutor, judging: Callable[[str], Held], rule: Rule
) -> None:
    """No constraint of the database looks after it."""
    page = reverse("event-delete", args=[running.event.key])
    with rule.is_not(judged_before_its_locks):
        note = judging("board").stops(pool, lambda: running.writes(running.cem, "The last word"))
        deleted = elsewhere(pool, lambda: browser_of(running.ada).post(page))
        if rule.holds:
            waits(deleted)
        else:
            assert deleted.result(PATIENCE).status_code == 302
        written = note.goes_on()

    assert deleted.result(PATIENCE).status_code == 302
    assert written.code == (None if rule.holds else "not_found")
    assert not Event.objects.filter(pk=running.event.pk).exists()
    assert not Note.objects.exists()
    assert not Change.objects.filter(event=running.event.pk).exists()


def test_a_note_waits_for_who_deletes_the_event_and_finds_none(
    running: Cafe, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(Scene.erase)
    monkeypatch.setattr(Scene, "erase", partialmethod(held))
    page = reverse("event-delete", args=[running.event.key])
    op = running.op(running.cem, f"board:{running.board().pk}", "note.add", q=running.question().pk, text="Too late")
    deletes = held.stops(pool, lambda: browser_of(running.ada).post(page))
    note = elsewhere(pool, lambda: streams.apply([op])[0])
    waits(note)
    assert deletes.goes_on().status_code == 302
    assert note.result(PATIENCE).code == "not_found"
    assert not Note.objects.exists()
    assert not Change.objects.filter(event=running.event.pk).exists()


def test_who_takes_a_question_away_waits_for_the_note_to_it(
    running: Cafe, pool: ThreadPoolExecutor, judging: Callable[[str], Held], rule: Rule
) -> None:
    plan, second = plan_of(running.event), running.question(2)
    one = replace(plan.sessions[0], questions=plan.sessions[0].questions[:1])
    shorter = replace(plan, sessions=(one, *plan.sessions[1:]))
    with rule.is_not(judged_before_its_locks):
        note = judging("board").stops(pool, lambda: running.writes(running.cem, "It matters", q=second.pk))
        taken = elsewhere(pool, lambda: change(running.event, shorter))
        if rule.holds:
            waits(taken)
        else:
            taken.result(PATIENCE)
        assert note.goes_on().code is None

    assert (type(taken.exception(PATIENCE)) is TakenAway) is rule.holds
    assert Question.objects.filter(pk=Note.objects.get().question_id).exists() is rule.holds


def test_who_closes_a_table_waits_for_who_is_sitting_down(
    running: Cafe, pool: ThreadPoolExecutor, judging: Callable[[str], Held], rule: Rule
) -> None:
    table = running.table(2).pk
    with rule.is_not(judged_before_its_locks):
        sits = judging("room").stops(pool, lambda: running.does(running.cem, "room", "seat.take", table=table))
        closes = elsewhere(pool, lambda: running.does(running.moderator, "room", "table.set", table=table, open=False))
        overtakes(rule, closes)
        assert sits.goes_on().code is None

    assert closes.result(PATIENCE).code is None
    assert in_order("seat.take", "table.set") is rule.holds  # nobody sits down at a closed table


def test_two_moves_of_one_note_at_once_end_where_the_later_one_says(
    running: Cafe, pool: ThreadPoolExecutor, judging: Callable[[str], Held], rule: Rule
) -> None:
    note, board = running.writes(running.cem, "Benches").op_id, f"board:{running.board().pk}"
    running.writes(running.ben, "Trees")
    second = running.question(2).pk
    with rule.is_not(judged_before_its_locks):
        up = judging("board").stops(pool, lambda: running.does(running.ben, board, "note.move", note=note, after=None))
        over = elsewhere(pool, lambda: running.does(running.cem, board, "note.move", note=note, after=None, q=second))
        overtakes(rule, over)
        moved = (up.goes_on(), over.result(PATIENCE))

    assert [answer.code for answer in moved] == [None, None]
    assert {answer.seq for answer in moved} == {3, 4}
    assert Note.objects.get(pk=note).seq == 4
    assert (Note.objects.get(pk=note).question_id == second) is rule.holds  # nobody brought it back to the first


def test_who_pauses_waits_for_who_ends_the_session(
    running: Cafe, pool: ThreadPoolExecutor, judging: Callable[[str], Held], rule: Rule
) -> None:
    with rule.is_not(judged_before_its_locks):
        pauses = judging("stage").stops(pool, lambda: running.does(running.moderator, "stage", "clock.pause"))
        ends = elsewhere(pool, lambda: running.does(running.moderator, "stage", "phase.go", phase="over", session=1))
        overtakes(rule, ends)
        assert pauses.goes_on().code is None

    assert ends.result(PATIENCE).code is None
    assert (running.now.phase == "over") is rule.holds  # an end that was said is no pause


# ── what waited is judged by what it waited for ──
def test_the_last_seat_goes_to_who_came_first(
    transactional_db: None, pool: ThreadPoolExecutor, writing: Held, rule: Rule
) -> None:
    cafe = Cafe(seats=1)
    cafe.steps(2)
    table = cafe.table(1).pk
    with rule.is_not(partial(switched_off, "seat")):
        first = writing.stops(pool, lambda: cafe.does(cafe.ben, "room", "seat.take", table=table))
        second = elsewhere(pool, lambda: cafe.does(cafe.cem, "room", "seat.take", table=table))
        waits(second)
        codes = [first.goes_on().code, second.result(PATIENCE).code]

    assert codes == [None, "table_full" if rule.holds else None]
    assert (Seat.objects.filter(table=table).count() <= 1) is rule.holds


@pytest.mark.parametrize(("end", "code"), [("closed", "session_closed"), ("removed", "not_allowed")])
def test_a_note_is_judged_by_what_it_waited_for(
    running: Cafe,
    pool: ThreadPoolExecutor,
    writing: Held,
    arrivals: Arrivals,
    rule: Rule,
    end: str,
    code: str,
) -> None:
    ends = writing.stops(pool, lambda: puts_an_end(running, end))
    with rule.is_not(partial(switched_off, "rights")):
        note = elsewhere(pool, lambda: running.writes(running.cem, "Too late"))
        arrivals.is_waiting(note)
        assert ends.goes_on().code is None
        written = note.result(PATIENCE)

    assert written.code == (code if rule.holds else None)
    assert (Note.objects.count() == 0) is rule.holds


def test_a_note_waits_for_who_locks_the_board(
    running: Cafe, pool: ThreadPoolExecutor, writing: Held, arrivals: Arrivals, rule: Rule
) -> None:
    def locks() -> None:
        with streams.governing(running.event):
            Board.objects.filter(pk=running.board().pk).update(locked=True)

    locked = writing.stops(pool, locks)
    with rule.is_not(partial(switched_off, "rights")):
        note = elsewhere(pool, lambda: running.writes(running.cem, "Too late"))
        arrivals.is_waiting(note)
        locked.goes_on()
        written = note.result(PATIENCE)

    assert written.code == ("board_locked" if rule.holds else None)
    assert (Note.objects.count() == 0) is rule.holds


def test_a_note_waits_for_who_adds_the_minutes_it_needs(
    running: Cafe, pool: ThreadPoolExecutor, writing: Held, arrivals: Arrivals, rule: Rule
) -> None:
    Event.objects.filter(pk=running.event.pk).update(ends_at=now_ms() - 60_000)
    adds = writing.stops(pool, lambda: running.does(running.moderator, "stage", "clock.add", minutes=5))
    with rule.is_not(judged_before_its_locks):
        note = elsewhere(pool, lambda: running.writes(running.cem, "In the minutes added"))
        arrivals.is_waiting(note)
        assert adds.goes_on().code is None
        assert note.result(PATIENCE).code is None

    assert Note.objects.get().late is not rule.holds


def test_a_note_waits_for_who_pauses_and_is_none_the_worse(
    running: Cafe, pool: ThreadPoolExecutor, writing: Held
) -> None:
    """A pause takes nothing away: there is no rule that could be missing."""
    pauses = writing.stops(pool, lambda: running.does(running.moderator, "stage", "clock.pause"))
    note = elsewhere(pool, lambda: running.writes(running.cem, "While we wait"))
    waits(note)
    assert pauses.goes_on().code is None
    assert note.result(PATIENCE).code is None
    assert Note.objects.get().late is False


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [("seat.leave", {}, None), ("table.set", {"cap": 1}, "table_full"), ("table.set", {"open": False}, "table_full")],
)
def test_who_sits_down_waits_for_what_happens_to_the_table(
    running: Cafe,
    pool: ThreadPoolExecutor,
    writing: Held,
    arrivals: Arrivals,
    rule: Rule,
    kind: str,
    data: dict[str, Any],
    code: str | None,
) -> None:
    table = running.table(2)
    Table.objects.filter(pk=table.pk).update(cap=2 if data else 1)
    who, change = (running.moderator, {"table": table.pk, **data}) if data else (running.dana, {})
    first = writing.stops(pool, lambda: running.does(who, "room", kind, **change))
    with rule.is_not(judged_before_its_locks):
        sits = elsewhere(pool, lambda: running.does(running.cem, "room", "seat.take", table=table.pk))
        arrivals.is_waiting(sits)
        assert first.goes_on().code is None
        sat = sits.result(PATIENCE)

    wrong = None if data else "table_full"  # as the table was before
    assert sat.code == (code if rule.holds else wrong)


def test_who_is_being_removed_sits_down_nowhere(
    running: Cafe, pool: ThreadPoolExecutor, writing: Held, arrivals: Arrivals, rule: Rule
) -> None:
    removes = writing.stops(pool, lambda: puts_an_end(running, "removed"))
    with rule.is_not(partial(switched_off, "rights")):
        sits = elsewhere(pool, lambda: running.does(running.cem, "room", "seat.take", table=running.table(2).pk))
        arrivals.is_waiting(sits)
        assert removes.goes_on().code is None
        sat = sits.result(PATIENCE)

    assert sat.code == ("not_allowed" if rule.holds else None)
    assert Seat.objects.filter(participant=running.cem).exists() is not rule.holds


# ── two tabs, two consoles ──
def test_one_note_sent_by_two_tabs_at_once_is_one_note(
    running: Cafe, pool: ThreadPoolExecutor, writing: Held, rule: Rule
) -> None:
    op_id = new_id()
    with rule.is_not(ids_say_nothing):
        here = writing.stops(pool, lambda: running.writes(running.cem, "Benches", _id=op_id))
        there = elsewhere(pool, lambda: running.writes(running.cem, "Benches", _id=op_id))
        waits(there)
        answers = [here.goes_on(), there.result(PATIENCE)]

    assert [(answer.code, answer.op_id) for answer in answers] == [(None, op_id)] * 2
    assert (answers[0].seq == answers[1].seq) is rule.holds
    assert Note.objects.count() == (1 if rule.holds else 2)


def test_two_tabs_that_edit_one_note_at_once_do_not_overwrite_each_other(
    running: Cafe, pool: ThreadPoolExecutor, writing: Held, rule: Rule
) -> None:
    note = running.note(running.writes(running.cem, "Benches"))
    board = f"board:{note.board_id}"
    edit = {"note": note.pk, "_base": note.edited}
    with rule.is_not(edits_start_from_anything):
        here = writing.stops(pool, lambda: running.does(running.cem, board, "note.edit", text="Trees", **edit))
        there = elsewhere(pool, lambda: running.does(running.cem, board, "note.edit", text="Shade", **edit))
        waits(there)
        assert here.goes_on().code is None
        second = there.result(PATIENCE)

    assert second.code == ("conflict" if rule.holds else None)
    assert (Note.objects.get().text == "Trees") is rule.holds
    assert (second.part is not None and second.part["text"] == "Trees") is rule.holds


def test_one_person_in_two_tabs_sits_where_they_went_last(
    transactional_db: None, pool: ThreadPoolExecutor, writing: Held, rule: Rule
) -> None:
    """Without the rule it is the database that lets nobody sit twice."""
    cafe = Cafe()
    cafe.steps(2)
    first, second = cafe.table(1).pk, cafe.table(2).pk
    with rule.is_not(nobody_stands_up):
        here = writing.stops(pool, lambda: cafe.does(cafe.cem, "room", "seat.take", table=first))
        there = elsewhere(pool, lambda: cafe.does(cafe.cem, "room", "seat.take", table=second))
        waits(there)
        assert here.goes_on().code is None
        assert isinstance(there.exception(PATIENCE), IntegrityError) is not rule.holds

    assert Seat.objects.get(participant=cafe.cem).table_id == (second if rule.holds else first)


def test_two_consoles_that_start_a_session_at_once_start_it_once(
    transactional_db: None, pool: ThreadPoolExecutor, writing: Held, rule: Rule
) -> None:
    cafe = Cafe()
    cafe.steps(2)
    start = {"phase": "running", "session": 1}
    with rule.is_not(sessions_start_again):
        here = writing.stops(pool, lambda: cafe.does(cafe.moderator, "stage", "phase.go", **start))
        there = elsewhere(pool, lambda: cafe.does(cafe.moderator, "stage", "phase.go", **start))
        waits(there)
        answers = [here.goes_on(), there.result(PATIENCE)]

    assert [answer.code for answer in answers] == [None, None]
    assert answers[0].seq != answers[1].seq
    starts_at = cafe.now.ends_at - cafe.now.sessions.get(number=1).minutes * 60_000
    first, second = (Change.objects.get(op_id=answer.op_id).at for answer in answers)
    assert first < second
    assert starts_at == (first if rule.holds else second)
