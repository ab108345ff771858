"""Template tag for the notes of a gallery."""

from functools import lru_cache
from typing import NamedTuple

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from tables.gallery import Paper

register = template.Library()
MOST_KEPT = 8_000  # notes: some 15 MB


class Sheet(NamedTuple):
    """All that stands in a note's markup. `at` names its table, where that is told."""

    language: str
    colour: str
    pieces: tuple[tuple[str, bool], ...]
    by: str
    late: bool
    hidden: bool
    at: str


@register.simple_tag
def paper(one: Paper, at: str = "") -> SafeString:
    """A note to read, `at` which table. When one of a board's notes changes, the others are not rendered again."""
    note = one.note
    name = note.author.name
    sheet = Sheet(get_language() or "en", note.colour, tuple(one.pieces), name, note.late, note.hidden, at)
    searched = any(found for _piece, found in one.pieces)
    return _render(sheet) if searched else _kept(sheet)


def _render(sheet: Sheet) -> SafeString:
    return render_to_string("tables/paper.html", {"paper": sheet})


_kept = lru_cache(MOST_KEPT)(_render)
