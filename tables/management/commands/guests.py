from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.db.models import Q

from sessions import identity
from sessions.clock import now_ms
from sessions.codes import as_code
from sessions.live import streams
from sessions.live.ops import Name, Op
from sessions.live.uuid7 import uuid7
from sessions.management.asking import AskingCommand
from sessions.models import Event, Participant
from sessions.phases import Phase
from tables.models import Seat, Table
from tables.samples.names import invented
from tables.seating import free_at

MOST = 2_000
AT_ONCE = 50  # people seated in one batch


class Command(AskingCommand):
    help = (
        "Adds guests to an event and prints a line for each: the name, a tab, and the Cookie header that is this guest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="join code or key of the event")
        parser.add_argument("--count", type=int, default=1, help="how many guests (default 1)")
        parser.add_argument("--seated", action="store_true", help="seat them, table by table")

    def handle(self, *args: Any, code: str, count: int, seated: bool, **options: Any) -> None:
        event = event_with(code)
        if not 1 <= count <= MOST:
            raise CommandError(f"--count must be between 1 and {MOST}.")
        tables = list(islice(free_seats(event), count)) if seated else []
        if seated and len(tables) < count:
            raise CommandError(
                f"There are {len(tables)} free seats, not {count}. Add seats or tables, or ask for fewer."
            )
        with transaction.atomic():
            people = [identity.come_in(event, name) for name in islice(new_names(event), count)]
        if seated:
            seat(event, [person for person, _secret in people], tables)
        for person, secret in people:
            self.stdout.write(f"{person.name}\t{identity.cookie_name(event)}={secret}")


def event_with(code: str) -> Event:
    """The event with this join code or key. Raises `CommandError`."""
    typed = as_code(code)
    event = Event.objects.filter(Q(join_code=typed) | Q(key=typed)).prefetch_related("sessions").first()
    if event is None:
        raise CommandError(f"There is no event with the code {code}.")
    return event


def new_names(event: Event) -> Iterator[str]:
    """Names nobody in the event has."""
    here = list(event.participants.values_list("name", flat=True))
    return invented(event.language, besides=here, seed=len(here))


def free_seats(event: Event) -> Iterator[Table]:
    """Each table as often as it has a free seat in the current session, in the order of the tables."""
    session = event.current_session()
    if session is None or event.phase_at() in {Phase.GALLERY, Phase.CLOSED, Phase.ARCHIVED}:
        raise CommandError("Nobody sits down any more: the event has no session to come.")
    places: dict[int, set[int]] = {}
    for table_id, place in Seat.objects.filter(session=session).values_list("table_id", "place"):
        places.setdefault(table_id, set()).add(place)
    for table in event.tables.all():
        for _ in range(free_at(table, 0, places.get(table.pk, set()))):
            yield table


def seat(event: Event, people: list[Participant], tables: list[Table]) -> None:
    """As the moderator would from the console, which is possible in every phase. Raises `CommandError`."""
    moderator = identity.moderator_in(event, event.owner)
    if moderator is None:
        raise CommandError("The event has no moderator.")
    for first in range(0, len(people), AT_ONCE):
        now = now_ms()
        wishes = [
            Op(uuid7(now), event.pk, moderator.pk, Name("room"), "seat.put", {"p": p.pk, "table": t.pk}, None, now)
            for p, t in zip(people[first : first + AT_ONCE], tables[first : first + AT_ONCE], strict=True)
        ]
        refused = [answer.code for answer in streams.apply(wishes) if answer.code]
        if refused:
            raise CommandError(f"Somebody else was faster and took a seat ({refused[0]}). Ask again.")
