"""What a commit raised, as this process hears of it: that streams have risen, and the parts where they were at hand."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sessions.live.wire import Encoded
    from sessions.models import Stream

log = logging.getLogger(__name__)
Listener = Callable[[Collection[int], "Sequence[News]"], None]
listeners: list[Listener] = []  # told the ids of the streams that a commit of ours raised, and news of some of these


@dataclass(frozen=True, slots=True)
class News:
    """All parts of `stream` that have risen above `start`, as a reading up to its head would have found them."""

    stream: Stream
    start: int
    parts: list[Encoded]

    def then(self, later: News) -> News | None:
        """Both as one; null when something between them is missing."""
        if later.start != self.stream.head:
            return None
        risen = {part.id for part in later.parts}
        return News(later.stream, self.start, [part for part in self.parts if part.id not in risen] + later.parts)


Told = tuple[Collection[int], Sequence[News]]
_gathered: ContextVar[list[Told] | None] = ContextVar("gathered", default=None)


def tell(touched: Collection[int], news: Sequence[News]) -> None:
    """From any thread, after a commit."""
    gathered = _gathered.get()
    if gathered is not None:
        gathered.append((touched, news))
        return
    for listener in tuple(listeners):
        try:
            listener(touched, news)
        except Exception:
            log.exception("%s was not told of news", listener)


@contextmanager
def gathering() -> Iterator[list[Told]]:
    """What is told inside waits in the list for whoever takes it; what nobody has taken is told at the end."""
    waiting: list[Told] = []
    before = _gathered.set(waiting)
    try:
        yield waiting
    finally:
        _gathered.reset(before)
        for one in waiting:
            tell(*one)
