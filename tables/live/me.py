"""The stream `me`: what concerns one person. Nothing is written to it directly."""

from collections.abc import Iterable, Sequence
from typing import Any

from sessions.live.kinds import Kind, Part, Read
from sessions.live.ops import Name
from sessions.live.scene import Scene
from sessions.models import Event, Participant, Stream
from tables.models import Board, Note, Seat, Table


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

    def seat(self, viewer: Participant) -> dict[str, Any] | None:
        seat = seats_of([viewer])[0][1]
        session = viewer.event.current_session()
        table = Table.objects.get(pk=seat["table"]) if seat["table"] else None
        if table is None or session is None:
            return None
        asked = [q.pk for q in session.questions.all() if q.table_no in {None, table.number}]
        return {"table": table.pk, "board": seat["board"], "questions": asked}

    def parts(self, reads: Sequence[Read]) -> dict[int, list[Part]]:
        after = {read.stream.ref: read.after for read in reads}
        stream_of = {read.stream.ref: read.stream.pk for read in reads}
        found: dict[int, list[Part]] = {pk: [] for pk in stream_of.values()}
        people = [p for p in Participant.objects.filter(pk__in=after) if p.me_seq > after[p.pk]]
        for person, seat in seats_of(people):
            found[stream_of[person.pk]] += [_person(person), Part.same("seat", person.me_seq, seat)]
        ever_hidden = Note.objects.filter(author_id__in=after, hidden_seq__gt=max(0, min(after.values())))
        for note in ever_hidden:
            if note.hidden_seq > after[note.author_id]:
                found[stream_of[note.author_id]].append(_hidden(note))
        return found


def seats_of(people: Sequence[Participant]) -> list[tuple[Participant, dict[str, int | None]]]:
    """Each person's seat in the current session: `{session, table, board}`, null where there is none."""
    events = Event.objects.prefetch_related("sessions").in_bulk({person.event_id for person in people})
    current = {pk: event.current_session() for pk, event in events.items()}
    sessions = {session.pk: session for session in current.values() if session}
    rows = Seat.objects.filter(participant_id__in=[p.pk for p in people], session_id__in=sessions)
    seats = {row.participant_id: row for row in rows}
    boards = {
        (board.session_id, board.table_id): board.pk
        for board in Board.objects.filter(session_id__in=sessions, table_id__in={row.table_id for row in rows})
    }
    found = []
    for person in people:
        session, seat = current[person.event_id], seats.get(person.pk)
        board = boards.get((seat.session_id, seat.table_id)) if seat else None
        table = seat.table_id if seat else None
        found.append((person, {"session": session.number if session else None, "table": table, "board": board}))
    return found


def _person(person: Participant) -> Part:
    fields = {"name": person.name, "role": person.role, "removed": person.removed_at is not None}
    return Part.same("person", person.me_seq, fields)


def _hidden(note: Note) -> Part:
    name = f"hidden:{note.pk}"
    if not note.hidden or note.gone_at is not None:
        return Part.gone(name, note.hidden_seq)
    return Part.same(name, note.hidden_seq, {"note": str(note.pk), "board": note.board_id, "text": note.text})
