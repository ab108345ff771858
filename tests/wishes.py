"""What people of the cast may want, as Hypothesis draws it."""

from typing import Any

from hypothesis import strategies as st

PEOPLE = ("ben", "cem", "dana", "moderator")
NOTES = st.integers(0, 5)
TABLES = st.integers(1, 3)

Wish = tuple[str, str, dict[str, Any]]  # stream, kind, data with places of notes, tables and people for their ids


def wish(stream: str, kind: str, **data: st.SearchStrategy[Any]) -> st.SearchStrategy[Wish]:
    return st.tuples(st.just(stream), st.just(kind), st.fixed_dictionaries(data))


NOTE_WISHES = [
    wish("board", "note.add", text=st.sampled_from(["Benches", "Trees"])),
    wish("board", "note.add", text=st.sampled_from(["Shade", "Water"])),
    wish("board", "note.edit", note=NOTES, text=st.just("Other words"), fits=st.booleans()),
    wish("board", "note.edit", note=NOTES, colour=st.sampled_from(["mint", "sky"])),
    wish("board", "note.move", note=NOTES, after=st.none() | NOTES),
    wish("board", "note.gone", note=NOTES),
    wish("board", "note.back", note=NOTES),
    wish("board", "note.hide", note=NOTES),
    wish("board", "note.show", note=NOTES),
]
SEAT_WISHES = [
    wish("room", "seat.take", table=TABLES),
    wish("room", "seat.any"),
    wish("room", "seat.leave"),
    wish("room", "seat.put", p=st.sampled_from(PEOPLE), table=st.none() | TABLES),
]
TABLE_WISHES = [
    wish("room", "table.set", table=TABLES, cap=st.integers(1, 3)),
    wish("room", "table.set", table=TABLES, open=st.booleans()),
    wish("room", "table.set", table=TABLES, host=st.none() | st.sampled_from(PEOPLE)),
]
OTHER_WISHES = [
    wish("room", "person.set", p=st.sampled_from(PEOPLE), name=st.sampled_from(["Kim", "Robin"])),
    wish("room", "person.set", p=st.sampled_from(PEOPLE), removed=st.booleans()),
    wish("stage", "phase.next"),
    wish("stage", "phase.go", phase=st.sampled_from(["seating", "running", "over"]), session=st.integers(1, 2)),
    wish("stage", "phase.go", phase=st.sampled_from(["lobby", "gallery", "closed"])),
    wish("stage", "clock.pause"),
    wish("stage", "clock.resume"),
    wish("stage", "clock.add", minutes=st.integers(-1, 1)),
    wish("stage", "word.say", text=st.sampled_from(["", "Five minutes"])),
    wish("gallery", "takeaway.set", text=st.sampled_from(["", "Courage"])),
    wish("gallery", "closing.set", text=st.just("Good night")),
]
