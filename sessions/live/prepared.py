"""What frames of many sockets say, made out step by step for all of them before any is carried out (`line.py`)."""

from collections.abc import Sequence

from sessions.live import desk, wire
from sessions.live.ops import Refused
from sessions.live.usual import usual

Said = desk.Draft | int | str


def prepare(texts: Sequence[str]) -> list[Said]:
    """An operation, or how many frames were `seen`: what need not wait for anything. All others as they came: they go
    the long way.
    """
    return [_usual(text) or _said(text) for text in texts]


def _usual(text: str) -> desk.Draft | None:
    for one in usual():
        if found := one.draft(text):
            return found
    return None


def _said(text: str) -> Said:
    try:
        frame = wire.parse(text)
        if frame["t"] == "op":
            return desk.draft_of(frame)
    except Refused:
        return text
    return frame["n"] if frame["t"] == "seen" else text
