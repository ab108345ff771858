"""What frames of many sockets say, made out step by step for all of them before any is carried out (`line.py`)."""

from collections.abc import Sequence
from typing import Any

from sessions.live import desk, wire
from sessions.live.ops import Refused

AT_ONCE = {"op", "seen"}  # need not wait for anything
Message = dict[str, Any]
Said = tuple[Message | None, desk.Draft | None]


def prepare(texts: Sequence[str]) -> list[Said]:
    """What frames say that need not wait for anything; two nulls for all others, which go the long way."""
    frames = [_at_once(text) for text in texts]
    return [(frame, None) if frame is None or frame["t"] != "op" else _drafted(frame) for frame in frames]


def _at_once(text: str) -> Message | None:
    try:
        frame = wire.parse(text)
    except Refused:
        return None
    return frame if frame["t"] in AT_ONCE else None


def _drafted(frame: Message) -> Said:
    try:
        return frame, desk.draft_of(frame)
    except Refused:
        return None, None
