"""The stream `room`: the tables with who sits at them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sessions.ledger import Erased, What
from sessions.links import host_of
from sessions.live import course, rows
from sessions.live.fields import Fields, Id, Number, Truth
from sessions.live.kinds import EVERY_STREAM, Kind, Part, Read
from sessions.live.ops import Name, Op, Refused
from sessions.live.scene import Scene
from sessions.models import Change, Event, Participant
from sessions.names import clean_name
from sessions.permissions import Action, Role
from tables.live import glance, hosts, persons
from tables.live.floor import Floor
from tables.models import SEATS, Board, Seat, Table
from tables.seating import free_at, initials

ROOM = Name("room")


class RoomKind(Kind):
    name = "room"
    keeps = True
    operations = {
        "seat.take": Fields({"table": Id()}),
        "seat.any": Fields(),
        "seat.leave": Fields(),
        "seat.put": Fields({"p": Id(), "table": Id(nullable=True)}),
        "table.set": Fields(
            {"table": Id()}, {"cap": Number(*SEATS), "open": Truth(), "name": clean_name, "host": Id(nullable=True)}
        ),
        "person.set": Fields({"p": Id()}, {"name": clean_name, "removed": Truth()}),
    }

    def locks(self, op: Op) -> Sequence[Name] | str:
        if op.data.keys() & {"host", "name"} or op.kind == "person.set":
            return EVERY_STREAM  # a name stands on boards too, and a role is what operations are judged by
        if op.kind == "table.set":
            return [ROOM]
        return [ROOM, Name("me", op.data.get("p", op.actor_id))]

    def load(self, scene: Scene, ops: Sequence[Op]) -> Floor:
        return Floor.read(scene, ops)

    def judge(self, scene: Scene, state: Floor, op: Op) -> None:
        event, actor = scene.event_of(op), scene.actor(op)
        match op.kind:
            case "seat.take" | "seat.any" | "seat.leave":
                scene.ask(Action.SIT, Role(actor.role), event)
                _sit(scene, state, event, actor, op)
            case "seat.put":
                scene.ask(Action.PUT, Role(actor.role), event)
                person = state.person(event, op.data["p"])
                state.move(scene, event, person, state.table_or_none(event, op.data["table"]))
            case "table.set":
                scene.ask(Action.PUT, Role(actor.role), event)
                _set_table(scene, state, event, op)
            case "person.set":
                scene.ask(Action.PUT, Role(actor.role), event)
                persons.change(scene, state, event, state.person(event, op.data["p"]), op.data)

    def new_session(self, scene: Scene, event: Event) -> None:
        """Another session: other boards, other questions, everybody stands."""
        for table in event.tables.all():
            table.seq = scene.raise_head(event, ROOM, f"table:{table.pk}")
            scene.saves.update(table, "seq")

    def tombstones(self) -> Iterable[tuple[What, str, object]]:
        removed = Participant.objects.exclude(removed_at=None)
        return [(What.PERSON_REMOVED, key, pk) for key, pk in removed.values_list("event__key", "pk")]

    def returned(self, event: Event, what: What, since: Mapping[str, int]) -> Iterable[tuple[str, int]]:
        """Whoever is here, and was set since, is not removed any more."""
        if what is not What.PERSON_REMOVED:
            return []
        changes = Change.objects.filter(stream__event=event, stream__kind="me", kind="person.set", part="person")
        found = [(str(ref), at) for ref, at in changes.values_list("stream__ref", "at").order_by("at")]
        return [(ref, at) for ref, at in found if at > since.get(ref, at)]

    def withdraw(self, scene: Scene, event: Event, erased: Erased) -> None:
        """Whoever was removed is so again, and keeps no seat."""
        refs = {int(ref) for ref in erased.of(event.key, What.PERSON_REMOVED)}
        here = event.participants.filter(pk__in=refs, removed_at=None).values_list("pk", flat=True)
        ops = [_removal(event, pk, scene.now) for pk in here]
        floor = Floor.read(scene, ops)
        for op in ops:
            persons.change(scene, floor, event, floor.person(event, op.data["p"]), op.data)

    def parts(self, reads: Sequence[Read]) -> dict[int, list[Part]]:
        after = {read.stream.event_id: read.after for read in reads}
        of_event = {read.stream.event_id: read.stream.pk for read in reads}
        found: dict[int, list[Part]] = {pk: [] for pk in of_event.values()}
        risen = [Laid._make(row) for row in rows.newer(Table, Laid._fields[:-1], "event", after, joined="host")]
        for table, part in table_parts(sorted(risen, key=lambda table: table.number)):
            found[of_event[table.event]].append(part)
        return found

    def glance(self, events: Sequence[int]) -> dict[int, dict[str, Any]]:
        return glance.numbers(events)


def _removal(event: Event, pk: int, now: int) -> Op:
    data = {"p": pk, "removed": True}
    return Op(UUID(int=0), event.pk, actor_id=pk, stream=ROOM, kind="person.set", data=data, base=None, arrived=now)


def _sit(scene: Scene, floor: Floor, event: Event, actor: Participant, op: Op) -> None:
    match op.kind:
        case "seat.take":
            floor.move(scene, event, actor, floor.table(event, op.data["table"]))
        case "seat.any":
            floor.move(scene, event, actor, floor.emptiest(event, actor))
        case "seat.leave":
            floor.move(scene, event, actor, None)


def _set_table(scene: Scene, floor: Floor, event: Event, op: Op) -> None:
    wishes = {name: value for name, value in op.data.items() if name != "table"}
    if not wishes:
        raise Refused("bad_field")
    table = floor.table(event, op.data["table"])
    if "host" in wishes:
        hosts.appoint(scene, floor, event, table, wishes.pop("host"))
    if wishes.get("name", table.name) != table.name:
        floor.raise_boards(scene, event, table)
    for name, value in wishes.items():
        setattr(table, name, value)
    scene.saves.update(table, *wishes)
    floor.raise_table(scene, event, table)


class Laid(NamedTuple):
    """What is told of a table, as the database has it: named like its fields, keys as numbers."""

    id: int
    event: int
    number: int
    name: str
    cap: int
    open: bool
    host: int | None
    talk_link: str
    seq: int
    host_name: str | None

    @property
    def host_id(self) -> int | None:
        return self.host


class Sitting(NamedTuple):
    """Who sits on which chair of a table."""

    person: int
    name: str
    place: int


def table_parts(tables: Sequence[Laid]) -> list[tuple[Laid, Part]]:
    """The parts of these tables; five queries, however many there are."""
    if not tables:
        return []
    events = course.events_with_questions({table.event for table in tables})
    sessions = {session.pk for event in events.values() if (session := event.current_session())}
    among = {"session": sessions, "table": [table.id for table in tables]}
    seats = _seats(among)
    boards: dict[int, int] = {table: pk for table, pk, *_ in rows.find(Board, ("table", "id"), among)}
    return [(table, _part(table, events[table.event], seats[table.id], boards.get(table.id))) for table in tables]


def _seats(among: Mapping[str, Collection[int]]) -> Mapping[int, list[Sitting]]:
    """By table, from the first chair to the last."""
    taken = rows.find(Seat, ("place", "table", "participant", "participant__name"), among)
    seats: dict[int, list[Sitting]] = defaultdict(list)
    for place, table, person, name in sorted(map(tuple, taken)):
        seats[table].append(Sitting(person, name, place))
    return seats


def _part(table: Laid, event: Event, seats: list[Sitting], board: int | None) -> Part:
    session = event.current_session()
    own = [q for q in session.questions.all() if q.table_no == table.number] if session else []
    free = free_at(table, 0, (seat.place for seat in seats))
    fields = {
        "table": table.id,
        "no": table.number,
        "name": table.name,
        "cap": table.cap,
        "open": table.open,
        "host": table.host,
        "waits": _waiting_for(table, seats),
        "seats": [_seat(seat, table) for seat in seats],
        "taken": len(seats),
        "free": free,
        "over": max(0, len(seats) - table.cap),
        "full": not free,
        "board": board,
        "questions": [{"id": question.pk, "text": question.text} for question in own],
        "link": table.talk_link or event.talk_link,
        "link_host": host_of(table.talk_link or event.talk_link),
    }
    return Part.same(f"table:{table.id}", table.seq, fields)


def _waiting_for(table: Laid, seats: list[Sitting]) -> str:
    """The name of the host whom a chair is kept for; empty when the host sits here, or there is none."""
    here = any(seat.person == table.host for seat in seats)
    return "" if here else table.host_name or ""


def _seat(seat: Sitting, table: Laid) -> dict[str, Any]:
    return {
        "p": seat.person,
        "name": seat.name,
        "i": seat.place,
        "initials": initials(seat.name),
        "host": seat.person == table.host,
    }
