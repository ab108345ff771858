"""The live protocol in small: who there is, what they know and what is on its way. Everything is a value.

A world is one moment. `steps.py` and `faults.py` say which moments may follow, `promises.py` what must hold in each,
`explore.py` visits them all. Times, texts and rights are left out; what stays is what loses, doubles or hides notes
when it is wrong.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

GONE_HOME = -1  # the first operation of `Plan.before`
RESET = -1  # a cursor that cannot be: whoever has it gets everything anew
PEOPLE = ("Ben", "Cem", "Dana")
FAULTS = ("cut", "kill", "lost hint", "lost frame", "repeat", "busy", "reload", "restore")


@dataclass(frozen=True)
class Rules:
    """What keeps the promises. Each can be switched off, to see that the model would notice."""

    dedupe: bool = True  # an id that was judged is not judged again
    refusals_remembered: bool = True  # nor is one that was refused
    commit_before_ack: bool = True
    commit_before_hint: bool = True
    heads_before_parts: bool = True  # in this order they are read, and the head read first is announced
    cursor_check: bool = True  # a page takes a frame only if it goes on from where the page is
    heartbeat: bool = True
    epoch_check: bool = True  # a page notices that an older backup was restored
    begun_anew: bool = True  # and says so at every hello until the first frame of the new epoch has come
    offered_again: bool = True  # and sends its acknowledged operations once more
    outbox_until_answered: bool = True
    sent_again: bool = True  # on another line: what has no answer yet


class Op(NamedTuple):
    """`write` puts a note there, the last one wins; `take` wants a place that must be free; `clear` takes away."""

    author: int
    kind: str = "write"
    part: str = "note"
    stream: int = 0


@dataclass(frozen=True)
class Plan:
    """What is to happen: the operations people want, the house they meet in, how often what may go wrong."""

    ops: tuple[Op, ...]
    before: tuple[Op, ...] = ()  # written by somebody who has gone home since
    people: int = 2
    processes: int = 1
    streams: int = 1
    faults: dict[str, int] = field(default_factory=dict)
    together: int = 9  # at most so many faults in all
    rules: Rules = field(default_factory=Rules)


class Change(NamedTuple):
    """A line of the log. `seq` is 0 for what was refused."""

    op: int
    stream: int
    seq: int
    part: str
    gone: bool


Log = tuple[Change, ...]
Frame = tuple[Any, ...]  # its name first


class Store(NamedTuple):
    """The database: what is committed. An older backup has another epoch."""

    epoch: int = 0
    log: Log = ()


class Line(NamedTuple):
    """A socket with the frames on their way, and as far as the server has given each stream (null before the hello)."""

    process: int
    up: tuple[Frame, ...]
    down: tuple[Frame, ...] = ()
    given: tuple[int, ...] | None = None
    greeted: bool = False


class Kept(NamedTuple):
    """An acknowledged operation, with the epoch in which it was."""

    op: int
    epoch: int


class Page(NamedTuple):
    """A browser. By stream: cursor, the notes shown as (part, operation), those in doubt, the cursor it asked from."""

    outbox: tuple[tuple[int, bool], ...]  # operation, and whether it was sent on this line
    cursors: tuple[int, ...]
    shown: tuple[frozenset[tuple[str, int]], ...]
    stale: tuple[frozenset[str] | None, ...]
    lacking: tuple[int | None, ...]
    epoch: int = 0
    kept: tuple[Kept, ...] = ()
    refused: tuple[int, ...] = ()
    line: Line | None = None


class Ask(NamedTuple):
    """An operation that reached a process; `page` is null when its socket is gone."""

    page: int | None
    op: int


class Answer(NamedTuple):
    page: int | None
    op: int
    ok: bool

    def words(self) -> str:
        return f"{'ack' if self.ok else 'err'} {self.op}"


class Process(NamedTuple):
    waiting: tuple[Ask, ...] = ()
    batch: tuple[Ask, ...] = ()  # in transaction
    answers: tuple[Answer, ...] = ()
    untold: bool = False  # a commit of which nobody was told yet
    dirty: bool = False  # there may be something to read
    reading: Log | None = None  # the first of the two things that are read


class World(NamedTuple):
    store: Store
    processes: tuple[Process, ...]
    pages: tuple[Page, ...]
    faults: tuple[int, ...]  # how many of each kind may still happen


def beginning(plan: Plan) -> World:
    """Everybody's page is open, connected, and shows what is there."""
    log: Log = ()
    for at, op in enumerate(plan.before):
        log = (*log, _judged(log, GONE_HOME - at, op))
    heads = tuple(head(log, stream) for stream in range(plan.streams))
    nothing = (None,) * plan.streams
    pages = [
        Page(
            outbox=tuple((at, False) for at, op in enumerate(plan.ops) if op.author == number),
            cursors=heads,
            shown=tuple(as_shown(log, stream) for stream in range(plan.streams)),
            stale=nothing,
            lacking=nothing,
            line=Line(number % plan.processes, up=(), given=heads, greeted=True),
        )
        for number in range(plan.people)
    ]
    faults = tuple(plan.faults.get(name, 0) for name in FAULTS)
    return World(Store(log=log), (Process(),) * plan.processes, tuple(pages), faults)


