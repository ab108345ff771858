"""What pages show of streams that many look at, kept: a part is another one only with a new seq.

So of what was shown lately only those parts are read that have risen since, as a browser that was away would. While an
event is a draft, tables come and go without a word: then nothing is kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from operator import itemgetter
from typing import Any, TypeVar
from uuid import UUID

from sessions.live.kinds import KINDS, Read
from sessions.models import Event, Stream
from sessions.phases import Phase

MOST_KEPT = 20_000  # parts: some 3 KB each with all that is made of them in one language
IN_STRETCH = 50  # shorter ones pack worse, longer ones are made anew more often
PLACES = {"board": itemgetter("order", "id"), "room": itemgetter("no")}
Made = TypeVar("Made")
SomePart = TypeVar("SomePart", bound=dict[str, Any])


class Lasting:
    """What never changes: what is made of it is made once."""

    __slots__ = ()
    _made: dict[Hashable, Any]

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, which hangs on nothing but this and the key."""
        if key not in self._made:
            self._made[key] = make()
        made: Made = self._made[key]
        return made


class Shown(Lasting, dict[str, Any]):
    """A part as one audience gets it."""

    __slots__ = ("_made",)

    def __init__(self, part: dict[str, Any]) -> None:
        super().__init__(part)
        self._made = {}


class Stretch(Lasting, list[dict[str, Any]]):
    """Some parts that stand beside each other."""

    __slots__ = ("_made",)

    def __init__(self, parts: Iterable[dict[str, Any]]) -> None:
        super().__init__(parts)
        self._made = {}


class Several(list[dict[str, Any]]):
    """The parts of a stream at one head, in the order of a page; in stretches, of which those without news stay."""

    def __init__(self, parts: Sequence[dict[str, Any]], before: Several | None = None) -> None:
        super().__init__(parts)
        fresh = [Stretch(parts[at : at + IN_STRETCH]) for at in range(0, len(parts), IN_STRETCH)]
        known: list[Stretch] = before.stretches if before else []
        pairs = zip_longest(fresh, known[: len(fresh)])
        self.stretches: list[Stretch] = [old if old == new else new for new, old in pairs]
        self._split: dict[str, dict[Any, Several]] = {}
        self._before: dict[str, dict[Any, Several]] = (before._split or before._before) if before else {}

    def split(self, field: str) -> dict[Any, Several]:
        """Those that are alike in this field, by what they have there; of these too stretches without news stay."""
        if field not in self._split:
            alike: dict[Any, list[dict[str, Any]]] = {}
            for part in self:
                alike.setdefault(part[field], []).append(part)
            before = self._before.get(field, {})
            self._split[field] = {value: Several(parts, before.get(value)) for value, parts in alike.items()}
        return self._split[field]


@dataclass(frozen=True, slots=True)
class At:
    """The parts of a stream as read after its head."""

    epoch: UUID
    head: int
    by_id: dict[str, Shown]
    in_order: Several

    def __len__(self) -> int:
        return 1 + len(self.by_id)


class Shelf:
    """Forgets what was not asked for longest."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most, self._parts, self._lock = most, 0, threading.Lock()
        self._kept: OrderedDict[tuple[int, str], At] = OrderedDict()

    def get(self, key: tuple[int, str], epoch: UUID, head: int) -> At:
        """What was kept of this epoch, up to this head at most; with nothing in it where that is nothing."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or found.epoch != epoch or found.head > head:
                return At(epoch, -1, {}, Several([]))
            self._kept.move_to_end(key)
            return found

    def keep(self, key: tuple[int, str], at: At) -> None:
        with self._lock:
            before = self._kept.pop(key, None)
            self._kept[key] = at
            self._parts += len(at) - (len(before) if before else 0)
            while self._parts > self._most and len(self._kept) > 1:
                self._parts -= len(self._kept.popitem(last=False)[1])

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._parts = 0


shelf = Shelf()


def may_keep(event: Event, kind: str) -> bool:
    return KINDS[kind].keeps and event.phase != Phase.DRAFT


def kept(event: Event, stream: Stream, audience: str) -> Several:
    """What this audience sees of a stream that may be kept; its head was read after the event."""
    key = stream.pk, audience
    at = shelf.get(key, event.epoch, stream.head)
    if at.head < stream.head:
        risen = KINDS[stream.kind].parts([Read(stream, at.head)]).get(stream.pk, [])
        seen = {part.id: Shown(getattr(part, audience)) for part in risen}
        by_id = {name: part for name, part in (at.by_id | seen).items() if "gone" not in part}
        at = At(event.epoch, stream.head, by_id, Several(in_order(stream.kind, by_id.values()), at.in_order))
        shelf.keep(key, at)
    return at.in_order


def in_order(kind: str, parts: Iterable[SomePart]) -> list[SomePart]:
    """As pages show them."""
    return sorted(parts, key=PLACES[kind]) if kind in PLACES else list(parts)
