"""The live protocol without I/O: what a frame changes and what is to be done about it.

Pure, the twin of `static/js/core.js`: `sync.md` is the law, tests/vectors/core.json holds both to it. Times are ms.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

Frame = dict[str, Any]
Effect = dict[str, Any]  # `do` is its name; the other fields are as in core.js
BEGINNING = -1  # a cursor that cannot be: the server answers it with a reset
SEEN_MS = 1_000


@dataclass(frozen=True, slots=True)
class Followed:
    """A stream as far as it has come. `stale`: what is known of it is doubtful until the cursor reaches the head.

    `lacking` is the cursor from which something was missing when it was noticed last.
    """

    cursor: int
    stale: bool = False
    lacking: int | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What a page remembers of the conversation; `handled` and `told` count the `parts` frames of this socket."""

    epoch: str | None
    streams: Mapping[str, Followed]
    window: int = 256
    handled: int = 0
    told: int = 0
    told_at: float = 0
    bye: int | None = None

    def followed(self, s: str, stream: Followed) -> "State":
        return replace(self, streams={**self.streams, s: stream})

    def left(self, s: str) -> "State":
        return replace(self, streams={name: stream for name, stream in self.streams.items() if name != s})


Step = tuple[State, list[Effect]]


def begin(*, epoch: str | None = None, streams: Mapping[str, int]) -> State:
    """The state of a page: `streams` gives each followed stream's cursor, as they stand in the page."""
    return State(epoch, {s: Followed(cursor) for s, cursor in streams.items()})


def step(state: State, given: Mapping[str, Any]) -> Step:
    """`given` is {t: "open"}, {t: "frame", frame, now}, {t: "follow", s, after} or {t: "leave", s}."""
    match given["t"]:
        case "open":
            return _open(state)
        case "follow":
            return _follow(state, given["s"], given["after"])
        case "leave":
            return state.left(given["s"]), [send({"t": "unsub", "s": given["s"]})]
    after, effects = FRAMES.get(given["frame"]["t"], _ignore)(state, given["frame"])
    return _confirm(after, effects, given["now"])


def hello(state: State) -> Frame:
    epoch = {} if state.epoch is None else {"epoch": state.epoch}
    return {"t": "hello", "v": 1, **epoch, "streams": {s: stream.cursor for s, stream in state.streams.items()}}


def send(frame: Frame) -> Effect:
    return {"do": "send", "frame": frame}


def _open(state: State) -> Step:
    """What was counted or asked for on another socket does not matter on this one."""
    streams = {s: replace(stream, lacking=None) for s, stream in state.streams.items()}
    fresh = replace(state, streams=streams, handled=0, told=0, told_at=0, bye=None)
    return fresh, [send(hello(fresh))]


def _follow(state: State, s: str, after: int) -> Step:
    stream = state.streams.get(s) or Followed(after)
    return state.followed(s, stream), [send(_sub(s, stream))]


def _sub(s: str, stream: Followed) -> Frame:
    return {"t": "sub", "s": s, "after": stream.cursor}


def _ignore(state: State, _frame: Frame) -> Step:
    return state, []


def _welcome(state: State, frame: Frame) -> Step:
    """Another epoch: nothing that is known counts. Until its first frame has come the server is asked to begin anew."""
    other = state.epoch is not None and state.epoch != frame["epoch"]
    names = list(state.streams) if other else []
    streams = {**state.streams, **dict.fromkeys(names, Followed(BEGINNING, stale=True))}
    limits = frame.get("limits") or {}
    after = replace(state, epoch=frame["epoch"], window=limits.get("window", state.window), streams=streams)
    stale = [{"do": "stale", "s": s} for s in names]
    clock = {"do": "clock", "now": frame["now"]}
    return after, [*stale, clock, {"do": "welcome", "me": frame["me"], "limits": limits}]


def _parts(state: State, frame: Frame) -> Step:
    state = replace(state, handled=state.handled + 1)
    s, reset = frame["s"], bool(frame.get("reset"))
    if s not in state.streams:
        return state, []
    stream = Followed(frame["from"], stale=True) if reset else state.streams[s]
    if stream.cursor < frame["from"]:
        return _behind(state, s, stream)
    effects: list[Effect] = [{"do": "stale", "s": s}] if reset else []
    if stream.cursor < frame["to"] or reset:
        effects.append({"do": "put", "s": s, "parts": frame["parts"]})
    cursor = max(stream.cursor, frame["to"])
    whole = stream.stale and cursor >= frame["head"]
    if whole:
        effects.append({"do": "drop", "s": s})
    return state.followed(s, Followed(cursor, stale=stream.stale and not whole)), effects


def _behind(state: State, s: str, stream: Followed) -> Step:
    """Something is missing before this frame: asks once from the own cursor; the beat asks again."""
    asked = stream.lacking == stream.cursor
    return state.followed(s, replace(stream, lacking=stream.cursor)), [] if asked else [send(_sub(s, stream))]


def _ack(state: State, frame: Frame) -> Step:
    dup = {"dup": True} if frame.get("dup") else {}
    return state, [{"do": "answer", "id": frame["id"], "ok": True, "s": frame["s"], "seq": frame["seq"], **dup}]


def _err(state: State, frame: Frame) -> Step:
    said = {"code": frame["code"], "text": frame["text"]}
    if not frame.get("id"):
        return state, [] if frame.get("retry") else [{"do": "complain", **said}]
    more = {name: frame[name] for name in ("after_ms", "part") if frame.get(name) is not None}
    return state, [{"do": "answer", "id": frame["id"], "ok": False, **said, "retry": bool(frame.get("retry")), **more}]


def _beat(state: State, frame: Frame) -> Step:
    """A stream that lacks something at two beats in a row, with nothing come in between, is asked for."""
    effects: list[Effect] = [{"do": "clock", "now": frame["now"]}]
    for s, head in (frame.get("heads") or {}).items():
        stream = state.streams.get(s)
        if stream is None:
            continue
        lacks = head != stream.cursor
        if lacks and (head < stream.cursor or stream.lacking == stream.cursor):
            effects.append(send(_sub(s, stream)))
        state = state.followed(s, replace(stream, lacking=stream.cursor if lacks else None))
    return state, effects


def _pong(state: State, frame: Frame) -> Step:
    return state, [{"do": "clock", "now": frame["now"], "sent": frame["c"]}]


def _end(state: State, frame: Frame) -> Step:
    return state.left(frame["s"]), [{"do": "end", "s": frame["s"], "code": frame["code"]}]


def _bye(state: State, frame: Frame) -> Step:
    return replace(state, bye=frame["retry_ms"]), [{"do": "bye"}]


def _glance(state: State, frame: Frame) -> Step:
    return state, [{"do": "glance", "frame": frame}]


FRAMES: dict[str, Callable[[State, Frame], Step]] = {
    "welcome": _welcome,
    "parts": _parts,
    "ack": _ack,
    "err": _err,
    "beat": _beat,
    "pong": _pong,
    "end": _end,
    "bye": _bye,
    "glance": _glance,
}


def _confirm(state: State, effects: list[Effect], now: float) -> Step:
    """`seen` is said here, by the handler of a message: at once when half the window is open, else once a second."""
    unsaid = state.handled - state.told
    due = unsaid >= state.window / 2 or (unsaid > 0 and abs(now - state.told_at) >= SEEN_MS)
    if not due:
        return state, effects
    return replace(state, told=state.handled, told_at=now), [*effects, send({"t": "seen", "n": state.handled})]
