"""Where a planning form says something else than what is stored: a person has to decide between the two."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from django.forms import BooleanField, ChoiceField, Form
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from tables.forms.draft import Draft, Texts

if TYPE_CHECKING:
    from tables.forms.plan import PlanForm

LONGEST = 80
STORED = re.compile(r"(s\d+-)(?:title|q\d+-text)")  # of a session or question that was stored when the form was made


def differing(form: PlanForm, stored: Draft) -> list[tuple[str, str, str]]:
    """Of every such place: its id, its label and what is stored there. What is new here is none of them."""
    found = [*_otherwise(form, stored), *_only_stored(form.draft, stored)]
    if _order(form.draft, stored) != _order(stored, form.draft):
        found.append(("id_sessions", _("Sessions and questions"), _("another order")))
    return found


def _otherwise(form: PlanForm, stored: Draft) -> Iterator[tuple[str, str, str]]:
    """What stands here, and is stored with other words or not at all."""
    here, there = _texts(form.draft), _texts(stored)
    for where, piece in form.places():
        for name in piece.fields:
            sent, place = piece.add_prefix(name), str(piece[name].auto_id)
            label = ": ".join(filter(None, [where, str(piece[name].label)]))
            known = STORED.fullmatch(sent)
            if sent in there and here.get(sent, "").split() != there[sent].split():
                yield place, label, _shown(piece, name, there[sent]) or where
            elif sent not in there and known and name == "title":
                yield place, where, _("nothing")
            elif sent not in there and known and f"{known[1]}title" in there:  # else the whole session is named
                yield place, label, _("nothing")


def _only_stored(here: Draft, stored: Draft) -> Iterator[tuple[str, str, str]]:
    mine = {session.token: session for session in here.sessions}
    for number, session in enumerate(stored.sessions, 1):
        where = _("Session %(number)s") % {"number": number}
        if session.token not in mine:
            text = session.texts["title"] or next(iter(session.questions.values())) or where
            yield "id_sessions", where, Truncator(text).chars(LONGEST)
            continue
        for token, text in session.questions.items():
            if token not in mine[session.token].questions:
                yield "id_sessions", f"{where}: {_('Question')}", Truncator(text).chars(LONGEST)


def _texts(draft: Draft) -> Texts:
    """What stands in every field, by the name under which it is sent."""
    texts = dict(draft.top)
    for session in draft.sessions:
        texts |= {f"{session.prefix}-{name}": text for name, text in session.texts.items()}
        texts |= {f"{session.prefix}-q{token}-text": text for token, text in session.questions.items()}
    for number, row in enumerate(draft.tables, 1):
        texts |= {f"t{number}-{name}": text for name, text in row.items()}
    return texts


def _order(draft: Draft, other: Draft) -> list[tuple[str, ...]]:
    """The sessions and questions that both have."""
    theirs = set(_pieces(other))
    return [piece for piece in _pieces(draft) if piece in theirs]


def _pieces(draft: Draft) -> Iterator[tuple[str, ...]]:
    for session in draft.sessions:
        yield (session.token,)
        yield from ((session.token, question) for question in session.questions)


def _shown(piece: Form, name: str, text: str) -> str:
    """What is stored, as people say it; nothing for the name of a table that nobody named."""
    field = piece.fields[name]
    if isinstance(field, BooleanField):
        return _("yes") if text else _("no")
    if isinstance(field, ChoiceField):
        return str(dict(cast("Iterable[tuple[Any, Any]]", field.choices)).get(text, text))
    if not text and name != "name":
        return _("as at most tables") if name == "seats" else _("nothing")
    return Truncator(text.replace("T", " ") if name == "starts" else text).chars(LONGEST)
