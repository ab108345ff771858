from collections import Counter
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from sessions import identity
from sessions.clock import now_ms
from sessions.live import streams
from sessions.live.ops import Name, Op
from sessions.live.uuid7 import uuid7
from sessions.models import Event, Moderator, Participant
from tables.models import Seat, Table
from tables.plan import Plan, PlanSession, asked, build, laid

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    """Ada's event with three tables of two seats each, in draft."""
    plan = Plan(
        title="Smart City",
        starts_at=datetime(2026, 8, 24, 15, tzinfo=UTC),
        sessions=(PlanSession(asked("What works?")), PlanSession(asked("What next?"))),
        tables=laid(3, cap=2),
    )
    return build(Moderator.objects.named("ada@example.org", name="Ada"), plan)


def lead(event: Event, **data: object) -> None:
    ada = identity.moderator_in(event, event.owner)
    assert ada is not None
    op = Op(uuid7(), event.pk, ada.pk, Name("stage"), "phase.go", data, None, now_ms())
    assert streams.apply([op])[0].code is None


def guests(*arguments: str) -> list[list[str]]:
    out = StringIO()
    call_command("guests", *arguments, stdout=out)
    return [line.split("\t") for line in out.getvalue().splitlines()]


def seated_at(event: Event) -> dict[int, int]:
    return dict(Counter(Seat.objects.filter(table__event=event).values_list("table__number", flat=True)))


def test_each_line_is_a_name_and_the_cookie_that_is_this_guest(event: Event) -> None:
    lines = guests(event.join_code, "--count", "3")

    assert [name for name, _cookie in lines] == [guest.name for guest in event.participants.filter(moderator=None)]
    for name, cookie in lines:
        guest = identity.participant_with(event, cookie)
        assert guest is not None
        assert (guest.name, guest.role) == (name, Participant.Role.GUEST)
        assert cookie.startswith(f"zc-{event.key}=")


def test_guests_are_seated_table_by_table(event: Event) -> None:
    lines = guests(event.join_code, "--count", "5", "--seated")

    seats = Seat.objects.order_by("table__number", "place").values_list("participant__name", "table__number", "place")
    assert list(seats) == [(name, 1 + i // 2, i % 2) for i, (name, _cookie) in enumerate(lines)]


def test_the_next_guests_sit_where_there_is_room(event: Event) -> None:
    guests(event.key, "--count", "3", "--seated")

    guests(event.key, "--count", "3", "--seated")

    assert seated_at(event) == {1: 2, 2: 2, 3: 2}
    assert event.participants.values("name").distinct().count() == 7


def test_guests_sit_in_the_session_that_runs(event: Event) -> None:
    lead(event, phase="running", session=2)

    guests(event.join_code, "--count", "2", "--seated")

    assert set(Seat.objects.values_list("session__number", flat=True)) == {2}


def test_guests_seated_by_command_are_in_the_room_for_everybody(event: Event) -> None:
    lines = guests(event.join_code, "--count", "2", "--seated")

    room = event.streams.get(kind="room")
    first, *others = sorted(streams.since([(room.pk, 0)])[room.pk][1], key=lambda part: part.guests["no"])
    assert [seat["name"] for seat in first.guests["seats"]] == [name for name, _ in lines]
    assert not any(part.guests["seats"] for part in others)
    assert room.changes.filter(kind="seat.put", answers=True).count() == 2


def test_closed_tables_and_the_chair_of_a_host_stay_free(event: Event) -> None:
    ben = Participant.objects.create(event=event, name="Ben", role=Participant.Role.HOST)
    Table.objects.filter(event=event, number=1).update(host=ben)
    Table.objects.filter(event=event, number=2).update(open=False)

    guests(event.join_code, "--count", "3", "--seated")

    assert seated_at(event) == {1: 1, 3: 2}


def test_more_guests_than_seats_are_refused_before_anybody_comes(event: Event) -> None:
    with pytest.raises(CommandError, match="There are 6 free seats, not 7"):
        guests(event.join_code, "--count", "7", "--seated")

    assert not event.participants.filter(moderator=None).exists()
    assert len(guests(event.join_code, "--count", "6", "--seated")) == 6


def test_nobody_is_seated_once_the_gallery_is_open(event: Event) -> None:
    lead(event, phase="gallery")

    with pytest.raises(CommandError, match="Nobody sits down any more"):
        guests(event.join_code, "--seated")

    assert len(guests(event.join_code)) == 1


@pytest.mark.parametrize("count", ["0", "-3", "2001"])
def test_count_has_bounds(event: Event, count: str) -> None:
    with pytest.raises(CommandError, match="between 1 and 2000"):
        guests(event.join_code, f"--count={count}")


def test_code_may_be_typed_as_people_do(event: Event) -> None:
    spoken = f"{event.join_code[:4].lower()} {event.join_code[4:]}"

    assert len(guests(spoken)) == 1
    with pytest.raises(CommandError, match="There is no event with the code nonsense"):
        guests("nonsense")
