"""Says where the event loop is stuck. While it is nobody is served, and its stack is the only trace of why."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import traceback
from typing import Any

from zoomcafe.logs import FRAMES, short

logger = logging.getLogger("zoomcafe.serving")

BLOCKED_S = 2.0  # browsers give up after fifteen
LOOK_S = 0.5
REST_S = 60.0


class Watchdog:
    """A thread that misses the ticks of the loop; it speaks once a minute at most."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop, self.thread = loop, 0
        self.ticked = self.spoke = -REST_S
        self.over = threading.Event()

    def start(self) -> None:
        """On the loop's thread."""
        self.thread = threading.get_ident()
        self.tick()
        threading.Thread(target=self.watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self.over.set()

    def tick(self) -> None:
        self.ticked = time.monotonic()
        if not self.over.is_set():
            self.loop.call_later(LOOK_S, self.tick)

    def watch(self) -> None:
        began = time.monotonic()
        while not self.over.wait(LOOK_S):
            now = time.monotonic()
            self.look(now, slept=now - began)
            began = time.monotonic()

    def look(self, now: float, *, slept: float) -> None:
        """`slept` seconds since the last look; when that is too long, the whole process stood still."""
        blocked = now - self.ticked
        if blocked < BLOCKED_S or slept > LOOK_S + BLOCKED_S / 2 or now - self.spoke < REST_S:
            return
        self.spoke = now
        fields = {"seconds": round(blocked, 1), "at": stack_of(self.thread)}
        logger.warning("The event loop is blocked; nobody is served", extra={"fields": fields})


def stack_of(thread: int) -> str:
    """Where a thread stands, outermost first."""
    frame: Any = sys._current_frames().get(thread)
    return " > ".join(f"{short(each.filename)}:{each.lineno}" for each in traceback.extract_stack(frame)[-FRAMES:])
