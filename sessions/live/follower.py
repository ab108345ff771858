"""One open socket as the hub sees it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sessions.clock import now_ms
from sessions.live import words
from sessions.live.line import Line
from sessions.live.ops import Name
from sessions.live.reading import audience_of
from sessions.live.window import Window
from sessions.live.wire import Frame, dump
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
        self,
        viewer: Participant,
        say: Callable[[str], None],
        *,
        language: str,
        line: Line | None = None,
        device: str | None = None,
        login: str | None = None,
    ) -> None:
        self.viewer = viewer
        self.say = say  # puts a frame on its way; what is said later never arrives earlier
        self.line = line  # whose `say` that is, where there is a short way
        self.language = language
        self.device = device  # digest of the secret it came with; none for a moderator
        self.login = login  # by which a moderator is signed in; none for a guest
        self.audience = audience_of(viewer)
        self.subs: dict[int, Sub] = {}
        self.window = Window()
        self.heard_at = asyncio.get_running_loop().time()
        self.over: asyncio.Future[int] = asyncio.get_running_loop().create_future()  # the close code

    @property
    def leads(self) -> bool:
        """Whether this is a console, or the screen that nobody stands before; a board follows the room as well."""
        kinds = {sub.name.kind for sub in self.subs.values()}
        return self.audience == "moderators" and "room" in kinds and "board" not in kinds

    def follows(self, sub: Sub) -> bool:
        """False once the stream was left, or is followed anew from another cursor."""
        return self.subs.get(sub.stream_id) is sub

    def send(self, frame: dict[str, Any]) -> None:
        self.say(dump(frame))

    def give(self, sub: Sub, frames: Sequence[Frame], now: float, *, out: "Outbox | None" = None) -> None:
        """Sends `parts` frames as long as the window has room; the rest is read again when it has. With `out` they are
        put there, and whoever brought it says them (`say_all`).
        """
        window, subs = self.window, self.subs
        for to, text, size in frames:
            if window.full or subs.get(sub.stream_id) is not sub:
                sub.ready = False
                return
            window.add(size, now)
            sub.cursor, sub.reset = to, False
            if out is None:
                self.say(text)
            else:
                out.append((self, text))

    def beat(self) -> None:
        heads = {sub.name.on_wire(): sub.cursor for sub in self.subs.values()}
        self.send({"t": "beat", "heads": heads, "now": now_ms()})

    def end(self, name: Name, code: str) -> None:
        """Tells that a stream is not followed (any more), and why."""
        self.send({"t": "end", "s": name.on_wire(), "code": code, "text": words.say(code, self.language)})

    def told(self, code: str) -> None:
        """An `err` that belongs to no operation."""
        self.send({"t": "err", "code": code, "text": words.say(code, self.language), "retry": False})

    def close(self, code: int) -> None:
        if not self.over.done():
            self.over.set_result(code)


Outbox = list[tuple[Follower, str]]


def say_all(out: Outbox) -> None:
    """Each of these texts to its follower, in this order; on lines step by step for all of them."""
    on_lines = [(one.line, text) for one, text in out if one.line is not None]
    if on_lines:
        on_lines[0][0].say_all(on_lines)
    if len(on_lines) < len(out):
        for one, text in out:
            if one.line is None:
                one.say(text)
