"""Which chair, which table: the rules of sitting down as plain functions."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from tables.models import Table


class Chairs(Protocol):
    """What a table is asked for when somebody looks for a chair."""

    @property
    def cap(self) -> int: ...

    @property
    def open(self) -> bool: ...

    @property
    def host_id(self) -> int | None: ...


def free_chairs(table: Chairs, person: int, taken: Iterable[int]) -> list[int]:
    """The chairs this person finds free, lowest first. The first one waits for the table's host; where people sit on
    chairs that were taken away, as many others stay empty.
    """
    waits = table.host_id is not None and table.host_id != person
    places = set(taken) | ({0} if waits else set())
    free = [place for place in range(table.cap) if place not in places]
    return free[: max(0, table.cap - len(places))]


def free_chair(table: Chairs, person: int, taken: Iterable[int]) -> int | None:
    """The lowest free chair, so that nobody's chair moves; null when the table is full."""
    return next(iter(free_chairs(table, person, taken)), None)


def free_at(table: Chairs, person: int, taken: Iterable[int]) -> int:
    """How many free chairs this person finds at the table; a closed table has none."""
    return len(free_chairs(table, person, taken)) if table.open else 0


def emptiest(tables: Iterable[Table], person: int, taken: Mapping[int, Iterable[int]]) -> Table | None:
    """The table with the fewest people among those with a free chair, the first of equals."""
    free = [table for table in tables if free_at(table, person, taken.get(table.pk, ()))]
    return min(free, key=lambda table: (len(set(taken.get(table.pk, ()))), table.number), default=None)


def initials(name: str) -> str:
    """Two letters for a drawn seat: of the first and the last word, or the first two of one."""
    words = [word for word in name.split() if any(c.isalnum() for c in word)]
    if len(words) > 1:
        return (words[0][0] + words[-1][0]).upper()
    return (words[0] if words else name)[:2].upper()
