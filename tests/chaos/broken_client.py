"""Our Python client without one of its rules; see `mutants`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from math import inf
from typing import Any

from sessions.live import client
from sessions.live.page import core
from sessions.live.page.queue import IN_FLIGHT, Op, Queue
from tests.chaos.mutants import swapped


def cursor() -> AbstractContextManager[None]:
    """Takes every frame as it comes, also one that begins beyond the cursor."""

    def step(state: core.State, given: Mapping[str, Any]) -> core.Step:
        frame = given.get("frame", {})
        stream = state.streams.get(frame.get("s", ""))
        if frame.get("t") == "parts" and stream and stream.cursor < frame["from"]:
            given = {**given, "frame": {**frame, "from": stream.cursor}}
        return core.step(state, given)

    return swapped(client, "step", step)


def outbox() -> AbstractContextManager[None]:
    """Is done with an operation once it is sent: neither another socket nor patience brings it again."""
    usual = Queue.take

    def take(queue: Queue, now: float, most: int = IN_FLIGHT) -> list[Op]:
        ops = usual(queue, now, most)
        for op in ops:
            queue.items[op["id"]].due = inf  # unless a server asks for it
        return ops

    return swapped(Queue, "take", take)
