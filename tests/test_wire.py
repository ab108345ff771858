"""Strict parsing of what comes in, and how `parts` frames are cut."""

import json
from itertools import permutations
from uuid import UUID

import pytest
from django.conf import settings

from sessions.live import wire
from sessions.live.compact import lasting
from sessions.live.fields import Fields, Number
from sessions.live.kinds import Part
from sessions.live.ops import Answer, Name, Refused
from sessions.live.window import Window

OP = '{"t":"op","id":"x","s":"room","k":"seat.any","d":{}}'


def test_a_frame_is_read() -> None:
    assert wire.parse(OP) == {"t": "op", "id": "x", "s": "room", "k": "seat.any", "d": {}}


def test_a_frame_like_a_good_one_but_for_a_type_or_a_name_is_refused() -> None:
    """Shapes that were all right are remembered."""
    wire.parse(OP)
    for like in (
        OP.replace('"x"', "1"),
        OP.replace("{}", "[]"),
        OP.replace('"id"', '"ID"'),
        OP.replace("op", "sub", 1),
    ):
        with pytest.raises(Refused, match="bad_field"):
            wire.parse(like)
    for order in permutations(json.loads(OP).items()):  # more than are remembered
        wire.parse(json.dumps(dict(order)))
    assert len(wire._good) == wire.MOST_SHAPES


