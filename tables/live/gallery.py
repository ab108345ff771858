"""The stream `gallery`: what hangs there, and what people take home."""

from collections.abc import Sequence
from typing import Any, cast

from sessions.live import rows
from sessions.live.fields import Fields, Text
from sessions.live.kinds import Kind, Part, Read
from sessions.live.ops import Name, Op
from sessions.live.scene import Scene
from sessions.models import Event, Participant, Stream
from sessions.permissions import Action, Role
from tables.models import Board, Takeaway

GALLERY = Name("gallery")
MOST_TEXT = 500
EXHIBIT = ("pk", "session__number", "table_id", "table__number", "table__name", "gallery_seq", "note_count")


class GalleryKind(Kind):
    name = "gallery"
    operations = {
        "takeaway.set": Fields({"text": Text(MOST_TEXT, empty=True)}),
        "closing.set": Fields({"text": Text(MOST_TEXT, empty=True)}),
    }

    def locks(self, op: Op) -> Sequence[Name]:  # noqa: ARG002
        return [GALLERY]

    def load(self, scene: Scene, ops: Sequence[Op]) -> dict[int, Takeaway]:  # noqa: ARG002
        return {t.participant_id: t for t in Takeaway.objects.filter(participant_id__in={op.actor_id for op in ops})}

    def judge(self, scene: Scene, state: dict[int, Takeaway], op: Op) -> None:
        event, actor = scene.event_of(op), scene.actor(op)
        if op.kind == "closing.set":
            _close_with(scene, event, actor, op.data["text"])
        else:
            _take_home(scene, state, event, actor, op.data["text"])

    def parts(self, reads: Sequence[Read]) -> dict[int, list[Part]]:
        found: dict[int, list[Part]] = {}
        ids = [read.stream.event_id for read in reads]
        events = {event.pk: event for event in rows.load(Event, ("id", "closing", "closing_seq"), {"id": ids})}
        for read in reads:
            event = events[read.stream.event_id]
            found[read.stream.pk] = _exhibits(event, read.after) + _takeaways(event, read.after)
            if event.closing_seq > max(0, read.after):  # before that there is none
                found[read.stream.pk].append(Part.same("closing", event.closing_seq, {"text": event.closing}))
        return found


def _take_home(scene: Scene, state: dict[int, Takeaway], event: Event, actor: Participant, text: str) -> None:
    scene.ask(Action.TAKE_HOME, Role(actor.role), event)
    seq = scene.raise_head(event, GALLERY, f"takeaway:{actor.pk}")
    takeaway = state.get(actor.pk)
    if takeaway is None:
        state[actor.pk] = Takeaway(participant=actor, text=text, seq=seq)
        scene.saves.insert(state[actor.pk], actor.pk)
        return
    takeaway.text, takeaway.seq = text, seq
    if takeaway.pk is not None:
        scene.saves.update(takeaway, "text", "seq")


def _close_with(scene: Scene, event: Event, actor: Participant, text: str) -> None:
    scene.ask(Action.LEAD, Role(actor.role), event)
    event.closing = text
    event.closing_seq = scene.raise_head(event, GALLERY, "closing")
    scene.saves.update(event, "closing", "closing_seq")


def _exhibits(event: Event, after: int) -> list[Part]:
    boards = list(Board.objects.filter(session__event=event, gallery_seq__gt=after).values_list(*EXHIBIT, named=True))
    heads = _heads_of(event) if boards else {}
    return [_exhibit(board, heads.get(board.pk, 0)) for board in boards]


def _heads_of(event: Event) -> dict[int, int]:
    found = rows.find(Stream, ("ref", "head"), {"event": [event.pk], "kind": ["board"]})
    return dict(cast("list[tuple[int, int]]", found))


def _exhibit(board: Any, head: int) -> Part:
    fields = {
        "board": board.pk,
        "session": board.session__number,
        "table": board.table_id,
        "no": board.table__number,
        "name": board.table__name,
        "head": head,
        "count": board.note_count,
    }
    return Part.same(f"exhibit:{board.pk}", board.gallery_seq, fields)


def _takeaways(event: Event, after: int) -> list[Part]:
    written = Takeaway.objects.filter(participant__event=event, seq__gt=after)
    return [_takeaway(*row) for row in written.values_list("participant_id", "participant__name", "text", "seq")]


def _takeaway(person: int, name: str, text: str, seq: int) -> Part:
    part_id = f"takeaway:{person}"
    return Part.same(part_id, seq, {"p": person, "name": name, "text": text}) if text else Part.gone(part_id, seq)
