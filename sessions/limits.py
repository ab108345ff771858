"""Counts failures, so that guessing is slow while people who know the code are never held up."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable

MOST_KEYS = 10_000


class TooMany(Exception):  # noqa: N818 - a state, not an error
    """Answered with 429 and `sentence` (in the reader's language; may be empty) after which to wait `seconds`."""

    def __init__(self, seconds: int, sentence: str = "") -> None:
        super().__init__(sentence)
        self.seconds = seconds


class Limiter:
    """At most `limit` failures per key in `seconds`, counted per process; forgets the oldest beyond `most` keys."""

    def __init__(
        self, limit: int, seconds: float, *, most: int = MOST_KEYS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit, self._seconds, self._most, self._clock = limit, seconds, most, clock
        self._failures: OrderedDict[Hashable, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def blocked(self, key: Hashable) -> int:
        """Seconds until another try is allowed; 0 when it is allowed now."""
        with self._lock:
            times = self._recent(key)
            if len(times) < self._limit:
                return 0
            return max(1, math.ceil(times[0] + self._seconds - self._clock()))

    def fail(self, key: Hashable) -> None:
        with self._lock:
            times = self._recent(key)
            times.append(self._clock())
            self._failures[key] = times
            self._failures.move_to_end(key)
            if len(self._failures) > self._most:
                self._failures.popitem(last=False)

    def check(self, key: Hashable) -> None:
        """Raises `TooMany` while the key is blocked."""
        if seconds := self.blocked(key):
            raise TooMany(seconds)

    def forget(self) -> None:
        with self._lock:
            self._failures.clear()

    def _recent(self, key: Hashable) -> deque[float]:
        """The failures that still count; drops a key that has none."""
        times = self._failures.get(key, deque(maxlen=self._limit))
        since = self._clock() - self._seconds
        while times and times[0] <= since:
            times.popleft()
        if not times:
            self._failures.pop(key, None)
        return times


def network(address: str) -> str:
    """What one household or attacker has of addresses: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
