"""Sitting down, changing, leaving; the moderator's hand; full tables."""

from sessions.models import Participant, Stream
from tables import seating
from tables.models import Seat, SeatHistory, Table
from tests.cafe import Cafe


def at(cafe: Cafe, who: Participant, session: int = 1) -> int | None:
    seat = Seat.objects.filter(participant=who, session__number=session).select_related("table").first()
    return seat.table.number if seat else None


def test_guests_sit_down_change_and_leave_with_one_operation_each(cafe: Cafe) -> None:
    cafe.steps(2)
    assert cafe.does(cafe.cem, "room", "seat.take", table=cafe.table(1).pk).code is None
    assert at(cafe, cafe.cem) == 1
    assert cafe.does(cafe.cem, "room", "seat.take", table=cafe.table(2).pk).code is None
    assert at(cafe, cafe.cem) == 2
    assert cafe.does(cafe.cem, "room", "seat.leave").code is None
    assert at(cafe, cafe.cem) is None


def test_nobody_sits_down_before_the_session_is_opened(cafe: Cafe) -> None:
    cafe.steps(1)
    early = cafe.does(cafe.cem, "room", "seat.take", table=cafe.table(1).pk)
    cafe.steps(1)
    assert (early.code, cafe.does(cafe.cem, "room", "seat.take", table=cafe.table(1).pk).code) == (
        "not_allowed_now",
        None,
    )


def test_a_full_table_says_so_and_names_tables_with_free_seats(db: None) -> None:
    cafe = Cafe(seats=1)
    cafe.steps(2)
    assert cafe.does(cafe.ben, "room", "seat.take", table=cafe.table(1).pk).code is None
    full = cafe.does(cafe.cem, "room", "seat.take", table=cafe.table(1).pk)
    assert (full.code, full.names) == ("table_full", ("Table 2",))


def test_seat_me_leads_to_the_emptiest_table_and_moves_nobody(cafe: Cafe) -> None:
    cafe.steps(2)
    for person in (cafe.ben, cafe.cem, cafe.dana):
        assert cafe.does(person, "room", "seat.any").code is None
    assert [at(cafe, person) for person in (cafe.ben, cafe.cem, cafe.dana)] == [1, 2, 1]
    assert cafe.does(cafe.ben, "room", "seat.any").code is None
    assert at(cafe, cafe.ben) == 1


def test_seat_me_says_so_when_every_table_is_full(db: None) -> None:
    cafe = Cafe(tables=2, seats=1)
    cafe.steps(2)
    codes = [cafe.does(person, "room", "seat.any").code for person in (cafe.ben, cafe.cem, cafe.dana)]
    assert codes == [None, None, "table_full"]


def test_the_moderator_seats_and_frees_people_guests_cannot(cafe: Cafe) -> None:
    cafe.steps(1)
    put = cafe.does(cafe.moderator, "room", "seat.put", p=cafe.cem.pk, table=cafe.table(2).pk)
    assert (put.code, at(cafe, cafe.cem)) == (None, 2)
    assert cafe.does(cafe.ben, "room", "seat.put", p=cafe.cem.pk, table=cafe.table(1).pk).code == "not_allowed"
    cafe.does(cafe.moderator, "room", "seat.put", p=cafe.cem.pk, table=None)
    assert at(cafe, cafe.cem) is None


def test_people_of_another_event_cannot_be_seated(cafe: Cafe) -> None:
    cafe.steps(2)
    assert cafe.does(cafe.moderator, "room", "seat.put", p=cafe.ben.pk, table=cafe.table(1).pk).code is None
    assert cafe.does(cafe.moderator, "room", "seat.put", p=cafe.eve.pk, table=cafe.table(1).pk).code == "not_found"
    other = Table.objects.filter(event=cafe.eve.event_id).earliest("pk")
    assert cafe.does(cafe.cem, "room", "seat.take", table=other.pk).code == "not_found"


def test_fewer_seats_than_people_removes_nobody_and_lets_nobody_in(running: Cafe) -> None:
    lowered = running.does(running.moderator, "room", "table.set", table=running.table(1).pk, cap=1)
    assert (lowered.code, at(running, running.ben), at(running, running.cem)) == (None, 1, 1)
    assert running.does(running.dana, "room", "seat.take", table=running.table(1).pk).code == "table_full"
    part = next(p for p in parts_of_room(running) if p["no"] == 1)
    assert (part["cap"], part["taken"], part["over"], part["full"]) == (1, 2, 1, True)


def test_a_closed_table_lets_nobody_in(running: Cafe) -> None:
    running.does(running.moderator, "room", "table.set", table=running.table(1).pk, open=False)
    assert running.does(running.dana, "room", "seat.take", table=running.table(1).pk).code == "table_full"
    running.does(running.moderator, "room", "table.set", table=running.table(1).pk, open=True)
    assert running.does(running.dana, "room", "seat.take", table=running.table(1).pk).code is None


def test_a_seat_change_raises_both_tables_and_the_persons_own_stream(running: Cafe) -> None:
    before = {stream.pk: stream.head for stream in Stream.objects.all()}
    running.does(running.cem, "room", "seat.take", table=running.table(2).pk)
    risen = {str(s) + str(s.ref): s.head - before[s.pk] for s in Stream.objects.all() if s.head != before[s.pk]}
    assert risen == {"room0": 2, f"me{running.cem.pk}": 1}


def test_where_somebody_sat_is_remembered_until_when(running: Cafe) -> None:
    running.does(running.cem, "room", "seat.take", table=running.table(2).pk)
    past = dict(SeatHistory.objects.filter(participant=running.cem).values_list("board__table__number", "until"))
    assert (past[1] is not None, past[2]) == (True, None)


def test_the_next_session_begins_with_free_seats(running: Cafe) -> None:
    running.steps(2)
    assert (running.now.session_no, [part["taken"] for part in parts_of_room(running)]) == (2, [0, 0])
    assert at(running, running.cem, session=1) == 1


def test_the_first_chair_waits_for_the_host() -> None:
    table = Table(pk=1, cap=3, host_id=7)
    assert [seating.free_chair(table, 5, taken) for taken in ((), (1,), (1, 2))] == [1, 2, None]
    assert seating.free_chair(table, 7, (1, 2)) == 0


def test_initials_are_two_letters() -> None:
    assert [seating.initials(name) for name in ("Ada Lovelace", "ben", "Ça va bien", "李")] == ["AL", "BE", "ÇB", "李"]


def parts_of_room(cafe: Cafe) -> list[dict[str, object]]:
    from sessions.live import reading

    return reading.page(cafe.ben, ["room"]).parts["room"]
