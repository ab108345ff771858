"""One example of `test_network.py`: a café that runs, its people's browsers, the house and everything between them."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from sessions.live import reading
from sessions.live.uuid7 import uuid7
from sessions.live.wire import stream_name
from sessions.models import Change, Event, Participant, Stream
from tables.models import Note
from tests.cafe import Cafe
from tests.network.house import House, Process, fresh
from tests.network.tab import ALWAYS, Browser, Frame, Tab, names_for
from tests.wishes import PEOPLE, Wish

STEP_MS = 20
PATIENCE_MS = 16_000  # after which a page sends again what has no answer
ROUNDS = 60
STARTED = 1_630_000_000_000


class Places:
    """Where the wishes' tables, people and questions are in the database, and the pages as they are at first. Read once
    for all examples.
    """

    def __init__(self, cafe: Cafe) -> None:
        self.cafe = cafe
        self.people = {name: getattr(cafe, name).pk for name in PEOPLE}
        self.tables = {number: cafe.table(number).pk for number in (1, 2)}
        self.boards = {number: f"board:{cafe.board(number).pk}" for number in (1, 2)}
        self.question = cafe.question().pk
        self.pages = {name: self._page(pk) for name, pk in self.people.items()}

    def _page(self, person: int) -> reading.Page:
        viewer = Participant.objects.select_related("event").get(pk=person)
        return reading.page(viewer, names_for(viewer, ["gallery", *self.boards.values()]))


class Town:
    def __init__(self, places: Places, processes: int = 2) -> None:
        self.places, self.house = places, House(processes)
        self.now = 0
        self.made = 0
        self.notes: list[str] = []
        self.backup: str | None = None
        self.browsers = {name: Browser(pk) for name, pk in places.people.items()}
        self.tabs = [self._tab(name, who) for name, who in [("a", "ben"), ("b", "cem"), ("c", "cem"), ("d", "dana")]]
        self.tabs.append(self._tab("e", "moderator"))

    def _tab(self, name: str, who: str) -> Tab:
        return Tab(name, self.browsers[who], self.places.boards.values(), self.places.pages[who])

    @property
    def steps(self) -> dict[str, Callable[[Tab, Process, int], object]]:
        """What may happen beside wishes, by name, to a page and to a process; the number says how much of it."""
        everybody = self.house.processes
        return {
            "frames arrive": lambda tab, _process, much: self.arrives(tab, 1 + much),
            "frames are heard": lambda tab, _process, much: self.hears(tab, 1 + much),
            "commits": lambda _tab, process, much: self.house.commit(process, told=everybody[much % 3 :]),
            "gives": lambda _tab, process, _much: self.house.give(process),
            "beats": lambda _tab, process, _much: self.house.beat(process),
            "all goes well": lambda _tab, _process, _much: self.goes_on(),
            "time passes": lambda _tab, _process, much: self.passes(250 * much),
            "patience ends": lambda _tab, _process, _much: self.passes(PATIENCE_MS),
            "connects": lambda _tab, process, _much: self.all_connect(process),
            "socket is cut": lambda tab, _process, much: self.cuts(tab, arrives=much),
            "looks": lambda tab, _process, _much: self.looks(tab),
            "comes too late": lambda _tab, process, _much: self.house.commit(process, told=[], late=True),
            "is killed": lambda _tab, process, _much: self.kills(process),
            "reloads": lambda tab, _process, _much: self.reloads(tab),
            "opens or closes": lambda tab, _process, _much: self.closes(tab) if tab.is_open else self.reloads(tab),
            "takes over": lambda _tab, _process, _much: self.all_take_over(),
            "backs up": lambda _tab, _process, _much: self.backs_up(),
            "restores": lambda _tab, _process, _much: self.restores(),
        }

    def passes(self, ms: int = STEP_MS) -> None:
        self.now += ms
        for tab in self.tabs:
            tab.turn(self.now)

    # What people and their browsers do

    def wants(self, tab: Tab, table: int, wish: Wish) -> None:
        if not tab.is_open or tab.stopped:
            return
        op = self._op(tab, table, wish)
        tab.want(op)
        tab.turn(self.now)

    def _op(self, tab: Tab, table: int, wish: Wish) -> Frame:
        self.made += 1
        stream, kind, data = wish
        op_id = str(uuid7(STARTED + self.made, self.made))
        s = self.places.boards[table] if stream == "board" else stream
        op: Frame = {"t": "op", "id": op_id, "s": s, "k": kind, "d": self._data(dict(data))}
        if kind == "note.add":
            op["d"] |= {"q": self.places.question, "text": f"{data['text']} {self.made}"}
            self.notes.append(op_id)
        fits = op["d"].pop("fits", None)
        if fits is not None:
            op["base"] = self._edited(tab, s, op["d"]["note"]) - (not fits)
        return op

    def _data(self, data: dict[str, Any]) -> dict[str, Any]:
        """The wish with ids for the places it names."""
        for name in {"note", "after"} & data.keys():
            data[name] = None if data[name] is None else self._note(data[name])
        for name in {"p", "host"} & data.keys():
            data[name] = data[name] and self.places.people[data[name]]
        if isinstance(data.get("table"), int):
            data["table"] = self.places.tables.get(data["table"], 10**9)
        return data

    def _note(self, place: int) -> str:
        return self.notes[-1 - place % len(self.notes)] if self.notes else str(UUID(int=1))

    def _edited(self, tab: Tab, s: str, note: str) -> int:
        return int(tab.store.streams.get(s, {}).get(f"note:{note}", {}).get("edited", 0))

    def all_connect(self, process: Process) -> None:
        for tab in self.tabs:
            self.connects(tab, process)

    def connects(self, tab: Tab, process: Process) -> None:
        if tab.line is None and tab.is_open and not tab.stopped:
            tab.connect(self.house.connect(tab.browser.person, process))

    def reloads(self, tab: Tab) -> None:
        self.cuts(tab)
        tab.load()

    def closes(self, tab: Tab) -> None:
        self.cuts(tab)
        tab.is_open = False

    def all_take_over(self) -> None:
        """What closed tabs of a person left, the open ones send."""
        open_tabs = {tab.name for tab in self.tabs if tab.is_open}
        for tab in self.tabs:
            if tab.is_open:
                tab.take_over(lambda name: name not in open_tabs)

    # What the network and the machines do

    def arrives(self, tab: Tab, most: int) -> int:
        """Frames of a page reach the house; how many."""
        for moved in range(most):
            if tab.line is None or not tab.line.up:
                return moved
            self.house.hear(tab.line)
        return most

    def hears(self, tab: Tab, most: int) -> int:
        """Frames reach a page; how many. The end of the socket comes after the last one."""
        for moved in range(most):
            if tab.line is None or not (tab.line.down or tab.line.closed is not None):
                return moved
            tab.hear(self.now)
        return most

    def cuts(self, tab: Tab, *, arrives: int = 0) -> None:
        if tab.line is not None:
            self.house.cut(tab.line, arrives=arrives)
            tab.lose()

    def kills(self, process: Process) -> None:
        self.house.kill(process)
        for tab in self.tabs:
            if tab.line is not None and tab.line.process is process:
                tab.lose()

    def backs_up(self) -> None:
        if self.backup is not None:
            transaction.savepoint_commit(self.backup)
        self.backup = transaction.savepoint()

    def restores(self) -> None:
        """The house is stopped, the backup played back, the event gets a new epoch."""
        if self.backup is None:
            return
        for process in list(self.house.processes):
            self.kills(process)
        transaction.savepoint_rollback(self.backup)
        Event.objects.filter(pk=self.places.cafe.event.pk).update(epoch=uuid4())

    # The end

    def comes_to_rest(self) -> None:
        """Nothing goes wrong any more; everybody is connected and everything that is on its way arrives."""
        for _round in range(ROUNDS):
            for tab in self.tabs:
                if tab.browser.kept and not any(other.is_open for other in self._tabs_of(tab.browser)):
                    self.reloads(tab)
            self.all_take_over()
            self.all_connect(self.house.processes[0])
            if not self.goes_on() and self._all_is_said():
                return
            self.passes(2_000)
        raise AssertionError("it never comes to rest")

    def goes_on(self) -> int:
        """Whatever is on its way arrives and is done; how much that was."""
        return self._delivers() + sum(map(self._works, self.house.processes)) + self._delivers()

    def _tabs_of(self, browser: Browser) -> Iterator[Tab]:
        return (tab for tab in self.tabs if tab.browser is browser)

    def _delivers(self) -> int:
        return sum(self.arrives(tab, 10**6) + self.hears(tab, 10**6) for tab in self.tabs)

    def _works(self, process: Process) -> int:
        moved = len(process.waiting) + len(process.dirty)
        if process.waiting:
            self.house.commit(process, told=self.house.processes)
        self.house.give(process)
        return moved

    def _all_is_said(self) -> bool:
        """Two beats change nothing: nobody lacks anything, nobody waits for anything."""
        for process in self.house.processes * 2:
            self.house.beat(process)
            if process.dirty:
                return False
            self._delivers()
        lines = [tab.line for tab in self.tabs if tab.line is not None]
        return not any(tab.queue.items for tab in self.tabs if tab.is_open and not tab.stopped) and not any(
            line.up or line.down for line in lines
        )

    def ends_well(self) -> None:
        self.comes_to_rest()
        self.keeps_its_word()
        for tab in self.tabs:
            if tab.is_open and not tab.stopped:
                self.looks_fresh(tab)

    # What must hold

    def looks(self, tab: Tab) -> None:
        """In the middle of it all."""
        self.keeps_its_word()
        self.skips_nothing(tab)

    def keeps_its_word(self) -> None:
        """At any time: what was acknowledged is stored, and what was not is in an outbox."""
        epoch = str(Event.objects.values_list("epoch", flat=True).get(pk=self.places.cafe.event.pk))
        for browser in self.browsers.values():
            assert browser.wanted.keys() == browser.kept.keys() | browser.accepted.keys() | browser.refused.keys()
            said = {op_id for op_id, when in browser.accepted.items() if when == epoch}
            no = {op_id for op_id, when in browser.refused.items() if when == epoch}
            stored = self._stored(said | no)
            assert stored == said, "acknowledged, and not stored; or refused, and stored"
        notes = Note.objects.filter(board__session__event=self.places.cafe.event).exclude(text="Other words")
        texts = list(notes.values_list("text", flat=True))
        assert len(texts) == len(set(texts)), "a note is there twice"

    def _stored(self, ids: set[str]) -> set[str]:
        found = Change.objects.filter(event=self.places.cafe.event, op_id__in=ids, answers=True, seq__isnull=False)
        return {str(op_id) for op_id in found.values_list("op_id", flat=True)}

    def skips_nothing(self, tab: Tab) -> None:
        """Whatever lies at or before a page's cursor, the page has, as it is now."""
        viewer = Participant.objects.select_related("event").get(pk=tab.browser.person)
        if tab.core.epoch != str(viewer.event.epoch):
            return
        audience = reading.audience_of(viewer)
        for name, stream in self._rows(viewer, tab).items():
            known = tab.store.streams.get(name, {})
            for part in fresh(stream):
                shown = getattr(part, audience)
                if part.seq <= tab.cursors[name]:
                    assert known.get(part.id, {}).get("seq") == (None if "gone" in shown else part.seq), (name, part)

    def _rows(self, viewer: Participant, tab: Tab) -> dict[str, Stream]:
        names = [stream_name(name) for name in tab.cursors]
        return {name.on_wire(): stream for name, stream in reading.find(viewer, names).items()}

    def looks_fresh(self, tab: Tab) -> None:
        """The page shows what it would show if it were fetched now. Exhibits wait for the gallery to be opened."""
        viewer = Participant.objects.select_related("event").get(pk=tab.browser.person)
        seen = names_for(viewer, tab.cursors.keys() - ALWAYS)
        assert set(seen) == set(tab.cursors), "somebody follows what they may not see"
        page = reading.page(viewer, seen)
        for name in seen:
            assert settled(tab.store.streams[name].values()) == settled(page.parts[name]), (tab.name, name)


def settled(parts: Iterable[Frame]) -> dict[str, Frame]:
    """By id, without the exhibits, whose figures wait for the gallery to be opened."""
    return {part["id"]: part for part in parts if not part["id"].startswith("exhibit:")}
