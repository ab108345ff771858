"""Every hostile value in every place of every frame, as `wire.FRAMES` and the kinds of stream declare them."""

from contextlib import suppress

import pytest
from hypothesis import find

from sessions.live import desk, streams, visit, wire
from sessions.live.fields import Fields
from sessions.live.ops import Op, Refused
from sessions.live.words import SENTENCES
from sessions.models import Participant
from tests.hostile import (
    NUMBERS,
    ODD,
    OTHERS,
    TEXTS,
    Tree,
    each_swapped,
    each_widened,
    operation,
    operations,
    thorough,
    written,
)
from tests.test_fuzz_frames import Target, strictly

pytestmark = pytest.mark.django_db
every_operation = pytest.mark.parametrize(
    ("stream", "kind", "fields"), operations(), ids=[kind for _stream, kind, _fields in operations()]
)


def made(target: Target, who: Participant, frame: Tree) -> Op:
    """As the desk makes it; raises `Refused`."""
    found = wire.parse(written(frame, target.ids))
    if found["t"] != "op":
        raise Refused("unknown_type")
    return desk.op_of(who, desk.draft_of(found))


@every_operation
def test_every_hostile_value_in_every_place_is_refused_or_judged(stream: str, kind: str, fields: Fields) -> None:
    """The frame that is spoiled is a good one, and one with a field too many is none."""
    target = Target()
    for who in (target.cafe.moderator, target.cafe.cem):
        good = find(operation(stream, kind, fields), lambda _any: True, settings=thorough(1))
        assert made(target, who, good).kind == kind
        for frame in each_widened(good):
            with pytest.raises(Refused):
                made(target, who, frame)
        for frame in each_swapped(good):
            with suppress(Refused):
                answer = streams.apply([made(target, who, frame)])[0]
                assert answer.code in {None, *SENTENCES} - {"internal"}


@pytest.mark.parametrize("kind", OTHERS)
def test_every_hostile_value_in_every_other_frame_is_refused_or_harmless(kind: str) -> None:
    target = Target()
    good = find(OTHERS[kind], lambda frame: kind != "hello" or bool(dict(frame)["streams"]), settings=thorough(100))
    for frame in each_swapped(good):
        with suppress(Refused):
            found = wire.parse(written(frame, target.ids))
            strictly(wire.dump(found))
            asked = {found["s"]: found.get("after", -1)} if found["t"] == "sub" else found.get("streams", {})
            visit.followed(target.cafe.cem, asked, found.get("epoch"))
    with pytest.raises(Refused):
        wire.parse(written(next(each_widened(good)), target.ids))


@every_operation
def test_every_hostile_text_in_every_field_of_a_form_is_refused_or_clean(
    stream: str, kind: str, fields: Fields
) -> None:
    for name, check in fields.checks.items():
        for text in [*TEXTS, *ODD, *map(str, NUMBERS)]:
            with suppress(Refused):
                str(check(fields.from_form({name: text})[name])).encode()
