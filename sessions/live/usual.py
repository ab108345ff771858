"""The frame that nearly all are, read by one regular expression.

JSON's reader and the checks of what it found took half of what a note costs before it is in a batch. Pages write JSON
without spaces and with their fields in one order, and few texts need an escape: such a frame says what stands there.
Every other one is read by `wire.parse`, which would have found the same in this one (`tests/test_usual.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from sessions.live.desk import Draft
from sessions.live.fields import Check, Fields, Id, OneOf, Text, WrittenUUID
from sessions.live.kinds import KINDS
from sessions.live.limits import limits
from sessions.live.ops import Refused
from sessions.live.wire import stream_name

ID = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
NUMBER, WORDS = "(0|[1-9][0-9]{0,18})", r'"([^"\\\x00-\x1f]*)"'
WRITTEN: dict[type, str] = {Id: NUMBER, Text: WORDS, OneOf: WORDS}
MOST_BYTES = 4  # of a character


class Usual:
    """One operation on streams of one kind, with all of its fields."""

    def __init__(self, kind: str, operation: str, fields: Fields) -> None:
        checks = fields.checks.items()
        data = ",".join([f'"{name}":{WRITTEN[type(check)]}' for name, check in checks])
        self.matches = re.compile(
            rf'\{{"t":"op","id":"{ID}","s":"({kind}:[0-9]+)","k":"{re.escape(operation)}","d":\{{{data}\}}\}}'
        ).fullmatch
        self.operation = operation
        self.fields = [(name, _of_number(check) if isinstance(check, Id) else check) for name, check in checks]

    def draft(self, text: str) -> Draft | None:
        """What the frame says; null when it is another one, or one to be refused."""
        found = self.matches(text)
        if found is None or len(text) * MOST_BYTES > limits.LIMIT_FRAME_BYTES:
            return None
        op_id, stream, *values = found.groups()
        try:
            data = {name: read(value) for (name, read), value in zip(self.fields, values, strict=True)}
            return Draft(WrittenUUID(op_id), stream_name(stream), self.operation, data, None)
        except Refused:
            return None


def _of_number(check: Check) -> Callable[[str], object]:
    return lambda digits: check(int(digits))


@cache
def usual() -> list[Usual]:
    """Of each kind that has one."""
    return [Usual(kind.name, kind.usual, kind.operations[kind.usual]) for kind in KINDS.values() if kind.usual]
