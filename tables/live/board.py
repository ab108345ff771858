"""The streams `board:<id>`: the notes on one tablecloth."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F

from sessions.ledger import Erased, What
from sessions.live import rows
from sessions.live.fields import Fields, Id, OneOf, Text, uuid, uuid_or_null
from sessions.live.kinds import Kind, Part, Read
from sessions.live.ops import Answer, Name, Op, Refused
from sessions.live.scene import Scene
from sessions.live.uuid7 import made_at
from sessions.live.wire import Encoded
from sessions.models import Change, Event, Participant, Stream
from sessions.permissions import Action, Role
from sessions.phases import Phase
from tables.live import new_notes
from tables.live.cloth import Cloth
from tables.live.gallery import GALLERY, raise_exhibit
from tables.live.written import Written, written_of
from tables.models import COLOURS, Authorship, Board, Note, readable
from tables.order import at_end

HIDING = frozenset({"note.hide", "note.show"})
MOST_TEXT = settings.LIMIT_NOTE_CHARACTERS


class BoardKind(Kind):
    name = "board"
    may_govern = False
    keeps = True
    operations = {
        "note.add": Fields({"q": Id(), "text": Text(MOST_TEXT)}, {"colour": OneOf(*COLOURS)}),
        "note.edit": Fields({"note": uuid}, {"text": Text(MOST_TEXT), "colour": OneOf(*COLOURS)}),
        "note.move": Fields({"note": uuid, "after": uuid_or_null}, {"q": Id()}),
        "note.gone": Fields({"note": uuid}),
        "note.back": Fields({"note": uuid}),
        "note.hide": Fields({"note": uuid}),
        "note.show": Fields({"note": uuid}),
    }
    usual = "note.add"

    def locks(self, op: Op) -> Sequence[Name]:
        return [op.stream]

    def load(self, scene: Scene, ops: Sequence[Op]) -> Cloth:
        """Locks the gallery too when people may walk there, and the authors' own streams for hidden notes."""
        cloth = Cloth.read(scene, ops)
        walks = {pk for pk, event in scene.events.items() if scene.phase(event) is not Phase.RUNNING}
        needed = {(op.event_id, GALLERY) for op in ops if op.event_id in walks}
        for op in ops:
            note = cloth.notes.get(op.data["note"]) if "note" in op.data else None
            here = note is not None and note.board_id == op.stream.ref and (op.event_id, op.stream) in scene.streams
            if note is not None and here and (note.hidden or op.kind in HIDING):
                needed.add((op.event_id, Name("me", note.author_id)))
        scene.need(needed)
        return cloth

    def again(self, scene: Scene, state: Cloth, ops: Sequence[Op]) -> bool:
        """New notes while a session runs are nearly everything that happens at tables."""
        runs = all(scene.phase(event) is Phase.RUNNING for event in scene.events.values())
        return runs and _only_new(ops) and state.again(scene, ops)

    def lasting(self, state: Cloth, earlier: Cloth | None, ops: Sequence[Op]) -> Cloth | None:
        return state.with_earlier(earlier) if _only_new(ops) else None

    def judge_together(self, scene: Scene, state: Cloth, ops: Sequence[Op]) -> list[Answer] | None:
        return new_notes.judge(scene, state, ops)

    def judge(self, scene: Scene, state: Cloth, op: Op) -> None:
        event, actor = scene.event_of(op), scene.people[op.actor_id]
        board = state.board(op.stream.ref)
        CARRIED_OUT[op.kind](scene, state, event, board, actor, op)

    def parts(self, reads: Sequence[Read]) -> dict[int, list[Part]]:
        after = {read.stream.ref: read.after for read in reads}
        found: dict[int, list[Part]] = {ref: [] for ref in after}
        for row in rows.newer(Note, Written._fields[:-1], "board", after, joined="author"):
            note = Written._make(row)
            found[note.board].append(note.part())
        return {read.stream.pk: found[read.stream.ref] for read in reads}

    def raised(self, state: Cloth, after: Mapping[int, int]) -> dict[int, list[Encoded]]:
        if state.laid:
            return state.laid
        found: dict[int, list[Encoded]] = {ref: [] for ref in after}
        for note in state.notes.values():
            board = note.__dict__["board_id"]  # as an attribute Django's descriptor would be asked for it
            if note.seq > after.get(board, note.seq):
                found[board].append(written_of(note, state.names).encoded())
        return found

    def closed(self, scene: Scene, event: Event) -> None:
        """Nobody can bring deleted notes back any more: their words go, the tombstones stay."""
        for note in Note.objects.filter(board__session__event=event, gone_at__isnull=False).exclude(text=""):
            note.text = ""
            scene.saves.update(note, "text")
            scene.erase(event, What.NOTE_EMPTIED, note.id)

    def tombstones(self) -> Iterable[tuple[What, str, object]]:
        erased = Note.objects.exclude(gone_at=None, hidden=False)
        for note in erased.annotate(key=F("board__session__event__key")).iterator():
            yield from ((what, note.key, note.id) for what, is_erased in ERASURES.items() if is_erased(note))

    def returned(self, event: Event, what: What, since: Mapping[str, int]) -> Iterable[tuple[str, int]]:
        kinds = {What.NOTE_GONE: "note.back", What.NOTE_HIDDEN: "note.show"}
        if what not in kinds:
            return []
        changes = Change.objects.filter(stream__event=event, stream__kind="board", kind=kinds[what])
        found = [(part.removeprefix("note:"), at) for part, at in changes.values_list("part", "at").order_by("at")]
        return [(ref, at) for ref, at in found if at > since.get(ref, at)]

    def withdraw(self, scene: Scene, event: Event, erased: Erased) -> None:
        """Notes are gone, hidden and emptied again; those the copy does not know cannot be handed in again."""
        wanted = {what: {UUID(ref) for ref in erased.of(event.key, what)} for what in ERASURES}
        ids: set[UUID] = set().union(*wanted.values())
        boards = Board.objects.filter(session__event=event).select_related("session", "table").in_bulk()
        notes = Note.objects.select_related("author").filter(board__in=boards).in_bulk(ids)
        for pk, note in sorted(notes.items()):
            _withdraw(scene, event, boards[note.board_id], note, {what for what in ERASURES if pk in wanted[what]})
        known = Change.objects.filter(event=event, answers=True, op_id__in=ids - notes.keys())
        scene.refuse_ahead(event, ids - notes.keys() - set(known.values_list("op_id", flat=True)))

    def visible(self, viewers: Iterable[Participant], streams: Sequence[Stream]) -> set[tuple[int, int]]:
        boards = {stream.ref: stream.pk for stream in streams}
        return {(viewer, boards[board]) for viewer, board in readable(list(viewers), boards)}


