"""Exhibits as they were last rendered: a gallery of 5,000 notes is put together, not rendered, for each visitor.

A board is what it is at its head; so markup made for one head holds until there is another, for everybody who reads
the same language and may see the same notes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from sessions.live.shared import Shared
from sessions.models import Event, Participant, Question
from tables.gallery import Choice, Exhibit, hang, place_of
from tables.models import Board

MOST_BYTES = 64 * 1024 * 1024  # of this process


@dataclass(frozen=True, slots=True)
class Hung:
    """A board, or with `question` what lies on it for one question, as markup with `count` notes."""

    board: Board
    question: Question | None
    count: int
    markup: SafeString  # where it is kept, packed once for all


@dataclass(frozen=True, slots=True)
class Column:
    """What lies on all tables for one question."""

    question: Question
    hung: list[Hung]

    @property
    def count(self) -> int:
        return sum(hung.count for hung in self.hung)


class Fragments:
    """Markup by what governs it; forgets what was not asked for longest."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes, self.size = most_bytes, 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, list[Hung]] = OrderedDict()

    def get(self, key: Hashable) -> list[Hung] | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def keep(self, key: Hashable, made: list[Hung]) -> None:
        with self._lock:
            self._forget(self._kept.pop(key, []))
            self._kept[key] = made
            self.size += size_of(made)
            while self.size > self.most_bytes:
                self._forget(self._kept.popitem(last=False)[1])

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self.size = 0

    def _forget(self, made: list[Hung]) -> None:
        self.size -= size_of(made)


def size_of(made: list[Hung]) -> int:
    """About how many bytes of memory, with what is packed."""
    return sum(700 + 4 * len(hung.markup) for hung in made)


KEPT = Fragments()


def shown(
    boards: Iterable[Board],
    reader: Participant,
    *,
    event: Event,
    heads: Mapping[int, int],
    questions: Iterable[Question],
    choice: Choice,
) -> list[Hung]:
    """What hangs of these boards, as markup: a board each, on the wall its questions one by one.

    Two queries for those that are not kept, none for the others. `heads` and `questions` were read before.
    """
    rows = list(boards)
    if choice.words or choice.question:
        exhibits = hang(rows, reader, choice=choice, heads=heads)
        return [hung for exhibit in exhibits for hung in _made(event, exhibit, choice)]
    keys = {board.pk: _key(board, reader, event, heads, questions, choice) for board in rows}
    found = {pk: KEPT.get(key) for pk, key in keys.items()}
    missing = [board for board in rows if found[board.pk] is None]
    for exhibit in hang(missing, reader, heads=heads) if missing else ():
        found[exhibit.board.pk] = made = [lasting(hung) for hung in _made(event, exhibit, choice)]
        KEPT.keep(keys[exhibit.board.pk], made)
    return [hung for board in rows for hung in found[board.pk] or []]


def lasting(hung: Hung) -> Hung:
    return replace(hung, markup=Shared(hung.markup))


def _key(
    board: Board,
    reader: Participant,
    event: Event,
    heads: Mapping[int, int],
    questions: Iterable[Question],
    choice: Choice,
) -> Hashable:
    """Everything that stands in the markup; the notes and their authors' names by the head they had."""
    asked = tuple((q.pk, q.number, q.table_no, q.text) for q in questions if q.session_id == board.session_id)
    place = (board.pk, board.table.number, board.table.name, board.session.number)
    of = (event.epoch, event.key, event.language, heads.get(board.pk, 0))
    return choice.view, get_language(), reader.role == Participant.Role.MODERATOR, place, of, asked


def _made(event: Event, exhibit: Exhibit, choice: Choice) -> list[Hung]:
    if choice.view == "wall":
        return [
            Hung(
                exhibit.board,
                column.question,
                len(column.papers),
                render_to_string("tables/wall_papers.html", {"papers": column.papers}),
            )
            for column in exhibit.columns
            if column.papers
        ]
    markup = render_to_string("tables/exhibit.html", {"event": event, "exhibit": exhibit})
    return [Hung(exhibit.board, None, exhibit.count, markup)]


def wall(hung: Iterable[Hung]) -> list[Column]:
    """The same notes question by question, whatever the table."""
    columns: dict[int, Column] = {}
    for each in hung:
        if each.question is not None:
            columns.setdefault(each.question.pk, Column(each.question, [])).hung.append(each)
    return sorted(columns.values(), key=lambda column: place_of(column.question))
