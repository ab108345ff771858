"""The state in which notes are judged: boards, who sat at them, what is written."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sessions.live import rows
from sessions.live.ops import Op, Refused
from sessions.live.rows import Wish
from sessions.live.scene import PERSON, Scene, ask
from sessions.live.uuid7 import made_at
from sessions.live.wire import Encoded
from sessions.models import Event, Participant, Question
from sessions.permissions import Action, Role
from sessions.phases import GRACE_MS, LATE_MS, Phase
from tables.models import Authorship, Board, Note, Seat, SeatHistory, Table
from tables.order import at_end, between

TABLE, SAT = ("id", "number"), ("id", "participant", "board", "until")
BOARD, NOTE = rows.readable(Board), rows.readable(Note)
WROTE = ("participant", "board", "notes")
Found = Sequence[Sequence[Any]]


class Place(NamedTuple):
    """Where a board lies: keys and numbers of its session and its table."""

    session: int
    table: int
    number: int
    table_no: int


class Cloth:
    """What a batch of notes is judged by; changed in memory as it goes."""

    def __init__(self) -> None:
        self.boards: dict[int, Board] = {}
        self.places: dict[int, Place] = {}  # theirs: asked of a row, each is a look into a row behind it
        self.notes: dict[UUID, Note] = {}
        self.names: dict[int, str] = {}  # of these notes' authors
        self.laid: dict[int, list[Encoded]] = {}  # by board, the parts of notes that were judged all together
        self.granted: set[tuple[int, int, int]] = set()  # (participant, board, question): may write while it runs
        self.seated: set[tuple[int, int, int]] = set()  # (participant, session, table)
        self.history: dict[tuple[int, int], SeatHistory] = {}  # (participant, board)
        self.sat_asked: set[tuple[int, int]] = set()  # the same, of all about whom that was asked
        self.written: dict[int, int] = {}  # by author, at all boards, with what this batch adds
        self.questions: dict[tuple[int, int], dict[int, Question]] = {}  # by event and number of the session

    @classmethod
    def read(cls, scene: Scene, ops: Sequence[Op]) -> "Cloth":
        """A fixed number of queries, however many operations and notes."""
        cloth = cls()
        refs, actors = {op.stream.ref for op in ops}, {op.actor_id for op in ops}
        boards, tables, known, *theirs = rows.gather(
            Wish(Board, BOARD, {"id": refs}),
            Wish(Table, TABLE, {"boards__id": refs}),
            Wish(Note, ("id",), {"id": [op.id for op in ops]}),
            *_about(actors, refs),
        )
        cloth._lay(scene, rows.objects(Board, BOARD, boards), rows.objects(Table, TABLE, tables))
        cloth._learn({(op.actor_id, op.stream.ref) for op in ops}, *theirs)
        cloth._read_notes(ops, {pk for (pk,) in known})
        others = cloth.names.keys() - actors
        cloth.written |= _sums(rows.find(Authorship, WROTE, {"participant": others}))
        return cloth

    def again(self, scene: Scene, ops: Sequence[Op]) -> bool:
        """Whether these new notes can be judged when no more is read than who is new here; then those of the last batch
        are put aside.
        """
        if not all(op.stream.ref in self.boards for op in ops):
            return False
        new = {(op.actor_id, op.stream.ref) for op in ops} - self.sat_asked
        if new:
            actors, refs = {person for person, _board in new}, {board for _person, board in new}
            people, *theirs = rows.gather(Wish(Participant, PERSON, {"id": actors}), *_about(actors, refs))
            scene.people |= {person.id: person for person in rows.objects(Participant, PERSON, people)}
            self._learn(new, *theirs)
        self.notes, self.names, self.laid = {}, {}, {}
        return True

    def _learn(self, pairs: set[tuple[int, int]], seats: Found, past: Found, written: Found) -> None:
        """What was found `_about` people and boards, for these pairs of them."""
        self.seated |= {(person, session, table) for person, session, table in seats}
        self.history |= {(row.participant_id, row.board_id): row for row in rows.objects(SeatHistory, SAT, past)}
        self.written |= _sums(written)
        self.sat_asked |= pairs

    def with_earlier(self, earlier: "Cloth | None") -> "Cloth":
        """This one, which is newer, with what another one knows besides."""
        if earlier is None or earlier is self:
            return self
        read = {person for person, _board in self.sat_asked}
        self.seated |= {seat for seat in earlier.seated if seat[0] not in read}
        self.boards = earlier.boards | self.boards
        self.places = earlier.places | self.places
        self.history = earlier.history | self.history
        self.written = earlier.written | self.written
        self.sat_asked |= earlier.sat_asked
        return self

    def _lay(self, scene: Scene, boards: Iterable[Board], tables: Iterable[Table]) -> None:
        """Those of the batch's events."""
        sessions = {session.id: session for event in scene.events.values() for session in event.sessions.all()}
        at = {table.id: table for table in tables}
        for board in boards:
            if board.session_id in sessions:
                board.session, board.table = sessions[board.session_id], at[board.table_id]
                self.boards[board.id] = board
                self.places[board.id] = Place(
                    board.session_id, board.table_id, board.session.number, board.table.number
                )

    def _read_notes(self, ops: Sequence[Op], known: Collection[UUID]) -> None:
        """Those that operations name, `known` ones which have their ids, and all of a board on which one is moved."""
        named = {op.data["note"] for op in ops if "note" in op.data}
        moving = {op.stream.ref for op in ops if op.kind == "note.move"}
        if not (named or known or moving):
            return
        wanted = (*NOTE, "author__name")
        found = rows.find(Note, wanted, {"id": named | set(known)})
        found += rows.find(Note, wanted, {"board": moving}, where="gone_at IS NULL")
        found = [each for each in found if each[-1] is not None]  # nobody's, which only handwork leaves
        for note, values in zip(rows.objects(Note, NOTE, [each[:-1] for each in found]), found, strict=True):
            self.notes.setdefault(note.id, note)
            self.names[note.author_id] = values[-1]

    def board(self, pk: int) -> Board:
        if pk not in self.boards:
            raise Refused("not_found")
        return self.boards[pk]

    def note(self, board: Board, pk: UUID, *, gone: bool = False) -> Note:
        """A note of this board; one that is gone only where that is asked for."""
        note = self.notes.get(pk)
        if note is None or note.board_id != board.id or (note.gone_at is not None and not gone):
            raise Refused("not_found")
        note.board = board
        return note

    def question(self, event: Event, board: Board, pk: int) -> Question:
        """A question that is asked at this board."""
        place = self.places[board.id]
        number = place.number
        if (event.id, number) not in self.questions:
            session = event.numbered(number)
            self.questions[event.id, number] = {q.id: q for q in session.questions.all()} if session else {}
        question = self.questions[event.id, number].get(pk)
        if question is None or question.table_no not in {None, place.table_no}:
            raise Refused("not_found")
        return question

    def put(self, scene: Scene, note: Note, author: Participant, board: Board) -> None:
        self.notes[note.id] = note
        self.names[author.id] = author.name
        self.count_on(scene, author=author.id, board=board.id, by=1)

    def count_on(self, scene: Scene, *, author: int, board: int, by: int) -> None:
        """One more of the author's notes there, or one less."""
        self.written[author] = self.written.get(author, 0) + by
        scene.saves.count(Authorship, (author, board), by)

    def grant(self, board: Board, actor: Participant, question: int) -> None:
        """Whoever sits there and was found to be allowed to write there is so as long as the board's session runs: all
        else that this hangs on is either asked for each note or forgotten when it changes.
        """
        if self._sits_at(board, actor):
            self.granted.add((actor.id, board.id, question))

    def runs(self, event: Event, board: Board, phase: Phase) -> bool:
        return phase is Phase.RUNNING and event.session_no == self.places[board.id].number

    def may_write(self, scene: Scene, event: Event, board: Board, actor: Participant, phase: Phase) -> bool:
        """Whether a new note counts as late; `Refused` when it may not be written at all. `phase` is the event's."""
        if actor.role == Participant.Role.MODERATOR:
            ask(Action.POST, Role.MODERATOR, phase)
            return False
        if board.locked:
            raise Refused("board_locked")
        if self._talks_at(event, board, actor, phase):
            ask(Action.POST, Role.SEATED, phase)
            return False
        return self._late(scene, event, board, actor)

    def may_move(self, scene: Scene, event: Event, board: Board, actor: Participant) -> None:
        if actor.role == Participant.Role.MODERATOR:
            scene.ask(Action.MOVE, Role.MODERATOR, event)
        elif self._talks_at(event, board, actor, scene.phase(event)):
            scene.ask(Action.MOVE, Role.SEATED, event)
        elif not self._sits_at(board, actor):
            raise Refused("no_seat")
        else:
            raise Refused("session_closed" if _begun(event, board) else "not_allowed_now")

    def _talks_at(self, event: Event, board: Board, actor: Participant, phase: Phase) -> bool:
        return self.runs(event, board, phase) and self._sits_at(board, actor)

    def _sits_at(self, board: Board, actor: Participant) -> bool:
        place = self.places[board.id]
        return (actor.id, place.session, place.table) in self.seated

    def _late(self, scene: Scene, event: Event, board: Board, actor: Participant) -> bool:
        """After the end: three seconds of grace, then ten minutes in which a note is marked as late.

        What was written before the event came back from an older copy may be handed in until it is closed.
        """
        sat = self.history.get((actor.id, board.id))
        if sat is None:
            raise Refused("no_seat")
        if scene.phase(event) in {Phase.CLOSED, Phase.ARCHIVED}:
            raise Refused("session_closed")
        if not _begun(event, board):
            raise Refused("not_allowed_now")
        left = sat.until or _ended(event, board)
        if left is None:
            raise Refused("not_allowed_now")
        if scene.now - left > LATE_MS and not _lost_with_a_restore(scene, event):
            raise Refused("session_closed")
        return sat.until is not None or scene.now - left > GRACE_MS

    def order_at_end(self, note: Note) -> str:
        return at_end(note.seq)

    def order_after(self, board: Board, question: int, note: Note, after: UUID | None, *, end: str) -> str:
        """The place behind `after` among the question's other notes: at the front without one, at `end` behind all."""
        here = [n for n in self.notes.values() if n.board_id == board.id and n.gone_at is None]
        others = [n for n in here if n.question_id == question and n != note]
        others.sort(key=lambda n: (n.order, n.id))
        at = 0
        if after is not None:
            at = next((i + 1 for i, n in enumerate(others) if n.id == after), -1)
        if at < 0:
            raise Refused("not_found")
        before = others[at - 1].order if at else ""
        behind = next((n.order for n in others[at:] if n.order > before), None)
        if behind is None and end > before:
            return end
        return between(before, behind)