def _only_new(ops: Sequence[Op]) -> bool:
    return all(op.kind == "note.add" for op in ops)


def _raise(scene: Scene, event: Event, board: Board, note: Note, *fields: str) -> None:
    """Gives the note its new seq; what its author alone sees of a hidden one too, and the board's exhibit once people
    walk the gallery.
    """
    if note.hidden:
        _raise_hidden(scene, event, note)
    note.seq = scene.raise_head(event, Name("board", board.id), f"note:{note.id}")
    scene.saves.update(note, "seq", *fields)
    _raise_exhibit(scene, event, board, scene.phase(event))


def _raise_exhibit(scene: Scene, event: Event, board: Board, phase: Phase) -> None:
    scene.saves.update(board, "note_count", "newest")
    if phase is not Phase.RUNNING:
        raise_exhibit(scene, event, board)
        scene.saves.update(board, "gallery_seq")


def _raise_hidden(scene: Scene, event: Event, note: Note) -> None:
    own = Name("me", note.author_id)
    scene.need([(event.id, own)])
    note.hidden_seq = scene.raise_head(event, own, f"hidden:{note.id}")
    scene.saves.update(note, "hidden_seq")


def _add(scene: Scene, cloth: Cloth, event: Event, board: Board, actor: Participant, op: Op) -> None:
    phase = scene.phase(event)
    runs, question = cloth.runs(event, board, phase), op.data["q"]
    granted = runs and (actor.id, board.id, question) in cloth.granted
    late = not granted and cloth.may_write(scene, event, board, actor, phase)
    if op.id in cloth.notes:
        raise Refused("op_id_conflict")
    if not granted:
        cloth.question(event, board, question)
        if runs:
            cloth.grant(board, actor, question)
    note = board.add_note(op.id, actor, op.data, now=scene.now, written=cloth.written.get(actor.id, 0))
    note.late = late
    cloth.put(scene, note, actor, board)
    note.seq = scene.raise_head(event, op.stream, f"note:{op.id}")
    note.order = cloth.order_at_end(note)
    scene.saves.insert(note, op.id)
    _raise_exhibit(scene, event, board, phase)


