"""One hub per process: follows the streams its sockets follow and gives every socket what it lacks."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import Error

from sessions.live import news, presence, rights, streams
from sessions.live.follower import Follower, Outbox, Sub
from sessions.live.kinds import KINDS
from sessions.live.news import News
from sessions.live.ops import Name
from sessions.live.precedence import going_first
from sessions.live.threads import in_thread
from sessions.live.trouble import storage
from sessions.live.wire import Encoded, Frame, parts_frames, size_of
from sessions.models import Stream

log = logging.getLogger(__name__)
BEAT_S = 5.0
WITHOUT_HINTS_S = 2.0
GLANCE_S = 1.0
CALM_S = 0.25  # `stage` and `room` speak at most this often
RETRY_S = 0.5
CALM = frozenset({"stage", "room"})
BEAR_ON_RIGHTS = frozenset({"stage", "room", "me"})
SILENT_S = 50.0
SEEN_EVERY_S = 60.0
FAREWELL_S = 5.0
SLICE = 20  # sockets told at once
LATER_MS = 7_500  # within which they come back when this process must first start again
SOON_MS = 400  # and when others are there already: the slices themselves spread them
Found = dict[int, tuple[Stream, list[Encoded]]]  # by its id a stream, with parts of it in seq order


class Hub:
    """Level-triggered: a touch only says "look"; what is sent is always what the database says."""

    _hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.followers: dict[int, dict[Follower, Sub]] = {}
        self.consoles: set[Follower] = set()
        self.names: dict[int, Name] = {}
        self.cursors: dict[int, int] = {}
        self.dirty: set[int] = set()
        self.news: dict[int, News] = {}  # of streams that nothing else has raised since
        self.unjudged: dict[int, Name] = {}  # what rights hang on and has risen since they were last asked for
        self.spoke: dict[int, float] = {}
        self.wake = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self.behind: list[tuple[Follower, Sub]] = []
        self.catching_up: asyncio.Task[None] | None = None
        self.hints_arrive = True  # or there is no other process
        self.next_look = self.next_beat = self.loop.time() + BEAT_S
        self.next_glance = 0.0
        self.glancing: asyncio.Task[None] | None = None
        self.next_seen = self.loop.time() + SEEN_EVERY_S
        self.thread = threading.get_ident()
        news.listeners.append(self.touch)

    @classmethod
    def here(cls) -> "Hub":
        """The running loop's hub, its task started again if it died."""
        hub = cls._hubs.get(asyncio.get_running_loop())
        if hub is None:
            hub = cls._hubs[asyncio.get_running_loop()] = cls()
        if hub.task is None or hub.task.done():
            hub.task = hub.loop.create_task(hub._run())
        return hub

    def touch(self, ids: Collection[int], told: Sequence[News] = ()) -> None:
        """Some streams have risen, and how some of them; from any thread."""
        if self.loop.is_closed():
            news.listeners.remove(self.touch)
        elif threading.get_ident() == self.thread:
            self.look_at(ids, told)
        else:
            self.loop.call_soon_threadsafe(self.look_at, ids, told)

    def rely_on_hints(self, *, arriving: bool) -> None:
        """Whether other processes tell us of news. What they told while nothing arrived is looked for now."""
        self.hints_arrive = arriving
        self.next_look = self.loop.time()
        self.wake.set()

    def look_at(self, ids: Collection[int], told: Sequence[News] = ()) -> None:
        """Some streams may have risen; on the loop."""
        followed = self.followers.keys() & set(ids)
        if followed:
            self.dirty |= followed - self._learn(told)
            self.wake.set()
            Hub.here()

    def _learn(self, told: Sequence[News]) -> set[int]:
        """The streams of which these news say all that we lack; the others are read."""
        known = set()
        for one in told:
            pk = one.stream.id
            if pk not in self.followers or pk in self.dirty:
                continue
            before = self.news.pop(pk, None)
            whole = before.then(one) if before else one
            if whole is not None and whole.start <= self.cursors[pk]:
                self.news[pk] = whole
                known.add(pk)
        return known

    def follow(self, follower: Follower, stream: Stream, name: Name, after: int | None) -> None:
        """Starts to follow from the cursor `after`; null, or one that cannot be, means from the beginning."""
        known = after is not None and 0 <= after <= stream.head
        sub = Sub(stream.id, name, after if known and after is not None else -1, reset=not known)
        follower.subs[stream.id] = sub
        self.followers.setdefault(stream.id, {})[follower] = sub
        self.names[stream.id] = Name(stream.kind, stream.ref)
        if stream.kind == "room" and follower.audience == "moderators":
            self.consoles.add(follower)
            self.wake.set()  # or its first numbers wait for the next beat
        self.cursors.setdefault(stream.id, stream.head)
        self.catch_up(follower, sub)

    def leave(self, follower: Follower, ids: Collection[int] | None = None) -> None:
        """Stops following these streams, or all."""
        for stream_id in list(follower.subs if ids is None else ids):
            sub = follower.subs.pop(stream_id, None)
            if sub is not None and sub.name.kind == "room":
                self.consoles.discard(follower)
            those = self.followers.get(stream_id, {})
            those.pop(follower, None)
            if not those:
                for memory in (self.followers, self.names, self.cursors, self.spoke, self.news):
                    memory.pop(stream_id, None)
                self.dirty.discard(stream_id)

    def has_passed(self, heads: Mapping[int, int]) -> bool:
        """Whether any of these streams was sent out here with a higher head: what hung on it was asked too early."""
        return any(self.cursors.get(pk, 0) > head for pk, head in heads.items())

    def catch_up(self, follower: Follower, sub: Sub) -> None:
        """Gives a follower what it lacks until it stands where the hub stands."""
        if not sub.catching_up:
            sub.catching_up, sub.ready = True, False
            self.behind.append((follower, sub))
            if self.catching_up is None or self.catching_up.done():
                self.catching_up = self.loop.create_task(self._catch_up())

    async def _catch_up(self) -> None:
        """Whoever comes during one reading is read for in the next, all together: a crowd is few readings."""
        while self.behind:
            those, self.behind = deque(self.behind), []
            await self._try_for(those)

    async def _try_for(self, those: deque[tuple[Follower, Sub]]) -> None:
        """A fault of our own is looked for one by one: it holds up nobody whom it does not concern."""
        try:
            await self._bring_up(those)
        except Error:
            log.warning("catching up failed; the next beat tries again")
        except Exception:  # nobody awaits this task: without it nobody who comes would get anything
            if len(those) > 1:
                for one in those:
                    await self._try_for(deque([one]))
                return
            log.exception("catching up stumbled; the next beat tries again")
        for _follower, sub in those:
            sub.catching_up = False

    async def _bring_up(self, those: deque[tuple[Follower, Sub]]) -> None:
        """Takes from `those` whoever was served. Who had no room when the reading began is not served by it."""
        wishes: dict[int, int] = {}
        asking: set[int] = set()
        for follower, sub in those:
            if follower.follows(sub) and not follower.window.full:
                asking.add(id(sub))
                wishes[sub.stream_id] = min(sub.cursor, wishes.get(sub.stream_id, sub.cursor))
        frames = Frames(await in_thread(encoded_since, list(wishes.items())) if wishes else {})
        while those:
            follower, sub = those[0]
            if id(sub) in asking and follower.follows(sub):
                self._give_late(follower, sub, frames)
            those.popleft()
            sub.catching_up = False
            if follower.follows(sub) and not sub.ready and not follower.window.full:
                self.catch_up(follower, sub)
            if len(those) % SLICE == 0:
                await asyncio.sleep(0)  # others have a turn

    def _give_late(self, follower: Follower, sub: Sub, frames: "Frames") -> None:
        if sub.stream_id not in frames.found:
            self.leave(follower, [sub.stream_id])
            follower.end(sub.name, "not_found")
            return
        head = frames.found[sub.stream_id][0].head
        out = Outbox()
        follower.give(sub, frames.of(follower, sub), self.loop.time(), out)
        out.say_all()
        behind = sub.cursor < max(head, self.cursors.get(sub.stream_id, 0))
        sub.ready = not behind and not follower.window.full

    async def _run(self) -> None:
        while True:
            await self._until_due()
            try:
                await self._at_times()
                with going_first():
                    await self._speak(self._due())
            except Error:
                log.warning("the hub cannot read; it tries again")
                await asyncio.sleep(RETRY_S)
            except Exception:  # nobody awaits this task: without it everybody's pages would stand still
                log.exception("the hub stumbled; it goes on")
                await asyncio.sleep(RETRY_S)

    async def _at_times(self) -> None:
        """What is done every so many seconds; next times are set first: what fails holds up nothing."""
        now = self.loop.time()
        if now >= self.next_beat:
            self.next_beat = now + BEAT_S
            await self._beat()
        if now >= self.next_look:
            self.next_look = now + (BEAT_S if self.hints_arrive else min(BEAT_S, WITHOUT_HINTS_S))
            await self._look()
        if now >= self.next_seen:
            self.next_seen = now + SEEN_EVERY_S
            await in_thread(presence.saw, {follower.viewer.pk for follower in self._everybody()})
        if now >= self.next_glance:
            self.next_glance = now + GLANCE_S
            if self.glancing is None or self.glancing.done():
                self.glancing = self.loop.create_task(self._glance_aside())

    async def _until_due(self) -> None:
        calm = [self.spoke.get(pk, 0.0) + CALM_S for pk in self.dirty if self.names[pk].kind in CALM]
        if self.unjudged or self.news or (self.dirty and not calm):
            return
        times = [self.next_look, self.next_beat, *calm, *([self.next_glance] if self.consoles else [])]
        wait = min(times) - self.loop.time()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, wait)):
                await self.wake.wait()
        self.wake.clear()

    def _due(self) -> list[int]:
        """The dirty streams whose time has come; calm ones wait their quarter of a second."""
        now = self.loop.time()
        due = [pk for pk in self.dirty if self.names[pk].kind not in CALM or self.spoke.get(pk, 0.0) + CALM_S <= now]
        self.spoke |= dict.fromkeys(due, now)
        return due

    async def _speak(self, due: list[int]) -> None:
        """First what rights may hang on, then the rest, to those who may still see it. What is told meanwhile waits:
        rights may hang on what came before it.
        """
        told, self.news = self.news, {}
        try:
            await self._judge_rights(due)
            self._hand_on(told)
        finally:
            self.dirty |= self.followers.keys() & told.keys()
        rest = [pk for pk in due if pk in self.followers and self.names[pk].kind not in BEAR_ON_RIGHTS]
        if rest:
            await self._deliver(rest)

    async def _judge_rights(self, due: list[int]) -> None:
        first = [pk for pk in due if self.names[pk].kind in BEAR_ON_RIGHTS]
        self.unjudged |= {pk: self.names[pk] for pk in first}
        if self.unjudged:
            await self._deliver(first)
            await rights.check(self, rights.concerned(self, self.unjudged))
            self.unjudged.clear()

    def _hand_on(self, told: dict[int, News]) -> None:
        """What needs no reading. Takes from `told` what was given; it is said when all is given."""
        out = Outbox()
        try:
            for pk in list(told):
                self._give(told[pk].stream, told[pk].parts, out)
                del told[pk]
        finally:
            out.say_all()

    async def _deliver(self, ids: list[int]) -> None:
        unread = set(ids)
        self.dirty -= unread  # before the reading: what rises during it is dirty again
        try:
            found = await in_thread(encoded_since, [(pk, self.cursors[pk]) for pk in ids])
            unread.clear()
        finally:
            self.dirty |= self.followers.keys() & unread
        out = Outbox()
        try:
            for pk in ids:
                if pk in found:
                    self._give(*found[pk], out)
                else:  # the event is no more
                    for follower in self.followers.get(pk, {}):
                        follower.close(4404)
        finally:
            out.say_all()

    def _give(self, stream: Stream, parts: list[Encoded], out: Outbox) -> None:
        if stream.id not in self.followers:
            return
        start, head, now = self.cursors[stream.id], stream.head, self.loop.time()
        frames = Frames({stream.id: (stream, parts)})
        self.cursors[stream.id] = max(start, head)
        for follower, sub in self.followers[stream.id].items():
            if not sub.ready or sub.cursor < start:
                self.catch_up(follower, sub)
            elif sub.cursor < head:
                follower.give(sub, frames.of(follower, sub), now, out)

    async def _look(self) -> None:
        """What nothing else brought: reads every followed head, whatever hints were lost."""
        heads = await in_thread(streams.heads, list(self.followers))
        self.dirty |= {pk for pk in self.followers if heads.get(pk, -1) != self.cursors.get(pk, -1)}

    async def _beat(self) -> None:
        """Tells everybody that we are there, and lets those go who are not."""
        now = self.loop.time()
        for follower in self._everybody():
            unread = now - (follower.window.full_since or now)
            if unread > settings.LIMIT_WINDOW_SECONDS or now - follower.heard_at > SILENT_S:
                follower.close(4408)
                continue
            for sub in follower.subs.values():
                if not sub.ready and not follower.window.full:
                    self.catch_up(follower, sub)
            follower.beat()

    async def _glance_aside(self) -> None:
        """Nobody's note waits for the consoles' numbers."""
        try:
            await self._glance()
        except Error:
            log.warning("the console's numbers cannot be read; the next second tries again")
        except Exception:
            log.exception("the console's numbers stumbled; the next second tries again")

    async def _glance(self) -> None:
        consoles = list(self.consoles)
        if not consoles:
            return
        events = list({follower.viewer.event_id for follower in consoles})
        numbers = await in_thread(KINDS["room"].glance, events)
        for follower in consoles:
            if follower.viewer.event_id in numbers:
                follower.send({"t": "glance", "full": storage.full, **numbers[follower.viewer.event_id]})

    def _everybody(self) -> set[Follower]:
        return {follower for those in self.followers.values() for follower in those}


