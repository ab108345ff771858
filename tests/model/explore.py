"""Visits every world that can come about, the nearest first."""

import gc
from collections import deque
from dataclasses import dataclass, field

from tests.model import promises
from tests.model.steps import Step, steps
from tests.model.world import Plan, World, beginning


@dataclass
class Visit:
    """All that was seen; `broken` with the shortest way to it."""

    worlds: dict[World, int] = field(default_factory=dict)
    ways: list[tuple[int, str]] = field(default_factory=list)  # of each world: the one before it, what happened
    onward: list[list[int]] = field(default_factory=list)  # without faults
    broken: str | None = None
    trace: list[str] = field(default_factory=list)

    def number(self, world: World, before: int, says: str) -> tuple[int, bool]:
        at = self.worlds.setdefault(world, len(self.ways))
        if at == len(self.ways):
            self.ways.append((before, says))
            self.onward.append([])
            return at, True
        return at, False

    def told(self) -> str:
        return "\n".join([f"{self.broken}", *(f"{at:4}  {says}" for at, says in enumerate(self.trace, 1))])

    def way_to(self, at: int) -> list[str]:
        says: list[str] = []
        while at:
            at, said = self.ways[at]
            says.append(said)
        return says[::-1]


def explore(plan: Plan) -> Visit:
    """Ends at the first broken promise. All is tuples without circles: the collector would look in vain."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return _visited(plan)
    finally:
        if collects:
            gc.enable()


def _visited(plan: Plan) -> Visit:
    visit = Visit()
    first = beginning(plan)
    visit.number(first, 0, "")
    ahead = deque([first])
    while ahead:
        world = ahead.popleft()
        at = visit.worlds[world]
        following = list(steps(plan, world))
        visit.broken = _broken(plan, world, following)
        if visit.broken:
            visit.trace = visit.way_to(at)
            return visit
        for step in following:
            to, fresh = visit.number(step.world, at, step.says)
            if step.kind != "fault":
                visit.onward[at].append(to)
            if fresh:
                ahead.append(step.world)
    if not ends(visit.onward):
        visit.broken = "it can go on for ever without getting anywhere"
    return visit


def _broken(plan: Plan, world: World, following: list[Step]) -> str | None:
    kinds = {step.kind for step in following}
    return (
        promises.at_any_time(plan, world)
        or (None if "step" in kinds else promises.without_a_beat(plan, world))
        or (None if kinds & {"step", "beat"} else promises.when_nothing_is_left_to_do(world))
    )


def ends(onward: list[list[int]]) -> bool:
    """Whether there is no circle: taking away worlds nothing leads to, none is left."""
    incoming = [0] * len(onward)
    for those in onward:
        for to in those:
            incoming[to] += 1
    free = [at for at, count in enumerate(incoming) if not count]
    taken = 0
    while free:
        taken += 1
        for to in onward[free.pop()]:
            incoming[to] -= 1
            if not incoming[to]:
                free.append(to)
    return taken == len(onward)
