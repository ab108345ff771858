"""Where every operation arrives, by socket, POST or plain form: checked, paced, put into the next batch."""

import asyncio
import logging
from collections import deque
from typing import Any
from weakref import WeakKeyDictionary

from django.db import InterfaceError, OperationalError

from sessions.clock import now_ms
from sessions.live import streams
from sessions.live.fields import uuid
from sessions.live.kinds import KINDS, fields_of
from sessions.live.ops import Answer, Name, Op, Refused
from sessions.live.pace import pace
from sessions.live.threads import in_writer
from sessions.live.trouble import code_of, storage
from sessions.live.wire import stream_name
from sessions.models import Participant

log = logging.getLogger(__name__)
BATCH = 500
PATIENCE_S = 2.0
LOOK_AGAIN_S = 0.02  # at what another connection holds
Waiting = tuple[Op, asyncio.Future[Answer]]


async def operate(viewer: Participant, frame: dict[str, Any]) -> Answer:
    """One `op` frame as `wire.parse` gave it, to its answer. `Refused` when not even its id can be read."""
    op_id = uuid(frame["id"])
    name = Name("me", viewer.pk)
    after = pace.wait_ms(viewer.pk)
    if after:
        return Answer(op_id, name, code="rate_limited", after_ms=after)
    try:
        name = stream_name(frame["s"])
        op = make_op(viewer, frame, name)
    except Refused as refused:
        return Answer(op_id, name, code=refused.code)
    return await Writer.here().submit(op)


def make_op(viewer: Participant, frame: dict[str, Any], name: Name) -> Op:
    """The operation with its fields checked; raises `Refused`."""
    fields = fields_of(name, frame["k"])
    if fields is None:
        raise Refused("outdated" if name.kind in KINDS else "not_found")
    return Op(
        id=uuid(frame["id"]),
        event_id=viewer.event_id,
        actor_id=viewer.pk,
        stream=name,
        kind=frame["k"],
        data=fields.clean(frame["d"]),
        base=frame.get("base"),
        arrived=now_ms(),
    )


class Writer:
    """Group commit: what arrives while a batch commits is the next batch. One for each running loop."""

    _writers: "WeakKeyDictionary[asyncio.AbstractEventLoop, Writer]" = WeakKeyDictionary()

    def __init__(self) -> None:
        self.waiting: deque[Waiting] = deque()
        self.held_up: list[Waiting] = []  # by another connection, between two tries
        self.task: asyncio.Task[None] | None = None

    @classmethod
    def here(cls) -> "Writer":
        return cls._writers.setdefault(asyncio.get_running_loop(), cls())

    async def submit(self, op: Op) -> Answer:
        """The answer, after commit; `busy` when the batch before it, or whoever holds its board, takes too long."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self.waiting.append((op, answer))
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._write())
        patience = loop.call_later(PATIENCE_S, self._give_up, op, answer)
        try:
            return await answer
        finally:
            patience.cancel()

    async def finish(self) -> None:
        """Until everything that was submitted has its answer."""
        while self.task is not None and not self.task.done():
            await asyncio.wait({self.task})

    def _give_up(self, op: Op, answer: asyncio.Future[Answer]) -> None:
        """Only what is in no batch just now: of the others nobody knows how they end."""
        for those in (self.waiting, self.held_up):
            if (op, answer) in those:
                those.remove((op, answer))
                if not answer.done():
                    answer.set_result(Answer(op.id, op.stream, code="busy"))

    async def _write(self) -> None:
        while self.waiting or self.held_up:
            if not self.waiting:
                await asyncio.sleep(LOOK_AGAIN_S)
            batch = [*self.held_up, *(self.waiting.popleft() for _ in range(min(BATCH, len(self.waiting))))]
            self.held_up = []
            answers = await _apply([op for op, _answer in batch])
            for waiting, answer in zip(batch, answers, strict=True):
                self._answer(waiting, answer)

    def _answer(self, waiting: Waiting, answer: Answer) -> None:
        op, future = waiting
        if answer.code != streams.HELD_UP:
            if not future.done():
                future.set_result(answer)
            return
        self.held_up.append(waiting)
        if now_ms() - op.arrived >= PATIENCE_S * 1_000:
            self._give_up(*waiting)


async def _apply(ops: list[Op]) -> list[Answer]:
    """A batch that fails as a whole is tried one by one, so that one bad operation harms no other."""
    try:
        answers = await in_writer(streams.attempt, ops)
    except (OperationalError, InterfaceError) as trouble:
        code = code_of(trouble)
        storage.full |= code == "storage_full"
        log.warning("batch of %d operations not written: %s", len(ops), code)
        return [Answer(op.id, op.stream, code=code) for op in ops]
    except Exception:
        log.exception("batch of %d operations failed, the first one is %s", len(ops), ops[0].id)
        if len(ops) > 1:
            return [answer for op in ops for answer in await _apply([op])]
        return [Answer(ops[0].id, ops[0].stream, code="internal")]
    storage.full &= not any(answer.seq and not answer.dup for answer in answers)
    return answers
