"""How an event moves on: the console's one button, jumps, pauses, minutes."""

import pytest

from sessions.clock import now_ms
from sessions.ledger import Erased
from sessions.live import streams
from sessions.live.renewal import renew
from sessions.models import Event, Participant
from tests.cafe import Cafe
from tests.test_deeds import stage

MINUTE = 60_000


def stands(cafe: Cafe) -> tuple[str, int | None]:
    event = cafe.now
    return str(event.phase_at()), event.session_no


def leads(cafe: Cafe, kind: str, who: Participant | None = None, **data: object) -> str | None:
    return cafe.does(who or cafe.moderator, "stage", kind, **data).code


def test_one_button_leads_from_draft_to_closed(cafe: Cafe) -> None:
    found = [stands(cafe)]
    while leads(cafe, "phase.next") is None:
        found.append(stands(cafe))
    assert found == [
        ("draft", None),
        ("lobby", None),
        ("seating", 1),
        ("running", 1),
        ("over", 1),
        ("seating", 2),
        ("running", 2),
        ("over", 2),
        ("gallery", 2),
        ("closed", 2),
    ]


def test_guests_do_not_lead(cafe: Cafe) -> None:
    assert leads(cafe, "phase.next") is None
    assert leads(cafe, "phase.next", cafe.cem) == "not_allowed"
    assert stands(cafe) == ("lobby", None)


def test_a_session_ends_by_itself_and_the_last_one_opens_the_gallery(running: Cafe) -> None:
    Event.objects.filter(pk=running.event.pk).update(ends_at=now_ms() - 1)
    assert stands(running) == ("over", 1)
    running.steps(2)
    Event.objects.filter(pk=running.event.pk).update(ends_at=now_ms() - 2_000)
    assert stands(running) == ("over", 2)
    Event.objects.filter(pk=running.event.pk).update(ends_at=now_ms() - 3_001)
    assert stands(running) == ("gallery", 2)


def test_the_gallery_waits_for_a_moderator_who_opens_it_by_hand(running: Cafe) -> None:
    running.steps(3)
    Event.objects.filter(pk=running.event.pk).update(ends_at=now_ms() - 60_000)
    assert stands(running) == ("gallery", 2)
    Event.objects.filter(pk=running.event.pk).update(by_hand=True)
    assert stands(running) == ("over", 2)
    running.steps(1)
    assert stands(running) == ("gallery", 2)


def test_a_pause_keeps_what_is_left(running: Cafe) -> None:
    left = running.now.ends_at
    assert left is not None
    assert leads(running, "clock.pause") is None
    paused = running.now
    assert paused.paused_left is not None
    assert 0 < paused.paused_left <= 20 * MINUTE
    assert leads(running, "clock.pause") == "not_allowed_now"
    assert leads(running, "clock.resume") is None
    resumed = running.now
    assert (resumed.paused_left, resumed.ends_at is not None and resumed.ends_at >= left) == (None, True)


def test_minutes_are_added_and_taken(running: Cafe) -> None:
    before = running.now.ends_at
    assert before is not None
    assert leads(running, "clock.add", minutes=5) is None
    assert running.now.ends_at == before + 5 * MINUTE
    assert leads(running, "clock.add", minutes=-1) is None
    assert running.now.ends_at == before + 4 * MINUTE
    assert leads(running, "clock.add", minutes=-240) is None
    assert stands(running) == ("over", 1)


def test_a_session_that_has_run_out_goes_on_when_it_is_extended(running: Cafe) -> None:
    Event.objects.filter(pk=running.event.pk).update(ends_at=now_ms() - 60_000)
    assert stands(running) == ("over", 1)
    assert leads(running, "clock.add", minutes=1) is None
    assert stands(running) == ("running", 1)


def test_going_back_wins_over_what_the_clock_says(running: Cafe) -> None:
    running.steps(3)
    Event.objects.filter(pk=running.event.pk).update(ends_at=now_ms() - 60_000)
    assert stands(running) == ("gallery", 2)
    assert leads(running, "phase.go", phase="running", session=1) is None
    assert stands(running) == ("running", 1)
    assert leads(running, "phase.go", phase="lobby") is None
    assert stands(running) == ("lobby", None)


def test_starting_what_runs_already_leaves_its_clock_alone(running: Cafe) -> None:
    before = running.now.ends_at
    assert leads(running, "phase.go", phase="running", session=1) is None
    assert running.now.ends_at == before


@pytest.mark.parametrize(
    "data", [{"phase": "running"}, {"phase": "running", "session": 5}, {"phase": "archived"}, {"phase": "draft"}]
)
def test_a_jump_to_nowhere_changes_nothing(running: Cafe, data: dict[str, object]) -> None:
    assert leads(running, "phase.go", phase="seating", session=2) is None
    assert leads(running, "phase.go", **data) == "bad_field"
    assert stands(running) == ("seating", 2)


def test_the_moderators_word_is_said_and_taken_back(running: Cafe) -> None:
    assert leads(running, "word.say", text="Five more minutes") is None
    assert running.now.word == "Five more minutes"
    assert leads(running, "word.say", text="") is None
    assert running.now.word == ""


def test_the_same_words_said_again_are_another_saying(running: Cafe) -> None:
    """Until then, whatever else is done, they are the one that may have been put away."""
    assert (stage(running).guests["word"], stage(running).guests["said"]) == ("", None)
    first, again = (running.op(running.moderator, "stage", "word.say", text="Please come to an end") for _time in "ab")
    for op, said in ((first, first), (first, first), (again, again), (first, again)):
        assert [answer.code for answer in streams.apply([op])] == [None]
        assert stage(running).guests["said"] == str(said.id)
    for minute in range(1, 111):
        assert leads(running, "clock.add", minutes=minute) is None
    assert leads(running, "word.say", running.cem, text="Nobody reads this") == "not_allowed"
    renew(Erased())
    assert (stage(running).guests["said"], stage(running).moderators["said"]) == (str(again.id), str(again.id))
    assert leads(running, "word.say", text="") is None
    assert stage(running).guests["said"] is None


def test_two_moderators_at_once_are_put_in_order(running: Cafe) -> None:
    stop = running.op(running.moderator, "stage", "clock.pause")
    go = running.op(running.moderator, "stage", "phase.next")
    assert [answer.code for answer in streams.apply([stop, go])] == [None, None]
    assert stands(running) == ("over", 1)
