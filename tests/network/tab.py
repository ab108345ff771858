"""A browser of `test_network.py`: its tabs, each with the real core, store and queue, and what it keeps for them.

The network has no I/O and no clock: a line is two lists of frames, the time is told.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sessions.live import reading, rights
from sessions.live.page.core import Effect, begin, step
from sessions.live.page.queue import Queue
from sessions.live.page.store import Store
from sessions.live.wire import stream_name
from sessions.models import Participant
from tests.network.house import Line

Frame = dict[str, Any]
GONE = frozenset({4401, 4403, 4404})


@dataclass(frozen=True)
class Entry:
    """A line of the browser's database, as in static/js/outbox.js."""

    id: str
    owner: str
    tab: str
    op: Frame


def claims(
    entries: Iterable[Entry], *, owner: str, tab: str, has: Callable[[str], bool], is_gone: Callable[[str], bool]
) -> list[Entry]:
    """As in static/js/claims.js; the vectors hold both to the same."""
    free = [
        entry
        for entry in entries
        if entry.owner == owner and not has(entry.id) and (entry.tab == tab or is_gone(entry.tab))
    ]
    return sorted(free, key=lambda entry: entry.id)


@dataclass
class Browser:
    """What all tabs of a person share: the outbox on disk.

    For the test also all that was wanted, and every last word about it with the epoch in which it was said.
    """

    person: int
    kept: dict[str, Entry] = field(default_factory=dict)
    wanted: dict[str, Frame] = field(default_factory=dict)
    accepted: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


class Tab:
    """One open page of a person. `boards` are the streams it would like to follow beside those of every page."""

    def __init__(self, name: str, browser: Browser, boards: Iterable[str], page: reading.Page) -> None:
        self.name, self.browser, self.boards = name, browser, list(boards)
        self.is_open, self.stopped = True, False
        self.line: Line | None = None
        self.greeted = False
        self.begin(page)

    def load(self) -> None:
        """Fetches the page, and takes out of the outbox what is this tab's."""
        viewer = Participant.objects.select_related("event").get(pk=self.browser.person)
        self.is_open, self.stopped = True, viewer.removed_at is not None
        self.begin(reading.page(viewer, names_for(viewer, ["gallery", *self.boards])))
        self.take_over(lambda _tab: False)

    def begin(self, page: reading.Page) -> None:
        self.core = begin(epoch=page.epoch, streams=page.streams)
        self.store = Store(page.parts)
        self.queue = Queue()

    def take_over(self, is_gone: Callable[[str], bool]) -> None:
        kept, own = self.browser.kept, str(self.browser.person)
        for entry in claims(
            list(kept.values()), owner=own, tab=self.name, has=self.queue.items.__contains__, is_gone=is_gone
        ):
            kept[entry.id] = Entry(entry.id, own, self.name, entry.op)
            self.queue.add(entry.op)

    def want(self, op: Frame) -> None:
        self.browser.wanted[op["id"]] = op
        self.browser.kept[op["id"]] = Entry(op["id"], str(self.browser.person), self.name, op)
        self.queue.add(op)

    def connect(self, line: Line) -> None:
        self.line = line
        self.take({"t": "open"}, 0)

    def lose(self) -> None:
        self.line, self.greeted = None, False
        self.queue.lose()

    def turn(self, now: float) -> None:
        """Sends what may go out now."""
        if self.greeted:
            for op in self.queue.take(now):
                self.say(op)

    def say(self, frame: Frame) -> None:
        if self.line is not None:
            self.line.up.append(json.dumps(frame))

    def hear(self, now: float) -> None:
        """The next frame, or the end of the socket behind the last one."""
        assert self.line is not None
        if self.line.down:
            self.take({"t": "frame", "frame": json.loads(self.line.down.popleft()), "now": now}, now)
            self.turn(now)
        elif self.line.closed is not None:
            self.stopped = self.line.closed in GONE
            self.lose()

    def take(self, given: Mapping[str, Any], now: float) -> None:
        self.core, effects = step(self.core, given)
        for effect in effects:
            self._carry_out(effect, now)

    def _carry_out(self, effect: Effect, now: float) -> None:
        self.store.carry_out(effect)
        match effect["do"]:
            case "send":
                self.say(effect["frame"])
            case "welcome":
                self.greeted = True
            case "answer":
                self._settle(effect, now)

    def _settle(self, answer: Effect, now: float) -> None:
        op = self.queue.settle(answer, now, 0)
        if op is None:
            return
        self.browser.kept.pop(op["id"], None)
        words = self.browser.accepted if answer["ok"] else self.browser.refused
        assert self.core.epoch is not None
        words[op["id"]] = self.core.epoch

    @property
    def cursors(self) -> dict[str, int]:
        return {name: stream.cursor for name, stream in self.core.streams.items()}


ALWAYS = ("stage", "me", "room")


def names_for(viewer: Participant, others: Iterable[str]) -> list[str]:
    """The streams of a page: what everybody may see always, and of the `others` what this person may see now."""
    found = reading.find(viewer, [stream_name(other) for other in others])
    allowed = rights.visible([viewer], found.values())
    mine = [name.on_wire() for name, stream in found.items() if (viewer.pk, stream.pk) in allowed]
    return [*ALWAYS, *mine]
