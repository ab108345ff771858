"""Hosts: who is one, where, and what follows for chairs, roles and pages."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from sessions.live import reading, streams
from sessions.live.ops import Answer
from sessions.models import Participant, Stream
from tables.models import Seat, Table
from tables.plan.changing import TakenAway, change
from tables.plan.reading import plan_of
from tests.cafe import Cafe


def names(cafe: Cafe, table: int, who: Participant | None, by: Participant | None = None) -> Answer:
    """The moderator, or somebody else, names the host of a table."""
    return cafe.does(
        by or cafe.moderator, "room", "table.set", table=cafe.table(table).pk, host=who.pk if who else None
    )


def hosts(cafe: Cafe) -> list[str | None]:
    """The host of each table."""
    return [table.host.name if table.host else None for table in cafe.event.tables.select_related("host")]


def roles(cafe: Cafe) -> list[str]:
    return [Participant.objects.get(pk=person.pk).role for person in (cafe.ben, cafe.cem, cafe.dana)]


def chairs(cafe: Cafe, table: int = 1) -> dict[str, int]:
    seats = Seat.objects.filter(table=cafe.table(table), session__number=1).select_related("participant")
    return {seat.participant.name: seat.place for seat in seats}


def heads(cafe: Cafe) -> dict[str, int]:
    return {f"{s.kind}{s.ref or ''}": s.head for s in Stream.objects.filter(event=cafe.event)}


def part(cafe: Cafe, table: int = 1) -> dict[str, Any]:
    return next(p for p in reading.page(cafe.ben, ["room"]).parts["room"] if p["no"] == table)


def test_the_moderator_names_a_host_and_takes_the_role_back(running: Cafe) -> None:
    assert (names(running, 1, running.ben).code, hosts(running), roles(running)) == (
        None,
        ["Ben", None],
        ["host", "guest", "guest"],
    )
    assert (names(running, 1, None).code, hosts(running), roles(running)) == (None, [None, None], ["guest"] * 3)


def test_nobody_else_names_hosts(running: Cafe) -> None:
    assert names(running, 1, running.cem, by=running.cem).code == "not_allowed"
    assert names(running, 1, running.ben).code is None
    assert names(running, 1, running.cem, by=running.ben).code == "not_allowed"
    assert hosts(running) == ["Ben", None]


def test_another_host_takes_the_place_of_the_one_before(running: Cafe) -> None:
    names(running, 1, running.ben)
    assert names(running, 1, running.cem).code is None
    assert (hosts(running), roles(running)) == (["Cem", None], ["guest", "host", "guest"])


def test_who_becomes_host_elsewhere_is_no_longer_host_here(running: Cafe) -> None:
    names(running, 1, running.ben)
    names(running, 2, running.dana)
    assert names(running, 2, running.ben).code is None
    assert (hosts(running), roles(running)) == ([None, "Ben"], ["host", "guest", "guest"])
    assert names(running, 1, running.dana).code is None
    assert names(running, 1, running.ben).code is None
    assert hosts(running) == ["Ben", None]


def test_naming_the_same_host_again_changes_no_role(running: Cafe) -> None:
    names(running, 1, running.ben)
    before = heads(running)
    assert names(running, 1, running.ben).code is None
    after = heads(running)
    assert {name for name in after if after[name] != before[name]} == {"room"}


def test_a_host_who_is_removed_is_none_any_more_also_when_let_in_again(running: Cafe) -> None:
    names(running, 1, running.ben)
    running.does(running.moderator, "room", "person.set", p=running.ben.pk, removed=True)
    assert (hosts(running), roles(running)[0]) == ([None, None], "guest")
    assert names(running, 1, running.ben).code == "not_found"
    running.does(running.moderator, "room", "person.set", p=running.ben.pk, removed=False)
    assert names(running, 1, running.ben).code is None


def test_only_guests_of_this_event_become_hosts(running: Cafe) -> None:
    assert names(running, 1, running.cem).code is None
    assert [names(running, 1, who).code for who in (running.eve, running.moderator)] == ["not_found", "not_found"]
    wish = {"table": running.table(1).pk, "host": 10**9}
    assert running.does(running.moderator, "room", "table.set", **wish).code == "not_found"
    assert hosts(running) == ["Cem", None]


def test_a_host_sits_on_the_first_chair_and_who_sat_there_changes_with_them(running: Cafe) -> None:
    assert chairs(running) == {"Ben": 0, "Cem": 1}
    names(running, 1, running.cem)
    assert chairs(running) == {"Cem": 0, "Ben": 1}
    names(running, 1, running.cem)
    assert chairs(running) == {"Cem": 0, "Ben": 1}


def test_a_host_whose_first_chair_is_free_moves_there(running: Cafe) -> None:
    running.does(running.ben, "room", "seat.leave")
    names(running, 1, running.cem)
    assert chairs(running) == {"Cem": 0}


def test_the_first_chair_is_kept_for_a_host_who_sits_elsewhere(running: Cafe) -> None:
    names(running, 1, running.dana)
    assert (chairs(running), chairs(running, 2)) == ({"Ben": 2, "Cem": 1}, {"Dana": 0})
    assert (part(running)["waits"], part(running)["free"]) == ("Dana", 1)
    running.does(running.dana, "room", "seat.take", table=running.table(1).pk)
    assert (chairs(running), part(running)["waits"]) == ({"Ben": 2, "Cem": 1, "Dana": 0}, "")


def test_nobody_has_to_stand_up_for_a_host_at_a_full_table(db: None) -> None:
    cafe = Cafe(seats=2).runs()
    names(cafe, 1, cafe.dana)
    assert chairs(cafe) == {"Ben": 0, "Cem": 1}
    assert cafe.does(cafe.dana, "room", "seat.take", table=cafe.table(1).pk).code == "table_full"
    cafe.does(cafe.ben, "room", "seat.leave")
    assert cafe.does(cafe.ben, "room", "seat.take", table=cafe.table(1).pk).code == "table_full"
    assert cafe.does(cafe.dana, "room", "seat.take", table=cafe.table(1).pk).code is None


def test_seat_me_leads_a_host_home(running: Cafe) -> None:
    names(running, 1, running.dana)
    running.does(running.dana, "room", "seat.leave")
    assert running.does(running.dana, "room", "seat.any").code is None
    assert chairs(running)["Dana"] == 0


def test_a_host_keeps_table_and_role_in_the_next_session(running: Cafe) -> None:
    names(running, 1, running.ben)
    running.steps(2)
    assert (part(running)["host"], part(running)["waits"], part(running)["free"]) == (running.ben.pk, "Ben", 3)


def test_everything_that_shows_a_host_gets_a_new_seq(running: Cafe) -> None:
    names(running, 1, running.ben)
    before = heads(running)
    names(running, 2, running.ben)
    after = heads(running)
    risen = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert risen == {"room": 2, f"me{running.ben.pk}": 1}
    person = next(p for p in reading.page(running.ben, ["me"]).parts["me"] if p["id"] == "person")
    assert person["role"] == "host"


def test_a_chair_that_is_kept_says_the_new_name_of_its_host(running: Cafe) -> None:
    names(running, 1, running.dana)
    before = part(running)["seq"]
    running.does(running.moderator, "room", "person.set", p=running.dana.pk, name="Dana D.")
    assert (part(running)["waits"], part(running)["seq"] > before) == ("Dana D.", True)


def test_hosts_and_other_wishes_travel_together(running: Cafe) -> None:
    table = running.table(1).pk
    answer = running.does(running.moderator, "room", "table.set", table=table, host=running.ben.pk, cap=6, name="Bar")
    assert (answer.code, part(running)["cap"], part(running)["name"], hosts(running)) == (None, 6, "Bar", ["Ben", None])


def test_two_hosts_in_one_batch_change_tables(running: Cafe) -> None:
    names(running, 1, running.ben)
    names(running, 2, running.dana)
    both = [
        running.op(running.moderator, "room", "table.set", table=running.table(number).pk, host=who.pk)
        for number, who in ((1, running.dana), (2, running.ben))
    ]
    assert [answer.code for answer in streams.apply(both)] == [None, None]
    assert hosts(running) == ["Dana", "Ben"]


def test_the_database_lets_nobody_host_two_tables(running: Cafe) -> None:
    names(running, 1, running.ben)
    with pytest.raises(IntegrityError), transaction.atomic():
        Table.objects.filter(event=running.event, number=2).update(host=running.ben)


def test_a_table_with_a_host_is_not_taken_away(cafe: Cafe) -> None:
    plan = plan_of(cafe.now)
    shorter = replace(plan, tables=plan.tables[:1])
    assert names(cafe, 2, cafe.dana).code is None
    with pytest.raises(TakenAway):
        change(cafe.now, shorter)
    names(cafe, 2, None)
    change(cafe.now, shorter)
    assert cafe.event.tables.count() == 1
