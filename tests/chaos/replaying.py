"""What accepted operations should have made of notes, seats and rights, done again from their authors' own words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.chaos.evidence import Change, Deed, Evidence, Rows

NOTES = ("note.add", "note.edit", "note.move", "note.gone", "note.back", "note.hide", "note.show")
SEATS = ("seat.take", "seat.any", "seat.leave", "seat.put", "person.set")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a note must be by now."""

    board: int
    author: int
    q: int
    text: str
    colour: str
    hidden: bool = False
    is_gone: bool = False
    bases: tuple[int, ...] = ()  # the versions from which its words were changed


def contents(evidence: Evidence) -> Iterator[str]:
    """Every note is what the accepted operations made of it, in the order in which they were accepted."""
    expected: dict[str, Facts] = {}
    for change, deed in evidence.accepted(NOTES):
        note = deed.id if deed.kind == "note.add" else str(deed.data["note"])
        before = expected.get(note)
        if deed.kind == "note.add":
            expected[note] = _new(change, deed)
        elif before is None:
            yield f"{deed} was accepted and there was no note"
        else:
            if deed.base is not None and "text" in deed.data and deed.base in before.bases:
                yield f"{deed} was accepted although somebody else had changed the same words"
            expected[note] = _after(before, deed)
    yield from _differences(evidence, expected)
    yield from _counts(evidence)


def _new(change: Change, deed: Deed) -> Facts:
    board = int(change.stream.removeprefix("board:"))
    return Facts(board, deed.person, int(deed.data["q"]), str(deed.data["text"]), str(deed.data["colour"]))


def _after(facts: Facts, deed: Deed) -> Facts:
    match deed.kind:
        case "note.edit":
            words = {name: str(deed.data[name]) for name in ("text", "colour") if name in deed.data}
            bases = (*facts.bases, deed.base) if "text" in words and deed.base is not None else facts.bases
            return replace(facts, **words, bases=bases)  # type: ignore[arg-type]  # the names are those above
        case "note.move":
            return replace(facts, q=int(deed.data.get("q", facts.q)))
        case "note.gone" | "note.back":
            return replace(facts, is_gone=deed.kind == "note.gone")
        case "note.hide" | "note.show":
            return replace(facts, hidden=deed.kind == "note.hide")
    return facts


def _differences(evidence: Evidence, expected: dict[str, Facts]) -> Iterator[str]:
    ordered = sorted(evidence.rows.changes, key=lambda change: change.id)
    last = {change.part: change.seq for change in ordered if change.seq and change.part.startswith("note:")}
    for note in evidence.rows.notes:
        facts = expected.get(note.id)
        if facts is None:
            continue  # a phantom, which has a zero of its own
        stored = Facts(note.board, note.author, note.q, note.text, note.colour, note.hidden, note.is_gone, facts.bases)
        if stored != facts:
            yield f"note {note.id} is {stored} and should be {facts}"
        if last.get(f"note:{note.id}") != note.seq:
            yield f"note {note.id} has seq {note.seq}, its last change {last.get(f'note:{note.id}')}"


def _counts(evidence: Evidence) -> Iterator[str]:
    visible = Counter(note.board for note in evidence.rows.notes if not note.is_gone and not note.hidden)
    for board, count in evidence.rows.counts.items():
        if count != visible[board]:
            yield f"board {board} counts {count} notes and has {visible[board]}"
    standing = Counter(note.author for note in evidence.rows.notes if not note.is_gone)
    for person in standing.keys() | evidence.rows.written.keys():
        count = evidence.rows.written.get(person, 0)
        if count != standing[person]:
            yield f"person {person} counts {count} notes and wrote {standing[person]}"
    shown = {(note.board, note.id) for note in evidence.rows.notes if not note.is_gone and not note.hidden}
    for board, newest in evidence.rows.newest.items() - shown:
        yield f"board {board} calls {newest} its newest note, which nobody sees there"


def seats(evidence: Evidence) -> Iterator[str]:
    """Nobody sits twice, no table has more people than chairs, and everybody sits where they were last put."""
    yield from _crowded(evidence.rows)
    at = {seat.person: seat.table for seat in evidence.rows.seats}
    for person, place in _put(evidence).items():
        somewhere = place == ANYWHERE and person in at
        if not somewhere and at.get(person) != place:
            yield f"{person} sits at table {at.get(person)}, the last accepted operation says {place}"


def _crowded(rows: Rows) -> Iterator[str]:
    for person, count in Counter(seat.person for seat in rows.seats).items():
        if count > 1:
            yield f"{person} has {count} seats"
    taken = Counter(seat.table for seat in rows.seats)
    for table in rows.tables:
        if taken[table.id] > table.cap:
            yield f"{taken[table.id]} people sit at table {table.number}, which has {table.cap} seats"
    for chair, count in Counter((seat.table, seat.place) for seat in rows.seats).items():
        if count > 1:
            yield f"{count} people share chair {chair}"


ANYWHERE = -1


def _put(evidence: Evidence) -> dict[int, int | None]:
    """Where the last accepted operation leaves each person, `ANYWHERE` for a free choice of the house."""
    places: dict[int, int | None] = {}
    for _change, deed in evidence.accepted(SEATS):
        person = int(deed.data.get("p", deed.person))
        if deed.kind == "person.set":
            if deed.data.get("removed"):
                places[person] = None
        elif deed.kind == "seat.any":
            places[person] = places[person] if places.get(person) is not None else ANYWHERE
        else:
            table = deed.data.get("table")
            places[person] = None if table is None else int(table)
    return places


def removed(evidence: Evidence) -> Iterator[str]:
    """Of somebody the moderator has removed nothing is accepted until they are let in again."""
    out: dict[int, str] = {}
    for change in sorted(evidence.rows.acceptances(), key=lambda change: change.id):
        deed = evidence.deeds.get(change.op)
        if deed is not None and deed.kind == "person.set" and "removed" in deed.data:
            if deed.data["removed"]:
                out[int(deed.data["p"])] = deed.id
            else:
                out.pop(int(deed.data["p"]), None)
        elif change.actor in out:
            yield f"{change.kind} {change.op} of {change.actor} was accepted after their removal {out[change.actor]}"
