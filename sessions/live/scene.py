"""One batch at work: what is locked, what was read, what shall be written."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any
from uuid import UUID

from django.db import models

from sessions.clock import as_datetime, now_ms
from sessions.ledger import Line, What
from sessions.live import rows
from sessions.live.compact import lasting
from sessions.live.limits import limits
from sessions.live.ops import Name, Op, Refused
from sessions.models import Change, Event, Participant, Stream
from sessions.permissions import Action, Role, Standing, refusal
from sessions.phases import Phase

BLOCK = hashlib.sha256().block_size
PERSON = ("id", "event", "name", "role", "moderator", "removed_at", "me_seq")  # what is read of who acts


class Widen(Exception):  # noqa: N818 - a wish, not an error
    """Judging needs streams that are not locked: the batch starts again with them. Pairs of event id and name."""

    def __init__(self, names: Iterable[tuple[int, Name]]) -> None:
        self.names = frozenset(names)
        super().__init__(self.names)


def said_by(op: Op) -> str:
    """Everything an operation says."""
    return _said([op.actor_id, op.stream, op.kind, op.data, op.base])


def digest_of(op: Op, said: str = "") -> str:
    """A keyed hash of what it says: the same id with another payload is a conflict. `said` is `said_by(op)`, from who
    has it.
    """
    said = said or said_by(op)
    inner, outer = _keyed(limits.SECRET_KEY)
    within, around = inner.copy(), outer.copy()
    within.update(said.encode())
    around.update(within.digest())
    found: str = around.hexdigest()
    return found


_said = lasting(json.JSONEncoder(default=str, sort_keys=True))  # `new_notes.said_by` writes the same


@cache
def _keyed(secret: str) -> tuple[Any, Any]:
    """HMAC-SHA256 (RFC 2104) as far as it hangs on the key alone. Copies of it keep Python's lock, which `hmac.digest`
    lets go of, and need no layer of `hmac` around them.
    """
    key = secret.encode()
    if len(key) > BLOCK:
        key = hashlib.sha256(key).digest()
    key = key.ljust(BLOCK, b"\0")
    inner, outer = (hashlib.sha256(bytes([byte ^ pad for byte in key])) for pad in (0x36, 0x5C))
    return inner, outer


CHANGE = ("stream_id", "event_id", "seq", "op_id", "actor_id", "kind", "part", "digest")  # and `at`, `answers`


def change_of(op: Op, stream: int, seq: int, part: str, said: str) -> tuple[object, ...]:
    """What `Scene.accept` takes of an operation that gave one part its new seq, and nothing else; `said` it."""
    return stream, op.event_id, seq, op.id.hex, op.actor_id, op.kind, part, digest_of(op, said)


def ask(action: Action, role: Role, phase: Phase) -> None:
    """Raises `Refused` with the code that says why not."""
    code = refusal(action, Standing(role, phase))
    if code:
        raise Refused(code)


class Saves:
    """Rows to write, gathered by model so that each kind of writing is one statement. A batch has one object each."""

    def __init__(self) -> None:
        self.inserts: dict[type[models.Model], dict[Any, models.Model]] = defaultdict(dict)
        self.updates: dict[type[models.Model], dict[Any, models.Model]] = defaultdict(dict)
        self.fields: dict[int, tuple[models.Model, set[str]]] = {}  # of `updates`, by the row's identity, kept alive
        self.deletes: dict[type[models.Model], set[Any]] = defaultdict(set)
        self.freed: dict[tuple[type[models.Model], str], set[Any]] = defaultdict(set)
        self.counts: dict[type[models.Model], dict[tuple[int, ...], int]] = defaultdict(dict)
        self.values: list[rows.Values] = []  # new rows as well, for which there is no object

    def insert(self, row: models.Model, key: Any = None) -> None:
        self.inserts[type(row)][row.pk if key is None else key] = row

    def update(self, row: models.Model, *fields: str) -> None:
        known = self.fields.get(id(row))
        if known is not None and known[1].issuperset(fields):  # a board's, after its first note
            return
        model, key = type(row), row.pk
        if self.inserts[model].get(key) is not row:
            self.updates[model][key] = row
            self.fields.setdefault(id(row), (row, set()))[1].update(fields)

    def renewed(self) -> Iterator[tuple[list[str], list[models.Model]]]:
        """Rows to update, together those of which the same fields change: other fields may be another batch's."""
        for those_of_model in self.updates.values():
            alike: dict[tuple[str, ...], list[models.Model]] = defaultdict(list)
            for row in those_of_model.values():
                alike[tuple(sorted(self.fields[id(row)][1]))].append(row)
            for fields, those in alike.items():
                yield list(fields), those

    def make_room(self) -> None:
        """Takes away what is to go, before anything takes its place."""
        for model, keys in self.deletes.items():
            model._default_manager.filter(pk__in=keys).delete()
        for (model, field), keys in self.freed.items():
            model._default_manager.filter(pk__in=keys).update(**{field: None})

    def delete(self, row: models.Model, key: Any = None) -> None:
        """Takes a row away; one that was to be inserted under `key` is simply not."""
        if row.pk is None:
            self.inserts[type(row)].pop(key, None)
        else:
            self.updates[type(row)].pop(row.pk, None)
            self.fields.pop(id(row), None)
            self.deletes[type(row)].add(row.pk)

    def count(self, model: type[models.Model], key: tuple[int, ...], by: int) -> None:
        """So much more in the row of this key, see `rows.count_on`."""
        counts = self.counts[model]
        counts[key] = counts.get(key, 0) + by

    def free(self, row: models.Model, field: str) -> None:
        """Empties a unique field before anything else is renewed, so that another row can take over its value."""
        self.freed[type(row), field].add(row.pk)


