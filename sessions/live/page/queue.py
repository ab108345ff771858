"""Which operations go out next; the twin of `static/js/queue.js`. One waits here until its ack or final refusal.

Times are ms on this machine's clock, `random` is in [0, 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Op = dict[str, Any]  # the `op` frame
IN_FLIGHT = 8
UNANSWERED_MS = 15_000
RETRY_MS = (500, 1_000, 2_000, 4_000, 8_000)
UNREAD = frozenset({"too_large", "bad_json"})


@dataclass(slots=True)
class Item:
    op: Op
    sent: float | None = None
    due: float = 0
    tries: int = 0

    def is_in_flight(self, now: float) -> bool:
        return self.sent is not None and now - self.sent < UNANSWERED_MS


class Queue:
    """`rate`: at most so many operations a second."""

    def __init__(self, rate: float = 10) -> None:
        self.rate = rate
        self.items: dict[str, Item] = {}
        self.sent_at: list[float] = []

    def add(self, op: Op) -> None:
        self.items.setdefault(op["id"], Item(op))

    def take(self, now: float, most: int = IN_FLIGHT) -> list[Op]:
        """At most `most` operations to send; they count as sent. One at a time for each note, so that they arrive in
        order.
        """
        self.sent_at = [at for at in self.sent_at if now - at < 1_000 and at <= now]
        room = most - sum(item.is_in_flight(now) for item in self.items.values())
        busy: set[str] = set()
        ready: list[Op] = []
        for item in self.items.values():
            about = _about_what(item.op)
            free = about not in busy and not item.is_in_flight(now) and item.due <= now
            busy.add(about)
            if free and len(ready) < room and len(self.sent_at) < self.rate:
                item.sent = now
                self.sent_at.append(now)
                ready.append(item.op)
        return ready

    def lose(self) -> None:
        """The socket is gone: nothing is on its way any more."""
        for item in self.items.values():
            item.sent = None

    def settle(self, answer: Mapping[str, Any], now: float, random: float) -> Op | None:
        """Takes an answer: the operation if that was the last word about it, else null (it goes out again later)."""
        item = self.items.get(answer["id"])
        if item is None:
            return None
        if not answer["ok"] and answer.get("retry"):
            wait = RETRY_MS[min(item.tries, len(RETRY_MS) - 1)] * (0.5 + random / 2)
            item.sent, item.due = None, now + max(answer.get("after_ms", 0), wait)
            item.tries += 1
            return None
        return self.forget(answer["id"])

    def blamed(self, code: str) -> str | None:
        """The id of the operation a complaint without one is about: a server that could not read a frame could not name
        it either. Every other such complaint is about the visit ("too many tabs") and no word about what is on its way.
        """
        sent = [op_id for op_id, item in self.items.items() if item.sent is not None]
        return sent[0] if code in UNREAD and len(sent) == 1 else None

    def forget(self, op_id: str) -> Op | None:
        """Nobody waits for the answer any more."""
        item = self.items.pop(op_id, None)
        return None if item is None else item.op

    def pending(self, s: str | None = None) -> list[Op]:
        return [item.op for item in self.items.values() if s in {None, item.op["s"]}]


def _about_what(op: Op) -> str:
    if note := op["d"].get("note"):
        return str(note)
    return str(op["id"]) if op["k"] == "note.add" else f"{op['s']} {op['k'].partition('.')[0]}"
