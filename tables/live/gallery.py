"""The stream `gallery`: what hangs there, and what people take home."""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, cast

from sessions.live import rows
from sessions.live.fields import Fields, Text
from sessions.live.kinds import Kind, Part, Read
from sessions.live.ops import Name, Op
from sessions.live.rows import Wish
from sessions.live.scene import Scene
from sessions.models import Event, Participant, Stream
from sessions.permissions import Action, Role
from tables.models import Board, Takeaway, walkers

GALLERY = Name("gallery")
MOST_TEXT = 500
EXHIBIT = ("id", "session__number", "table", "table__number", "table__name", "gallery_seq", "note_count")
PLACE = itemgetter(1, 3)  # session by session, and there table by table
TAKEN = ("participant", "participant__name", "text", "seq")
CLOSING, HEAD = ("closing", "closing_seq"), ("ref", "head")
Rows = Iterable[Sequence[Any]]


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
        return {read.stream.pk: _all(read) if read.after < 0 else _risen(read) for read in reads}

    def visible(self, viewers: Iterable[Participant], streams: Sequence[Stream]) -> set[tuple[int, int]]:
        """While people talk what hangs there, and what was said at the end, is not for guests yet."""
        walking = walkers(list(viewers))
        return {(viewer, stream.pk) for viewer in walking for stream in streams}


def raise_look(scene: Scene, event: Event, board: Board) -> None:
    """A board that is called otherwise, or asks something else, though no note of it is new: whoever walks the gallery
    fetches boards by their heads. Whoever calls this sees to it that its `gallery_seq` is saved.
    """
    scene.raise_head(event, Name("board", board.pk))
    raise_exhibit(scene, event, board)


def raise_exhibit(scene: Scene, event: Event, board: Board) -> None:
    """Whoever walks hears that there is something new at a board; its `gallery_seq` is saved by who calls this."""
    board.gallery_seq = scene.raise_head(event, GALLERY, f"exhibit:{board.pk}")


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


def _all(read: Read) -> list[Part]:
    """In one statement."""
    of = [read.stream.event_id]
    boards, heads, takeaways, closings = rows.gather(
        Wish(Board, EXHIBIT, {"session__event": of}),
        Wish(Stream, HEAD, {"event": of, "kind": ["board"]}),
        Wish(Takeaway, TAKEN, {"participant__event": of}),
        Wish(Event, CLOSING, {"id": of}),
    )
    return _parts(sorted(boards, key=PLACE), heads, takeaways, closings, read.after)


def _risen(read: Read) -> list[Part]:
    """However many there are of which nothing is new."""
    of = read.stream.event_id
    boards = Board.objects.filter(session__event=of, gallery_seq__gt=read.after).values_list(*EXHIBIT)
    heads = rows.find(Stream, HEAD, {"event": [of], "kind": ["board"], "ref": [board[0] for board in boards]})
    takeaways = Takeaway.objects.filter(participant__event=of, seq__gt=read.after).values_list(*TAKEN)
    return _parts(boards, heads, takeaways, rows.find(Event, CLOSING, {"id": [of]}), read.after)


def _parts(boards: Rows, heads: Rows, takeaways: Rows, closings: Rows, after: int) -> list[Part]:
    head_of = dict(cast("Iterable[tuple[int, int]]", heads))
    made = [_exhibit(head_of.get(board[0], 0), *board) for board in boards]
    made += [_takeaway(*row) for row in takeaways]
    return made + [Part.same("closing", seq, {"text": text}) for text, seq in closings if seq > max(0, after)]


def _exhibit(head: int, board: int, session: int, table: int, no: int, name: str, seq: int, count: int) -> Part:
    fields = {
        "board": board,
        "session": session,
        "table": table,
        "no": no,
        "name": name,
        "head": head,
        "count": count,
    }
    return Part.same(f"exhibit:{board}", seq, fields)


def _takeaway(person: int, name: str, text: str, seq: int) -> Part:
    part_id = f"takeaway:{person}"
    return Part.same(part_id, seq, {"p": person, "name": name, "text": text}) if text else Part.gone(part_id, seq)
