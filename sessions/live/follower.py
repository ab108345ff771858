"""One open socket as the hub sees it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sessions.clock import now_ms
from sessions.live.ops import Name
from sessions.live.reading import audience_of
from sessions.live.window import Window
from sessions.live.wire import dump
from sessions.live.words import say
from sessions.models import Participant


@dataclass(slots=True)
class Sub:
    """A followed stream. `ready` says that the hub's frames fit; otherwise the follower reads for itself first."""

    stream_id: int
    name: Name
    cursor: int
    reset: bool = False
    ready: bool = False
    catching_up: bool = False


class Follower:
    """Who looks, at what, and how far they are."""

    def __init__(
        self, viewer: Participant, send: Callable[[str], Awaitable[None]], *, language: str, device: str | None = None
    ) -> None:
        self.viewer = viewer
        self.send_text = send
        self.language = language
        self.device = device  # digest of the secret it came with; none for a moderator
        self.audience = audience_of(viewer)
        self.subs: dict[int, Sub] = {}
        self.window = Window()
        self.heard_at = asyncio.get_running_loop().time()
        self.over: asyncio.Future[int] = asyncio.get_running_loop().create_future()  # the close code

    def follows(self, sub: Sub) -> bool:
        """False once the stream was left, or is followed anew from another cursor."""
        return self.subs.get(sub.stream_id) is sub

    async def send(self, frame: dict[str, Any]) -> None:
        await self.send_text(dump(frame))

    async def give(self, sub: Sub, frames: list[tuple[int, str]]) -> None:
        """Sends `parts` frames as long as the window has room; the rest is read again when it has."""
        now = asyncio.get_running_loop().time()
        for to, frame in frames:
            if self.window.full or not self.follows(sub):
                sub.ready = False
                return
            self.window.add(len(frame) if frame.isascii() else len(frame.encode()), now)
            sub.cursor, sub.reset = to, False
            await self.send_text(frame)

    async def beat(self) -> None:
        heads = {sub.name.on_wire(): sub.cursor for sub in self.subs.values()}
        await self.send({"t": "beat", "heads": heads, "now": now_ms()})

    async def end(self, name: Name, code: str) -> None:
        """Tells that a stream is not followed (any more), and why."""
        await self.send({"t": "end", "s": name.on_wire(), "code": code, "text": say(code, self.language)})

    async def told(self, code: str) -> None:
        """An `err` that belongs to no operation."""
        await self.send({"t": "err", "code": code, "text": say(code, self.language), "retry": False})

    def close(self, code: int) -> None:
        if not self.over.done():
            self.over.set_result(code)
