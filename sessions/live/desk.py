"""Where every operation arrives, by socket, POST or plain form: checked, paced, put into the next batch."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import InterfaceError, OperationalError

from sessions.clock import now_ms
from sessions.live import news, streams
from sessions.live.fields import Fields, uuid
from sessions.live.kinds import KINDS, fields_of
from sessions.live.ops import Answer, Name, Op, Refused
from sessions.live.pace import pace
from sessions.live.precedence import going_first
from sessions.live.threads import in_writer
from sessions.live.trouble import code_of, storage
from sessions.live.wire import stream_name
from sessions.models import Participant

log = logging.getLogger(__name__)
BATCH = 2_000
PATIENCE_S = 2.0
LOOK_S = 0.1
LOOK_AGAIN_S = 0.02  # at what another connection holds
TURNS = 3  # of the loop, after which a batch was handed on, and what had arrived was read: it is in the next one
Tell = Callable[[Answer], None]
NOBODYS = Name("me")  # the stream of what names none


class Waiting(NamedTuple):
    """An operation, and who is told the answer."""

    op: Op
    tell: Tell


class Draft(NamedTuple):
    """What an `op` frame says, checked field by field; with a `code` it is refused."""

    op_id: UUID
    stream: Name
    kind: str
    data: dict[str, Any]
    base: int | None
    code: str | None = None


def draft_of(frame: dict[str, Any]) -> Draft:
    """Of a frame as `wire.parse` gave it, whoever sent it. `Refused` when not even its id can be read."""
    op_id, kind, name = uuid(frame["id"]), frame["k"], NOBODYS
    try:
        name = stream_name(frame["s"])
        data = _fields(name, kind).clean(frame["d"])
    except Refused as refused:
        return Draft(op_id, name, kind, {}, None, refused.code)
    return Draft(op_id, name, kind, data, frame.get("base"))


def _fields(name: Name, kind: str) -> Fields:
    fields = fields_of(name, kind)
    if fields is None:
        raise Refused("outdated" if name.kind in KINDS else "not_found")
    return fields


def op_of(viewer: Participant, said: Draft) -> Op:
    """The operation of who said it, just now; raises `Refused`."""
    if said.code is not None:
        raise Refused(said.code)
    author, event = viewer.id, viewer.__dict__["event_id"]  # as an attribute Django's descriptor would be asked for it
    return Op(said.op_id, event, author, said.stream, said.kind, said.data, said.base, now_ms())


def operate(viewer: Participant, said: Draft, tell: Tell, *, writer: "Writer | None" = None) -> None:
    """One operation. `tell` gets the answer: now, or on the running loop after the commit. Who has much to say brings
    the writer of that loop.
    """
    after = pace.wait_ms(viewer.id)
    if after:
        tell(Answer(said.op_id, NOBODYS, code="rate_limited", after_ms=after))
    elif said.code is not None:
        tell(Answer(said.op_id, said.stream, code=said.code))
    else:
        (writer or Writer.here()).submit(op_of(viewer, said), tell)


async def answer_to(viewer: Participant, frame: dict[str, Any]) -> Answer:
    """`operate` with a frame as `wire.parse` gave it, for who waits for the answer. `Refused` as `draft_of` says."""
    said = draft_of(frame)
    told: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def tell(answer: Answer) -> None:
        if not told.done():  # by who waited no longer
            told.set_result(answer)

    operate(viewer, said, tell)
    return await told


class Writer:
    """Group commit: what arrives while a batch commits is the next batch. One for each running loop."""

    _writers: "WeakKeyDictionary[asyncio.AbstractEventLoop, Writer]" = WeakKeyDictionary()

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.waiting: deque[Waiting] = deque()
        self.held_up: list[Waiting] = []  # by another connection, between two tries
        self.task: asyncio.Task[None] | None = None
        self.next_look: asyncio.TimerHandle | None = None  # at who has waited for too long

    @classmethod
    def here(cls) -> "Writer":
        loop = asyncio.get_running_loop()
        return cls._writers.get(loop) or cls._writers.setdefault(loop, cls())

    def submit(self, op: Op, tell: Tell) -> None:
        """Answered after commit; `busy` when the batch before it, or whoever holds its board, takes too long."""
        self.waiting.append(Waiting(op, tell))
        if self.task is None or self.task.done():
            self.task = self.loop.create_task(self._write())
        if self.next_look is None:
            self.next_look = self.loop.call_later(LOOK_S, self._look)

    async def finish(self) -> None:
        """Until everything that was submitted has its answer."""
        while self.task is not None and not self.task.done():
            await asyncio.wait({self.task})

    def _look(self) -> None:
        """Only at what is in no batch just now: of the others nobody knows how they end."""
        late = now_ms() - 1_000 * PATIENCE_S
        given_up = [one for one in self.held_up if one.op.arrived <= late]
        self.held_up = [one for one in self.held_up if one.op.arrived > late]
        while self.waiting and self.waiting[0].op.arrived <= late:  # they came in this order
            given_up.append(self.waiting.popleft())
        going_on = self.task is not None and not self.task.done()
        self.next_look = self.loop.call_later(LOOK_S, self._look) if going_on else None
        for one in given_up:
            _tell(one, Answer(one.op.id, one.op.stream, code="busy"))

    async def _write(self) -> None:
        while self.waiting or self.held_up:
            if not self.waiting:
                await asyncio.sleep(LOOK_AGAIN_S)
            batch = [*self.held_up, *self._next()]
            self.held_up = []
            with going_first():
                answers = await _apply([one.op for one in batch])
            for one, answer in zip(batch, answers, strict=True):
                if answer.code == streams.HELD_UP:
                    self._hold_up(one)
                else:
                    _tell(one, answer)
            for _turn in range(TURNS):
                await asyncio.sleep(0)

    def _next(self) -> list[Waiting]:
        if len(self.waiting) <= BATCH:
            these, self.waiting = self.waiting, deque()
            return [*these]
        return [self.waiting.popleft() for _ in range(BATCH)]

    def _hold_up(self, one: Waiting) -> None:
        if now_ms() - one.op.arrived < 1_000 * PATIENCE_S:
            self.held_up.append(one)
        else:
            _tell(one, Answer(one.op.id, one.op.stream, code="busy"))


def _tell(one: Waiting, answer: Answer) -> None:
    """Who cannot be told holds up nobody else."""
    try:
        one.tell(answer)
    except Exception:
        log.exception("the answer to operation %s was not told", answer.op_id)


async def _apply(ops: list[Op]) -> list[Answer]:
    """A batch that fails as a whole is tried in halves, and these again, so that one bad operation harms no other."""
    try:
        answers, told = await in_writer(_attempt, ops)
    except (OperationalError, InterfaceError) as trouble:
        code = code_of(trouble)
        storage.full |= code == "storage_full"
        log.warning("batch of %d operations not written: %s", len(ops), code)
        return [Answer(op.id, op.stream, code=code) for op in ops]
    except Exception:
        log.exception("batch of %d operations failed, the first one is %s", len(ops), ops[0].id)
        if len(ops) > 1:
            half = len(ops) // 2
            return [*await _apply(ops[:half]), *await _apply(ops[half:])]
        return [Answer(ops[0].id, ops[0].stream, code="internal")]
    for one in told:
        news.tell(*one)
    storage.full &= not any(answer.seq and not answer.dup for answer in answers)
    return answers


def _attempt(ops: list[Op]) -> tuple[list[Answer], list[news.Told]]:
    """With what is to be told, so that the loop is woken up once; a batch that fails tells what came before it."""
    with news.gathering() as waiting:
        answers = streams.attempt(ops)
        told, waiting[:] = waiting[:], []
    return answers, told
