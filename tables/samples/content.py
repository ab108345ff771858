"""What the sample says: the words of `smart_city_<language>.json`, checked and typed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("de", "en")
HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Words:
    """One note. A late one was written offline and came after the gong."""

    text: str
    late: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    takeaway: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A table: the people of the first session, the host first, and its notes by session and question."""

    name: str
    people: tuple[Person, ...]
    notes: tuple[tuple[tuple[Words, ...], ...], ...]


@dataclass(frozen=True, slots=True)
class Talk:
    title: str
    minutes: int
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """`echoes` are ways to repeat somebody else's note in one's own words; `{}` stands for it."""

    language: str
    series: str
    title: str
    live_title: str
    purpose: str
    word: str
    closing: str
    echoes: tuple[str, ...]
    talks: tuple[Talk, ...]
    places: tuple[Place, ...]

    @property
    def people(self) -> list[Person]:
        return [person for place in self.places for person in place.people]

    def texts(self, session: int, question: int) -> list[str]:
        """All that was written on one question at any table; numbers count from 0 and start again at the end."""
        asked = len(self.talks[session % len(self.talks)].questions)
        found = (place.notes[session % len(self.talks)][question % asked] for place in self.places)
        return [words.text for notes in found for words in notes]

    def takeaways(self) -> list[str]:
        return [person.takeaway for person in self.people if person.takeaway]


@cache
def content(language: str) -> Content:
    """The sample in this language, in English where it does not speak it."""
    spoken = language if language in LANGUAGES else "en"
    data = json.loads((HERE / f"smart_city_{spoken}.json").read_text(encoding="utf-8"))
    return Content(
        language=spoken,
        echoes=tuple(data["echoes"]),
        talks=tuple(_talk(talk) for talk in data["sessions"]),
        places=tuple(_place(place) for place in data["tables"]),
        **{name: data[name] for name in ("series", "title", "live_title", "purpose", "word", "closing")},
    )


def _talk(data: dict[str, Any]) -> Talk:
    return Talk(data["title"], data["minutes"], tuple(data["questions"]))


def _place(data: dict[str, Any]) -> Place:
    return Place(
        name=data["name"],
        people=tuple(Person(**person) for person in data["people"]),
        notes=tuple(tuple(tuple(_words(note) for note in board) for board in session) for session in data["notes"]),
    )


def _words(note: str | dict[str, Any]) -> Words:
    return Words(note) if isinstance(note, str) else Words(**note)
