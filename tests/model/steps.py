"""What may happen next. Each step is a sentence and the world after it."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.model import page as pages
from tests.model.faults import faults
from tests.model.world import (
    PEOPLE,
    RESET,
    Ask,
    Frame,
    Line,
    Log,
    Page,
    Plan,
    Process,
    World,
    head,
    house,
    judge,
    lines,
    parts,
    said,
    told,
    with_page,
    with_process,
    words,
)


class Step(NamedTuple):
    says: str
    world: World
    kind: str = "step"  # or "beat" or "fault"


def steps(plan: Plan, world: World) -> Iterator[Step]:
    for number, page in enumerate(world.pages):
        yield from _of_page(plan, world, number, page)
    for number, process in enumerate(world.processes):
        yield from _of_process(plan, world, number, process)
        if plan.rules.heartbeat:
            yield from _beats(world, number, process)
    for says, after in faults(plan, world):
        yield Step(says, after, "fault")


def _of_page(plan: Plan, world: World, number: int, page: Page) -> Iterator[Step]:
    name, line = PEOPLE[number], page.line
    if line is None:
        for process in range(plan.processes):
            after = pages.connected(page, process, plan.rules)
            yield Step(f"{name} connects to {house(process)}", with_page(world, number, after))
        return
    sent = pages.sending(page, line, plan.rules)
    if sent is not None and sent.line is not None:
        yield Step(f"{name} sends {words(sent.line.up[-1])}", with_page(world, number, sent))
    if line.up:
        yield Step(f"{house(line.process)} hears {name}: {words(line.up[0])}", _heard(plan, world, number, page, line))
    if line.down:
        after = pages.hearing(page, line, plan.rules)
        yield Step(f"{name} hears {words(line.down[0])}", with_page(world, number, after))


def _of_process(plan: Plan, world: World, number: int, process: Process) -> Iterator[Step]:
    name = house(number)
    if process.waiting and not any(other.batch for other in world.processes):
        yield Step(f"{name} begins a transaction", with_process(world, number, _begun(plan, world.store.log, process)))
    if process.batch:
        yield Step(f"{name} commits", _committed(plan, world, number, process))
    if process.untold:
        yield Step(f"{name} gives the hint", told(world, number, range(plan.processes)))
    if process.answers:
        yield Step(f"{name} answers: {process.answers[0].words()}", _answered(world, number, process))
    if process.reading is not None:
        yield Step(f"{name} reads parts and gives them", _given(plan, world, number, process, process.reading))
    elif process.dirty:
        seen = process._replace(dirty=False, reading=world.store.log)
        yield Step(f"{name} reads heads", with_process(world, number, seen))


def _heard(plan: Plan, world: World, number: int, page: Page, line: Line) -> World:
    """A process takes the next frame of a page."""
    process, store = world.processes[line.process], world.store
    frame, line = line.up[0], line._replace(up=line.up[1:])
    match frame:
        case ("op", op):
            process = process._replace(waiting=(*process.waiting, Ask(number, op)))
        case ("sub", stream, after) if line.given is not None:
            known = _known(store.log, stream, after)
            line = line._replace(given=(*line.given[:stream], known, *line.given[stream + 1 :]))
            process = process._replace(dirty=True)
        case ("hello", epoch, cursors):
            same = epoch == store.epoch or not plan.rules.epoch_check
            given = tuple(_known(store.log, s, after) if same else RESET for s, after in enumerate(cursors))
            line = line._replace(given=given, down=(("welcome", store.epoch),))
            process = process._replace(dirty=True)
    return with_process(with_page(world, number, page._replace(line=line)), line.process, process)


def _known(log: Log, stream: int, after: int) -> int:
    return after if after <= head(log, stream) else RESET


def _begun(plan: Plan, log: Log, process: Process) -> Process:
    """All that waits is one batch; nobody sees anything of it yet."""
    _log, answers = judge(log, plan.ops, process.waiting, plan.rules)
    return process._replace(
        waiting=(),
        batch=process.waiting,
        answers=process.answers + (() if plan.rules.commit_before_ack else answers),
        untold=process.untold or not plan.rules.commit_before_hint,
    )


def _committed(plan: Plan, world: World, number: int, process: Process) -> World:
    log, answers = judge(world.store.log, plan.ops, process.batch, plan.rules)
    rose = plan.rules.commit_before_hint and any(change.seq for change in log[len(world.store.log) :])
    after = process._replace(
        batch=(),
        answers=process.answers + (answers if plan.rules.commit_before_ack else ()),
        untold=process.untold or rose,
    )
    return with_process(world, number, after)._replace(store=world.store._replace(log=log))


def _answered(world: World, number: int, process: Process) -> World:
    first, rest = process.answers[0], process.answers[1:]
    world = with_process(world, number, process._replace(answers=rest))
    return world if first.page is None else said(world, first.page, ("ack" if first.ok else "err", first.op))


def _given(plan: Plan, world: World, number: int, process: Process, read: Log) -> World:
    """Every socket gets what it lacks, in frames of one part each."""
    now = world.store.log
    heads, log = (read, now) if plan.rules.heads_before_parts else (now, read)
    world = with_process(world, number, process._replace(reading=None))
    for reader, page, line in lines(world, number):
        if line.given is not None:
            tops = [max(after, head(heads, stream)) for stream, after in enumerate(line.given)]
            frames = [
                frame
                for stream, (after, top) in enumerate(zip(line.given, tops, strict=True))
                for frame in frames_of(log, stream, after, top)
            ]
            given = line._replace(given=tuple(tops), down=(*line.down, *frames))
            world = with_page(world, reader, page._replace(line=given))
    return world


def frames_of(log: Log, stream: int, after: int, top: int) -> list[Frame]:
    """The parts between cursor and head, cut behind each part as the real ones are at 64 KiB."""
    if after >= top and after != RESET:
        return []
    lacking = [part for part in parts(log, stream) if after < part.seq <= top]
    cuts = [[part] for part in lacking] or [[]]
    frames: list[Frame] = []
    start = max(0, after)
    for at, cut in enumerate(cuts, 1):
        to = top if at == len(cuts) else cut[-1].seq
        put = tuple((part.part, part.op, part.gone) for part in cut)
        frames.append(("parts", stream, start, to, top, put, after == RESET and not frames))
        start = to
    return frames


def _beats(world: World, number: int, process: Process) -> Iterator[Step]:
    """Where a beat would change nothing, because all is well or on its way, none is needed."""
    for reader, page, line in lines(world, number):
        if line.given is None:
            continue
        behind = any(given < head(world.store.log, stream) for stream, given in enumerate(line.given))
        if behind and not process.dirty and process.reading is None:
            looking = with_process(world, number, process._replace(dirty=True))
            yield Step(f"{house(number)} looks at all heads", looking, "beat")
        asked = any(frame[0] == "sub" for frame in line.up)
        if line.given != page.cursors and not line.down and not asked:
            after = said(world, reader, ("beat", line.given))
            yield Step(f"{house(number)} sends {PEOPLE[reader]} a beat", after, "beat")
