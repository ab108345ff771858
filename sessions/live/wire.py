"""The wire of `sync.md`: strict parsing of what comes in, and the one place where `parts` frames are made."""

import json
import math
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn, cast

from django.conf import settings

from sessions.clock import now_ms
from sessions.live.compact import compact
from sessions.live.kinds import Part
from sessions.live.limits import limits
from sessions.live.ops import Answer, Name, Refused

VERSION = 1
DEEPEST = 8
FRAME_CUT = 64 * 1024
AROUND = 256  # bytes of a `parts` frame that are not parts
MOST_STREAMS = 8
UUID_LIKE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FRAMES: dict[str, tuple[dict[str, type], dict[str, type]]] = {  # name -> required and optional fields
    "hello": ({"v": int, "streams": dict}, {"epoch": str}),
    "op": ({"id": str, "s": str, "k": str, "d": dict}, {"base": int}),
    "sub": ({"s": str}, {"after": int}),
    "unsub": ({"s": str}, {}),
    "seen": ({"n": int}, {}),
    "ping": ({"c": object}, {}),
}

MOST_SHAPES = 64
_good: set[tuple[object, ...]] = set()  # names and types of frames that were all right: others like them are too

FIELDS = {t: ({"t", *required}, {"t": str, **required, **optional}) for t, (required, optional) in FRAMES.items()}


def parse(raw: str | bytes) -> dict[str, Any]:
    """One frame as a dict whose `t` is known and whose fields have the right types; raises `Refused`."""
    most = limits.LIMIT_FRAME_BYTES
    if len(raw) * 4 > most and size_of(raw) > most:
        raise Refused("too_large")
    frame = load(raw)
    if not isinstance(frame, dict):
        raise Refused("bad_frame")
    try:
        return _checked(frame)
    except Refused as refused:
        refused.op_id = frame["id"] if frame.get("t") == "op" and _is_id(frame.get("id")) else None
        raise


def size_of(text: str | bytes) -> int:
    """In bytes, as UTF-8."""
    return len(text) if isinstance(text, bytes) or text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def is_longer(text: str | bytes, most: int) -> bool:
    """Than so many bytes; a character has four at most."""
    return len(text) * 4 > most and size_of(text) > most


def _is_id(value: object) -> bool:
    return isinstance(value, str) and UUID_LIKE.fullmatch(value) is not None


def _checked(frame: dict[str, Any]) -> dict[str, Any]:
    kind = frame.get("t")
    shape = (kind if type(kind) is str else None, *frame, *map(type, frame.values()))
    if shape in _good:
        return frame
    if not isinstance(kind, str) or kind not in FRAMES:
        raise Refused("unknown_type")
    required, types = FIELDS[kind]
    if not required <= frame.keys() <= types.keys():
        raise Refused("bad_field")
    for name, value in frame.items():
        if types[name] is not object and type(value) is not types[name]:
            raise Refused("bad_field")
    if len(_good) < MOST_SHAPES:
        _good.add(shape)
    return frame


def load(raw: str | bytes) -> Any:
    """JSON without what JSON parsers let through: depth, NaN and its like, doubled keys. Raises `Refused`."""
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        if text.count("{") + text.count("[") > DEEPEST and _depth(text) > DEEPEST:
            raise Refused("bad_json")
        return _decode(text)
    except (ValueError, RecursionError):
        raise Refused("bad_json") from None


def _depth(text: str) -> int:
    """How deep brackets go outside of strings; counted before any parser recurses."""
    depth = deepest = 0
    in_string = escaped = False
    for c in text:
        if in_string:
            in_string = escaped or c != '"'
            escaped = c == "\\" and not escaped
        elif c == '"':
            in_string = True
        elif c in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif c in "}]":
            depth -= 1
    return deepest


def _refuse(_constant: str) -> NoReturn:
    raise Refused("bad_json")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Refused("bad_json")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("bad_json")
    return found


_decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_once)
_scan_once: Any = cast("Any", _decoder).scan_once


def _decode(text: str) -> Any:
    """As the decoder does, which looks for blanks first; pages send none. Raises `ValueError`, `RecursionError`."""
    try:
        value, end = _scan_once(text, 0)
    except StopIteration:
        end = -1
    return value if end == len(text) else _decoder.decode(text)


@lru_cache(maxsize=2_048)
def stream_name(value: str) -> Name:
    """`board:7` and its like as a name; raises `Refused` with `not_found`. `me` is completed by who asks."""
    kind, colon, ref = value.partition(":")
    if kind == "board" and ref.isascii() and ref.isdigit() and len(ref) < 19 and not ref.startswith("0"):
        return Name("board", int(ref))
    if colon or kind not in {"stage", "room", "gallery", "me"}:
        raise Refused("not_found")
    return Name(kind)


