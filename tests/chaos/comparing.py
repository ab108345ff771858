"""Whether everybody sees what the database holds: clients by their parts, browsers by their pages, records by texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tests.chaos.evidence import Evidence, Note, Paper, Rows, View, nonces_in


def views(evidence: Evidence) -> Iterator[str]:
    """Every client stands at the head of each stream it follows and has its parts, no more and no others."""
    for who in evidence.absent:
        yield f"{who} never came back"
    for view in evidence.views:
        for stream, cursor in view.cursors.items():
            name = f"me:{view.person}" if stream == "me" else stream
            there = evidence.rows.streams.get(name)
            if there is None or there.head != cursor:
                yield f"{view.who} stands at {cursor} in {stream}, the head is {there.head if there else 'nowhere'}"
        yield from _boards(evidence.rows, view)
        yield from _room(evidence.rows, view)
        yield from _stage(evidence.rows, view)


def _boards(rows: Rows, view: View) -> Iterator[str]:
    for stream, parts in view.parts.items():
        if stream.startswith("board:"):
            board = int(stream.removeprefix("board:"))
            wanted = {f"note:{n.id}": n.as_seen(rows.people[n.author]) for n in visible(rows, board, view.sees)}
            yield from _differ(f"{view.who} in {stream}", parts, wanted)


def visible(rows: Rows, board: int, sees: str) -> list[Note]:
    """Notes on a board that are not gone; hidden ones for moderators alone."""
    there = [note for note in rows.notes if note.board == board and not note.is_gone]
    return [note for note in there if sees == "moderators" or not note.hidden]


def _room(rows: Rows, view: View) -> Iterator[str]:
    if "room" not in view.parts:
        return
    wanted = {
        f"table:{table.id}": {
            "no": table.number,
            "name": table.name,
            "cap": table.cap,
            "open": table.open,
            "seats": sorted((seat.person, seat.place) for seat in rows.seats if seat.table == table.id),
        }
        for table in rows.tables
    }
    shown = {
        name: {**part, "seats": sorted((seat["p"], seat["i"]) for seat in part.get("seats", ()))}
        for name, part in view.parts["room"].items()
    }
    yield from _differ(f"{view.who} in room", shown, wanted)


def _stage(rows: Rows, view: View) -> Iterator[str]:
    if "stage" in view.parts:
        yield from _differ(f"{view.who} in stage", view.parts["stage"], {"now": {"word": rows.word}})
    if "me" in view.parts and view.sees == "guests":
        at = next((seat.table for seat in rows.seats if seat.person == view.person), None)
        own = {name: part for name, part in view.parts["me"].items() if name == "seat"}
        yield from _differ(f"{view.who} in me", own, {"seat": {"table": at}})


def _differ(
    where: str, shown: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Both must have the same parts; of each the wanted fields count."""
    for name in shown.keys() - wanted.keys():
        yield f"{where} sees {name}, which is not there"
    for name in wanted.keys() - shown.keys():
        yield f"{where} does not see {name}"
    for name in wanted.keys() & shown.keys():
        for field, value in wanted[name].items():
            if shown[name].get(field) != value:
                yield f"{where} sees {field} of {name} as {shown[name].get(field)!r}, it is {value!r}"


def screens(evidence: Evidence) -> Iterator[str]:
    """Every browser shows the notes of its board in their order, and none of them as unsaved."""
    for screen in evidence.screens:
        there = sorted(visible(evidence.rows, screen.board, "guests"), key=lambda n: (n.q, n.order, n.id))
        wanted = [Paper(note.id, note.seq, note.q, note.text, note.colour) for note in there]
        shown = sorted(screen.papers, key=lambda paper: paper.q)  # stable: as they stand in their columns
        if shown != wanted:
            yield f"{screen.who} shows {_first_difference(shown, wanted)}"
        for state in screen.states:
            yield f"{screen.who} says of a note: {state}"


def _first_difference(shown: list[Paper], wanted: list[Paper]) -> str:
    for here, there in zip(shown, wanted, strict=False):
        if here != there:
            return f"{here}, where the database has {there}"
    return f"{len(shown)} notes, where the database has {len(wanted)}"


def records(evidence: Evidence) -> Iterator[str]:
    """Every record tells each note that is not gone, once, and nothing else (twice has a zero of its own)."""
    there = {nonce for note in evidence.rows.notes if not note.is_gone for nonce in nonces_in(note.text)}
    for name, texts in evidence.records.items():
        told = Counter(nonce for text in texts for nonce in nonces_in(text))
        for nonce in sorted(there - told.keys()):
            yield f"{name} lacks {nonce}"
        for nonce in sorted(told.keys() - there):
            yield f"{name} tells {nonce}, which is not there"
