"""What must hold, whatever happened. Each answers with the sentence that was broken, or with nothing."""

from tests.model.world import FAULTS, PEOPLE, Page, Plan, Store, World, as_shown, parts

UNHEARD = ("kill", "lost hint", "lost frame", "restore")  # after these only a beat helps


def at_any_time(plan: Plan, world: World) -> str | None:
    stored = [change.op for change in world.store.log if change.seq]
    if len(stored) != len(set(stored)):
        return "something is stored twice"
    for number, page in enumerate(world.pages):
        broken = _of_page(plan, world.store, number, page, set(stored))
        if broken:
            return f"{PEOPLE[number]}: {broken}"
    return None


def _of_page(plan: Plan, store: Store, number: int, page: Page, stored: set[int]) -> str | None:
    own = {at for at, op in enumerate(plan.ops) if op.author == number}
    if own - {op for op, _sent in page.outbox} - {op for op, _epoch in page.kept} - set(page.refused):
        return "what is not acknowledged is in no outbox"
    told = page.line is not None and page.line.greeted
    if any(op not in stored and (told or epoch == store.epoch) for op, epoch in page.kept):
        return "what was acknowledged is not stored"
    if stored & set(page.refused):
        return "what was refused is stored"
    if page.epoch == store.epoch and _skipped(store, page):
        return "the cursor has passed a part that is not there"
    return None


def _skipped(store: Store, page: Page) -> bool:
    return any(
        part.seq <= cursor and ((part.part, part.op) in shown) == part.gone
        for stream, (cursor, shown) in enumerate(zip(page.cursors, page.shown, strict=True))
        for part in parts(store.log, stream)
    )


def when_nothing_is_left_to_do(world: World) -> str | None:
    for number, page in enumerate(world.pages):
        if page.outbox:
            return f"{PEOPLE[number]}: the outbox never empties"
    return _views(world)


def without_a_beat(plan: Plan, world: World) -> str | None:
    """Where no hint was lost, nobody has to wait for the next beat."""
    unheard = any(
        plan.faults.get(name, 0) != left for name, left in zip(FAULTS, world.faults, strict=True) if name in UNHEARD
    )
    return None if unheard else _views(world)


def _views(world: World) -> str | None:
    for number, page in enumerate(world.pages):
        for stream, shown in enumerate(page.shown):
            if shown != as_shown(world.store.log, stream):
                return f"{PEOPLE[number]}: the page shows something else than the store has"
    return None
