"""Readers of the hub without a socket, and what they need."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async

from sessions.live import news
from sessions.live.follower import Follower
from sessions.live.hub import Hub
from sessions.live.ops import Answer, Name
from sessions.models import Participant, Stream
from tests.cafe import Cafe

PATIENCE = 30.0


class Reader:
    """A page without a socket. `slow` ones confirm nothing until they are told to."""

    def __init__(self, viewer: Participant, *, slow: bool = False) -> None:
        self.follower = Follower(viewer, self.gets, language="en")
        self.slow = slow
        self.frames: list[dict[str, Any]] = []
        self.parts: dict[str, dict[str, Any]] = {}
        self.stale: set[str] = set()
        self.cursor = 0
        self.moved = asyncio.Event()

    def gets(self, text: str) -> None:
        frame = json.loads(text)
        self.frames.append(frame)
        if frame["t"] == "parts":
            self.takes(frame)
        if not self.slow:
            self.confirms()
        self.moved.set()

    def takes(self, frame: dict[str, Any]) -> None:
        """As the page does: a frame that begins beyond the cursor would be a hole."""
        if frame.get("reset"):
            self.cursor, self.stale = frame["from"], set(self.parts)
        assert frame["from"] <= self.cursor
        if self.cursor >= frame["to"] and not frame.get("reset"):
            return
        for part in frame["parts"]:
            self.parts[part["id"]] = part
            self.stale.discard(part["id"])
        self.cursor = frame["to"]
        if self.cursor == frame["head"]:
            self.parts = {name: part for name, part in self.parts.items() if name not in self.stale}
            self.stale = set()

    def confirms(self) -> None:
        if self.follower.window.confirm(self.follower.window.sent):
            for sub in self.follower.subs.values():
                if not sub.ready:
                    Hub.here().catch_up(self.follower, sub)

    def shown(self) -> dict[str, dict[str, Any]]:
        return {name: part for name, part in self.parts.items() if "gone" not in part}

    def follows(self, stream: Stream, after: int | None = None) -> "Reader":
        Hub.here().follow(self.follower, stream, Name(stream.kind, stream.ref), after)
        return self

    async def stands_at(self, head: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.cursor < head:
                self.moved.clear()
                self.confirms()
                await self.moved.wait()


def stream_of(cafe: Cafe, kind: str, ref: int = 0) -> Stream:
    return Stream.objects.get(event=cafe.event, kind=kind, ref=ref)


async def board_stream(cafe: Cafe) -> Stream:
    return await sync_to_async(lambda: stream_of(cafe, "board", cafe.board().pk))()


async def writes(cafe: Cafe, text: str) -> Answer:
    return await sync_to_async(lambda: cafe.writes(cafe.ben, text))()


async def unheard(act: Callable[[], Answer]) -> None:
    """As another process does: nobody here is told."""
    heard, news.listeners[:] = list(news.listeners), []
    try:
        assert (await sync_to_async(act)()).code is None
    finally:
        news.listeners[:] = heard


async def caught_up() -> None:
    if (task := Hub.here().catching_up) is not None:
        await asyncio.wait({task})


async def everybody_left() -> None:
    """Nothing is remembered of people who have gone."""
    hub = Hub.here()
    for follower in hub._everybody():
        hub.leave(follower)
    assert (hub.followers, hub.consoles, hub.names, hub.cursors) == ({}, set(), {}, {})
    assert (hub.spoke, hub.dirty, hub.unjudged) == ({}, set(), {})


class Once:
    """Does something else than usual the first time it is called after `arm`."""

    def __init__(self, usual: Callable[..., Any], first: Callable[..., Any]) -> None:
        self.usual, self.first, self.armed = usual, first, False

    def __call__(self, *args: Any, **options: Any) -> Any:
        armed, self.armed = self.armed, False
        return (self.first if armed else self.usual)(*args, **options)
