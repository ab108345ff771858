"""Judges a run: each zero is a function from the evidence to sentences about what should not be. Trusts no server."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from tests.chaos.comparing import records, screens, views
from tests.chaos.evidence import Evidence, nonces_in
from tests.chaos.replaying import contents, removed, seats

MOST_BY_BEAT = 1.0  # a single note that met its page before a beat shows that pages are told
MOST_BUSY = 1 / 3
FEWEST_ANSWERS = 12


def judge(evidence: Evidence) -> dict[str, list[str]]:
    """All zeros by name with what contradicts them; a run is good when every list is empty."""
    return {name: list(zero(evidence)) for name, zero in ZEROS.items()}


def lost(evidence: Evidence) -> Iterator[str]:
    """What was acknowledged is stored, as what it was acknowledged."""
    stored = evidence.answers()
    notes = {note.id for note in evidence.rows.notes}
    for deed in evidence.deeds.values():
        change = stored.get(deed.id)
        if not deed.is_acknowledged:
            continue
        if change is None:
            yield f"{deed} was acknowledged and is not stored"
        elif {change.seq} != set(deed.seqs):
            yield f"{deed} was acknowledged as {sorted(set(deed.seqs))} and is stored as {change.seq}"
        elif (change.kind, change.actor) != (deed.kind, deed.person):
            yield f"{deed} is stored as {change.kind} of {change.actor}"
        if deed.kind == "note.add" and deed.id not in notes:
            yield f"{deed} was acknowledged and there is no note"


def phantom(evidence: Evidence) -> Iterator[str]:
    """Nothing is stored that nobody sent."""
    for change in evidence.rows.changes:
        new = change.answers and change.id > evidence.since
        if new and change.op not in evidence.deeds and change.op not in evidence.beside:
            yield f"{change.kind} {change.op} is stored in {change.stream} and nobody sent it"
    written = {nonce for deed in evidence.deeds.values() for nonce in nonces_in(str(deed.data.get("text", "")))}
    for note in evidence.rows.notes:
        deed = evidence.deeds.get(note.id)
        if deed is None or deed.kind != "note.add":
            yield f"note {note.id} is there and nobody wrote it: {note.text!r}"
        elif not written.issuperset(nonces_in(note.text)):
            yield f"note {note.id} says what nobody wrote: {note.text!r}"


def refused(evidence: Evidence) -> Iterator[str]:
    """What was refused for good did not happen."""
    stored = evidence.answers()
    notes = {note.id: note for note in evidence.rows.notes}
    said = {nonce: note.id for note in notes.values() for nonce in nonces_in(note.text)}
    for deed in evidence.deeds.values():
        if not deed.is_refused:
            continue
        if deed.id in stored or deed.id in notes:
            yield f"{deed} was refused ({deed.refusals[0]}) and is stored"
        for nonce in nonces_in(str(deed.data.get("text", ""))):
            if nonce in said:
                yield f"{deed} was refused ({deed.refusals[0]}) and note {said[nonce]} says it"


def answers(evidence: Evidence) -> Iterator[str]:
    """One operation has one final answer, however often it is sent."""
    for deed in evidence.deeds.values():
        if deed.seqs and deed.refusals:
            yield f"{deed} was acknowledged and refused ({', '.join(sorted(set(deed.refusals)))})"
        if len(set(deed.seqs)) > 1:
            yield f"{deed} was acknowledged with different seqs: {sorted(set(deed.seqs))}"
    for op, count in Counter(change.op for change in evidence.rows.changes if change.answers).items():
        if count > 1:
            yield f"operation {op} is answered by {count} rows"


def doubled(evidence: Evidence) -> Iterator[str]:
    """No words stand anywhere twice, nor does an id."""
    places = {"the database": [note.text for note in evidence.rows.notes], **evidence.records}
    for view in evidence.views:
        those = [part for parts in view.parts.values() for part in parts.values() if "note" in part]
        places[f"the view of {view.who}"] = [str(part.get("text", "")) for part in those if "order" in part]
    for screen in evidence.screens:
        places[f"the page of {screen.who}"] = [paper.text for paper in screen.papers]
        yield from _twice(f"the page of {screen.who}", (paper.id for paper in screen.papers))
    yield from _twice("the database", (note.id for note in evidence.rows.notes))
    for place, texts in places.items():
        yield from _twice(place, (nonce for text in texts for nonce in nonces_in(text)))


def _twice(place: str, things: Iterator[str]) -> Iterator[str]:
    for thing, count in Counter(things).items():
        if count > 1:
            yield f"{thing} is {count} times in {place}"


def holes(evidence: Evidence) -> Iterator[str]:
    """Every stream counts from one to its head, and no note is beyond it or shares its number."""
    counted: dict[str, list[int]] = defaultdict(list)
    for change in evidence.rows.changes:
        if change.seq is not None:
            counted[change.stream].append(change.seq)
    for name, stream in evidence.rows.streams.items():
        if sorted(counted[name]) != list(range(1, stream.head + 1)):
            missing = sorted(set(range(1, stream.head + 1)) - set(counted[name]))
            yield f"{name} is at {stream.head}, its {len(counted[name])} changes lack {missing[:5]} or go beyond"
    of_board: dict[int, list[int]] = defaultdict(list)
    for note in evidence.rows.notes:
        of_board[note.board].append(note.seq)
    for board, seqs in of_board.items():
        stream = evidence.rows.streams[f"board:{board}"]
        if len(set(seqs)) < len(seqs) or max(seqs) > stream.head:
            yield f"notes on board {board} share a seq or lie beyond the head {stream.head}"


def outboxes(evidence: Evidence) -> Iterator[str]:
    """In the end everything was answered and nobody holds anything back."""
    for who, ids in evidence.outboxes.items():
        for op in ids:
            yield f"{evidence.deeds.get(op, op)} is still in the outbox of {who}"
    for deed in evidence.deeds.values():
        if not deed.is_answered:
            yield f"{deed} was never answered (sent {deed.sent} times, {', '.join(deed.retries[-3:]) or 'no word'})"
    sent = {str(deed.data.get("text", "")) for deed in evidence.deeds.values()}
    for who, texts in evidence.typed.items():
        for text in texts:
            if text not in sent:
                yield f"{who} posted {text!r} and it was never sent"


def published(evidence: Evidence) -> Iterator[str]:
    """In a quiet hour a note is there because pages are told, not because the next heartbeat finds it."""
    late = evidence.brought_by_beat
    if late and sum(late) / len(late) >= MOST_BY_BEAT:
        yield f"all of {len(late)} notes came with the heartbeat: nobody is told to look after a commit"


def contended(evidence: Evidence) -> Iterator[str]:
    """While another process writes to the same file for moments, operations wait for it and do not fail."""
    total, busy = evidence.contended
    if total >= FEWEST_ANSWERS and busy / total > MOST_BUSY:
        yield f"{busy} of {total} operations failed because somebody else wrote for a moment"


ZEROS: dict[str, Callable[[Evidence], Iterator[str]]] = {
    "lost": lost,
    "phantom": phantom,
    "refused but applied": refused,
    "doubled": doubled,
    "holes": holes,
    "contradictions": answers,
    "contents": contents,
    "seats": seats,
    "removed but heard": removed,
    "views": views,
    "pages": screens,
    "records": records,
    "outboxes": outboxes,
    "untold": published,
    "failed by contention": contended,
}
