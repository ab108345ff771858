"""The one writing path of everything live, and the reading of parts since a cursor.

`apply` does a batch in one transaction: lock all streams concerned, read, judge, write, commit, answer, hint.
Whoever changes live facts outside an operation (the plan editor) does it inside `governing`.
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, cast
from uuid import UUID

from django.db import IntegrityError, OperationalError, connection, transaction

from sessions import ledger
from sessions.clock import now_ms
from sessions.live import course, rows
from sessions.live.kinds import EVERY_STREAM, KINDS, Part, Read
from sessions.live.memory import Memory, as_of_now
from sessions.live.news import News, tell
from sessions.live.ops import JUDGED_WITHIN_MS, Answer, Name, Op, Refused
from sessions.live.rows import Wish, Write
from sessions.live.scene import PERSON, Saves, Scene, Widen, digest_of
from sessions.live.trouble import is_deadlock
from sessions.models import Change, Event, Participant, Stream

log = logging.getLogger(__name__)
CHANGE = ("id", "event", "op_id", "seq", "code", "digest")
STREAM = ("id", "event", "kind", "ref", "head")
MOST_DEADLOCKS = 3
HELD_UP = "held_up"  # never leaves this process
FIRST_OF_ME = ("seat",)  # and `person`, which has the same seq
_waits_for_locks: ContextVar[bool] = ContextVar("waits_for_locks", default=True)


def apply(ops: Sequence[Op]) -> list[Answer]:
    """Judges and writes operations; the answers in their order. Each batch is one transaction.

    Where a constraint of the database disagrees with a batch, its halves go one after the other. Raises `DatabaseError`
    when the database cannot be reached or written: then nothing of that batch happened.
    """
    return [answer for batch in _batches(ops) for answer in _apply_batch(batch)]


def attempt(ops: Sequence[Op]) -> list[Answer]:
    """`apply` that waits for nobody: where another connection holds a stream, the answer is `HELD_UP` and nothing of
    that operation happened. Whoever asks tries it again; the others are done.
    """
    waited = _waits_for_locks.set(False)
    try:
        return apply(ops)
    finally:
        _waits_for_locks.reset(waited)


def _batches(ops: Sequence[Op]) -> Iterator[list[Op]]:
    """What may be judged together. Each kind of stream reads its own state, and reads it once: an operation that
    governs the whole event goes alone, and what one person does on two kinds of stream goes one after the other.
    """
    if len(among := {op.stream.kind for op in ops}) == 1 and not KINDS[among.pop()].may_govern:
        yield list(ops)
        return
    batch: list[Op] = []
    kinds: dict[int, str] = {}
    alone = False
    for op in ops:
        kind, after_one_alone, alone = op.stream.kind, alone, _governs(op)
        if batch and (alone or after_one_alone or kinds.get(op.actor_id, kind) != kind):
            yield batch
            batch, kinds = [], {}
        batch.append(op)
        kinds[op.actor_id] = kind
    if batch:
        yield batch


def _governs(op: Op) -> bool:
    return KINDS[op.stream.kind].locks(op) == EVERY_STREAM


def _apply_batch(ops: Sequence[Op]) -> list[Answer]:
    """A constraint disagrees where something was not known: who judges again reads everything."""
    with suppress(IntegrityError):
        return _apply_through_deadlocks(ops)
    try:
        return _apply_through_deadlocks(ops)
    except IntegrityError:
        if len(ops) == 1:
            raise
        log.info("a batch of %d operations met a constraint; each half goes by itself", len(ops), exc_info=True)
        half = len(ops) // 2
        return [*_apply_batch(ops[:half]), *_apply_batch(ops[half:])]


def _apply_through_deadlocks(ops: Sequence[Op]) -> list[Answer]:
    """Of transactions that wait for each other the database ends one: here it begins again, three times at most."""
    for _ended in range(MOST_DEADLOCKS):
        try:
            return _apply_widening(ops)
        except OperationalError as trouble:
            if not is_deadlock(trouble):
                raise
            log.info("a batch of %d operations was ended by a deadlock; it begins again", len(ops))
    return _apply_widening(ops)


def _apply_widening(ops: Sequence[Op]) -> list[Answer]:
    """Starts again with more locks when judging turns out to need them."""
    extra: set[tuple[int, Name]] = set()
    while True:
        try:
            return _apply(ops, extra)
        except Widen as wish:
            if wish.names <= extra:
                raise
            extra |= wish.names


@transaction.atomic
def _apply(ops: Sequence[Op], extra: Iterable[tuple[int, Name]]) -> list[Answer]:
    extra, locked = set(extra), None
    if connection.features.has_select_for_update:  # or the transaction has locked everything
        locked = _lock(ops, extra)
    memory = Memory.take()
    remembered = None if extra else memory.scene(ops, locked)
    if remembered is not None:
        return _judge_all(remembered, memory.states, ops, memory)
    locked = _lock(ops, extra) if locked is None else locked
    free = ops if _waits_for_locks.get() else _without_held_up(ops, extra, locked)
    scene = _read(free, locked)
    states = {name: KINDS[name].load(scene, of_kind) for name, of_kind in _by_kind(free).items()}
    judged = _judge_all(scene, states, free, memory)
    return judged if len(free) == len(ops) else _with_held_up(ops, free, judged)


def _judge_all(scene: Scene, states: dict[str, Any], ops: Sequence[Op], memory: Memory) -> list[Answer]:
    heads = {stream.id: stream.head for stream in scene.streams.values()}
    judged = _judge_together(scene, states, ops) or [_judge(scene, states, op) for op in ops]
    _write(scene, _news(scene, states, heads))
    memory.keep(scene, states, ops)
    return judged


def _judge_together(scene: Scene, states: dict[str, Any], ops: Sequence[Op]) -> list[Answer] | None:
    """What is judged by one kind's state alone, of which nothing was heard before."""
    if len(states) != 1 or scene.answered:
        return None
    [(name, state)] = states.items()
    return KINDS[name].judge_together(scene, state, ops)