def _about(actors: Collection[int], refs: Collection[int]) -> tuple[Wish, Wish, Wish]:
    """Where these people sit, whether they sat at these boards, and how many notes they have written."""
    return (
        Wish(Seat, ("participant", "session", "table"), {"participant": actors}),
        Wish(SeatHistory, SAT, {"participant": actors, "board": refs}),
        Wish(Authorship, WROTE, {"participant": actors}),
    )


def _sums(written: Found) -> dict[int, int]:
    """By author."""
    sums: dict[int, int] = {}
    for author, _board, notes in written:
        sums[author] = sums.get(author, 0) + notes
    return sums


def _begun(event: Event, board: Board) -> bool:
    """Whether the board's session runs or has run: a chair taken and left before that gives no right to write."""
    session = event.numbered(board.session.number)
    runs = event.phase in {Phase.RUNNING, Phase.OVER} and event.session_no == board.session.number
    return runs or (session is not None and session.ended_at is not None)


def _lost_with_a_restore(scene: Scene, event: Event) -> bool:
    return scene.op is not None and made_at(scene.op.id) < (event.restored_at or 0)


def _ended(event: Event, board: Board) -> int | None:
    """When the board's session ended (ms); null while it goes on or has not begun."""
    session = event.numbered(board.session.number)
    if session is None:
        return None
    if session.number == event.session_no and event.phase == Phase.RUNNING and event.paused_left is None:
        return event.ends_at
    return session.ended_at