def encoded_since(wishes: Sequence[tuple[int, int]]) -> Found:
    """`streams.since`, with the parts as they are sent: the loop has no time for it."""
    return {pk: (row, [Encoded.of(part) for part in those]) for pk, (row, those) in streams.since(wishes).items()}


class Frames:
    """The frames of one reading, each made once for all who lack the same."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.ready: dict[tuple[int, str, int, bool], list[Frame]] = {}

    def of(self, follower: Follower, sub: Sub) -> list[Frame]:
        key = (sub.stream_id, follower.audience, sub.cursor, sub.reset)
        made = self.ready.get(key)
        if made is None:
            made = self.ready[key] = self._made(sub, follower.audience)
        return made

    def _made(self, sub: Sub, audience: str) -> list[Frame]:
        stream, parts = self.found[sub.stream_id]
        if sub.cursor >= stream.head and not sub.reset:
            return []
        start = max(0, sub.cursor)
        made = parts_frames(sub.name, start, stream.head, parts, audience=audience, reset=sub.reset)
        return [Frame(to, text, size_of(text)) for to, text in made]


async def farewell(*, others: bool = False) -> None:
    """Before the process ends: tells every socket to come back, in slices over five seconds.

    `others` serve at the same port: nobody need wait until this one is up again.
    """
    hub = Hub.here()
    everybody = list(hub._everybody())
    for at, follower in enumerate(everybody):
        retry_ms = SOON_MS * (at % SLICE) // SLICE if others else 500 + LATER_MS * at // len(everybody)
        follower.send({"t": "bye", "retry_ms": retry_ms, "why": "restart"})
        follower.close(1012)
        if at % SLICE == SLICE - 1:
            await asyncio.sleep(FAREWELL_S * SLICE / len(everybody))