def _news(scene: Scene, states: dict[str, Any], heads: dict[int, int]) -> list[News]:
    """Where one kind alone was judged, what it raised on its own streams is at hand; the rest is read."""
    if len(states) != 1:
        return []
    [(name, state)] = states.items()
    raised = [s for s in scene.streams.values() if s.kind == name and s.id in scene.risen]
    parts = KINDS[name].raised(state, {stream.ref: heads[stream.id] for stream in raised})
    if parts is None:
        return []
    return [News(as_of_now(s), heads[s.id], sorted(parts[s.ref], key=lambda part: part.seq)) for s in raised]


@transaction.atomic
def replay(ops: Sequence[Op]) -> list[Answer]:
    """`apply` for what was done earlier: each operation is judged as of the moment it `arrived`. For samples."""
    scene = _read(ops, _locked({"event": {op.event_id for op in ops}}))
    states = {name: KINDS[name].load(scene, of_kind) for name, of_kind in _by_kind(ops).items()}
    answers = []
    for op in ops:
        scene.now = op.arrived
        answers.append(_judge(scene, states, op))
    _write(scene)
    return answers


@contextmanager
def governing(event: Event) -> Iterator[Scene]:
    """Locks every stream of the event; `scene.raise_head(event, name)` gives a part its new seq. Commits at the end."""
    with transaction.atomic():
        scene = Scene(_locked({"event": [event.id]}), [event], [])
        yield scene
        _write(scene)


def open_new(event: Event, parts: Mapping[Name, Sequence[str]]) -> None:
    """The streams of an event in the making. The first of the `parts` of each stream has the seq 1, and so on."""
    _make(event.id, parts)


def open_for(event: Event) -> None:
    """Makes the streams that boards and people who were added need; what exists stays."""
    boards = event.sessions.filter(boards__isnull=False).values_list("boards__id", flat=True)
    people = event.participants.values_list("id", flat=True)
    names = {Name("board", pk): () for pk in boards} | {Name("me", pk): FIRST_OF_ME for pk in people}
    there = {Name(kind, ref) for kind, ref in Stream.objects.filter(event=event).values_list("kind", "ref")}
    _make(event.id, {name: parts for name, parts in names.items() if name not in there})


def open_me(participant: Participant) -> None:
    """Makes the stream of somebody new."""
    _make(participant.event_id, {Name("me", participant.id): FIRST_OF_ME})


