"""The stream `me`: what concerns one person. Nothing is written to it directly."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from sessions.live import course, rows
from sessions.live.kinds import Kind, Part, Read
from sessions.live.ops import Name
from sessions.live.rows import Wish
from sessions.live.scene import Scene
from sessions.models import Event, Participant, Question, Stream
from tables.models import Board, Note, Seat, Table

HIDDEN = ("id", "author", "board", "text", "hidden", "hidden_seq", "gone_at")


class MeKind(Kind):
    name = "me"

    def visible(self, viewers: Iterable[Participant], streams: Sequence[Stream]) -> set[tuple[int, int]]:
        return {(viewer.pk, stream.pk) for viewer in viewers for stream in streams if stream.ref == viewer.pk}

    def new_session(self, scene: Scene, event: Event) -> None:
        """Everybody's seat is another one, or none yet."""
        for person in event.participants.filter(removed_at=None):
            if scene.has(event, Name("me", person.pk)):
                person.me_seq = scene.raise_head(event, Name("me", person.pk), "seat")
                scene.saves.update(person, "me_seq")

    def seats(self, viewers: Sequence[Participant]) -> dict[int, dict[str, Any]]:
        events = {viewer.event_id: viewer.event for viewer in viewers}
        taken = [(person, seat) for person, seat in seats_of(viewers, events) if seat["table"] is not None]
        if not taken:
            return {}
        sessions = {pk: session.pk for pk, event in events.items() if (session := event.current_session())}
        tables, questions = rows.gather(
            Wish(Table, ("id", "number"), {"id": {seat["table"] for _person, seat in taken}}),
            Wish(Question, ("session", "table_no", "number", "id"), {"session": set(sessions.values())}),
        )
        numbers, asked = dict(cast("list[tuple[int, int]]", tables)), sorted(questions, key=_place)
        return {
            person.pk: {
                "table": seat["table"],
                "board": seat["board"],
                "questions": [
                    pk
                    for session, number, _place, pk in asked
                    if session == sessions[person.event_id] and number in {None, numbers[seat["table"] or 0]}
                ],
            }
            for person, seat in taken
        }

    def parts(self, reads: Sequence[Read]) -> dict[int, list[Part]]:
        after = {read.stream.ref: read.after for read in reads}
        stream_of = {read.stream.ref: read.stream.pk for read in reads}
        found: dict[int, list[Part]] = {pk: [] for pk in stream_of.values()}
        people = [p for p in rows.whole(Participant, {"id": after}) if p.me_seq > after[p.pk]]
        for person, seat in seats_of(people, course.events({person.event_id for person in people})):
            found[stream_of[person.pk]] += [_person(person), Part.same("seat", person.me_seq, seat)]
        for note in rows.load(Note, HIDDEN, {"author": after}, where='"hidden_seq" > 0'):
            if note.hidden_seq > after[note.author_id]:
                found[stream_of[note.author_id]].append(_hidden(note))
        return found


def _place(question: Sequence[Any]) -> tuple[int, int, int]:
    _session, table_no, number, pk = question
    return table_no or 0, number, pk


def seats_of(
    people: Sequence[Participant], events: Mapping[int, Event]
) -> list[tuple[Participant, dict[str, int | None]]]:
    """Each person's seat in the current session: `{session, table, board}`, null where there is none."""
    current = {pk: event.current_session() for pk, event in events.items()}
    among = {"session": [session.pk for session in current.values() if session]}
    taken = rows.find(Seat, ("participant", "session", "table"), {"participant": [p.pk for p in people], **among})
    tables = {person: (session, table) for person, session, table in taken}
    laid = rows.find(Board, ("session", "table", "id"), {"table": {table for *_seat, table in taken}, **among})
    boards = {(session, table): pk for session, table, pk in laid}
    found = []
    for person in people:
        session, place = current[person.event_id], tables.get(person.pk)
        seat = {"table": place[1] if place else None, "board": boards.get(place) if place else None}
        found.append((person, {"session": session.number if session else None, **seat}))
    return found


def _person(person: Participant) -> Part:
    fields = {"name": person.name, "role": person.role, "removed": person.removed_at is not None}
    return Part.same("person", person.me_seq, fields)


def _hidden(note: Note) -> Part:
    name = f"hidden:{note.pk}"
    if not note.hidden or note.gone_at is not None:
        return Part.gone(name, note.hidden_seq)
    return Part.same(name, note.hidden_seq, {"note": str(note.pk), "board": note.board_id, "text": note.text})
