"""What the last batches were judged by, kept for the next one: while nobody else has written it need not be read again.

SQLite has one writer at a time and says whether another connection has committed (`PRAGMA data_version`); what this one
wrote besides its batches is counted (`total_changes`). PostgreSQL numbers the transactions that write: where a batch
follows the last one by number, and none with a lower one was open then or is now, nobody else has written in between.
A batch takes the memory once its streams are locked, and gives it back when it is committed, so that none which fails
leaves anything behind.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from django.db import connection, transaction

from sessions.live import statement
from sessions.live.kinds import KINDS
from sessions.live.ops import Name, Op
from sessions.live.scene import Scene
from sessions.models import Event, Participant, Stream

MOST = 5_000  # people and streams; beyond, the memory begins anew
# When PostgreSQL was started, this transaction's number, and as of now the oldest one that is open, the one behind the
# newest that has ended, and what is open in between: both numbers are this one's as long as it has nobody beside it.
NUMBERS = "SELECT pg_postmaster_start_time()::text, pg_current_xact_id()::text, pg_current_snapshot()::text"
_here = threading.local()


class Mark(NamedTuple):
    """As of when a memory is true: where it was read, what others and what its batches have written."""

    source: Any
    others: int
    own: int

    @classmethod
    def now(cls) -> Mark | None:
        """Inside a transaction that holds its locks; null while it cannot be told."""
        if connection.vendor == "sqlite":
            raw = connection.connection
            return cls(raw, raw.execute("PRAGMA data_version").fetchone()[0], raw.total_changes)
        started, number, beside = statement.answer(NUMBERS, [], statement.first)
        return cls(started, 0, int(number)) if beside == f"{number}:{number}:" else None

    def after_commit(self) -> Mark:
        """What the next transaction finds if nobody else has written."""
        sqlite = connection.vendor == "sqlite"
        return self._replace(own=self.source.total_changes if sqlite else self.own + 1)


class Memory:
    """Inside a transaction that has locked what it is about to judge by."""

    def __init__(self) -> None:
        self.streams: dict[tuple[int, Name], Stream] = {}
        self.events: dict[int, Event] = {}
        self.people: dict[int, Participant] = {}
        self.states: dict[str, Any] = {}
        self.mark: Mark | None = None

    @classmethod
    def take(cls) -> Memory:
        """What is remembered, if it is still true; nobody has it until it is kept again."""
        kept: Memory | None = _here.__dict__.pop("kept", None)
        now = Mark.now()
        if kept is None or now is None or kept.mark != now or len(kept.streams) + len(kept.people) > MOST:
            kept = cls()
        kept.mark = now
        return kept

    def scene(self, ops: Sequence[Op], locked: Sequence[Stream] | None) -> Scene | None:
        """By which these operations are judged, if all of it but new people is remembered, and their streams are
        `locked` (null: all are). Whether one was heard before is not asked: the database refuses to write its answer
        twice, and then they are judged by what is read.
        """
        kinds = {op.stream.kind for op in ops}
        if len(kinds) != 1 or not kinds <= self.states.keys() or len({op.id.int for op in ops}) < len(ops):
            return None
        names = dict.fromkeys([(op.event_id, op.stream) for op in ops])
        try:
            streams = [self.streams[name] for name in names]
            events = [self.events[event] for event in {event for event, _name in names}]
        except KeyError:
            return None
        if locked is not None and {each.id: each.head for each in locked} != {each.id: each.head for each in streams}:
            return None
        scene = Scene(
            streams, events, [self.people[actor] for actor in self.people.keys() & {op.actor_id for op in ops}]
        )
        [kind] = kinds
        return scene if KINDS[kind].again(scene, self.states[kind], ops) else None

    def keep(self, scene: Scene, states: dict[str, Any], ops: Sequence[Op]) -> None:
        """Once this is committed: what can be kept of a batch that was read, or that was remembered."""
        if self.mark is None or len(states) != 1:
            return
        [(kind, state)] = states.items()
        lasting = KINDS[kind].lasting(state, self.states.get(kind), ops)
        if lasting is not None:
            transaction.on_commit(partial(self._put_back, scene, kind, lasting), robust=True)

    def _put_back(self, scene: Scene, kind: str, state: Any) -> None:
        """Another kind's state does not hang on this one's streams alone: it goes."""
        self.streams |= scene.streams
        self.events |= scene.events
        self.people |= scene.people
        self.states = {kind: state}
        if self.mark is not None:
            self.mark = self.mark.after_commit()
            _here.kept = self


def as_of_now(stream: Stream) -> Stream:
    """A copy for whoever hears of the stream later: by then the next batch may have raised this one."""
    copy = Stream.__new__(Stream)
    copy.__dict__.update(stream.__dict__)
    return copy
