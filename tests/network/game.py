"""Games: what happens in which order, thrown by dice or drawn by Hypothesis, played to the end and judged."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from django.db import transaction
from hypothesis import strategies as st

from sessions.live.shown import shelf
from tests.network.town import Places, Town
from tests.wishes import NOTE_WISHES, OTHER_WISHES, SEAT_WISHES, TABLE_WISHES, Wish, diced, drawn

DEEDS = (SEAT_WISHES, TABLE_WISHES, OTHER_WISHES)
OFTEN = {  # of a hundred steps; what does not fit the moment does nothing
    "writes": 15,
    "does": 6,
    "frames arrive": 15,
    "frames are heard": 13,
    "commits": 9,
    "gives": 8,
    "beats": 3,
    "all goes well": 4,
    "time passes": 5,
    "patience ends": 2,
    "connects": 6,
    "socket is cut": 4,
    "looks": 2,
    "comes too late": 1,
    "is killed": 1,
    "reloads": 1,
    "opens or closes": 1,
    "takes over": 1,
    "backs up": 2,
    "restores": 1,
}


class Step(NamedTuple):
    """`who` is the number of a page; `much` of the rest, and which process."""

    what: str
    who: int
    much: int
    wish: Wish | None = None


def thrown(seed: int, steps: int) -> list[Step]:
    dice = random.Random(seed)
    return [_thrown(dice, what) for what in dice.choices(list(OFTEN), list(OFTEN.values()), k=steps)]


def _thrown(dice: random.Random, what: str) -> Step:
    of = {"writes": (NOTE_WISHES,), "does": DEEDS}.get(what)
    return Step(what, dice.randrange(5), dice.randrange(5), diced(dice, *of) if of else None)


WISHES = {"writes": drawn(NOTE_WISHES), "does": drawn(*DEEDS)}
STEP = st.sampled_from([what for what, times in OFTEN.items() for _time in range(times)]).flatmap(
    lambda what: st.builds(Step, st.just(what), st.integers(0, 4), st.integers(0, 4), WISHES.get(what, st.none()))
)


@contextmanager
def town(places: Places) -> Iterator[Town]:
    """Everybody is connected; at the end all comes to rest and is judged. The database stays as it was."""
    with transaction.atomic():
        try:
            town = Town(places)
            for at, tab in enumerate(town.tabs):
                town.connects(tab, town.house.processes[at % 2])
            yield town
            town.ends_well()
        finally:
            transaction.set_rollback(True)
            shelf.clear()  # in earnest what was committed never goes without a new epoch


def play(places: Places, steps: Sequence[Step]) -> Town:
    with town(places) as played:
        for step in steps:
            do(played, step)
    return played


def do(town: Town, step: Step) -> None:
    tab, process = town.tabs[step.who], town.house.processes[step.much % 2]
    if step.wish is not None:
        town.wants(tab, 1 + step.much % 2, step.wish)
    else:
        town.steps[step.what](tab, process, step.much)


def shortest(steps: Sequence[Step], fails: Callable[[Sequence[Step]], bool]) -> Sequence[Step]:
    """What of these steps is needed to fail."""
    size = len(steps) // 2
    while size:
        at = 0
        while at < len(steps):
            fewer = [*steps[:at], *steps[at + size :]]
            if fails(fewer):
                steps = fewer
            else:
                at += size
        size //= 2
    return steps
