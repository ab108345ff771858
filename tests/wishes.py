"""What people of the cast may want: drawn by Hypothesis, or by dice."""

import random
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

Choices = tuple[str, str, dict[str, Sequence[Any]]]  # stream, kind, what each field may be
Wish = tuple[str, str, dict[str, Any]]  # stream, kind, data with places of notes, tables and people for their ids
PEOPLE = ("ben", "cem", "dana", "moderator")
NOTES = range(6)
TABLES = range(1, 4)


def wish(stream: str, kind: str, **data: Sequence[Any]) -> Choices:
    return stream, kind, data


NOTE_WISHES = [
    wish("board", "note.add", text=["Benches", "Trees"]),
    wish("board", "note.add", text=["Shade", "Water"]),
    wish("board", "note.edit", note=NOTES, text=["Other words"], fits=[True, False]),
    wish("board", "note.edit", note=NOTES, colour=["mint", "sky"]),
    wish("board", "note.move", note=NOTES, after=[None, *NOTES]),
    wish("board", "note.gone", note=NOTES),
    wish("board", "note.back", note=NOTES),
    wish("board", "note.hide", note=NOTES),
    wish("board", "note.show", note=NOTES),
]
SEAT_WISHES = [
    wish("room", "seat.take", table=TABLES),
    wish("room", "seat.any"),
    wish("room", "seat.leave"),
    wish("room", "seat.put", p=PEOPLE, table=[None, *TABLES]),
]
TABLE_WISHES = [
    wish("room", "table.set", table=TABLES, cap=range(1, 4)),
    wish("room", "table.set", table=TABLES, open=[True, False]),
    wish("room", "table.set", table=TABLES, host=[None, *PEOPLE]),
]
OTHER_WISHES = [
    wish("room", "person.set", p=PEOPLE, name=["Kim", "Robin"]),
    wish("room", "person.set", p=PEOPLE, removed=[True, False]),
    wish("stage", "phase.next"),
    wish("stage", "phase.go", phase=["seating", "running", "over"], session=[1, 2]),
    wish("stage", "phase.go", phase=["lobby", "gallery", "closed"]),
    wish("stage", "clock.pause"),
    wish("stage", "clock.resume"),
    wish("stage", "clock.add", minutes=range(-1, 2)),
    wish("stage", "word.say", text=["", "Five minutes"]),
    wish("gallery", "takeaway.set", text=["", "Courage"]),
    wish("gallery", "closing.set", text=["Good night"]),
]


def drawn(*wishes: Sequence[Choices]) -> st.SearchStrategy[Wish]:
    each: list[st.SearchStrategy[Wish]] = [
        st.tuples(
            st.just(stream),
            st.just(kind),
            st.fixed_dictionaries({name: st.sampled_from(of) for name, of in data.items()}),
        )
        for those in wishes
        for stream, kind, data in those
    ]
    return st.one_of(each)


def diced(dice: random.Random, *wishes: Sequence[Choices]) -> Wish:
    stream, kind, data = dice.choice([one for those in wishes for one in those])
    return stream, kind, {name: dice.choice(of) for name, of in data.items()}
