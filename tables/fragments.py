"""Exhibits as they were last rendered: a gallery of 5,000 notes is put together, not rendered, for each visitor.

A board is what it is at its head; so markup made for one head holds until there is another, for everybody who reads
the same language and may see the same notes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from sessions.live.shared import Shared
from sessions.models import Event, Participant, Question
from tables.gallery import EVERYTHING, Choice, Exhibit, hang, place_of
from tables.models import Board

MOST_BYTES = 64 * 1024 * 1024  # of this process


class Place(NamedTuple):
    """A board in the gallery, as the stream of that name tells of it; `session` and `table` are numbers."""

    session: int
    table: int
    board: int
    name: str  # of the table
    head: int


@dataclass(frozen=True, slots=True)
class Hung:
    """A board, or with `question` what lies on it for one question, as markup with `count` notes."""

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

    @property
    def markup(self) -> list[SafeString]:
        return [hung.markup for hung in self.hung]


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


def places_in(parts: Iterable[Mapping[str, Any]]) -> list[Place]:
    """Session by session, and there table by table."""
    exhibits = (part for part in parts if part["id"].startswith("exhibit:"))
    return sorted(Place(*(part[name] for name in ("session", "no", "board", "name", "head"))) for part in exhibits)


def shown(
    places: Sequence[Place], reader: Participant, *, event: Event, questions: Sequence[Question], choice: Choice
) -> list[Hung]:
    """What hangs at these places, as markup: a board each, on the wall its questions one by one.

    Three queries for those that are not kept, none for the others. The reader may read any board of the event.
    """
    if choice.words or choice.question:
        return [hung for exhibit in _hang(places, reader, choice) for hung in _made(event, exhibit, choice)]
    keys = _keys(places, reader, event, questions, choice)
    found = {place: KEPT.get(key) for place, key in zip(places, keys, strict=True)}
    missing = {place.board: (place, key) for place, key in zip(places, keys, strict=True) if found[place] is None}
    for exhibit in _hang([place for place, _key in missing.values()], reader):
        place, key = missing[exhibit.board.pk]
        found[place] = made = [lasting(hung) for hung in _made(event, exhibit, choice)]
        KEPT.keep(key, made)
    return [hung for place in places for hung in found[place] or []]


def _hang(places: Sequence[Place], reader: Participant, choice: Choice = EVERYTHING) -> list[Exhibit]:
    if not places:
        return []
    boards = Board.objects.select_related("session", "table").in_bulk([place.board for place in places])
    there = [boards[place.board] for place in places if place.board in boards]
    return hang(there, reader, choice=choice, heads={place.board: place.head for place in places})


def lasting(hung: Hung) -> Hung:
    return replace(hung, markup=Shared(hung.markup))


def _keys(
    places: Sequence[Place], reader: Participant, event: Event, questions: Sequence[Question], choice: Choice
) -> list[Hashable]:
    """For each place everything that stands in its markup; the notes and their authors' names by the head they had."""
    asked: dict[int, list[Hashable]] = {place.session: [] for place in places}
    for q in questions:
        asked.get(q.session.number, []).append((q.pk, q.number, q.table_no, q.text))
    of = (
        choice.view,
        get_language(),
        reader.role == Participant.Role.MODERATOR,
        event.epoch,
        event.key,
        event.language,
    )
    alike = {number: (*of, tuple(those)) for number, those in asked.items()}
    return [(place, alike[place.session]) for place in places]


def _made(event: Event, exhibit: Exhibit, choice: Choice) -> list[Hung]:
    if choice.view == "wall":
        return [
            Hung(
                column.question,
                len(column.papers),
                render_to_string("tables/wall_papers.html", {"papers": column.papers}),
            )
            for column in exhibit.columns
            if column.papers
        ]
    markup = render_to_string("tables/exhibit.html", {"event": event, "exhibit": exhibit})
    return [Hung(None, exhibit.count, markup)]


def wall(hung: Iterable[Hung]) -> list[Column]:
    """The same notes question by question, whatever the table."""
    columns: dict[int, Column] = {}
    for each in hung:
        if each.question is not None:
            columns.setdefault(each.question.pk, Column(each.question, [])).hung.append(each)
    return sorted(columns.values(), key=lambda column: place_of(column.question))
