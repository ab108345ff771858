"""Where one can go in the gallery: what can be chosen, and the tables one after the other; rendered once."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from sessions.models import Event, Question
from tables.gallery import Choice

MOST_KEPT = 256  # some 20 KB each


class Stand(NamedTuple):
    """A table on the way."""

    number: int
    name: str


class Asked(NamedTuple):
    """A question to choose; `session` is the number of its session."""

    pk: int
    session: int
    number: int
    text: str


class Filters(NamedTuple):
    """All that stands in the form with which one chooses. `spoken` is the event's language."""

    language: str
    key: str
    spoken: str
    choice: Choice
    sessions: tuple[int, ...]
    questions: tuple[Asked, ...]
    tables: tuple[Stand, ...]


class Route(NamedTuple):
    """All that stands in the list of tables; none where they are not walked from one to the next."""

    language: str
    choice: Choice
    tables: tuple[Stand, ...]


def filters(event: Event, choice: Choice, questions: Sequence[Question], tables: Sequence[Stand]) -> SafeString:
    sessions = tuple(session.number for session in event.sessions.all())
    asked = tuple(Asked(q.pk, q.session.number, q.number, q.text) for q in questions)
    return _filters(Filters(_language(), event.key, event.language, choice, sessions, asked, tuple(tables)))


def route(choice: Choice, tables: Sequence[Stand]) -> SafeString:
    return _route(Route(_language(), choice, tuple(tables) if choice.view == "tables" else ()))


def _language() -> str:
    return get_language() or "en"


@lru_cache(MOST_KEPT)
def _filters(chosen: Filters) -> SafeString:
    return render_to_string("tables/filters.html", chosen._asdict())


@lru_cache(MOST_KEPT)
def _route(way: Route) -> SafeString:
    stops = [(table, way.choice.address(table=table.number)) for table in way.tables]
    return render_to_string("tables/route.html", {"choice": way.choice, "stops": stops})
