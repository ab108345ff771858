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

    __slots__ = (
        "audience",
        "device",
        "heard_at",
        "language",
        "line",
        "login",
        "over",
        "say",
        "subs",
        "viewer",
        "window",
    )

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

    def give(self, sub: Sub, frames: Sequence[Frame], now: float, out: "Outbox") -> None:
        """Puts `parts` frames into `out` as long as the window has room; the rest is read again when it has."""
        window = self.window
        for to, text, size in frames:
            if window.full:
                sub.ready = False
                return
            window.add(size, now)
            sub.cursor, sub.reset = to, False
            out.add(self, text)

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


class Outbox:
    """What several followers are told, in order; said when all of it is there (`Line.say_all`)."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, list[Line]]] = []
        self.lines: list[Line] = []  # which are told the last one of these
        self.last: str | None = None
        self.others: list[tuple[Follower, str]] = []  # without a line

    def add(self, follower: Follower, text: str) -> None:
        if follower.line is None:
            self.others.append((follower, text))
            return
        if text is not self.last:
            self.last, self.lines = text, []
            self.texts.append((text, self.lines))
        self.lines.append(follower.line)

    def say_all(self) -> None:
        for _text, lines in self.texts[:1]:
            lines[0].say_all(self.texts)
        for one, text in self.others:
            one.say(text)
