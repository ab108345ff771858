"""The server looking at rights too early: when an operation arrives, and not again under the locks; see `mutants`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sessions.live import desk, streams
from sessions.live.ops import Answer, Op
from sessions.live.scene import Scene
from sessions.live.threads import in_thread
from sessions.models import Event, Participant, Stream
from sessions.phases import Phase
from tables.live.cloth import Cloth
from tables.models import Board, Seat
from tests.chaos.mutants import swapped


@dataclass(frozen=True)
class Facts:
    """What an operation is judged by, as it was when it arrived."""

    event: Event
    removed_at: datetime | None
    seats: frozenset[tuple[int, int, int]]
    locked: frozenset[int]

    @classmethod
    def of(cls, op: Op) -> Facts | None:
        event = Event.objects.prefetch_related("sessions").filter(pk=op.event_id).first()
        person = Participant.objects.filter(pk=op.actor_id).first()
        if event is None or person is None:
            return None
        seats = Seat.objects.filter(participant=person).values_list("participant_id", "session_id", "table_id")
        locked = Board.objects.filter(pk=op.stream.ref, locked=True).values_list("pk", flat=True)
        return cls(event, person.removed_at, frozenset(seats), frozenset(locked))


class Early:
    """The facts of the operations on their way, and the usual functions that do without."""

    def __init__(self) -> None:
        self.facts: dict[UUID, Facts] = {}
        self.learning: set[asyncio.Task[None]] = set()
        self.submit, self.apply, self.read = desk.Writer.submit, streams.apply, streams._read
        self.phase, self.cloth = Scene.phase, Cloth.read

    def learn(self, op: Op) -> None:
        facts = None if op.id in self.facts else Facts.of(op)
        if facts:
            self.facts[op.id] = facts

    def lay_over(self, scene: Scene, ops: Sequence[Op]) -> Scene:
        for op in ops:
            if op.id in self.facts and op.actor_id in scene.people:
                scene.people[op.actor_id].removed_at = self.facts[op.id].removed_at
        return scene

    def lay_under(self, cloth: Cloth, ops: Sequence[Op]) -> Cloth:
        for op in ops:
            if op.id in self.facts:
                cloth.seated |= self.facts[op.id].seats
                if op.stream.ref in cloth.boards:
                    cloth.boards[op.stream.ref].locked = op.stream.ref in self.facts[op.id].locked
        return cloth

    def phase_at(self, scene: Scene, event: Event) -> Phase:
        facts = self.facts.get(scene.op.id) if scene.op else None
        return facts.event.phase_at(scene.now) if facts else self.phase(scene, event)

    def submit_learnt(self, writer: desk.Writer, op: Op, tell: desk.Tell) -> None:
        async def learn() -> None:
            await in_thread(self.learn, op)
            self.submit(writer, op, tell)

        learning = writer.loop.create_task(learn())
        self.learning.add(learning)
        learning.add_done_callback(self.learning.discard)

    def apply_learnt(self, ops: Sequence[Op]) -> list[Answer]:
        for op in ops:
            self.learn(op)
        answers = self.apply(ops)
        for answer in answers:
            if answer.code != streams.HELD_UP:
                self.facts.pop(answer.op_id, None)
        return answers


@contextmanager
def rights() -> Iterator[None]:
    """Removal, phase, seats and locks of boards."""
    early = Early()

    def submit(writer: desk.Writer, op: Op, tell: desk.Tell) -> None:
        early.submit_learnt(writer, op, tell)

    def read(ops: Sequence[Op], locked: list[Stream]) -> Scene:
        return early.lay_over(early.read(ops, locked), ops)

    def phase(scene: Scene, event: Event) -> Phase:
        return early.phase_at(scene, event)

    def cloth(_cls: type[Cloth], scene: Scene, ops: Sequence[Op]) -> Cloth:
        return early.lay_under(early.cloth(scene, ops), ops)

    with ExitStack() as stack:
        stack.enter_context(swapped(desk.Writer, "submit", submit))
        stack.enter_context(swapped(streams, "apply", early.apply_learnt))
        stack.enter_context(swapped(streams, "_read", read))
        stack.enter_context(swapped(Scene, "phase", phase))
        stack.enter_context(swapped(Cloth, "read", classmethod(cloth)))
        yield