def _make(event_id: int, parts: Mapping[Name, Sequence[str]]) -> None:
    """A reader whose cursor is 0 has nothing: the parts of a new stream are its first changes."""
    made = [Stream(event_id=event_id, kind=n.kind, ref=n.ref, head=len(those)) for n, those in parts.items()]
    Stream.objects.bulk_create(made)
    of_rows = zip(made, parts.values(), strict=True)
    Change.objects.bulk_create(_birth(row, seq, part) for row, those in of_rows for seq, part in enumerate(those, 1))


def _birth(stream: Stream, seq: int, part: str) -> Change:
    return Change(
        stream_id=stream.id,
        event_id=stream.event_id,
        seq=seq,
        op_id=UUID(int=0),
        answers=False,
        kind="plan",
        part=part,
        at=now_ms(),
        digest="",
    )


def since(wishes: Sequence[tuple[int, int]]) -> dict[int, tuple[Stream, list[Part]]]:
    """For (stream id, cursor) pairs: the stream with its head, read first, and all its parts after the cursor.

    A stream that no longer exists is absent from the answer.
    """
    found = {stream.id: stream for stream in rows.load(Stream, STREAM, {"id": [pk for pk, _after in wishes]})}
    reads = [Read(found[pk], after) for pk, after in wishes if pk in found and found[pk].head > after]
    parts: dict[int, list[Part]] = {}
    for name in {read.stream.kind for read in reads}:
        parts |= KINDS[name].parts([read for read in reads if read.stream.kind == name])
    return {pk: (stream, _upto(stream.head, parts.get(pk, []))) for pk, stream in found.items()}


def _upto(head: int, parts: list[Part]) -> list[Part]:
    """In seq order. Parts committed after the head was read belong to the next reading."""
    return sorted((part for part in parts if part.seq <= head), key=lambda part: part.seq)


def heads(ids: Iterable[int]) -> dict[int, int]:
    return dict(cast("list[tuple[int, int]]", rows.find(Stream, ("id", "head"), {"id": list(ids)})))


def _by_kind(ops: Sequence[Op]) -> dict[str, list[Op]]:
    kinds: dict[str, list[Op]] = {}
    for op in ops:
        kinds.setdefault(op.stream.kind, []).append(op)
    return kinds


def _lock(ops: Sequence[Op], extra: Iterable[tuple[int, Name]]) -> list[Stream]:
    """In the order of their ids (SQLite: the whole database is locked already)."""
    if _governs(ops[0]):
        return _locked({"event": {ops[0].event_id}}, wait=_waits_for_locks.get())
    names = _names(ops, extra)
    found = _locked(_among(names), wait=_waits_for_locks.get())
    return [stream for stream in found if _name_of(stream) in names]


def _names(ops: Sequence[Op], extra: Iterable[tuple[int, Name]]) -> set[tuple[int, Name]]:
    """The streams by which these operations are judged, and `extra` ones."""
    return set(extra).union(*(_names_of(op) for op in ops))


def _names_of(op: Op) -> set[tuple[int, Name]]:
    return {(op.event_id, name) for name in cast("Sequence[Name]", KINDS[op.stream.kind].locks(op))}


def _name_of(stream: Stream) -> tuple[int, Name]:
    return stream.event_id, Name(stream.kind, stream.ref)


def _among(names: Collection[tuple[int, Name]]) -> dict[str, Collection[Any]]:
    """These, and perhaps a few more."""
    kinds, refs = {name.kind for _event, name in names}, {name.ref for _event, name in names}
    return {"event": {event for event, _name in names}, "kind": kinds, "ref": refs}


def _locked(among: Mapping[str, Collection[Any]], *, wait: bool = True) -> list[Stream]:
    return rows.load(Stream, STREAM, among, lock="wait" if wait else "skip")


def _without_held_up(ops: Sequence[Op], extra: set[tuple[int, Name]], locked: list[Stream]) -> Sequence[Op]:
    """The operations of which no stream is another connection's just now."""
    if not connection.features.has_select_for_update:
        return ops
    if _governs(ops[0]):
        every = rows.find(Stream, ("id",), {"event": {ops[0].event_id}})
        return ops if len(every) == len(locked) else []
    missing = _names(ops, extra) - {_name_of(stream) for stream in locked}
    held = {_name_of(stream) for stream in rows.load(Stream, STREAM, _among(missing))} & missing if missing else set()
    events = {event_id for event_id, _name in held & extra}
    return [op for op in ops if op.event_id not in events and not _names_of(op) & held]


