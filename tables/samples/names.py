"""Names for simulated guests: first and last names of the sample's people, newly paired."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from tables.samples.content import content


def invented(language: str, *, besides: Iterable[str] = (), seed: float = 0) -> Iterator[str]:
    """Ever new names, none of them among `besides`; numbered when all pairs are used up."""
    people = [person.name.split(" ") for person in content(language).people]
    firsts, lasts = [name[0] for name in people], [name[-1] for name in people]
    taken = {*besides, *(person.name for person in content(language).people)}
    dice = random.Random(f"{language}{seed}")  # noqa: S311 - the same names every time
    dice.shuffle(firsts)
    dice.shuffle(lasts)
    lap = 0
    while True:
        number = f" {lap // len(lasts) + 1}" if lap >= len(lasts) else ""
        for i, first in enumerate(firsts):
            name = f"{first} {lasts[(i + lap) % len(lasts)]}{number}"
            if name not in taken:
                yield name
        lap += 1
