"""The cast stands where the tests believe it stands."""

from sessions.models import Event, Moderator, Participant
from sessions.phases import Phase
from tables.models import Seat, Table
from tests.cast import browser_of


def test_everybody_is_in_place(
    ada: Moderator, event: Event, ben: Participant, cem: Participant, dana: Participant, eve: Participant
) -> None:
    assert event.phase_at() is Phase.RUNNING
    assert event.owner == ada
    seats = Seat.objects.order_by("table__number", "place").values_list("participant__name", "table__number")
    assert list(seats) == [("Ben", 1), ("Cem", 1), ("Dana", 2)]
    assert Table.objects.get(event=event, number=1).host == ben
    assert eve.event != event


def test_a_guest_reaches_the_table_and_an_outsider_does_not(event: Event, cem: Participant, eve: Participant) -> None:
    assert browser_of(cem).get(f"/e/{event.key}/table/").status_code == 200
    assert browser_of(eve).get(f"/e/{event.key}/table/").status_code == 302
