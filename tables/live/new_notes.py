"""A batch of new notes judged as one: nearly all that happens, by people who sit at a table and talk there.

`board.py` judges whatever can be done with notes, each by itself and through its layers. These are the same rules for
what is in nobody's way; a batch in which anything else is, is declined before anything has changed.
`tests/test_new_notes.py` holds both ways to the same answers, rows and frames.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sessions.live.compact import ascii_text
from sessions.live.limits import limits
from sessions.live.ops import JUDGED_WITHIN_MS, Answer, Name, Op, Refused
from sessions.live.rows import Values
from sessions.live.scene import Scene, change_of
from sessions.live.uuid7 import made_at
from sessions.live.wire import Encoded
from sessions.models import Event, Stream
from tables.live.cloth import Cloth
from tables.live.written import encoded
from tables.models import COLOURS, Authorship, Board, Note
from tables.order import at_end

NOTE = ("id", "board_id", "question_id", "author_id", "text", "colour", "order", "seq", "edited")  # and `at`
USUAL = COLOURS[0]
FIELDS = ("q", "text", "colour")  # of what adds one; the last may be absent


class Unusual(Exception):  # noqa: N818 - a way, not an error
    """These have to be judged one by one."""


@dataclass(slots=True)
class Laid:
    """A board whose session runs, with the new notes on it."""

    ref: int
    event: Event
    board: Board
    stream: Stream
    head: int
    room: int  # for so many notes more
    parts: list[Encoded] = field(default_factory=list)
    newest: Op | None = None


def judge(scene: Scene, cloth: Cloth, ops: Sequence[Op]) -> list[Answer] | None:
    """See `Kind.judge_together`."""
    try:
        return NewNotes(scene, cloth).judge(ops)
    except Unusual:
        return None


def said_by(op: Op) -> str:
    """`scene.said_by` of a new note, in a third of its time; nothing of one without its colour."""
    data = op.data
    if len(data) < len(FIELDS):
        return ""
    colour, question, text = data["colour"], data["q"], ascii_text(data["text"])
    return (
        f'[{op.actor_id}, ["{op.stream.kind}", {op.stream.ref}], "{op.kind}", {{"colour": "{colour}", "q": {question},'
        f' "text": {text}}}, {"null" if op.base is None else op.base}]'
    )


class NewNotes:
    """What such a batch changes is put together here, and handed to scene and cloth at its end."""

    def __init__(self, scene: Scene, cloth: Cloth) -> None:
        self.scene, self.cloth = scene, cloth
        self.laid: dict[tuple[int, Name], Laid] = {}  # by event and stream
        self.written: dict[int, int] = {}  # by author, at all boards, with what this batch adds
        self.authors: list[tuple[int, int]] = []  # of each note, with the board

    def judge(self, ops: Sequence[Op]) -> list[Answer]:
        """The answers; raises `Unusual`."""
        too_old = self.scene.now - JUDGED_WITHIN_MS
        if any(op.kind != "note.add" or op.arrived < too_old for op in ops):
            raise Unusual
        if self.cloth.notes or len({op.id.int for op in ops}) < len(ops):  # some note has such an id
            raise Unusual
        places = self._places(ops)
        answers = self._lay(ops, places)
        self._finish()
        return answers

    def _places(self, ops: Sequence[Op]) -> list[Laid]:
        """Where each note is laid, by somebody who may; raises `Unusual`."""
        granted, laid = self.cloth.granted, self.laid
        written, before, most = self.written, self.cloth.written, limits.LIMIT_NOTES_PER_PERSON
        places = []
        for op in ops:
            here = laid.get((op.event_id, op.stream)) or self._begin(op)
            author = op.actor_id
            if (author, here.ref, op.data["q"]) not in granted:
                self._grant(here, op)
            here.room -= 1
            written[author] = notes = (written.get(author) or before.get(author, 0)) + 1
            if here.room < 0 or notes > most:
                raise Unusual
            places.append(here)
            self.authors.append((author, here.ref))
        return places

    def _begin(self, op: Op) -> Laid:
        scene, cloth = self.scene, self.cloth
        stream, event = scene.streams.get((op.event_id, op.stream)), scene.events.get(op.event_id)
        board = cloth.boards.get(op.stream.ref)
        if stream is None or event is None or board is None or not cloth.runs(event, board, scene.phase(event)):
            raise Unusual
        room = limits.LIMIT_NOTES_PER_BOARD - board.note_count
        here = self.laid[op.event_id, op.stream] = Laid(board.id, event, board, stream, stream.head, room)
        return here

    def _grant(self, here: Laid, op: Op) -> None:
        """What is asked of everybody's first note to a question."""
        phase, question = self.scene.phase(here.event), op.data["q"]
        try:
            person = self.scene.actor(op)
            self.cloth.may_write(self.scene, here.event, here.board, person, phase)
            self.cloth.question(here.event, here.board, question)
        except Refused:
            raise Unusual from None
        self.cloth.grant(here.board, person, question)
        if (person.id, here.ref, question) not in self.cloth.granted:
            raise Unusual

    def _lay(self, ops: Sequence[Op], places: Sequence[Laid]) -> list[Answer]:
        people, now = self.scene.people, self.scene.now
        notes, changes, answers = [], [], []
        for op, here in zip(ops, places, strict=True):
            seq = here.head = here.head + 1
            pk, text, question = str(op.id), op.data["text"], op.data["q"]
            colour, order, made = op.data.get("colour", USUAL), at_end(seq), made_at(op.id)
            author = op.actor_id
            part = encoded(pk, seq, question, text, colour, order, author, people[author].name, now, made)
            here.parts.append(part)
            here.newest = op
            notes.append((op.id.hex, here.ref, question, author, text, colour, order, seq, made))
            changes.append(change_of(op, here.stream.id, seq, part.id, said_by(op)))
            answers.append(Answer(op.id, op.stream, seq))
        self.scene.saves.values.append(Values(Note, NOTE, notes, {"at": now}))
        self.scene.accept(changes)
        return answers

    def _finish(self) -> None:
        scene, cloth = self.scene, self.cloth
        for here in self.laid.values():
            here.stream.head = here.head
            scene.risen.add(here.stream.id)
            here.board.note_count += len(here.parts)
            here.board.newest = here.newest.id if here.newest else None
            scene.saves.update(here.board, "note_count", "newest")
            cloth.laid[here.ref] = here.parts
        cloth.written |= self.written
        scene.saves.counts[Authorship] |= Counter(self.authors)
