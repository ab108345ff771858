"""Where a planning form says something else than what is stored: a person has to decide between the two."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from django.forms import BooleanField, ChoiceField, Form
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from tables.forms.draft import Draft, Texts

if TYPE_CHECKING:
    from tables.forms.plan import PlanForm

LONGEST = 80


def differing(form: PlanForm, stored: Draft) -> list[tuple[str, str, str]]:
    """Of every such place: its id, its label and what is stored there. A piece that is new here has no place there."""
    here, there = _texts(form.draft), _texts(stored)
    found = []
    for where, piece in form.places():
        for name in piece.fields:
            sent = piece.add_prefix(name)
            if sent in there and here.get(sent, "").split() != there[sent].split():
                label = ": ".join(filter(None, [where, str(piece[name].label)]))
                found.append((str(piece[name].auto_id), label, _shown(piece, name, there[sent]) or where))
    if _order(form.draft) != _order(stored):
        found.append(("id_sessions", _("Sessions and questions"), _("other ones, or in another order")))
    return found


def _texts(draft: Draft) -> Texts:
    """What stands in every field, by the name under which it is sent."""
    texts = dict(draft.top)
    for session in draft.sessions:
        texts |= {f"{session.prefix}-{name}": text for name, text in session.texts.items()}
        texts |= {f"{session.prefix}-q{token}-text": text for token, text in session.questions.items()}
    for number, row in enumerate(draft.tables, 1):
        texts |= {f"t{number}-{name}": text for name, text in row.items()}
    return texts


def _order(draft: Draft) -> list[tuple[str, list[str]]]:
    return [(session.token, list(session.questions)) for session in draft.sessions]


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
