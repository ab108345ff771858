"""Which chair, which table: the rules of sitting down as plain functions."""

from collections.abc import Iterable, Mapping

from tables.models import Table


def chairs_for(table: Table, person: int) -> range:
    """The chairs this person may take: the first one waits for the table's host."""
    waits = table.host_id is not None and table.host_id != person
    return range(1 if waits else 0, table.cap)


def free_chair(table: Table, person: int, taken: Iterable[int]) -> int | None:
    """The lowest free chair, so that nobody's chair moves; null when the table is full."""
    places = set(taken)
    return next((place for place in chairs_for(table, person) if place not in places), None)


def free_at(table: Table, person: int, taken: Iterable[int]) -> int:
    """How many free chairs this person finds at the table; a closed table has none."""
    return len(set(chairs_for(table, person)) - set(taken)) if table.open else 0


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
