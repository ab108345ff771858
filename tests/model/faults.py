"""What may go wrong, as often as the plan allows."""

from collections.abc import Iterator
from typing import TypeVar

from tests.model import page as pages
from tests.model.world import (
    FAULTS,
    PEOPLE,
    Answer,
    Ask,
    Plan,
    Process,
    Store,
    World,
    house,
    lines,
    said,
    told,
    with_page,
    with_process,
)

Asked = TypeVar("Asked", Ask, Answer)
Happening = Iterator[tuple[str, World]]


def faults(plan: Plan, world: World) -> Happening:
    """What goes wrong, in words, and the world after it."""
    if sum(plan.faults.values()) - sum(world.faults) >= plan.together:
        return
    for at, name in enumerate(FAULTS):
        if world.faults[at]:
            spent = world._replace(faults=(*world.faults[:at], world.faults[at] - 1, *world.faults[at + 1 :]))
            for says, after in HAPPENS[name](plan, spent):
                yield f"{name}: {says}", after


def _cut(_plan: Plan, world: World) -> Happening:
    for number, page in enumerate(world.pages):
        if page.line is not None:
            yield f"{PEOPLE[number]}'s socket", _parted(with_page(world, number, pages.lost(page)), number)


def _reload(_plan: Plan, world: World) -> Happening:
    for number, page in enumerate(world.pages):
        after = with_page(world, number, pages.reloaded(page, world.store))
        yield f"{PEOPLE[number]}'s page", _parted(after, number)


def _parted(world: World, number: int) -> World:
    """What a page asked for is still done, but it gets no answer on a line that is gone."""
    for at, process in enumerate(world.processes):
        unnamed = process._replace(
            waiting=tuple(_unnamed(ask, number) for ask in process.waiting),
            batch=tuple(_unnamed(ask, number) for ask in process.batch),
            answers=tuple(_unnamed(answer, number) for answer in process.answers),
        )
        world = with_process(world, at, unnamed)
    return world


def _unnamed(who: Asked, number: int) -> Asked:
    return who._replace(page=None) if who.page == number else who


def _kill(plan: Plan, world: World) -> Happening:
    for number in range(plan.processes):
        yield house(number), _killed(world, number)


def _killed(world: World, number: int) -> World:
    for reader, page, _line in lines(world, number):
        world = with_page(world, reader, pages.lost(page))
    return with_process(world, number, Process())


def _lost_hint(plan: Plan, world: World) -> Happening:
    for number, process in enumerate(world.processes):
        for other in range(plan.processes):
            if process.untold:
                heard = set(range(plan.processes)) - {other}
                yield f"from {house(number)} to {house(other)}", told(world, number, heard)


def _lost_frame(_plan: Plan, world: World) -> Happening:
    for number, page in enumerate(world.pages):
        if page.line is not None and page.line.down and page.line.down[0][0] == "parts":
            line = page.line._replace(down=page.line.down[1:])
            yield f"to {PEOPLE[number]}", with_page(world, number, page._replace(line=line))


def _repeat(_plan: Plan, world: World) -> Happening:
    for number, page in enumerate(world.pages):
        for op, sent in page.outbox:
            if sent and page.line is not None:
                line = page.line._replace(up=(*page.line.up, ("op", op)))
                yield f"{PEOPLE[number]}'s operation {op}", with_page(world, number, page._replace(line=line))


def _busy(_plan: Plan, world: World) -> Happening:
    for number, process in enumerate(world.processes):
        if process.waiting:
            first, rest = process.waiting[0], process.waiting[1:]
            after = with_process(world, number, process._replace(waiting=rest))
            yield house(number), after if first.page is None else said(after, first.page, ("busy", first.op))


def _restore(plan: Plan, world: World) -> Happening:
    """An older backup. The processes are stopped for it."""
    for length in range(len(world.store.log)):
        after = world
        for number in range(plan.processes):
            after = _killed(after, number)
        yield (
            f"the first {length} of the log",
            after._replace(store=Store(world.store.epoch + 1, world.store.log[:length])),
        )


HAPPENS = {
    "cut": _cut,
    "kill": _kill,
    "lost hint": _lost_hint,
    "lost frame": _lost_frame,
    "repeat": _repeat,
    "busy": _busy,
    "reload": _reload,
    "restore": _restore,
}
