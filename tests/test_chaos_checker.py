"""The checker finds what is planted, names it, and finds nothing where nothing is wrong."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.checker import ZEROS, judge
from tests.chaos.evidence import (
    Change,
    Deed,
    Evidence,
    Note,
    Paper,
    Rows,
    Screen,
    Seat,
    Stream,
    Table,
    View,
)

BEN, CEM, DANA, ADA = 2, 3, 4, 1
NAMES = {ADA: "Ada", BEN: "Ben", CEM: "Cem", DANA: "Dana"}
BENCHES, TREES, SHADE = "note-1", "note-2", "note-3"


def deed(
    op: str, person: int, stream: str, kind: str, seq: int | None, /, *, base: int | None = None, **data: Any
) -> Deed:
    seqs, refusals = ([seq], []) if seq else ([], ["not_owner"])
    return Deed(op, NAMES[person], person, stream, kind, data, base, sent=1, seqs=seqs, refusals=refusals)


DEEDS = [
    deed("sit-1", CEM, "room", "seat.take", 1, table=1),
    deed("sit-2", DANA, "room", "seat.any", 2),
    deed(BENCHES, CEM, "board:1", "note.add", 1, q=1, text="Benches #cem-1#", colour="mint"),
    deed(TREES, DANA, "board:1", "note.add", 2, q=1, text="Trees #dana-1#", colour="sky"),
    deed("edit-1", CEM, "board:1", "note.edit", 3, base=10, note=BENCHES, text="Two benches #cem-2#"),
    deed("edit-2", DANA, "board:1", "note.edit", None, base=10, note=BENCHES, text="Three benches #dana-2#"),
    deed("gone-1", DANA, "board:1", "note.gone", 4, note=TREES),
    deed("hide-1", ADA, "board:1", "note.hide", 6, note=SHADE),
    deed(SHADE, BEN, "board:1", "note.add", 5, q=2, text="Shade #ben-1#", colour="oat"),
    deed("word-1", ADA, "stage", "word.say", 1, text="Coffee #ada-1#"),
]
PEOPLE = {
    "sit-1": ("room", "table:1"),
    "sit-2": ("room", "table:2"),
    "word-1": ("stage", "now"),
}


def change(number: int, done: Deed) -> Change:
    """What the server keeps of it."""
    stream, part = PEOPLE.get(done.id, ("board:1", f"note:{done.data.get('note', done.id)}"))
    seq = done.seqs[0] if done.seqs else None
    code = "" if done.seqs else done.refusals[0]
    return Change(number, stream, seq, done.id, answers=True, actor=done.person, kind=done.kind, part=part, code=code)


def note(pk: str, author: int, text: str, seq: int, **facts: Any) -> Note:
    usual = {"board": 1, "q": 1, "colour": "mint", "order": pk, "at": 10, "edited": 10}
    usual |= {"late": False, "hidden": False, "is_gone": False}
    return Note(id=pk, author=author, text=text, seq=seq, **{**usual, **facts})


def sound() -> Evidence:
    """Ben, Cem and Dana write, Ada hides one note; Cem has a client and a browser, Ada a client."""
    rows = kept()
    return Evidence(
        deeds={done.id: done for done in DEEDS},
        rows=rows,
        views=seen(rows),
        screens=(Screen("Cem's browser", 1, (Paper(BENCHES, 3, 1, "Two benches #cem-2#", "mint"),)),),
        records={"gallery": ("Two benches #cem-2#", "Shade #ben-1#")},
        outboxes={"Cem": ()},
        typed={"Cem": ("Benches #cem-1#",)},
        brought_by_beat=(False, True, False),
        contended=(100, 3),
    )


def kept() -> Rows:
    """What the database says of it."""
    order = sorted(DEEDS, key=lambda done: (done.stream, done.seqs or [99]))
    streams = {"board:1": 6, "room": 2, "stage": 1, f"me:{CEM}": 0, f"me:{ADA}": 0}
    notes = (
        note(BENCHES, CEM, "Two benches #cem-2#", 3, edited=11),
        note(TREES, DANA, "Trees #dana-1#", 4, colour="sky", is_gone=True),
        note(SHADE, BEN, "Shade #ben-1#", 6, colour="oat", q=2, hidden=True),
    )
    tables = (Table(1, 1, "Table 1", cap=2, open=True), Table(2, 2, "Table 2", cap=2, open=True))
    return Rows(
        streams={name: Stream(number, name, head) for number, (name, head) in enumerate(streams.items(), 1)},
        changes=tuple(change(number, done) for number, done in enumerate(order, 1)),
        notes=notes,
        tables=tables,
        seats=(Seat(CEM, 1, 0), Seat(DANA, 2, 0)),
        people=NAMES,
        counts={1: 1},
        newest={1: BENCHES},
        written={CEM: 1, DANA: 0, BEN: 1},
        word="Coffee #ada-1#",
    )


def seen(rows: Rows) -> tuple[View, View]:
    """What Cem's and Ada's clients say of it."""
    room = {
        f"table:{table.id}": {
            "no": table.number,
            "name": table.name,
            "cap": table.cap,
            "open": table.open,
            "seats": [{"p": seat.person, "i": seat.place} for seat in rows.seats if seat.table == table.id],
        }
        for table in rows.tables
    }
    stage = {"now": {"word": rows.word}}
    shown = {
        f"note:{n.id}": {"id": n.id, "note": n.id, **n.as_seen(NAMES[n.author])} for n in rows.notes if not n.is_gone
    }
    of_guests = {name: part for name, part in shown.items() if not part["hidden"]}
    cursors = {"board:1": 6, "room": 2, "stage": 1, "me": 0}
    return (
        View("Cem", CEM, "guests", cursors, {"board:1": of_guests, "room": room, "stage": stage, "me": own(1)}),
        View("Ada", ADA, "moderators", cursors, {"board:1": shown, "room": room, "stage": stage, "me": {}}),
    )


def own(table: int) -> dict[str, dict[str, Any]]:
    return {"seat": {"table": table}}


Planting = Callable[[Evidence], Evidence]


def of_rows(**changed: Any) -> Planting:
    return lambda good: replace(good, rows=replace(good.rows, **changed))


def of_note(pk: str, **facts: Any) -> Planting:
    def plant(good: Evidence) -> Evidence:
        notes = tuple(replace(n, **facts) if n.id == pk else n for n in good.rows.notes)
        return of_rows(notes=notes)(good)

    return plant


def without_change(op: str) -> Planting:
    return lambda good: of_rows(changes=tuple(c for c in good.rows.changes if c.op != op))(good)


def with_deed(extra: Deed, *changes: Change) -> Planting:
    def plant(good: Evidence) -> Evidence:
        return of_rows(changes=(*good.rows.changes, *changes))(replace(good, deeds={**good.deeds, extra.id: extra}))

    return plant


def answered(op: str, **answers: Any) -> Planting:
    return lambda good: replace(good, deeds={**good.deeds, op: replace(good.deeds[op], **answers)})


def of_view(stream: str, name: str, **fields: Any) -> Planting:
    """Cem sees a part differently; nothing given: not at all."""

    def plant(good: Evidence) -> Evidence:
        cem, ada = good.views
        parts = dict(cem.parts[stream])
        parts[name] = {**parts.get(name, {}), **fields}
        if not fields:
            del parts[name]
        return replace(good, views=(replace(cem, parts={**cem.parts, stream: parts}), ada))

    return plant


def of_cursor(cursor: int) -> Planting:
    return lambda good: replace(good, views=(replace(good.views[0], cursors={"board:1": cursor}), good.views[1]))


def of_screen(*papers: Paper, **more: Any) -> Planting:
    return lambda good: replace(good, screens=(replace(good.screens[0], papers=papers, **more),))


def seated(*seats: Seat) -> Planting:
    return of_rows(seats=seats)


TALLER = Note(**{**{name: getattr(sound().rows.notes[0], name) for name in Note.__slots__}, "id": "ghost", "seq": 2})
STRANGER = Change(99, "board:1", 7, "ghost", answers=True, actor=CEM, kind="note.gone", part="note:note-1", code="")
BY_CEM = deed("late-1", CEM, "room", "seat.leave", 3)
REMOVES = deed("out-1", ADA, "room", "person.set", 4, p=CEM, removed=True)
AFTER = [
    Change(50, "room", 3, "out-1", answers=True, actor=ADA, kind="person.set", part="table:1", code=""),
    Change(51, "room", 4, "late-1", answers=True, actor=CEM, kind="seat.leave", part="table:1", code=""),
]
AGAIN = deed("edit-3", DANA, "board:1", "note.edit", 7, base=10, note=BENCHES, text="Four benches #dana-3#")
AGAIN_CHANGE = Change(52, "board:1", 7, "edit-3", True, DANA, "note.edit", "note:note-1", "")
PAPER = Paper(BENCHES, 3, 1, "Two benches #cem-2#", "mint")
PLANTED: dict[str, tuple[str, Planting]] = {
    "an acknowledged operation that is not stored": ("lost", without_change("gone-1")),
    "an acknowledgement with another seq": ("lost", answered("gone-1", seqs=[5])),
    "an acknowledged note that is not there": ("lost", lambda good: of_rows(notes=good.rows.notes[:2])(good)),
    "an operation stored in somebody else's name": ("lost", answered("gone-1", person=BEN)),
    "a stored operation that nobody sent": ("phantom", lambda g: of_rows(changes=(*g.rows.changes, STRANGER))(g)),
    "a note that nobody wrote": ("phantom", lambda good: of_rows(notes=(*good.rows.notes, TALLER))(good)),
    "words that nobody wrote": ("phantom", of_note(BENCHES, text="Ten benches #eve-1#")),
    "a refused operation that is stored": ("refused but applied", answered("gone-1", seqs=[], refusals=["no_seat"])),
    "a note that says refused words": ("refused but applied", of_note(BENCHES, text="Three benches #dana-2#")),
    "an operation acknowledged and refused": ("contradictions", answered("gone-1", refusals=["not_owner"])),
    "an operation acknowledged with two seqs": ("contradictions", answered("gone-1", seqs=[4, 5])),
    "an operation answered by two rows": (
        "contradictions",
        lambda good: of_rows(changes=(*good.rows.changes, good.rows.changes[0]))(good),
    ),
    "a note stored twice": ("doubled", lambda good: of_rows(notes=(*good.rows.notes, TALLER))(good)),
    "a note twice in a view": (
        "doubled",
        of_view("board:1", "note:ghost", note="ghost", order="z", text="Two benches #cem-2#"),
    ),
    "a note twice on a page": ("doubled", of_screen(PAPER, PAPER)),
    "words twice on a page": ("doubled", of_screen(PAPER, replace(PAPER, id="ghost"))),
    "words twice in a record": ("doubled", lambda good: replace(good, records={"gallery": (PAPER.text, PAPER.text)})),
    "a hole in a stream": ("holes", lambda good: of_rows(changes=good.rows.changes[1:])(good)),
    "a note beyond the head": ("holes", of_note(BENCHES, seq=9)),
    "two notes with one seq": ("holes", of_note(BENCHES, seq=4)),
    "an edit that left no trace": ("contents", of_note(BENCHES, text="Benches #cem-1#")),
    "a note in another colour": ("contents", of_note(BENCHES, colour="sky")),
    "a deleted note that is there": ("contents", of_note(TREES, is_gone=False)),
    "a hidden note that is not hidden": ("contents", of_note(SHADE, hidden=False)),
    "a note to another question": ("contents", of_note(BENCHES, q=2)),
    "a note whose seq is not its last change's": ("contents", of_note(BENCHES, seq=1)),
    "two edits of the same words, both accepted": ("contents", with_deed(AGAIN, AGAIN_CHANGE)),
    "a board that miscounts": ("contents", of_rows(counts={1: 2})),
    "an author of whom too many notes are counted": ("contents", of_rows(written={CEM: 2, BEN: 1})),
    "an author of whom no note is counted": ("contents", of_rows(written={CEM: 1})),
    "a newest note that is gone": ("contents", of_rows(newest={1: TREES})),
    "a person on two seats": ("seats", seated(Seat(CEM, 1, 0), Seat(CEM, 2, 1), Seat(DANA, 2, 0))),
    "more people than chairs": ("seats", seated(Seat(CEM, 1, 0), Seat(BEN, 1, 1), Seat(ADA, 1, 2), Seat(DANA, 2, 0))),
    "two people on one chair": ("seats", seated(Seat(CEM, 1, 0), Seat(BEN, 1, 0), Seat(DANA, 2, 0))),
    "a person at another table": ("seats", seated(Seat(CEM, 2, 1), Seat(DANA, 2, 0))),
    "a person without the seat that was given": ("seats", seated(Seat(CEM, 1, 0))),
    "an operation of somebody removed": (
        "removed but heard",
        lambda good: with_deed(BY_CEM, *AFTER)(with_deed(REMOVES)(good)),
    ),
    "a client that never came back": ("views", lambda good: replace(good, absent=("Dana",))),
    "a client behind the head": ("views", of_cursor(5)),
    "a client that lacks a note": ("views", of_view("board:1", f"note:{BENCHES}")),
    "a client that sees a hidden note": ("views", of_view("board:1", f"note:{SHADE}", note=SHADE)),
    "a client with older words": ("views", of_view("board:1", f"note:{BENCHES}", text="Benches #cem-1#")),
    "a client with an older seat": ("views", of_view("room", "table:1", seats=[])),
    "a client with another word of the moderator": ("views", of_view("stage", "now", word="")),
    "a client that believes to sit elsewhere": ("views", of_view("me", "seat", table=2)),
    "a page that lacks a note": ("pages", of_screen()),
    "a page with older words": ("pages", of_screen(replace(PAPER, text="Benches #cem-1#"))),
    "a page that says a note is not saved": ("pages", of_screen(PAPER, states=("Not saved",))),
    "a record that lacks a note": ("records", lambda good: replace(good, records={"gallery": ("Shade #ben-1#",)})),
    "a record with a deleted note": (
        "records",
        lambda good: replace(good, records={"gallery": (*good.records["gallery"], "Trees #dana-1#")}),
    ),
    "an operation still in an outbox": ("outboxes", lambda good: replace(good, outboxes={"Cem": ("gone-1",)})),
    "an operation that was never answered": ("outboxes", answered("edit-2", refusals=[])),
    "words that were typed and never sent": ("outboxes", lambda good: replace(good, typed={"Cem": ("Lamps #cem-9#",)})),
    "pages that only the heartbeat tells": ("untold", lambda good: replace(good, brought_by_beat=(True,) * 8)),
    "operations that fail where they should wait": (
        "failed by contention",
        lambda good: replace(good, contended=(100, 80)),
    ),
}


def test_a_sound_run_has_nothing_but_zeros() -> None:
    assert judge(sound()) == {name: [] for name in ZEROS}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_is_planted_is_found_and_named(planted: str) -> None:
    name, plant = PLANTED[planted]
    found = judge(plant(sound()))[name]

    assert found, {zero: says for zero, says in judge(plant(sound())).items() if says}
    assert all(len(sentence) > 10 for sentence in found)


def test_every_zero_is_one_that_can_fail() -> None:
    assert {name for name, _plant in PLANTED.values()} == ZEROS.keys()


def test_a_note_brought_back_is_there_again() -> None:
    back = deed("back-1", DANA, "board:1", "note.back", 7, note=TREES)
    stored = Change(60, "board:1", 7, "back-1", True, DANA, "note.back", f"note:{TREES}", "")
    streams = {**sound().rows.streams, "board:1": Stream(1, "board:1", 7)}
    good = of_rows(streams=streams, counts={1: 2}, written={CEM: 1, DANA: 1, BEN: 1})(
        of_note(TREES, is_gone=False, seq=7)(sound())
    )

    assert judge(with_deed(back, stored)(good))["contents"] == []


def test_somebody_let_in_again_may_act() -> None:
    back = deed("in-1", ADA, "room", "person.set", 5, p=CEM, removed=False)
    let_in = replace(AFTER[0], id=50, op="in-1", seq=5)
    removed_before = replace(AFTER[0], id=49)
    good = with_deed(BY_CEM, removed_before, let_in, AFTER[1])(with_deed(REMOVES)(with_deed(back)(sound())))

    assert judge(good)["removed but heard"] == []
