"""Frames as `wire.FRAMES` and the kinds of stream declare them, and what an attacker makes of them.

A frame is a tree: `Pairs` for an object (keys may be doubled), lists, plain values, `Raw` for JSON as it stands, and
`Of` for an id that is known only once there is a café.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from sessions.live import wire
from sessions.live.fields import Fields, Id, Number, OneOf, Text, Truth, uuid, uuid_or_null
from sessions.live.kinds import KINDS
from sessions.live.uuid7 import uuid7
from sessions.names import clean_name

MORE = max(1, int(os.environ.get("TEST_MORE", "1")))
Draw = Callable[[st.SearchStrategy[Any]], Any]
Tree = Any


def thorough(examples: int) -> settings:
    """The same examples every time; with `TEST_MORE=10` ten times as many, other ones each time."""
    return settings(
        max_examples=MORE * examples,
        derandomize=MORE == 1,
        database=None,
        deadline=None,
        print_blob=True,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def faults_in(records: list[logging.LogRecord]) -> list[str]:
    """Errors, and what comes with a traceback; not what Django says of wrong requests: we do not write that."""
    ours = [record for record in records if getattr(record, "status_code", 500) >= 500]
    return [record.getMessage() for record in ours if record.levelno >= logging.ERROR or record.exc_info]


class Raw(str):
    __slots__ = ()


class Of(NamedTuple):
    """The id of something in the café, such as `Of("table")`."""

    what: str


class Pairs(list[tuple[str, Tree]]):
    @classmethod
    def of(cls, **members: Tree) -> "Pairs":
        return cls(members.items())


# ── as it should be ──
MEANT = {"q": Of("question"), "table": Of("table"), "p": Of("person"), "host": Of("person")}
WORDS = st.sampled_from(["Benches", "Ame\u0301lie", "👩🏽‍🚀 waits", "a\nb", "<b>bold</b>", "x" * 1_000])
NAMES = st.sampled_from(["Kim", "Ame\u0301lie", "👨‍👩‍👧‍👦", "x" * 40])


def fitting(name: str, check: Any) -> st.SearchStrategy[Tree]:
    """Values of the field `name` that its check lets through."""
    match check:
        case Id():
            return st.sampled_from([MEANT[name], None] if check.nullable else [MEANT[name]])
        case Number():
            return st.integers(check.least, check.most)
        case Text():
            return st.sampled_from(["", "Benches"]) if check.empty else WORDS
        case OneOf():
            return st.sampled_from(sorted(map(str, check.choices)))
        case Truth():
            return st.booleans()
    return {uuid: st.just(Of("note")), uuid_or_null: st.sampled_from([Of("note"), None]), clean_name: NAMES}[check]


def data_of(fields: Fields) -> st.SearchStrategy[Pairs]:
    """With at least one of the optional fields: some operations would change nothing without."""
    each = {name: fitting(name, check) for name, check in fields.checks.items()}
    required = {name: each.pop(name) for name in fields.required}
    wish = st.fixed_dictionaries(required, optional=each)
    return wish.filter(lambda found: not each or found.keys() & each).map(lambda found: Pairs(found.items()))


def operations() -> list[tuple[str, str, Fields]]:
    return [(name, kind, fields) for name, found in KINDS.items() for kind, fields in found.operations.items()]


def operation(stream: str, kind: str, fields: Fields) -> st.SearchStrategy[Pairs]:
    name = Of("board") if stream == "board" else stream
    based = Pairs.of(base=Of("edited")) if kind == "note.edit" else Pairs()
    return data_of(fields).map(lambda data: Pairs([*Pairs.of(t="op", id=Of("new"), s=name, k=kind, d=data), *based]))


STREAMS = st.sampled_from(["stage", "room", "gallery", "me", Of("board"), Of("foreign board")])
CURSORS = st.sampled_from([0, 1, -1, 10**18])
FOLLOWED = st.dictionaries(STREAMS, CURSORS, max_size=3).map(
    lambda found: Pairs((name if isinstance(name, str) else Raw(name.what), at) for name, at in found.items())
)
OTHERS = {
    "hello": st.builds(lambda streams: Pairs.of(t="hello", v=wire.VERSION, streams=streams), FOLLOWED),
    "sub": st.builds(lambda s, after: Pairs.of(t="sub", s=s, after=after), STREAMS, CURSORS),
    "unsub": st.builds(lambda s: Pairs.of(t="unsub", s=s), STREAMS),
    "seen": st.builds(lambda n: Pairs.of(t="seen", n=n), st.integers(0, 10)),
    "ping": st.builds(lambda c: Pairs.of(t="ping", c=c), st.sampled_from([1, "x", None, [1], 1.5])),
}


def frames() -> st.SearchStrategy[Pairs]:
    """Every kind of frame, every operation."""
    ops = st.one_of([operation(*found) for found in operations()])
    return st.one_of(ops, ops, st.one_of([OTHERS[name] for name in wire.FRAMES if name != "op"]))


# ── as it should not be ──
ZALGO = "a" + "\u0301\u0316" * 600
TEXTS = [
    "",
    " ",
    "\0",
    "a\0b",
    "\x1b[2J",
    "\u202eevil\u2066",
    "\u200b",
    "\ud800",
    "a\udfffb",
    ZALGO,
    "x" * 1_001,
    "x" * 20_000,
    "٣",
    "null",
    "true",
    "__class__",
    "board:1",
    "board:-1",
    "me:1",
    "op",
    "closed",
    "00000000-0000-0000-0000-000000000000",
    "{00000000-0000-0000-0000-000000000000}",
    "<script>alert(1)</script>",
    "' OR 1=1;--",
    "%s%n{}",
]
NUMBERS = [0, -1, 1, 1.5, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**30]
ODD = [
    "NaN",
    "Infinity",
    "-Infinity",
    "1e999",
    "-1e999",
    "1e3",
    "1E400",
    "-0",
    "01",
    "9" * 4_000,
    "9" * 5_000,
    "'x'",
    "",
]
ELSEWHERE = [Of(what) for what in ("foreign board", "foreign table", "foreign person", "foreign note", "new", "note")]
VALUES: list[Tree] = [None, True, False, *TEXTS, *NUMBERS, *map(Raw, ODD), *ELSEWHERE]
PLAIN = st.sampled_from(VALUES)
KEYS = st.sampled_from(["author", "seq", "role", "id", "t", "d", "text", "__proto__", "", "\0", "\ud800", "x" * 5_000])
HOSTILE: st.SearchStrategy[Tree] = st.recursive(
    PLAIN | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(KEYS, inner), max_size=3).map(Pairs),
    max_leaves=4,
)
Place = tuple[list[Any], int]


def places(tree: Tree) -> Iterator[Place]:
    """Every list that a value stands in, with where; an object is a list of pairs."""
    if isinstance(tree, list):
        for at, item in enumerate(tree):
            yield tree, at
            yield from places(item[1] if isinstance(tree, Pairs) else item)


def copied(tree: Tree) -> Tree:
    if isinstance(tree, Pairs):
        return Pairs((name, copied(value)) for name, value in tree)
    return [copied(value) for value in tree] if isinstance(tree, list) else tree


def put(place: Place, value: Tree) -> None:
    inside, at = place
    inside[at] = (inside[at][0], value) if isinstance(inside, Pairs) else value


def value_at(place: Place) -> Tree:
    inside, at = place
    return inside[at][1] if isinstance(inside, Pairs) else inside[at]


def nested(value: Tree, depth: int, *, braces: bool) -> Raw:
    opened, closed = ('{"a":', "}") if braces else ("[", "]")
    return Raw(opened * depth + (value if isinstance(value, Raw) else "1") + closed * depth)


def each_swapped(good: Pairs) -> Iterator[Pairs]:
    """The frame with every hostile value in every place."""
    for at, _place in enumerate(places(good)):
        for value in VALUES:
            frame = copied(good)
            put(list(places(frame))[at], value)
            yield frame


def each_widened(good: Pairs) -> Iterator[Pairs]:
    """The frame with one member too many in each of its objects."""
    for at in (-1, *(n for n, (_name, value) in enumerate(good) if isinstance(value, Pairs))):
        frame = copied(good)
        (frame if at < 0 else frame[at][1]).append(("author", 1))
        yield frame


def swap(draw: Draw, place: Place) -> None:
    put(place, draw(HOSTILE))


def leave_out(draw: Draw, place: Place) -> None:
    del place[0][place[1]]


def double(draw: Draw, place: Place) -> None:
    place[0].append(place[0][place[1]])


def add(draw: Draw, place: Place) -> None:
    more = draw(HOSTILE)
    place[0].append((draw(KEYS), more) if isinstance(place[0], Pairs) else more)


def rename(draw: Draw, place: Place) -> None:
    if isinstance(place[0], Pairs):
        place[0][place[1]] = (draw(KEYS), value_at(place))


def nest(draw: Draw, place: Place) -> None:
    depth = draw(st.sampled_from([1, 7, 8, 9, 100, 1_500]))
    put(place, nested(value_at(place), depth, braces=draw(st.booleans())))


CHANGES = [swap, swap, swap, leave_out, double, add, rename, nest]


@st.composite
def spoiled(draw: Draw, good: st.SearchStrategy[Pairs]) -> Tree:
    """A good frame with up to three things wrong; sometimes with none."""
    frame = copied(draw(good))
    for _wrong in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        found = list(places(frame))
        if found:
            draw(st.sampled_from(CHANGES))(draw, draw(st.sampled_from(found)))
    return draw(HOSTILE) if draw(st.integers(0, 39)) == 39 else frame


def written(tree: Tree, ids: Mapping[str, Tree]) -> str:
    """As JSON, or nearly; `new` is a new id each time."""
    match tree:
        case Raw():
            return json.dumps(ids[tree]) if tree in ids else str(tree)
        case Of():
            return json.dumps(str(uuid7()) if tree.what == "new" else ids[tree.what])
        case Pairs():
            return f"{{{','.join(f'{key(name, ids)}:{written(value, ids)}' for name, value in tree)}}}"
        case list():
            return f"[{','.join(written(value, ids) for value in tree)}]"
    return json.dumps(tree)


def key(name: str, ids: Mapping[str, Tree]) -> str:
    return written(name, ids) if isinstance(name, Raw) else json.dumps(name)


def padded(text: str) -> str:
    return text + " " * 17_000


UTTERANCES: list[Callable[[str], str]] = [
    *[str] * 12,
    lambda text: text[: len(text) // 2],
    lambda text: text[:-1],
    lambda text: f"\ufeff{text}",
    lambda text: f"{text}{text}",
    lambda text: f"[{text}]",
    lambda text: f"{text}\0",
    lambda text: text.replace('"', "'"),
    lambda text: text.replace(",", ",,", 1),
    padded,
]
SAID = st.sampled_from(UTTERANCES)
