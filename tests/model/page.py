"""What a page does: `static/js/core.js` and `queue.js` in small."""

from typing import Any

from tests.model.world import RESET, Frame, Kept, Line, Page, Rules, Store, as_shown, head


def connected(page: Page, process: int, rules: Rules) -> Page:
    hello = ("hello", page.epoch, page.cursors)
    outbox = tuple((op, sent and not rules.sent_again) for op, sent in page.outbox)
    return page._replace(line=Line(process, up=(hello,)), outbox=outbox, lacking=(None,) * len(page.cursors))


def lost(page: Page) -> Page:
    """The socket is gone, and what was on its way with it."""
    return page._replace(line=None)


def reloaded(page: Page, store: Store) -> Page:
    """The same person's page, fetched anew. Outbox and acknowledged operations lie in the browser's database."""
    streams = range(len(page.cursors))
    return lost(page)._replace(
        epoch=store.epoch,
        cursors=tuple(head(store.log, stream) for stream in streams),
        shown=tuple(as_shown(store.log, stream) for stream in streams),
        stale=(None,) * len(page.cursors),
    )


def sending(page: Page, line: Line, rules: Rules) -> Page | None:
    """The next operation goes out; null when there is none."""
    op = next((op for op, sent in page.outbox if not sent), None)
    if op is None or not line.greeted:
        return None
    left = [(other, sent or other == op) for other, sent in page.outbox if rules.outbox_until_answered or other != op]
    return _says(page._replace(outbox=tuple(left)), ("op", op))


def hearing(page: Page, line: Line, rules: Rules) -> Page:
    """The page after the next frame."""
    frame = line.down[0]
    page = page._replace(line=line._replace(down=line.down[1:], greeted=line.greeted or frame[0] == "welcome"))
    match frame:
        case ("welcome", epoch):
            return _welcomed(page, epoch, rules)
        case ("parts", *rest):
            return _parts(page, *rest, rules=rules)
        case ("beat", heads):
            return _beat(page, heads)
        case ("ack", op):
            return _without(page, op)._replace(kept=(*page.kept, Kept(op, page.epoch)))
        case ("err", op):
            return _without(page, op)._replace(refused=(*page.refused, op))
    again = tuple((op, sent and op != frame[1]) for op, sent in page.outbox)  # busy
    return page._replace(outbox=again)


def _says(page: Page, frame: Frame) -> Page:
    assert page.line is not None
    return page._replace(line=page.line._replace(up=(*page.line.up, frame)))


def _without(page: Page, op: int) -> Page:
    return page._replace(
        outbox=tuple((other, sent) for other, sent in page.outbox if other != op),
        kept=tuple(kept for kept in page.kept if kept.op != op),
    )


def _welcomed(page: Page, epoch: int, rules: Rules) -> Page:
    if not rules.epoch_check:
        return page
    if rules.offered_again:
        lost_ops = [kept.op for kept in page.kept if kept.epoch != epoch]
        page = page._replace(
            outbox=(*((op, False) for op in lost_ops), *page.outbox),
            kept=tuple(kept for kept in page.kept if kept.epoch == epoch),
        )
    if epoch == page.epoch:
        return page
    cursor = RESET if rules.begun_anew else 0
    stale = tuple(frozenset(part for part, _op in shown) for shown in page.shown)
    return page._replace(epoch=epoch, cursors=(cursor,) * len(page.cursors), stale=stale)


def _parts(page: Page, stream: int, start: int, to: int, whole: int, put: Any, reset: bool, *, rules: Rules) -> Page:
    if reset:
        page = _stream(page, stream, cursor=start, stale=frozenset(part for part, _op in page.shown[stream]))
    cursor = page.cursors[stream]
    if rules.cursor_check and cursor < start:
        return _lacks(page, stream)
    if rules.cursor_check and cursor >= to and not reset:
        return _stream(page, stream, lacking=None)
    shown, stale = dict(page.shown[stream]), page.stale[stream]
    for part, op, gone in put:
        shown.pop(part, None) if gone else shown.update({part: op})
    if stale is not None:
        stale -= {part for part, _op, _gone in put}
        if to >= whole:
            shown, stale = {part: op for part, op in shown.items() if part not in stale}, None
    return _stream(page, stream, cursor=max(cursor, to), shown=frozenset(shown.items()), stale=stale, lacking=None)


def _lacks(page: Page, stream: int) -> Page:
    """Something is missing: asks once from the own cursor; the beat asks again."""
    cursor = page.cursors[stream]
    if page.lacking[stream] == cursor:
        return page
    return _says(_stream(page, stream, lacking=cursor), ("sub", stream, cursor))


def _beat(page: Page, heads: tuple[int, ...]) -> Page:
    for stream, said in enumerate(heads):
        cursor = page.cursors[stream]
        if said != cursor:
            page = _says(_stream(page, stream, lacking=cursor), ("sub", stream, cursor))
    return page


def _stream(page: Page, stream: int, **changed: Any) -> Page:
    """The page with some of what it knows of one stream replaced."""
    names = {"cursor": "cursors"}
    values: dict[str, Any] = {}
    for name, value in changed.items():
        field = names.get(name, name)
        old = getattr(page, field)
        values[field] = (*old[:stream], value, *old[stream + 1 :])
    return page._replace(**values)
