"""The server without one of its rules; see `mutants`. Django must be set up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from itertools import count
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db import transaction

from sessions.clock import now_ms
from sessions.live import desk, streams
from sessions.live.hub import Hub
from sessions.live.ops import Answer, Op
from sessions.live.uuid7 import uuid7
from sessions.models import Change
from tables import seating
from tables.models import Table
from tests.chaos.broken_rights import rights
from tests.chaos.mutants import swapped
from zoomcafe.sqlite.base import DatabaseWrapper

__all__ = ["dedupe", "dedupe_60s", "deferred", "early_ack", "early_publish", "heartbeat", "rights", "seat"]
MINUTE_MS = 60_000
DISK_S = 0.25


def wait_for_the_disk() -> None:
    """What comes before a commit by mistake comes visibly before it, as on a slow disk. Tests put another here."""
    time.sleep(DISK_S)


def dedupe() -> AbstractContextManager[None]:
    return _taking_for_new(older_than_ms=0)


def dedupe_60s() -> AbstractContextManager[None]:
    return _taking_for_new(older_than_ms=MINUTE_MS)


def _taking_for_new(*, older_than_ms: int) -> AbstractContextManager[None]:
    """What was answered longer ago is done again, as if it were another operation."""
    usual = streams.apply

    def apply(ops: Sequence[Op]) -> list[Answer]:
        before = now_ms() - older_than_ms
        ids = {op.id for op in ops}
        done = set(Change.objects.filter(op_id__in=ids, at__lte=before).values_list("event_id", "op_id"))
        fresh = []
        for op in ops:
            fresh.append(op._replace(id=uuid7()) if (op.event_id, op.id) in done else op)
            if not older_than_ms:
                done.add((op.event_id, op.id))
        return [answer._replace(op_id=op.id) for op, answer in zip(ops, usual(fresh), strict=True)]

    return swapped(streams, "apply", apply)


def heartbeat() -> AbstractContextManager[None]:
    """The hub beats, and believes what it knows already."""

    def known(_ids: Sequence[int]) -> dict[int, int]:
        return {pk: cursor for hub in list(Hub._hubs.values()) for pk, cursor in hub.cursors.items()}

    return swapped(streams, "heads", known)


@contextmanager
def early_ack() -> Iterator[None]:
    """Answers when the batch is judged and written; then it is committed, or not."""
    usual_submit, usual_apply = desk.Writer.submit, streams.apply
    promised: dict[UUID, Callable[[Answer], object]] = {}

    def submit(writer: desk.Writer, op: Op, tell: desk.Tell) -> None:
        told = []

        def first(answer: Answer) -> None:
            if not told:
                told.append(answer)
                tell(answer)

        promised[op.id] = partial(writer.loop.call_soon_threadsafe, first)
        usual_submit(writer, op, first)

    def apply(ops: Sequence[Op]) -> list[Answer]:
        with transaction.atomic():
            answers = usual_apply(ops)
            for answer in answers:
                early = None if answer.code == streams.HELD_UP else promised.pop(answer.op_id, None)
                if early is not None:
                    early(answer)
            wait_for_the_disk()
        return answers

    with swapped(desk.Writer, "submit", submit), swapped(streams, "apply", apply):
        yield


def early_publish() -> AbstractContextManager[None]:
    """Touches the hub while the transaction is open; it finds what it knew before."""

    def on_commit(tell: Callable[[], None], **_how: Any) -> None:
        tell()
        wait_for_the_disk()

    return swapped(streams, "transaction", SimpleNamespace(atomic=transaction.atomic, on_commit=on_commit))


def deferred() -> AbstractContextManager[None]:
    """SQLite's and Django's own way: every transaction begins as a reader and becomes a writer at its first write."""

    def begin(database: DatabaseWrapper) -> None:
        with database.wrap_database_errors:
            database.connection.execute("BEGIN")

    return swapped(DatabaseWrapper, "_start_transaction_under_autocommit", begin)


def seat() -> AbstractContextManager[None]:
    """Whoever comes gets the next chair, however many the table has."""

    def next_chair(_table: Table, _person: int, taken: Any) -> int:
        places = set(taken)
        return next(place for place in count() if place not in places)

    return swapped(seating, "free_chair", next_chair)