class Scene:
    """The state a batch is judged by. Judges read and change it in memory; `streams.apply` writes it."""

    def __init__(self, streams: Iterable[Stream], events: Iterable[Event], people: Iterable[Participant]) -> None:
        self.now = now_ms()
        self.moment = as_datetime(self.now)
        self.streams = {(s.event_id, Name(s.kind, s.ref)): s for s in streams}
        self.events = {event.id: event for event in events}
        self.people = {person.id: person for person in people}
        self.saves = Saves()
        self.changes: list[Change] = []
        self.raised: dict[int, Change] = {}  # by stream, the last change of what was judged by itself
        self.risen: set[int] = set()  # all streams
        self.answered: dict[tuple[int, UUID], Change] = {}
        self.erasures: list[Line] = []  # for the ledger, once they are committed
        self.op: Op | None = None
        self.cause = "plan"  # of changes that no operation makes
        self.phases: dict[tuple[Any, ...], Phase] = {}

    def event_of(self, op: Op) -> Event:
        try:
            return self.events[op.event_id]
        except KeyError:
            raise Refused("not_found") from None

    def stream_of(self, op: Op) -> Stream:
        """Locked, like all that are here."""
        try:
            return self.streams[op.event_id, op.stream]
        except KeyError:
            raise Refused("not_found") from None

    def actor(self, op: Op) -> Participant:
        person = self.people.get(op.actor_id)
        if person is None or person.event_id != op.event_id or person.removed_at is not None:
            raise Refused("not_allowed")
        return person

    def phase(self, event: Event) -> Phase:
        """Asked for every operation, so worked out once for the same facts at the same time."""
        facts = (event.id, event.phase, event.session_no, event.ends_at, event.paused_left, event.by_hand, self.now)
        if facts not in self.phases:
            self.phases[facts] = event.phase_at(self.now)
        return self.phases[facts]

    def ask(self, action: Action, role: Role, event: Event) -> None:
        """Raises `Refused` with the code that says why not."""
        ask(action, role, self.phase(event))

    def has(self, event: Event, name: Name) -> bool:
        return (event.id, name) in self.streams

    def need(self, names: Iterable[tuple[int, Name]]) -> None:
        """Raises `Widen` unless all of these are locked."""
        missing = set(names) - self.streams.keys()
        if missing:
            raise Widen(missing)

    def raise_head(self, event: Event, name: Name, part: str = "") -> int:
        """The next seq of a locked stream, with the change that it stands for."""
        stream = self.streams[event.id, name]
        stream.head += 1
        self.risen.add(stream.id)
        change = self.raised[stream.id] = self._change(event, stream, part)
        self.changes.append(change)
        return stream.head

    def accept(self, changes: list[tuple[object, ...]]) -> None:
        """The changes of operations judged together, each with its answer."""
        self.saves.values.append(rows.Values(Change, CHANGE, changes, {"answers": True, "at": self.now}))

    def erase(self, event: Event, what: What, ref: object) -> None:
        """Remembers beside the database what must not come back with an older copy of it, or may again."""
        self.erasures.append(Line(what, event.key, str(ref), self.now))

    def refuse_ahead(self, event: Event, op_ids: Iterable[UUID]) -> None:
        """Whoever brings one of these operations hears that its id is taken: what it once wrote has been erased."""
        stream = self.streams[event.id, Name("stage")]
        for op_id in op_ids:
            answer = Change(
                stream_id=stream.id, event_id=event.id, op_id=op_id, answers=True, kind="erased", code="op_id_conflict"
            )
            answer.at = self.now
            self.changes.append(answer)

    def _change(self, event: Event, stream: Stream, part: str) -> Change:
        op = self.op
        return rows.new(
            Change,
            stream_id=stream.id,
            event_id=event.id,
            seq=stream.head,
            op_id=op.id if op else UUID(int=0),
            answers=False,
            actor_id=op.actor_id if op else None,
            kind=op.kind if op else self.cause,
            part=part,
            at=self.now,
            digest=digest_of(op) if op else "",
        )