def dump(frame: dict[str, Any]) -> str:
    text = compact(frame)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a character that somebody sent and gets back: only ASCII can carry it
        return json.dumps(frame, separators=(",", ":"))
    return text


def welcome_frame(me: dict[str, Any], epoch: str) -> dict[str, Any]:
    """What follows a `hello`: who asks, the server's clock, the limits to keep to."""
    limits = {
        "window": settings.LIMIT_WINDOW_FRAMES,
        "note": settings.LIMIT_NOTE_CHARACTERS,
        "rate": settings.LIMIT_OPS_PER_SECOND,
    }
    return {"t": "welcome", "v": VERSION, "me": me, "now": now_ms(), "epoch": epoch, "limits": limits}


def answer_frame(answer: Answer, text: str = "") -> dict[str, Any]:
    """`ack` or `err`; `text` is the sentence in the reader's language."""
    if answer.code is None:
        frame: dict[str, Any] = {"t": "ack", "id": str(answer.op_id), "s": answer.stream.on_wire(), "seq": answer.seq}
        return {**frame, "dup": True} if answer.dup else frame
    frame = {"t": "err", "id": str(answer.op_id), "code": answer.code, "text": text, "retry": may_retry(answer.code)}
    if answer.after_ms is not None:
        frame["after_ms"] = answer.after_ms
    if answer.part is not None:
        frame["part"] = answer.part
    return frame


def ack(answer: Answer) -> str:
    """What `answer_frame` says of an accepted operation, as text: every note gets one."""
    dup = ',"dup":true' if answer.dup else ""
    return f'{{"t":"ack","id":"{answer.op_id}","s":"{answer.stream.on_wire()}","seq":{answer.seq}{dup}}}'


def may_retry(code: str) -> bool:
    return code in {"rate_limited", "busy", "storage_full", "internal"}


class Encoded(NamedTuple):
    """A part as JSON text for each audience."""

    id: str
    seq: int
    guests: str
    moderators: str

    @classmethod
    def of(cls, part: Part) -> "Encoded":
        guests = dump(part.guests)
        return cls(part.id, part.seq, guests, guests if part.moderators is part.guests else dump(part.moderators))

    def to(self, audience: str) -> str:
        return self.moderators if audience == "moderators" else self.guests


class Frame(NamedTuple):
    """A `parts` frame on its way, the cursor of who has it, and its size in bytes."""

    to: int
    text: str
    size: int


def parts_frames(
    name: Name, start: int, head: int, parts: Sequence[Encoded], *, audience: str, reset: bool = False
) -> list[tuple[int, str]]:
    """(cursor after it, frame) in seq order, cut at 64 KiB; `start` is the reader's cursor, all parts lie after it."""
    frames: list[tuple[int, str]] = []
    wanted = parts if reset or (parts and parts[0].seq > start) else [part for part in parts if part.seq > start]
    for pieces, to in _cut(wanted, head, audience):
        flag = ',"reset":true' if reset and not frames else ""
        span = f'"from":{start},"to":{to},"head":{head}'
        frames.append((to, f'{{"t":"parts","s":"{name.on_wire()}",{span},"parts":[{pieces}]{flag}}}'))
        start = to
    return frames


def _cut(parts: Sequence[Encoded], head: int, audience: str) -> list[tuple[str, int]]:
    """The parts, in a frame if they fit, and up to which seq they go."""
    whole = ",".join([part.to(audience) for part in parts])
    if size_of(whole) < FRAME_CUT - AROUND:
        return [(whole, head)]
    return [(",".join(pieces), to) for pieces, to in _runs(parts, head, audience)]


def _runs(parts: Iterable[Encoded], head: int, audience: str) -> list[tuple[list[str], int]]:
    """Runs of parts below the size of a frame; parts of one seq stay together."""
    runs: list[tuple[list[str], int]] = [([], 0)]
    size = 0
    for part in parts:
        piece = part.to(audience)
        weight = size_of(piece) + 1
        if size + weight > FRAME_CUT - AROUND and runs[-1][0] and runs[-1][1] != part.seq:
            runs.append(([], 0))
            size = 0
        runs[-1][0].append(piece)
        runs[-1] = (runs[-1][0], part.seq)
        size += weight
    runs[-1] = (runs[-1][0], head)
    return runs
