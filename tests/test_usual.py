"""The frame that nearly all are means what it means by the long way, and whatever is another one is left to that."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import example, given
from hypothesis import strategies as st

from sessions.live import desk, prepared, wire
from sessions.live.fields import Text
from sessions.live.ops import Refused
from sessions.live.usual import usual
from sessions.text import LEFT_ALONE

ID = "0191d1c0-0000-7000-8000-0123456789ab"
FRAME = {"t": "op", "id": ID, "s": "board:4", "k": "note.add", "d": {"q": 7, "text": "Shade", "colour": "mint"}}
STRANGE = [
    "",
    " ",
    "\n",
    "\\",
    '"',
    "\\n",
    "é",
    "e\u0301",
    "\u00a0",
    "\u0085",
    "\u2028",
    "\u212b",
    "\ud800",
    "\x00",
    "𝒳",
    "{",
    "}",
]


def written(frame: Any, *, spaces: bool = False, ascii_only: bool = False) -> str:
    return json.dumps(frame, ensure_ascii=ascii_only, separators=None if spaces else (",", ":"))


def draft(text: str) -> desk.Draft | None:
    [one] = usual()
    return one.draft(text)


def by_the_long_way(text: str) -> desk.Draft | str:
    """A refusal is one as well."""
    try:
        frame = wire.parse(text)
        return desk.draft_of(frame) if frame["t"] == "op" else ""
    except Refused as refused:
        return refused.code


def changed(**values: Any) -> dict[str, Any]:
    """The usual frame with other values, outside and in its data; `...` takes one away."""
    frame = {**FRAME, **{name: value for name, value in values.items() if name in FRAME}}
    if isinstance(frame["d"], dict):
        frame["d"] = {**frame["d"], **{name: value for name, value in values.items() if name not in FRAME}}
        frame["d"] = {name: value for name, value in frame["d"].items() if value is not ...}
    return {name: value for name, value in frame.items() if value is not ...}


def test_a_new_note_is_the_usual_frame() -> None:
    """That pages send it so is seen in `tests/browser/test_faults.py`."""
    text = written(FRAME)
    assert draft(text) == by_the_long_way(text)
    assert prepared.prepare([text]) == [draft(text)]


SAID = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    st.sampled_from(
        [ID, ID.upper(), ID[1:], "board:4", "board:04", "board:0", "stage", "note.add", "op", "seen", 2**63, *STRANGE]
    ),
    st.lists(st.sampled_from([*STRANGE, *"aZ1ß–€ "]), max_size=9).map("".join),
    st.dictionaries(st.sampled_from(["q", "text"]), st.integers(), max_size=2),
)
CHANGES = st.dictionaries(
    st.sampled_from([*FRAME, "q", "text", "colour", "more"]), st.one_of(SAID, st.just(...)), max_size=2
)


@given(CHANGES, st.booleans(), st.booleans())
@example({"text": "a" * 281}, False, False)
@example({"q": 10**18}, False, False)
@example({"q": 10**19}, False, False)
@example({"s": "board:1234567890123456789"}, False, False)
@example({"base": 3}, False, False)
def test_it_says_what_the_long_way_would_have_found(changes: dict[str, Any], spaces: bool, ascii_only: bool) -> None:
    text = written(changed(**changes), spaces=spaces, ascii_only=ascii_only)
    found = draft(text)
    assert found is None or found == by_the_long_way(text)


@pytest.mark.parametrize(
    "text",
    [
        written(FRAME, spaces=True),
        written(FRAME) + " ",
        written(FRAME)[:-1] + ',"base":1}',
        written(FRAME)[:-1] + ',"t":"op"}',
        written(FRAME).replace('"q":7', '"q":07'),
        written(FRAME).replace('"q":7', '"q":-7'),
        written(FRAME).replace('"q":7', '"q":7.0'),
        written(FRAME).replace('"q":7', '"q":٧'),
        written(FRAME).replace("board:4", "board:٤"),
        written(FRAME).replace("Shade", "\\u0053hade"),
        written(FRAME).replace("Shade", "Sha\nde"),
        written(FRAME).replace(ID, ID.upper()),
        written({name: FRAME[name] for name in reversed(FRAME)}),
    ],
)
def test_everything_else_is_left_to_the_long_way(text: str) -> None:
    assert draft(text) is None


def test_a_frame_that_may_be_too_long_is_left_to_the_long_way() -> None:
    text = written(FRAME)
    with override_settings(LIMIT_FRAME_BYTES=4 * len(text)):
        assert draft(text) is not None
    with override_settings(LIMIT_FRAME_BYTES=4 * len(text) - 1):
        assert draft(text) is None


def test_what_is_left_alone_is_what_cleaning_would_leave() -> None:
    """Each such letter, inside of a text and around it."""
    field = Text(280)
    letters = [c for c in map(chr, range(sys.maxunicode + 1)) if LEFT_ALONE.fullmatch(c)]
    assert len(letters) > 600
    for c in letters:
        for text in (f"a{c}b", f"{c}ab", f"ab{c}", f"a{c}{c}\u00e9"):
            assert field(text) == field._cleaned(text)
