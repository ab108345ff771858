"""How many connections each worker holds, in memory they share."""

from __future__ import annotations

import mmap
import os
import tempfile

ABSENT = 0xFFFF_FFFF
BYTES = 4


class Tally:
    """Numbers in a file without a name; each has one writer at a time. Workers open it by its descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._numbers = memoryview(mmap.mmap(descriptor, 0)).cast("I")

    @classmethod
    def new(cls, places: int) -> Tally:
        with tempfile.TemporaryFile() as file:
            file.write(ABSENT.to_bytes(BYTES, "little") * places)
            file.flush()
            return cls(os.dup(file.fileno()))

    def write(self, place: int, count: int) -> None:
        self._numbers[place] = count

    def leave(self, place: int) -> None:
        """Nobody waits for this worker any more."""
        self._numbers[place] = ABSENT

    def least_besides(self, place: int) -> int:
        """The fewest connections another worker holds; `ABSENT` when there is no other."""
        return min((count for other, count in enumerate(self._numbers) if other != place), default=ABSENT)


class Share:
    """One worker's place in the tally."""

    def __init__(self, tally: Tally, place: int) -> None:
        self.tally, self.place = tally, place
        self.count = 0
        self.leaving = False
        tally.write(place, 0)

    def holds(self, count: int) -> None:
        self.count = count
        if not self.leaving:
            self.tally.write(self.place, count)

    def is_least(self) -> bool:
        return self.count <= self.tally.least_besides(self.place)

    def leave(self) -> None:
        self.leaving = True
        self.tally.leave(self.place)