def _with_held_up(ops: Sequence[Op], free: Sequence[Op], judged: Sequence[Answer]) -> list[Answer]:
    """The answers in the order of `ops`, of which `free` were judged."""
    answers = {id(op): answer for op, answer in zip(free, judged, strict=True)}
    return [answers.get(id(op)) or Answer(op.id, op.stream, code=HELD_UP) for op in ops]


def _read(ops: Sequence[Op], locked: list[Stream]) -> Scene:
    ids = {op.event_id for op in ops}
    *of_events, of_people, of_changes = rows.gather(
        *course.wishes(ids),
        Wish(Participant, PERSON, {"id": {op.actor_id for op in ops}}),
        Wish(Change, CHANGE, {"event": ids, "op_id": [op.id for op in ops]}, where="answers"),
    )
    people = rows.objects(Participant, PERSON, of_people)
    scene = Scene(locked, course.put_together(*of_events).values(), people)
    known = rows.objects(Change, CHANGE, of_changes)
    scene.answered = {(change.event_id, change.op_id): change for change in known}
    return scene


def _judge(scene: Scene, states: dict[str, Any], op: Op) -> Answer:
    remembered = scene.answered.get((op.event_id, op.id))
    if remembered is not None and not _tells_more(remembered, op):
        return _again(remembered, op)
    if scene.now - op.arrived > JUDGED_WITHIN_MS:
        return Answer(op.id, op.stream, code="busy")
    scene.op = op
    try:
        stream = scene.stream_of(op)
        scene.actor(op)
        KINDS[op.stream.kind].judge(scene, states[op.stream.kind], op)
    except Refused as refused:
        _remember_refusal(scene, op, refused.code)
        return Answer(op.id, op.stream, code=refused.code, names=refused.names, part=refused.part)
    return _accepted(scene, stream, op)


def _tells_more(change: Change, op: Op) -> bool:
    """A conflict comes with what the part is by now: it is judged again, and refused again."""
    return change.code == "conflict" and change.digest == digest_of(op)


def _accepted(scene: Scene, stream: Stream, op: Op) -> Answer:
    own = scene.raised.get(stream.id)
    if own is None or own.op_id is not op.id:
        scene.raise_head(scene.events[op.event_id], op.stream)
        own = scene.raised[stream.id]
    own.answers = True
    scene.answered[op.event_id, op.id] = own
    return Answer(op.id, op.stream, seq=own.seq)


def _again(change: Change, op: Op) -> Answer:
    code = change.code if change.digest == digest_of(op) else "op_id_conflict"
    if code:
        return Answer(op.id, op.stream, code=code)
    return Answer(op.id, op.stream, seq=change.seq, dup=True)


def _remember_refusal(scene: Scene, op: Op, code: str) -> None:
    stream = scene.streams.get((op.event_id, op.stream))
    if stream is None or op.actor_id not in scene.people or (op.event_id, op.id) in scene.answered:
        return
    change = Change(
        stream_id=stream.id,
        event_id=op.event_id,
        op_id=op.id,
        answers=True,
        actor_id=op.actor_id,
        kind=op.kind,
        code=code,
        at=scene.now,
        digest=digest_of(op),
    )
    scene.changes.append(change)
    scene.answered[op.event_id, op.id] = change


def _write(scene: Scene, news: Sequence[News] = ()) -> None:
    raised = [stream for stream in scene.streams.values() if stream.id in scene.risen]
    scene.saves.make_room()
    rows.write([*rows.update(["head"], raised), *_writes(scene.saves), *rows.insert(scene.changes)])
    if scene.risen:
        transaction.on_commit(lambda: tell(frozenset(scene.risen), news), robust=True)
    if scene.erasures:
        transaction.on_commit(lambda: ledger.put_down(scene.erasures), robust=True)


def _writes(saves: Saves) -> Iterator[Write]:
    for fields, those in saves.renewed():
        yield from rows.update(fields, those)
    for new in saves.inserts.values():
        yield from rows.insert(new.values())
    for values in saves.values:
        yield from rows.insert_values(values)
    for model, more in saves.counts.items():
        yield from rows.count_on(model, more)
