"""The state in which sitting down is judged: tables, chairs, people."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sessions.live.ops import Name, Op, Refused
from sessions.live.scene import Scene
from sessions.models import Event, Participant
from tables import seating
from tables.live.gallery import raise_look
from tables.models import Board, Note, Seat, SeatHistory, Table, Takeaway

ROOM = Name("room")


class Floor:
    """Tables and seats of the current sessions, changed in memory as the batch is judged."""

    def __init__(self) -> None:
        self.tables: dict[int, Table] = {}
        self.seats: dict[tuple[int, int], Seat] = {}  # (session, participant)
        self.at: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)  # (session, table) -> chair -> participant
        self.boards: dict[tuple[int, int], int] = {}  # (session, table)
        self.history: dict[tuple[int, int], SeatHistory] = {}  # (participant, board)
        self.people: dict[int, Participant] = {}
        self.notes: dict[int, list[Note]] = defaultdict(list)  # by author, for those who change their name
        self.takeaways: dict[int, Takeaway] = {}
        self.laid: dict[int, list[int]] = defaultdict(list)  # by table all its boards, for those that change their name

    @classmethod
    def read(cls, scene: Scene, ops: Sequence[Op]) -> "Floor":
        """Five queries, two more when somebody gets another name, one when a table does; however many operations."""
        floor = cls()
        sessions = [s.pk for event in scene.events.values() if (s := event.current_session())]
        renamed = {op.data["p"] for op in ops if op.kind == "person.set"}
        floor.tables = Table.objects.filter(event_id__in=scene.events).in_bulk()
        people = _concerned(ops, floor.tables)
        for seat in Seat.objects.filter(session_id__in=sessions):
            floor.add(seat)
        for pk, session, table in Board.objects.filter(session_id__in=sessions).values_list(
            "pk", "session_id", "table_id"
        ):
            floor.boards[session, table] = pk
        for past in SeatHistory.objects.filter(participant_id__in=people, board__session_id__in=sessions):
            floor.history[past.participant_id, past.board_id] = past
        floor.people = Participant.objects.filter(pk__in=people).in_bulk()
        floor.people |= {pk: scene.people[pk] for pk in scene.people.keys() & people}
        written = Note.objects.filter(board__session__event__in=scene.events, gone_at=None)
        notes = written.filter(author_id__in=renamed).select_related("board")
        for note in notes if renamed else ():
            floor.notes[note.author_id].append(note)
        if renamed:
            floor.takeaways = {t.participant_id: t for t in Takeaway.objects.filter(participant_id__in=renamed)}
        called = {op.data["table"] for op in ops if op.kind == "table.set" and "name" in op.data}
        for pk, table in Board.objects.filter(table__in=called).values_list("pk", "table_id") if called else ():
            floor.laid[table].append(pk)
        return floor

    def add(self, seat: Seat) -> None:
        self.seats[seat.session_id, seat.participant_id] = seat
        self.at[seat.session_id, seat.table_id][seat.place] = seat.participant_id

    def person(self, event: Event, pk: int) -> Participant:
        person = self.people.get(pk)
        if person is None or person.event_id != event.pk or person.role == Participant.Role.MODERATOR:
            raise Refused("not_found")
        return person

    def table(self, event: Event, pk: int) -> Table:
        table = self.tables.get(pk)
        if table is None or table.event_id != event.pk:
            raise Refused("not_found")
        return table

    def table_or_none(self, event: Event, pk: int | None) -> Table | None:
        return None if pk is None else self.table(event, pk)

    def hosted_by(self, person: Participant) -> Table | None:
        return next((table for table in self.tables.values() if table.host_id == person.pk), None)

    def emptiest(self, event: Event, person: Participant) -> Table:
        """Where "Seat me" leads; the seat one has already is as good, and a host is at home at one table."""
        session = self._session(event)
        seat = self.seats.get((session, person.pk))
        if seat is not None:
            return self.tables[seat.table_id]
        own = self.hosted_by(person)
        if own and seating.free_at(own, person.pk, self.at[session, own.pk]):
            return own
        tables = [table for table in self.tables.values() if table.event_id == event.pk]
        found = seating.emptiest(tables, person.pk, {table.pk: self.at[session, table.pk] for table in tables})
        if found is None:
            raise Refused("table_full", names=())
        return found

    def move(self, scene: Scene, event: Event, person: Participant, table: Table | None) -> None:
        """Seats a person at a table, or lets them stand up. Raises `Refused` before anything has changed."""
        session = self._session(event)
        seat = self.seats.get((session, person.pk))
        if (seat.table_id if seat else None) == (table.pk if table else None):
            return
        chair = self._chair(session, person, table) if table else None
        if seat is not None:
            self._stand_up(scene, event, seat)
        if table is not None and chair is not None:
            self._sit_down(scene, event, Seat(participant=person, session_id=session, table=table, place=chair))
        person.me_seq = scene.raise_head(event, Name("me", person.pk), "seat")
        scene.saves.update(person, "me_seq")

    def keep_first_chair(self, scene: Scene, event: Event, table: Table, host: Participant) -> None:
        """The host moves to the first chair; who sits there changes with them or takes a free one. Nobody stands up."""
        session = self._session(event)
        chairs, own = self.at[session, table.pk], self.seats.get((session, host.pk))
        mine = own.place if own and own.table_id == table.pk else None
        sitter = chairs.get(0)
        spare = mine or next((place for place in range(1, table.cap) if place not in chairs), None)
        if sitter not in {None, host.pk} and spare is not None:
            self._change_chair(scene, self.seats[session, sitter], spare)
        if mine and own and (sitter is None or spare is not None):
            self._change_chair(scene, own, 0)

    def _session(self, event: Event) -> int:
        session = event.current_session()
        if session is None:
            raise Refused("not_allowed_now")
        return session.pk

    def _chair(self, session: int, person: Participant, table: Table) -> int:
        if person.removed_at is not None:
            raise Refused("not_found")
        chair = seating.free_chair(table, person.pk, self.at[session, table.pk]) if table.open else None
        if chair is None:
            raise Refused("table_full", names=self._with_free_seats(session, person, table))
        return chair

    def _with_free_seats(self, session: int, person: Participant, full: Table) -> tuple[str, ...]:
        others = sorted((t for t in self.tables.values() if t.event_id == full.event_id), key=lambda t: t.number)
        return tuple(t.name for t in others if seating.free_at(t, person.pk, self.at[session, t.pk]))

    def _stand_up(self, scene: Scene, event: Event, seat: Seat) -> None:
        key = (seat.session_id, seat.participant_id)
        del self.seats[key]
        del self.at[seat.session_id, seat.table_id][seat.place]
        scene.saves.delete(seat, key)
        self._note_history(scene, seat, scene.now)
        self.raise_table(scene, event, self.tables[seat.table_id])

    def _sit_down(self, scene: Scene, event: Event, seat: Seat) -> None:
        self.add(seat)
        scene.saves.insert(seat, (seat.session_id, seat.participant_id))
        self._note_history(scene, seat, None)
        self.raise_table(scene, event, self.tables[seat.table_id])

    def _note_history(self, scene: Scene, seat: Seat, until: int | None) -> None:
        board = self.boards.get((seat.session_id, seat.table_id))
        if board is None:
            return
        past = self.history.get((seat.participant_id, board))
        if past is None:
            past = SeatHistory(participant_id=seat.participant_id, board_id=board)
            self.history[seat.participant_id, board] = past
            scene.saves.insert(past, (seat.participant_id, board))
        past.until = until
        if past.pk is not None:
            scene.saves.update(past, "until")

    def _change_chair(self, scene: Scene, seat: Seat, place: int) -> None:
        """Another chair at the same table."""
        key, chairs = (seat.session_id, seat.participant_id), self.at[seat.session_id, seat.table_id]
        if chairs.get(seat.place) == seat.participant_id:
            del chairs[seat.place]
        scene.saves.delete(seat, key)
        moved = Seat(participant_id=key[1], session_id=key[0], table_id=seat.table_id, place=place)
        self.add(moved)
        scene.saves.insert(moved, key)

    def raise_boards(self, scene: Scene, event: Event, table: Table) -> None:
        """All boards of a table look different, though no note does."""
        for pk in self.laid[table.pk]:
            raise_look(scene, event, board := Board(pk=pk))
            scene.saves.update(board, "gallery_seq")

    def raise_table(self, scene: Scene, event: Event, table: Table) -> None:
        table.seq = scene.raise_head(event, ROOM, f"table:{table.pk}")
        scene.saves.update(table, "seq")


def _concerned(ops: Sequence[Op], tables: Mapping[int, Table]) -> set[int]:
    """Who acts, to whom it is done, and the host whom another one follows."""
    people = {op.data.get("p", op.actor_id) for op in ops}
    for op in ops:
        if "host" in op.data:
            table = tables.get(op.data["table"])
            people |= {op.data["host"], table.host_id if table else None} - {None}
    return people