def _edit(scene: Scene, cloth: Cloth, event: Event, board: Board, actor: Participant, op: Op) -> None:
    note = cloth.note(board, op.data["note"])
    _ask_own(scene, event, note, actor)
    if not {"text", "colour"} & op.data.keys() or ("text" in op.data and op.base is None):
        raise Refused("bad_field")
    if "text" in op.data and op.base != note.edited:
        raise Refused("conflict", part=written_of(note, cloth.names).part().moderators)
    note.edit(actor, op.data.get("text"), op.data.get("colour"), made=made_at(op.id))
    _raise(scene, event, board, note, "text", "colour", "edited", "editor")


def _move(scene: Scene, cloth: Cloth, event: Event, board: Board, actor: Participant, op: Op) -> None:
    note = cloth.note(board, op.data["note"])
    cloth.may_move(scene, event, board, actor)
    question = cloth.question(event, board, op.data["q"]).id if "q" in op.data else note.question_id
    end = at_end(scene.stream_of(op).head + 1)
    note.order = cloth.order_after(board, question, note, op.data["after"], end=end)
    note.question_id = question
    _raise(scene, event, board, note, "order", "question")


def _gone(scene: Scene, cloth: Cloth, event: Event, board: Board, actor: Participant, op: Op) -> None:
    note = cloth.note(board, op.data["note"], gone=True)
    _ask_own(scene, event, note, actor)
    if note.gone_at is None:
        cloth.count_on(scene, author=note.author_id, board=board.id, by=-1)
    board.take_away(note, now=scene.now)
    scene.erase(event, What.NOTE_GONE, note.id)
    _raise(scene, event, board, note, "gone_at")


def _back(scene: Scene, cloth: Cloth, event: Event, board: Board, actor: Participant, op: Op) -> None:
    note = cloth.note(board, op.data["note"], gone=True)
    _ask_own(scene, event, note, actor)
    if note.gone_at is not None:
        board.bring_back(note, written=cloth.written.get(note.author_id, 0))
        cloth.count_on(scene, author=note.author_id, board=board.id, by=1)
    scene.erase(event, What.NOTE_BACK, note.id)
    _raise(scene, event, board, note, "gone_at")


def _hide(scene: Scene, cloth: Cloth, event: Event, board: Board, actor: Participant, op: Op) -> None:
    scene.ask(Action.HIDE, Role(actor.role), event)
    note = cloth.note(board, op.data["note"])
    board.hide(note, hidden=op.kind == "note.hide")
    scene.erase(event, What.NOTE_HIDDEN if note.hidden else What.NOTE_SHOWN, note.id)
    if not note.hidden:
        _raise_hidden(scene, event, note)
    _raise(scene, event, board, note, "hidden")


def _withdraw(scene: Scene, event: Event, board: Board, note: Note, wanted: set[What]) -> None:
    """What is erased in one way is often so in another: hidden and deleted, deleted and emptied."""
    new = {what for what in wanted if not ERASURES[what](note)}
    if What.NOTE_HIDDEN in new and note.gone_at is not None:
        note.hidden = True  # it is not counted any more
    elif What.NOTE_HIDDEN in new:
        board.hide(note, hidden=True)
    if What.NOTE_GONE in new:
        scene.saves.count(Authorship, (note.author_id, board.id), -1)
        board.take_away(note, now=scene.now)
    if What.NOTE_EMPTIED in new:
        note.text = ""
    if new:
        _raise(scene, event, board, note, "hidden", "gone_at", "text")


def _ask_own(scene: Scene, event: Event, note: Note, actor: Participant) -> None:
    role = Role(actor.role)
    if note.author_id != actor.id and role is not Role.MODERATOR:
        raise Refused("not_owner")
    scene.ask(Action.CHANGE_OWN, role, event)


ERASURES: dict[What, Callable[[Note], bool]] = {
    What.NOTE_HIDDEN: lambda note: note.hidden,
    What.NOTE_GONE: lambda note: note.gone_at is not None,
    What.NOTE_EMPTIED: lambda note: not note.text,
}
CARRIED_OUT: dict[str, Any] = {
    "note.add": _add,
    "note.edit": _edit,
    "note.move": _move,
    "note.gone": _gone,
    "note.back": _back,
    "note.hide": _hide,
    "note.show": _hide,
}
