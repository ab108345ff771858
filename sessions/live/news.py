"""What a commit raised, as this process hears of it: that streams have risen, and the parts where they were at hand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sessions.live.kinds import Part

if TYPE_CHECKING:
    from sessions.models import Stream

Listener = Callable[[Collection[int], "Sequence[News]"], None]
listeners: list[Listener] = []  # told the ids of the streams that a commit of ours raised, and news of some of these


@dataclass(frozen=True, slots=True)
class News:
    """All parts of `stream` that have risen above `start`, as a reading up to its head would have found them."""

    stream: Stream
    start: int
    parts: list[Part]

    def then(self, later: News) -> News | None:
        """Both as one; null when something between them is missing."""
        if later.start != self.stream.head:
            return None
        risen = {part.id for part in later.parts}
        return News(later.stream, self.start, [part for part in self.parts if part.id not in risen] + later.parts)


def tell(touched: Collection[int], news: Sequence[News]) -> None:
    """From any thread, after a commit."""
    for listener in tuple(listeners):
        listener(touched, news)
