"""What must not come back with an older copy of the data: an append-only file of ids beside the database.

A line says what was done, to which id of which event, and when; never a word, never a name. It is written after the
commit and is on the disk before the answer goes out, so what was acknowledged as deleted stays deleted. If the power
fails between the two, nobody was told yet: the browser asks again, and the next start writes what is missing
(`tombstones` and `returned` of the kinds of stream). Only a whole event that was deleted in that instant leaves no
trace.
"""

from __future__ import annotations

import json
import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from django.conf import settings

log = logging.getLogger(__name__)
NAME = "ledger.jsonl"


class What(StrEnum):
    NOTE_GONE = "note gone"
    NOTE_BACK = "note back"
    NOTE_EMPTIED = "note emptied"
    NOTE_HIDDEN = "note hidden"
    NOTE_SHOWN = "note shown"
    PERSON_REMOVED = "person removed"
    PERSON_BACK = "person back"
    DEVICE_LEFT = "device left"
    EVENT_DELETED = "event deleted"


TAKES_BACK = {
    What.NOTE_BACK: What.NOTE_GONE,
    What.NOTE_SHOWN: What.NOTE_HIDDEN,
    What.PERSON_BACK: What.PERSON_REMOVED,
}


@dataclass(frozen=True, slots=True)
class Line:
    """`event` is the event's key, `id` the text of a row's id (of an event: its key), `at` ms, server clock."""

    what: What
    event: str
    id: str
    at: int

    def on_file(self) -> str:
        return json.dumps({"at": self.at, "event": self.event, "what": self.what, "id": self.id})


@dataclass(frozen=True, slots=True)
class Erased:
    """What holds after all lines: for each kind of erasure the ids, by event key, and since when (ms)."""

    ids: dict[tuple[str, What], dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    @classmethod
    def after(cls, lines: Iterable[Line]) -> Erased:
        """In the order of their time: what was taken back later does not count."""
        erased = cls()
        for line in sorted(lines, key=lambda line: line.at):
            undone = TAKES_BACK.get(line.what)
            if undone is None:
                erased.ids[line.event, line.what][line.id] = line.at
            else:
                erased.ids[line.event, undone].pop(line.id, None)
        return erased

    def of(self, event: str, what: What) -> set[str]:
        return set(self.ids.get((event, what), ()))

    def deleted_events(self) -> set[str]:
        return {event for (event, what), ids in self.ids.items() if what is What.EVENT_DELETED and ids}

    def lacks(self, line: Line) -> bool:
        return line.id not in self.ids.get((line.event, line.what), ())


def path() -> Path:
    return Path(settings.VAR_DIR) / NAME


def append(lines: Sequence[Line]) -> None:
    """Adds lines, and returns when they are on the disk. Raises `OSError`."""
    place = path()
    is_new = not place.exists()
    opened = os.open(place, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        text = "".join(f"{line.on_file()}\n" for line in lines).encode()
        os.write(opened, text if _ends_with_a_line(opened) else b"\n" + text)
        os.fsync(opened)
    finally:
        os.close(opened)
    if is_new:
        _sync_names(place.parent)


def put_down(erasures: Sequence[Line]) -> None:
    """What is done is done: a ledger that cannot be written is made up for at the next start."""
    try:
        append(erasures)
    except OSError as problem:
        log.warning("%d erasures are not in the ledger yet: %s", len(erasures), problem)


def _ends_with_a_line(opened: int) -> bool:
    """Not if the power failed in the middle of the last one."""
    size = os.fstat(opened).st_size
    return not size or os.pread(opened, 1, size - 1) == b"\n"


def _sync_names(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def read(*paths: Path) -> Erased:
    """What holds after the lines of these files together; a file that is not there has none. Raises `OSError`."""
    return Erased.after(line for place in paths or (path(),) for line in _lines(place))


def _lines(place: Path) -> Iterator[Line]:
    if not place.exists():
        return
    for text in place.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            found = json.loads(text)
            yield Line(What(found["what"]), str(found["event"]), str(found["id"]), int(found["at"]))
        except (ValueError, KeyError, TypeError):
            continue  # half a line: nobody was told that it happened
