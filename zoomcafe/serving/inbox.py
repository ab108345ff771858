"""What arrived at a socket and waits for its application."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

AROUND = 512  # bytes of memory for a message without its text
Message = dict[str, Any]


class Inbox(asyncio.Queue[Message]):
    """What waits for the application, with its size in memory; `changed` is called when that is another one."""

    def __init__(self, changed: Callable[[], None]) -> None:
        super().__init__()
        self.size = 0
        self._changed = changed

    def _put(self, item: Message) -> None:
        super()._put(item)
        self.size += size_of(item)
        self._changed()

    def _get(self) -> Message:
        item: Message = super()._get()
        self.size -= size_of(item)
        self._changed()
        return item


def size_of(message: Message) -> int:
    return AROUND + sys.getsizeof(message.get("text") or message.get("bytes"))
