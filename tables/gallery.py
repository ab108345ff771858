"""What hangs in the gallery: boards with their notes, chosen by session, question, table and words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from django.utils.functional import cached_property

from sessions.live import rows
from sessions.models import Event, Participant, Question
from sessions.text import composed
from tables.models import Board, Note

VIEWS = ("tables", "wall")
MOST_WORDS = 8
LONGEST_SEARCH = 100


@dataclass(frozen=True)
class Choice:
    """What somebody wants to see. `session` and `table` are numbers, `question` an id; null is all."""

    view: str = "tables"
    session: int | None = None
    question: int | None = None
    table: int | None = None
    words: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Choice":
        """The choice in an address; what makes no sense counts as not said."""
        view = query.get("view", "")
        words = composed(query.get("q", "").replace("\0", " "))
        return cls(
            view if view in VIEWS else VIEWS[0],
            _number(query.get("session", "")),
            _number(query.get("question", "")),
            _number(query.get("table", "")),
            " ".join(words[:LONGEST_SEARCH].split()),
        )

    @property
    def narrows(self) -> bool:
        return bool(self.session or self.question or self.table or self.words)

    def address(self, **changes: str | int | None) -> str:
        """The query string of this choice with changes."""
        chosen = replace(self, **changes)  # type: ignore[arg-type]
        said = {
            "view": chosen.view if chosen.view != VIEWS[0] else None,
            "session": chosen.session,
            "question": chosen.question,
            "table": chosen.table,
            "q": chosen.words,
        }
        return "?" + urlencode({name: value for name, value in said.items() if value})

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """Finds every word; the longest first, so that marks do not end inside a longer word that was asked for."""
        words = sorted(self.words.split()[:MOST_WORDS], key=len, reverse=True)
        return re.compile("|".join(f"({re.escape(word)})" for word in words), re.IGNORECASE) if words else None

    def fits(self, text: str) -> bool:
        """Whether every word stands in the text."""
        words = self.words.split()[:MOST_WORDS]
        return all(re.search(re.escape(word), text, re.IGNORECASE) for word in words)


EVERYTHING = Choice()
NO_HEADS: Mapping[int, int] = {}


@dataclass(frozen=True)
class Paper:
    """A note to read. `pieces` is its text cut where searched words stand: (text, found)."""

    note: Note
    board: Board
    pieces: Sequence[tuple[str, bool]]


@dataclass(frozen=True)
class Column:
    """The notes to one question."""

    question: Question
    papers: list[Paper] = field(default_factory=list)


@dataclass(frozen=True)
class Exhibit:
    """A board on show."""

    board: Board
    head: int
    columns: list[Column]

    @property
    def count(self) -> int:
        return sum(len(column.papers) for column in self.columns)


def hang(
    boards: Iterable[Board], reader: Participant, *, choice: Choice = EVERYTHING, heads: Mapping[int, int] = NO_HEADS
) -> list[Exhibit]:
    """These boards with the notes the reader may see and has chosen; two queries. Give `session` and `table` along.

    `heads` are the heads of the boards' streams, read before.
    """
    rows = list(boards)
    questions = _questions(rows)
    notes: dict[int, list[Note]] = {board.pk: [] for board in rows}
    for note in _notes(rows, reader):
        notes[note.board_id].append(note)
    return [
        Exhibit(board, heads.get(board.pk, 0), _columns(board, questions, notes[board.pk], choice)) for board in rows
    ]


def questions_of(board: Board, questions: Iterable[Question]) -> list[Question]:
    """Which of the session's questions lie on this table: its own, else everybody's."""
    asked = [question for question in questions if question.session_id == board.session_id]
    own = [question for question in asked if question.table_no == board.table.number]
    return own or [question for question in asked if question.table_no is None]


def all_questions(event: Event) -> list[Question]:
    """In order, each with its session."""
    sessions = {session.pk: session for session in event.sessions.all()}
    asked = rows.whole(Question, {"session": sessions})
    for question in asked:
        question.session = sessions[question.session_id]
    return sorted(asked, key=place_of)


def _questions(boards: Sequence[Board]) -> list[Question]:
    sessions = {board.session_id for board in boards}
    return sorted(Question.objects.filter(session__in=sessions).select_related("session"), key=place_of)


def place_of(question: Question) -> tuple[int, int, int]:
    return question.session.number, question.table_no or 0, question.number


def _notes(boards: Sequence[Board], reader: Participant) -> list[Note]:
    notes = Note.objects.filter(board__in=[board.pk for board in boards], gone_at=None).select_related("author")
    if reader.role != Participant.Role.MODERATOR:
        notes = notes.filter(hidden=False)
    return list(notes.order_by("order", "id"))


def _columns(board: Board, questions: list[Question], notes: list[Note], choice: Choice) -> list[Column]:
    asked = {note.question_id for note in notes} | {question.pk for question in questions_of(board, questions)}
    columns = {q.pk: Column(q) for q in questions if q.pk in asked and choice.question in {None, q.pk}}
    for note in notes:
        if note.question_id in columns and choice.fits(note.text):
            columns[note.question_id].papers.append(_paper(note, board, choice))
    return list(columns.values())


def _paper(note: Note, board: Board, choice: Choice) -> Paper:
    if choice.pattern is None:
        return Paper(note, board, [(note.text, False)])
    pieces, at = [], 0
    for found in choice.pattern.finditer(note.text):
        pieces += [(note.text[at : found.start()], False), (found.group(), True)]
        at = found.end()
    return Paper(note, board, [piece for piece in [*pieces, (note.text[at:], False)] if piece[0]])


def _number(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else None
