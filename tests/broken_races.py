"""Rules that decide races, switched off from outside as in `tests.chaos.mutants`: what is left must be seen to fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.db import transaction

from sessions.live import streams
from sessions.live.kinds import KINDS
from sessions.live.ops import Answer, Name, Op
from sessions.live.uuid7 import uuid7
from sessions.models import Event, Stream
from sessions.models.course import Course
from sessions.phases import Phase
from tables.live import board
from tables.live.floor import Floor
from tables.models import Board, Note
from tests.chaos.mutants import swapped


def to_the_locks() -> None:
    """Between reading and locking. Tests put another here."""


def judged_before_its_locks() -> AbstractContextManager[None]:
    """First an operation is judged by what is there, then the streams are locked, then it is written."""

    def apply(ops: Sequence[Op], extra: Iterable[tuple[int, Name]]) -> list[Answer]:
        scene = streams._read(ops, list(Stream.objects.filter(event_id__in={op.event_id for op in ops})))
        states = {name: KINDS[name].load(scene, of_kind) for name, of_kind in streams._by_kind(ops).items()}
        to_the_locks()
        with transaction.atomic():
            for stream in streams._lock(ops, extra):
                scene.streams[stream.event_id, Name(stream.kind, stream.ref)] = stream
            answers = [streams._judge(scene, states, op) for op in ops]
            streams._write(scene)
        return answers

    return swapped(streams, "_apply", apply)


def ids_say_nothing() -> AbstractContextManager[None]:
    """Whatever its id, an operation is a new one."""
    usual = streams.apply

    def apply(ops: Sequence[Op]) -> list[Answer]:
        answers = usual([op._replace(id=uuid7()) for op in ops])
        return [answer._replace(op_id=op.id) for op, answer in zip(ops, answers, strict=True)]

    return swapped(streams, "apply", apply)


@contextmanager
def edits_start_from_anything() -> Iterator[None]:
    """An edit is taken whatever text it started from."""
    usual = board.CARRIED_OUT["note.edit"]

    def edit(scene: Any, cloth: Any, event: Event, found: Board, actor: Any, op: Op) -> None:
        note: Note = cloth.note(found, op.data["note"])
        usual(scene, cloth, event, found, actor, op._replace(base=note.edited))

    board.CARRIED_OUT["note.edit"] = edit
    try:
        yield
    finally:
        board.CARRIED_OUT["note.edit"] = usual


def nobody_stands_up() -> AbstractContextManager[None]:
    """Who sits and wants to sit elsewhere gets a second seat."""
    return swapped(Floor, "_stand_up", lambda *_sits: None)


def sessions_start_again() -> AbstractContextManager[None]:
    """Starting what runs already starts its clock anew."""
    usual = Course.go_to

    def go_to(event: Course, phase: Phase, number: int | None, *, now: int) -> None:
        if phase is Phase.RUNNING and event.phase_at(now) is Phase.RUNNING:
            event.phase = Phase.SEATING
        usual(event, phase, number, now=now)

    return swapped(Course, "go_to", go_to)
