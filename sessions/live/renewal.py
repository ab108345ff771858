"""Makes data that came back from an older copy fit to be served again.

What was erased since is erased again, one-time links are void, numbers given out since are not given to others, and
every event gets a new epoch: browsers notice, begin anew and offer their own acknowledged operations once more.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from django.apps import apps
from django.db import connection, transaction

from sessions.clock import now_ms
from sessions.ledger import TAKES_BACK, Erased, Line, What, append
from sessions.live import streams
from sessions.live.kinds import KINDS
from sessions.models import Device, Event, HandOver, SignInLink

LABELS = ("cafe", "tables")
NUMBERING = {
    "sqlite": (
        """INSERT INTO sqlite_sequence (name, seq) SELECT %(table)s, 0
           WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = %(table)s)""",
        "UPDATE sqlite_sequence SET seq = max(seq, %(least)s) WHERE name = %(table)s",
    ),
    "postgresql": ("SELECT setval(s, greatest(nextval(s), %(least)s)) FROM pg_get_serial_sequence(%(table)s, 'id') s",),
}
NUMBERS_SINCE_S = 1_735_689_600  # 2025; from a restore on, new rows are numbered by its second


class Renewed(NamedTuple):
    """How many events are there, and how many had to be deleted again."""

    events: int
    deleted: int

    def __str__(self) -> str:
        return (
            f"{self.events} events, and {self.deleted} deleted again; what was erased since is erased,"
            " sign-in links given out before are void. Start the server: open pages notice by themselves."
        )


@transaction.atomic
def renew(erased: Erased) -> Renewed:
    """Everything or nothing; a few queries for each event and each of its erasures."""
    raise_numbers(now_ms() // 1_000 - NUMBERS_SINCE_S)
    SignInLink.objects.filter(used_at=None).delete()
    HandOver.objects.filter(used_at=None).delete()
    events = Event.objects.order_by("pk").prefetch_related("sessions")
    deleted, kept = erased.deleted_events(), list(events)
    for event in kept:
        if event.key in deleted:
            _delete(event)
        else:
            _renew(event, erased)
    again = sum(event.key in deleted for event in kept)
    return Renewed(len(kept) - again, again)


def _delete(event: Event) -> None:
    with streams.governing(event):
        event.delete()


def _renew(event: Event, erased: Erased) -> None:
    with streams.governing(event) as scene:
        scene.cause = "restore"
        for kind in KINDS.values():
            kind.withdraw(scene, event, erased)
        refs = [int(ref) for ref in erased.of(event.key, What.DEVICE_LEFT)]
        Device.objects.filter(participant__event=event, pk__in=refs).delete()
        event.epoch, event.restored_at = uuid.uuid4(), scene.now
        event.save(update_fields=["epoch", "restored_at"])


def raise_numbers(least: int) -> None:
    """The next row of each of our tables gets a number above `least` (and above all there are).

    Numbers given out after the copy was taken stand in the ledger and in browsers; they must not mean somebody else.
    """
    ours = [model for model in apps.get_models() if model._meta.app_label in LABELS and model._meta.auto_field]
    with connection.cursor() as cursor:
        for model in ours:
            for statement in NUMBERING[connection.vendor]:
                cursor.execute(statement, {"table": model._meta.db_table, "least": least})


def put_down_what_is_missing(erased: Erased) -> int:
    """Writes to the ledger what it lacks: erasures of the database, and what was brought back; how many lines.

    Raises `OSError`. Erasures go first: of a damaged database there may be nothing more to be had.
    """
    there = list(tombstones())
    return _put_down(filter(erased.lacks, there)) + _put_down(_brought_back(erased, there))


def _put_down(lines: Iterable[Line]) -> int:
    found = list(lines)
    if found:
        append(found)
    return len(found)


def tombstones() -> Iterator[Line]:
    """Everything that is erased by now, whole events apart: of them nothing is left."""
    now = now_ms()
    for kind in KINDS.values():
        yield from (Line(what, key, str(ref), now) for what, key, ref in kind.tombstones())


def _brought_back(erased: Erased, there: Collection[Line]) -> Iterator[Line]:
    """What the ledger takes for erased and the database does not, since an operation after that brought it back."""
    known = {(line.event, line.what, line.id) for line in there}
    events = Event.objects.in_bulk({key for key, _what in erased.ids}, field_name="key")
    for back, what in TAKES_BACK.items():
        for key, event in events.items():
            ids = erased.ids.get((key, what), {})
            since = {ref: at for ref, at in ids.items() if (key, what, ref) not in known}
            for kind in KINDS.values() if since else ():
                yield from (Line(back, key, ref, at) for ref, at in kind.returned(event, what, since))
