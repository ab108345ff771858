"""The server of `test_network.py`: what socket, desk, writer and hub do, step by step, on the real database.

The judging, reading and framing is the real one: `visit.followed`, `desk.draft_of`, `streams.apply`, `streams.since`,
`wire.parts_frames`. What is told here again is only who hands what to whom.
"""

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.test import TestCase

from sessions.clock import now_ms
from sessions.live import desk, news, rights, streams, visit, wire
from sessions.live.kinds import Part
from sessions.live.ops import Answer, Name, Op, Refused
from sessions.live.reading import audience_of
from sessions.live.window import Window
from sessions.models import Participant, Stream

BEAR_ON_RIGHTS = frozenset({"stage", "me"})
TOO_LATE_MS = 6_000


@dataclass(eq=False, slots=True)
class Sub:
    stream_id: int
    name: Name
    cursor: int
    reset: bool


@dataclass(eq=False)
class Line:
    """A socket: the frames on their way, and what the server knows of it."""

    person: int
    process: "Process"
    up: deque[str] = field(default_factory=deque)
    down: deque[str] = field(default_factory=deque)
    subs: dict[int, Sub] = field(default_factory=dict)
    window: Window = field(default_factory=Window)
    viewer: Participant | None = None
    is_open: bool = True
    closed: int | None = None  # the code, once the frames before it are heard

    def say(self, frame: dict[str, Any]) -> None:
        if self.is_open:
            self.down.append(wire.dump(frame))

    def close(self, code: int) -> None:
        self.process.forget(self)
        self.closed = code


@dataclass(eq=False)
class Process:
    waiting: list[tuple[Line, Op]] = field(default_factory=list)
    dirty: set[int] = field(default_factory=set)
    lines: list[Line] = field(default_factory=list)

    @property
    def followed(self) -> set[int]:
        return {pk for line in self.lines for pk in line.subs}

    def forget(self, line: Line) -> None:
        """What it asked for is still done; nobody hears the answer."""
        line.is_open = False
        line.subs.clear()
        if line in self.lines:
            self.lines.remove(line)


