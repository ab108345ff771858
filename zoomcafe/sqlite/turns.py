"""Whose turn it is to write to a database file, within this process."""

import threading


class Turn:
    """First come, first served, as far as the platform's lock is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def take(self, seconds: float) -> bool:
        """Whether the turn came within so many seconds."""
        return self._lock.acquire(timeout=seconds)

    def give_back(self) -> None:
        self._lock.release()


_turns: dict[str, Turn] = {}


def turn_for(path: str) -> Turn:
    return _turns.setdefault(path, Turn())