def test_what_is_encoded_is_what_json_would_write() -> None:
    said = [7, Name("board", 3), "note.add", {"text": 'Bäume "🌳"\n', "q": None, "a": [True, 1.5]}, UUID(int=1)]
    for usual in (json.JSONEncoder(default=str, sort_keys=True), json.JSONEncoder(default=str, ensure_ascii=False)):
        assert lasting(usual)(said) == usual.encode(said)
        assert lasting(usual)("ü") == usual.encode("ü")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (OP[:-1], "bad_json"),
        ("[" * 100_000 + "]" * 100_000, "too_large"),
        ('{"t":"ping","c":' + "[" * 2_000 + "]" * 2_000 + "}", "bad_json"),
        ('{"t":"ping","c":NaN}', "bad_json"),
        ('{"t":"ping","c":-Infinity}', "bad_json"),
        ('{"t":"ping","c":1e999}', "bad_json"),
        ('{"t":"ping","c":1,"c":2}', "bad_json"),
        ('{"t":"ping","c":' + "9" * 5_000 + "}", "bad_json"),
        ("[]", "bad_frame"),
        (f"[{OP},{OP}]", "bad_frame"),
        ('"hello"', "bad_frame"),
        ("{}", "unknown_type"),
        ('{"t":7}', "unknown_type"),
        ('{"t":"_private"}', "unknown_type"),
        ('{"t":"websocket.disconnect"}', "unknown_type"),
        ('{"t":"__class__"}', "unknown_type"),
        ('{"t":"' + "x" * 10_000 + '"}', "unknown_type"),
        ('{"t":"ping"}', "bad_field"),
        ('{"t":"ping","c":1,"role":"moderator"}', "bad_field"),
        ('{"t":"seen","n":"1"}', "bad_field"),
        ('{"t":"seen","n":true}', "bad_field"),
        ('{"t":"hello","v":1,"streams":[]}', "bad_field"),
        (b"\xff\xfe", "bad_json"),
    ],
)
def test_what_is_no_frame_gets_its_code(raw: str | bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        wire.parse(raw)
    assert refused.value.code == code


def test_a_frame_of_exactly_the_limit_is_read_and_one_byte_more_is_not() -> None:
    def ping(size: int) -> str:
        return '{"t":"ping","c":"' + "x" * (size - len('{"t":"ping","c":""}')) + '"}'

    assert len(wire.parse(ping(settings.LIMIT_FRAME_BYTES))["c"]) > 16_000
    with pytest.raises(Refused, match="too_large"):
        wire.parse(ping(settings.LIMIT_FRAME_BYTES + 1))


def test_wide_letters_count_as_their_bytes() -> None:
    with pytest.raises(Refused, match="too_large"):
        wire.parse('{"t":"ping","c":"' + "é" * (settings.LIMIT_FRAME_BYTES // 2) + '"}')
    assert wire.parse('{"t":"ping","c":"' + "é" * (settings.LIMIT_FRAME_BYTES // 2 - 20) + '"}')


def test_blanks_around_a_frame_do_not_matter_and_words_do() -> None:
    ping = '{"t":"ping","c":1}'
    assert wire.parse(f" \n\t{ping}\r\n ") == wire.parse(ping) == {"t": "ping", "c": 1}
    for spoilt in (f"{ping} x", f"{ping}{ping}", f"x {ping}", "\ufeff" + ping, " ", ping[:-1]):
        with pytest.raises(Refused, match="bad_json"):
            wire.parse(spoilt)


def test_fields_in_an_order_that_was_good_are_looked_at_no_less() -> None:
    fields = Fields({"a": Number(0, 9)}, {name: Number(0, 9) for name in "bcde"})
    orders = [dict.fromkeys(order, 1) for order in permutations("abcde")]
    assert [fields.clean(order) for order in orders] == orders
    for bad in ({"b": 1}, {"a": 1, "x": 1}, {"a": 10, "b": 1}, {"a": None}):
        with pytest.raises(Refused, match="bad_field"):
            fields.clean(bad)


def test_whatever_a_page_says_it_has_seen_counts_up_to_what_was_sent() -> None:
    window = Window()
    for _frame in range(5):
        window.add(10, now=0.0)
    for n, left in ((-3, 5), (2, 3), (1, 3), (2, 3), (10**30, 0), (0, 0)):
        window.confirm(n)
        assert (len(window.sizes), window.unconfirmed, window.seen) == (left, 10 * left, 5 - left)


def test_brackets_inside_words_are_no_depth() -> None:
    frame = {"t": "ping", "c": '[[[[[[[[[[[[ "quoted" {{{{{{{{{{{{{ \\'}
    assert wire.parse(json.dumps(frame)) == frame


@pytest.mark.parametrize(
    "text", ["board", "board:", "board:-1", "board:07", "board:x", "rooms", "room:1", "board:٣", ""]
)
def test_what_names_no_stream_is_not_found(text: str) -> None:
    assert wire.stream_name("board:7") == Name("board", 7)
    with pytest.raises(Refused, match="not_found"):
        wire.stream_name(text)


def encoded(count: int, size: int) -> list[wire.Encoded]:
    return [wire.Encoded.of(Part.same(f"note:{n}", n, {"text": "x" * size})) for n in range(1, count + 1)]


def frames(**values: object) -> list[dict[str, object]]:
    options = {"start": 0, "head": 9, "parts": [], "audience": "guests", **values}
    start, head, parts = options.pop("start"), options.pop("head"), options.pop("parts")
    return [json.loads(text) for _to, text in wire.parts_frames(Name("board", 7), start, head, parts, **options)]  # type: ignore[arg-type]


def test_a_small_change_is_one_frame_up_to_the_head() -> None:
    [frame] = frames(parts=encoded(2, 5))
    assert {name: frame[name] for name in ("t", "s", "from", "to", "head")} == {
        "t": "parts",
        "s": "board:7",
        "from": 0,
        "to": 9,
        "head": 9,
    }


def test_frames_are_cut_in_seq_order_and_go_on_from_each_other() -> None:
    cut = frames(parts=encoded(50, 4_000), head=50)
    assert len(cut) > 2
    assert [frame["from"] for frame in cut] == [0, *(frame["to"] for frame in cut[:-1])]
    assert [part["seq"] for frame in cut for part in frame["parts"]] == list(range(1, 51))  # type: ignore[attr-defined]
    assert [frame["parts"][-1]["seq"] for frame in cut] == [frame["to"] for frame in cut]  # type: ignore[index]
    assert cut[-1]["to"] == cut[-1]["head"] == 50
    assert all(len(json.dumps(frame)) < 70_000 for frame in cut)


@pytest.mark.parametrize("letter", ["x", "ä", "咖", "☕", "🫖"])
def test_no_frame_is_longer_than_64_kib_whatever_people_write_in(letter: str) -> None:
    parts = [wire.Encoded.of(Part.same(f"note:{seq}", seq, {"text": letter * 1_000})) for seq in range(1, 101)]
    cut = wire.parts_frames(Name("board", 7), 0, 100, parts, audience="guests")
    assert [seq for _to, frame in cut for seq in [part["seq"] for part in json.loads(frame)["parts"]]] == list(
        range(1, 101)
    )
    sizes = [len(frame.encode()) for _to, frame in cut]
    assert max(sizes) <= wire.FRAME_CUT
    assert all(size > wire.FRAME_CUT // 2 for size in sizes[:-1])


def test_only_the_first_frame_of_a_reset_says_so() -> None:
    cut = frames(parts=encoded(50, 4_000), head=50, reset=True)
    assert [frame.get("reset") for frame in cut] == [True, *[None] * (len(cut) - 1)]


def test_parts_before_the_readers_cursor_are_left_out() -> None:
    [frame] = frames(parts=encoded(9, 5), start=7)
    assert [part["seq"] for part in frame["parts"]] == [8, 9]  # type: ignore[attr-defined]


def test_guests_and_moderators_may_get_different_parts() -> None:
    part = wire.Encoded.of(Part("note:1", 1, {"gone": True}, {"text": "hidden"}))
    assert [frames(parts=[part], audience=a)[0]["parts"] for a in ("guests", "moderators")] == [
        [{"gone": True}],
        [{"text": "hidden"}],
    ]


@pytest.mark.parametrize("dup", [False, True])
@pytest.mark.parametrize("stream", [Name("board", 7), Name("me", 3), Name("stage")])
def test_an_ack_is_the_frame_of_its_answer(stream: Name, dup: bool) -> None:
    answer = Answer(UUID("0190f3a2-7a3c-7c10-8000-00000000000a"), stream, seq=9, dup=dup)
    assert wire.ack(answer) == wire.dump(wire.answer_frame(answer))