@cache
def head(log: Log, stream: int) -> int:
    return sum(1 for change in log if change.seq and change.stream == stream)


@cache
def parts(log: Log, stream: int) -> tuple[Change, ...]:
    """The parts of a stream as they are: of each its last change, in the order of their seqs."""
    last = {change.part: change for change in log if change.seq and change.stream == stream}
    return tuple(sorted(last.values(), key=lambda change: change.seq))


def as_shown(log: Log, stream: int) -> frozenset[tuple[str, int]]:
    """What a page that has everything shows."""
    return frozenset((change.part, change.op) for change in parts(log, stream) if not change.gone)


def judge(log: Log, ops: tuple[Op, ...], asks: tuple[Ask, ...], rules: Rules) -> tuple[Log, tuple[Answer, ...]]:
    """A batch, one operation after the other: the log after it and the answers."""
    answers = []
    for ask in asks:
        change = next((past for past in log if past.op == ask.op), None) if rules.dedupe else None
        if change is None:
            change = _judged(log, ask.op, ops[ask.op])
            if change.seq or rules.refusals_remembered:
                log = (*log, change)
        answers.append(Answer(ask.page, ask.op, bool(change.seq)))
    return log, tuple(answers)


def _judged(log: Log, number: int, op: Op) -> Change:
    is_there = any(part == op.part for part, _op in as_shown(log, op.stream))
    refused = (op.kind == "take" and is_there) or (op.kind == "clear" and not is_there)
    seq = 0 if refused else head(log, op.stream) + 1
    return Change(number, op.stream, seq, op.part, op.kind == "clear")


def lines(world: World, process: int) -> Iterator[tuple[int, Page, Line]]:
    """The pages with a socket at this process."""
    for number, page in enumerate(world.pages):
        if page.line is not None and page.line.process == process:
            yield number, page, page.line


def said(world: World, number: int, frame: Frame) -> World:
    page = world.pages[number]
    assert page.line is not None
    return with_page(world, number, page._replace(line=page.line._replace(down=(*page.line.down, frame))))


def told(world: World, number: int, heard: Iterable[int]) -> World:
    """The hint reaches these processes; those whose sockets follow nothing have no use for it."""
    world = with_process(world, number, world.processes[number]._replace(untold=False))
    for other in heard:
        if any(line.given is not None for _n, _page, line in lines(world, other)):
            world = with_process(world, other, world.processes[other]._replace(dirty=True))
    return world


def with_page(world: World, number: int, page: Page) -> World:
    pages = (*world.pages[:number], page, *world.pages[number + 1 :])
    return World(world.store, world.processes, pages, world.faults)


def with_process(world: World, number: int, process: Process) -> World:
    processes = (*world.processes[:number], process, *world.processes[number + 1 :])
    return World(world.store, processes, world.pages, world.faults)


def house(process: int) -> str:
    return f"process {process}"


def words(frame: Frame) -> str:
    match frame:
        case ("parts", stream, start, to, top, put, reset):
            says = ", ".join(f"{part} {'gone' if gone else 'by op'} {op}" for part, op, gone in put)
            return f"{'reset, ' if reset else ''}parts of {stream} from {start} to {to}, head {top}: {says or 'none'}"
        case ("hello", epoch, cursors):
            return f"hello in epoch {epoch} at {cursors}"
        case ("welcome", epoch):
            return f"welcome to epoch {epoch}"
        case ("sub", stream, after):
            return f"what comes after {after} in {stream}?"
    return f"{frame[0]} {frame[1]}"
