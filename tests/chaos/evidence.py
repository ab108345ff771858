"""What the checker judges by: what clients did and heard, what the database holds, what everybody sees. Plain data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

NONCE = re.compile(r"#[0-9a-z]+-[0-9]+#")  # in every text somebody writes, and in no other one


def nonces_in(text: str) -> list[str]:
    return NONCE.findall(text)


@dataclass(slots=True)
class Deed:
    """One operation as its author knows it. `refusals` are final codes, `retries` the others."""

    id: str
    who: str
    person: int  # id of the participant
    stream: str
    kind: str
    data: Mapping[str, Any]
    base: int | None = None
    sent: int = 0
    seqs: list[int] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    retries: list[str] = field(default_factory=list)

    @property
    def is_acknowledged(self) -> bool:
        return bool(self.seqs)

    @property
    def is_refused(self) -> bool:
        return bool(self.refusals) and not self.seqs

    @property
    def is_answered(self) -> bool:
        return bool(self.seqs or self.refusals)

    def __str__(self) -> str:
        return f"{self.kind} {self.id} of {self.who}"


@dataclass(frozen=True, slots=True)
class Stream:
    id: int
    name: str  # as on the wire; `me:<participant>` for a person's own
    head: int


@dataclass(frozen=True, slots=True)
class Change:
    """A row of what was done. `id` grows in the order of the locks; `answers`: it is the answer of the operation."""

    id: int
    stream: str
    seq: int | None
    op: str
    answers: bool
    actor: int | None
    kind: str
    part: str
    code: str

    @property
    def is_acceptance(self) -> bool:
        return self.answers and not self.code


@dataclass(frozen=True, slots=True)
class Note:
    id: str
    board: int
    q: int
    author: int
    text: str
    colour: str
    order: str
    seq: int
    at: int
    edited: int
    late: bool
    hidden: bool
    is_gone: bool

    def as_seen(self, name: str) -> dict[str, Any]:
        """Its part as those get it who may see it; `name` is its author's."""
        return {
            "seq": self.seq,
            "q": self.q,
            "text": self.text,
            "colour": self.colour,
            "order": self.order,
            "by": self.author,
            "name": name,
            "at": self.at,
            "edited": self.edited,
            "late": self.late,
            "hidden": self.hidden,
        }


@dataclass(frozen=True, slots=True)
class Table:
    id: int
    number: int
    name: str
    cap: int
    open: bool


@dataclass(frozen=True, slots=True)
class Seat:
    person: int
    table: int
    place: int


@dataclass(frozen=True, slots=True)
class Rows:
    """One event as the database holds it. `counts` are the boards' own counters of notes that can be seen, `newest`
    what they call their newest one, `written` the authors' own counters.
    """

    streams: Mapping[str, Stream]
    changes: tuple[Change, ...]
    notes: tuple[Note, ...]
    tables: tuple[Table, ...]
    seats: tuple[Seat, ...]  # of the current session
    people: Mapping[int, str]
    counts: Mapping[int, int]
    newest: Mapping[int, str]
    written: Mapping[int, int]
    word: str

    def acceptances(self) -> Iterator[Change]:
        return (change for change in self.changes if change.is_acceptance)

    def upto(self) -> int:
        return max((change.id for change in self.changes), default=0)


@dataclass(frozen=True, slots=True)
class View:
    """What one client has: cursors and parts by stream. `sees` is `guests` or `moderators`."""

    who: str
    person: int
    sees: str
    cursors: Mapping[str, int]
    parts: Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Paper:
    """A note as it stands in a browser's page."""

    id: str
    seq: int
    q: int
    text: str
    colour: str


@dataclass(frozen=True, slots=True)
class Screen:
    """What one browser shows of one board, column by column from top to bottom."""

    who: str
    board: int
    papers: tuple[Paper, ...]
    states: tuple[str, ...] = ()  # what it says about notes that are not saved


@dataclass(frozen=True)
class Evidence:
    """`since` is the last change before anybody acted; `beside` are operations of commands that run beside."""

    deeds: Mapping[str, Deed]
    rows: Rows
    views: tuple[View, ...] = ()
    absent: tuple[str, ...] = ()  # who has no connection in the end
    screens: tuple[Screen, ...] = ()
    records: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # texts by name of the record
    outboxes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # ids by who has them
    typed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # what somebody typed and posted by hand
    since: int = 0
    beside: frozenset[str] = frozenset()
    brought_by_beat: tuple[bool, ...] = ()  # in a quiet hour: had this note to wait for the heartbeat?
    contended: tuple[int, int] = (0, 0)  # answers in all while a command wrote beside, and those that said busy

    def answers(self) -> dict[str, Change]:
        """The acceptance of each operation."""
        return {change.op: change for change in self.rows.acceptances()}

    def accepted(self, kinds: Iterable[str]) -> Iterator[tuple[Change, Deed]]:
        """Acceptances of these kinds with their deeds, in the order of the locks; strangers' ones are left out."""
        wanted = frozenset(kinds)
        for change in sorted(self.rows.acceptances(), key=lambda change: change.id):
            if change.kind in wanted and change.op in self.deeds:
                yield change, self.deeds[change.op]
