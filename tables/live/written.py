"""A note as the database has it, and as everybody at its table is told it."""

from collections.abc import Mapping
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

from sessions.live.compact import json_text
from sessions.live.kinds import Part
from sessions.live.wire import Encoded
from tables.models import Note


class Written(NamedTuple):
    """What is told of a note, as the database has it: named like its fields, keys as numbers."""

    id: UUID
    board: int
    seq: int
    question: int
    text: str
    colour: str
    order: str
    author: int
    at: int
    edited: int
    late: bool
    hidden: bool
    gone_at: int | None
    name: str  # the author's

    def part(self) -> Part:
        """The one place where a note becomes data, but for its twin `encoded`; guests never get a hidden one."""
        note = str(self.id)
        name = f"note:{note}"
        if self.gone_at is not None:
            return Part.gone(name, self.seq)
        shown = {
            "id": name,
            "seq": self.seq,
            "note": note,
            "q": self.question,
            "text": self.text,
            "colour": self.colour,
            "order": self.order,
            "by": self.author,
            "name": self.name,
            "at": self.at,
            "edited": self.edited,
            "late": self.late,
            "hidden": self.hidden,
        }
        return Part(name, self.seq, {"id": name, "seq": self.seq, "gone": True} if self.hidden else shown, shown)

    def encoded(self) -> Encoded:
        """`part` as text. What nearly all are, all may see, is put together at once; `tests/test_news.py` holds both to
        the same bytes.
        """
        if self.hidden or self.gone_at is not None:
            return Encoded.of(self.part())
        return encoded(
            *(str(self.id), self.seq, self.question, self.text, self.colour, self.order),
            *(self.author, self.name, self.at, self.edited),
            late=self.late,
        )


def encoded(  # noqa: PLR0913, PLR0917 - one for each of its fields: it is called for every note
    note: str,
    seq: int,
    question: int,
    text: str,
    colour: str,
    order: str,
    author: int,
    name: str,
    at: int,
    edited: int,
    *,
    late: bool = False,
) -> Encoded:
    """The part of a note that all may see; `note` is its id."""
    shown = (
        f'{{"id":"note:{note}","seq":{seq},"note":"{note}","q":{question},"text":{json_text(text)},'
        f'"colour":"{colour}","order":"{order}","by":{author},"name":{json_text(name)},'
        f'"at":{at},"edited":{edited},"late":{"true" if late else "false"},"hidden":false}}'
    )
    return Encoded(f"note:{note}", seq, shown, shown)


def written_of(note: Note, names: Mapping[int, str]) -> Written:
    """The same of a note at hand, with the names of authors."""
    values = note.__dict__
    return Written._make((*_values(values), names[values["author_id"]]))


COLUMNS = {column.name: column.attname for column in Note._meta.concrete_fields}
_values = itemgetter(*(COLUMNS[name] for name in Written._fields[:-1]))