class House:
    """Some processes over one database."""

    def __init__(self, processes: int) -> None:
        self.processes = [Process() for _process in range(processes)]

    def kill(self, process: Process) -> None:
        for line in list(process.lines):
            self.cut(line)
        self.processes[self.processes.index(process)] = Process()

    def connect(self, person: int, process: Process) -> Line:
        line = Line(person, process)
        process.lines.append(line)
        return line

    def cut(self, line: Line, *, arrives: int = 0) -> None:
        """Ends a socket without a word. The first frames on their way still arrive."""
        for _frame in range(min(arrives, len(line.up))):
            self.hear(line)
        line.process.forget(line)
        line.up.clear()
        line.down.clear()

    def hear(self, line: Line) -> None:
        """Takes the next frame that was sent on this socket."""
        frame = wire.parse(line.up.popleft())
        if not line.is_open:
            return
        match frame["t"]:
            case "hello":
                self._greet(line, frame)
            case "op":
                self._ask(line, frame)
            case "sub":
                self._sub(line, frame)
            case "seen":
                if line.window.confirm(frame["n"]):
                    line.process.dirty |= line.subs.keys()

    def _greet(self, line: Line, hello: dict[str, Any]) -> None:
        found = self._followed(line, hello["streams"], hello.get("epoch"))
        if found is not None:
            line.say(wire.welcome_frame(found.me, found.epoch))
            self._follow(line, found.streams, found.refused)

    def _sub(self, line: Line, frame: dict[str, Any]) -> None:
        found = self._followed(line, {frame["s"]: frame.get("after", -1)}, None)
        if found is not None:
            streams_ = [one for one in found.streams if one[0].on_wire() == frame["s"]]
            self._follow(line, streams_, [one for one in found.refused if one[0].on_wire() == frame["s"]])

    def _followed(self, line: Line, wishes: dict[str, int], epoch: str | None) -> visit.Followed | None:
        person = Participant.objects.select_related("event").get(pk=line.person)
        try:
            found = visit.followed(person, wishes, epoch)
        except visit.Closed as nobody:
            line.close(nobody.close)
            return None
        line.viewer = person
        return found

    def _follow(
        self, line: Line, found: Iterable[tuple[Name, Stream, int | None]], refused: Iterable[tuple[Name, str]]
    ) -> None:
        for name, stream, after in found:
            known = after is not None and 0 <= after <= stream.head
            cursor = after if known and after is not None else -1
            line.subs[stream.pk] = Sub(stream.pk, name, cursor, reset=not known)
            line.process.dirty.add(stream.pk)
        for name, code in refused:
            line.say({"t": "end", "s": name.on_wire(), "code": code, "text": ""})

    def _ask(self, line: Line, frame: dict[str, Any]) -> None:
        assert line.viewer is not None
        try:
            op = desk.op_of(line.viewer, desk.draft_of(frame))
        except Refused as refused:
            line.say(wire.answer_frame(Answer(UUID(frame["id"]), Name("me"), code=refused.code)))
            return
        line.process.waiting.append((line, op))

    def commit(self, process: Process, *, told: Collection[Process], late: bool = False) -> None:
        """What waits is one batch; then the hint, to those who hear it, and the answers."""
        batch, process.waiting = process.waiting, []
        arrived = now_ms() - (TOO_LATE_MS if late else 0)
        touched, answers = applied([op._replace(arrived=arrived) for _line, op in batch])
        for other in told:
            other.dirty |= touched & other.followed
        for (line, _op), answer in zip(batch, answers, strict=True):
            line.say(wire.answer_frame(answer))

    def give(self, process: Process) -> None:
        """Reads what is dirty and gives every socket what it lacks; first what rights may hang on."""
        due, process.dirty = process.dirty, set()
        names = {sub.stream_id: sub.name for line in process.lines for sub in line.subs.values()}
        first = {pk for pk in due & names.keys() if names[pk].kind in BEAR_ON_RIGHTS}
        if first:
            self._deliver(process, first)
            self._check(process)
        self._deliver(process, due & process.followed - first)

    def _deliver(self, process: Process, due: Collection[int]) -> None:
        lowest = {pk: min(line.subs[pk].cursor for line in process.lines if pk in line.subs) for pk in due}
        for pk, (stream, parts) in streams.since(list(lowest.items())).items():
            encoded = [wire.Encoded.of(part) for part in parts]
            for line in process.lines:
                if pk in line.subs:
                    _give(line, line.subs[pk], stream, encoded)

    def _check(self, process: Process) -> None:
        people = Participant.objects.select_related("event").in_bulk([line.person for line in process.lines])
        boards = Stream.objects.filter(pk__in=process.followed, kind="board")
        allowed = rights.visible(people.values(), boards)
        for line in list(process.lines):
            if people[line.person].removed_at is not None:
                line.close(4403)
            for pk, sub in list(line.subs.items()):
                if sub.name.kind == "board" and (line.person, pk) not in allowed:
                    del line.subs[pk]
                    line.say({"t": "end", "s": sub.name.on_wire(), "code": "not_allowed_now", "text": ""})

    def beat(self, process: Process) -> None:
        """Reads all heads, whatever hints were lost, and tells every socket how far it was given its streams."""
        heads = streams.heads(process.followed)
        for line in process.lines:
            process.dirty |= {pk for pk, sub in line.subs.items() if heads[pk] != sub.cursor}
            if line.viewer is not None:
                given = {sub.name.on_wire(): sub.cursor for sub in line.subs.values()}
                line.say({"t": "beat", "heads": given, "now": now_ms()})


def _give(line: Line, sub: Sub, stream: Stream, parts: Sequence[wire.Encoded]) -> None:
    if line.viewer is None or (sub.cursor >= stream.head and not sub.reset):
        return
    start, audience = max(0, sub.cursor), audience_of(line.viewer)
    for to, text in wire.parts_frames(sub.name, start, stream.head, parts, audience=audience, reset=sub.reset):
        if line.window.full:
            return
        line.window.add(len(text), 0)
        line.down.append(text)
        sub.cursor, sub.reset = to, False


def applied(ops: Sequence[Op]) -> tuple[frozenset[int], list[Answer]]:
    """The streams that rose, as the listeners hear it after the commit, and the answers."""
    heard: list[Collection[int]] = []

    def hear(ids: Collection[int], _told: Sequence[news.News]) -> None:
        heard.append(ids)

    news.listeners.append(hear)
    try:
        with TestCase.captureOnCommitCallbacks(execute=True):
            answers = streams.apply(ops)
    finally:
        news.listeners.remove(hear)
    return frozenset().union(*heard), answers


def fresh(stream: Stream) -> list[Part]:
    """All parts of a stream as they are now."""
    return streams.since([(stream.pk, -1)])[stream.pk][1]
