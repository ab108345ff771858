"""Frames no page of ours sends (A04, A06, A07, A10, A13 to A17, A76, A77): refused with their code, nothing stored."""

import asyncio
import json
import socket
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from websockets.asyncio.client import connect

from sessions.live import threads
from tables.models import Note
from tests.browsing import Browser, board_of, browser
from tests.cafe import Cafe, new_id
from tests.test_serving import MIB, Tiny, read_all
from tests.test_serving import running as serving
from tests.transports import WAYS, client, post

pytestmark = pytest.mark.django_db(transaction=True)
DEEP = "[" * 2_000 + "]" * 2_000


@pytest.fixture
async def running(transactional_db: None) -> AsyncIterator[Cafe]:
    yield await sync_to_async(lambda: Cafe().runs())()
    await threads.close()
    await sync_to_async(connections.close_all)()


def op(board: str, question: int, **change: Any) -> str:
    data = {"q": question, "text": "Benches", "colour": "mint"}
    return json.dumps({"t": "op", "id": str(new_id()), "s": board, "k": "note.add", "d": data} | change)


async def notes() -> int:
    return await sync_to_async(Note.objects.count)()


def garble(good: str, kind: str) -> str:
    """An operation as it should be, made wrong in one way."""
    return {
        "A06 deep": good.replace('"mint"', DEEP),
        "A07 NaN": good.replace('"mint"', "NaN"),
        "A07 Infinity": good.replace('"mint"', "Infinity"),
        "A07 -Infinity": good.replace('"mint"', "-Infinity"),
        "A07 1e999": good.replace('"mint"', "1e999"),
        "a number of 5,000 digits": good.replace('"mint"', "9" * 5_000),
        "a doubled key": good.replace('"colour"', '"q"'),
        "half a frame": good[:-1],
        "A17 many at once": f"[{good},{good}]",
        "A14 no type": good.replace('"t": "op", ', ""),
        "A14 private": good.replace('"op"', '"_private"'),
        "A14 of Channels": good.replace('"op"', '"websocket.disconnect"'),
        "A14 of Python": good.replace('"op"', '"__class__"'),
        "A14 10 kB long": good.replace('"op"', f'"{"x" * 10_000}"'),
        "A15 author": good.replace('"t"', '"author": 1, "t"'),
        "A15 seq": good.replace('"t"', '"seq": 1, "t"'),
        "A15 created_at": good.replace('"t"', '"created_at": 1, "t"'),
        "A15 role": good.replace('"t"', '"role": "moderator", "t"'),
        "a base that is no number": good.replace('"t"', '"base": "1", "t"'),
    }[kind]


CODES = {
    "A06 deep": "bad_json",
    "A07 NaN": "bad_json",
    "A07 Infinity": "bad_json",
    "A07 -Infinity": "bad_json",
    "A07 1e999": "bad_json",
    "a number of 5,000 digits": "bad_json",
    "a doubled key": "bad_json",
    "half a frame": "bad_json",
    "A17 many at once": "bad_frame",
    "A14 no type": "unknown_type",
    "A14 private": "unknown_type",
    "A14 of Channels": "unknown_type",
    "A14 of Python": "unknown_type",
    "A14 10 kB long": "unknown_type",
    "A15 author": "bad_field",
    "A15 seq": "bad_field",
    "A15 created_at": "bad_field",
    "A15 role": "bad_field",
    "a base that is no number": "bad_field",
}


async def test_what_is_no_frame_is_refused_by_socket_and_the_socket_stays(running: Cafe) -> None:
    board, question = await board_of(running)
    for kind, code in CODES.items():
        cem = await browser(running).hello()
        await cem.says(garble(op(board, question), kind))
        assert (kind, (await cem.hears("err"))["code"]) == (kind, code)
        assert await notes() == 0
        await cem.leaves()


@pytest.mark.parametrize(("kind", "code"), CODES.items(), ids=CODES)
async def test_what_is_no_frame_is_refused_by_post(running: Cafe, kind: str, code: str) -> None:
    board, question = await board_of(running)
    good = op(board, question)
    refused = await post(running, running.cem, garble(good, kind))
    assert (refused.status_code, refused.json()["code"], await notes()) == (422, code, 0)
    assert (await post(running, running.cem, good)).status_code == 200


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "extra", [{"author": 7}, {"seq": 1}, {"created_at": 1}, {"role": "moderator"}, {"order": "a0"}, {"by": 1}]
)
async def test_nothing_is_mass_assigned(running: Cafe, way: str, extra: dict[str, Any]) -> None:
    """A15"""
    board, question = await board_of(running)
    data = {"q": question, "text": "Benches"}
    assert await WAYS[way](running, running.cem, board, "note.add", data | extra) == "bad_field"
    assert await WAYS[way](running, running.cem, board, "note.add", data) is None
    assert await notes() == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stream", ["board:-1", "board:٣", "board:007", f"board:{'9' * 30}", "me:5", "x" * 900])
async def test_what_names_no_stream_is_not_found(running: Cafe, way: str, stream: str) -> None:
    assert await WAYS[way](running, running.cem, "room", "seat.leave", {}) is None
    assert await WAYS[way](running, running.cem, stream, "seat.leave", {}) == "not_found"


@pytest.mark.parametrize("raw", [b"\x00\xff", b"", None], ids=["A13 binary", "A13 empty bytes", "A13 empty text"])
async def test_frames_without_text_are_refused_and_the_third_closes(running: Cafe, raw: bytes | None) -> None:
    cem = await browser(running).hello()
    await cem.hears("parts", s="me")
    for _thrice in range(3):
        await cem.ends.send_input({"type": "websocket.receive"} | ({"text": ""} if raw is None else {"bytes": raw}))
    assert [(await cem.hears("err"))["code"] for _thrice in range(3)] == ["bad_frame"] * 3
    assert (await cem.hears("close"))["code"] == 4400


async def test_an_operation_without_an_id_of_its_own_is_refused_and_the_third_closes(running: Cafe) -> None:
    cem = await browser(running).hello()
    for wrong in ("7", f"{{{new_id()}}}", f"urn:uuid:{new_id()}"):
        await cem.says({"t": "op", "id": wrong, "s": "room", "k": "seat.leave", "d": {}})
        assert (await cem.hears("err"))["code"] == "bad_field"
    assert (await cem.hears("close"))["code"] == 4400


@pytest.mark.parametrize(
    "frame",
    ['{"t":"op","id":"x","s":"room","k":"seat.any","d":{}}', '{"t":"sub","s":"room"}', '{"t":"ping","c":1}'],
)
async def test_hello_comes_first_and_once(running: Cafe, frame: str) -> None:
    early = browser(running)
    await early.opens()
    await early.says(frame)
    assert (await early.hears("err"))["code"] == "bad_frame"
    await early.says({"t": "hello", "v": 1, "streams": {}})
    await early.hears("welcome")
    await early.says({"t": "hello", "v": 1, "streams": {}})
    assert (await early.hears("err"))["code"] == "bad_frame"
    await early.leaves()


@pytest.mark.parametrize(
    "streams",
    [{f"board:{n}": 0 for n in range(9)}, {"stage": 1.5}, {"stage": True}, {"stage": "1"}, {"stage": None}],
    ids=["nine streams", "half a step", "true", "text", "null"],
)
async def test_what_is_no_cursor_closes(running: Cafe, streams: dict[str, Any]) -> None:
    cem = browser(running)
    await cem.opens()
    await cem.says({"t": "hello", "v": 1, "streams": streams})
    assert (await cem.hears("err"))["code"] == "bad_field"
    assert (await cem.hears("close"))["code"] == 4400


@pytest.mark.parametrize("name", ["\\ud800", "x" * 10_000, "board:٣", "me:1", "__class__", ""])
async def test_a_stream_nobody_knows_is_ended_and_the_rest_goes_on(running: Cafe, name: str) -> None:
    """A76; half a character comes back as it was sent"""
    cem = browser(running)
    await cem.opens()
    await cem.says(f'{{"t":"hello","v":1,"streams":{{"{name}":0}}}}')
    assert (await cem.hears("end"))["code"] == "not_found"
    await cem.says(f'{{"t":"sub","s":"{name}"}}')
    assert (await cem.hears("end"))["code"] == "not_found"
    await cem.says('{"t":"ping","c":"\\udfff"}')
    assert (await cem.hears("pong"))["c"] == "\udfff"
    await cem.leaves()


@pytest.mark.parametrize("after", [-1, 10**18, 10**4_000, -(10**4_000)], ids=["-1", "10**18", "10**4000", "-10**4000"])
async def test_a_cursor_that_cannot_be_begins_anew(running: Cafe, after: int) -> None:
    """A76"""
    cem = await browser(running).hello()
    await cem.says({"t": "sub", "s": "room", "after": after})
    frame = await cem.hears("parts", s="room")
    assert (frame["reset"], len(frame["parts"])) == (True, 2)
    await cem.says({"t": "seen", "n": after})
    await cem.says({"t": "ping", "c": 1})
    await cem.hears("pong")
    await cem.leaves()


@pytest.mark.parametrize("after", [-1, 10**18, 10**4_000], ids=["-1", "10**18", "10**4000"])
async def test_a_cursor_that_cannot_be_begins_anew_by_polling(running: Cafe, after: int) -> None:
    """A76"""
    (room,) = await news(running, "room", after)
    assert (room["reset"], room["from"], len(room["parts"])) == (True, 0, 2)
    (again,) = await news(running, "room", 0, epoch=str(new_id()))
    assert (again["reset"], again["parts"]) == (True, room["parts"])
    assert await news(running, "room", room["head"], epoch=str(running.event.epoch)) == []


async def test_the_board_of_another_event_is_not_found_by_polling(running: Cafe) -> None:
    """A76"""
    other = await sync_to_async(lambda: running.eve.event.sessions.get(number=1).boards.first().pk)()
    (end,) = await news(running, f"board:{other}", 0)
    assert (end["t"], end["code"]) == ("end", "not_found")


async def news(cafe: Cafe, stream: str, after: int, **query: str) -> list[dict[str, Any]]:
    """The frames about one stream."""
    asked = {"since": json.dumps({stream: after}), **query}
    answer = await client(cafe, cafe.cem).get(f"/live/{cafe.event.key}/parts", asked)
    return [frame for frame in answer.json() if frame.get("s") in {stream, stream.partition(":")[0]}]


async def test_the_board_of_another_event_is_not_found(running: Cafe) -> None:
    """A76"""
    other = await sync_to_async(lambda: running.eve.event.sessions.get(number=1).boards.first().pk)()
    cem = await browser(running).hello(**{f"board_{other}": 0})
    assert (await cem.hears("end"))["code"] == "not_found"
    await cem.leaves()


async def test_a_base_in_the_future_is_a_conflict(running: Cafe) -> None:
    """A77"""
    board, _question = await board_of(running)
    note = await sync_to_async(lambda: str(running.writes(running.cem, "Benches").op_id))()
    frame = json.dumps(
        {
            "t": "op",
            "id": str(new_id()),
            "s": board,
            "k": "note.edit",
            "d": {"note": note, "text": "Trees"},
            "base": 10**30,
        }
    )
    answer = (await post(running, running.cem, frame)).json()
    assert (answer["code"], answer["part"]["text"]) == ("conflict", "Benches")


@pytest.mark.parametrize("path", ["/", "/live/", "/live/%00/", "/live/\x00/", "/live/../", "/live/" + "A" * 900 + "/"])
async def test_a_socket_anywhere_else_is_told_that_there_is_nothing(running: Cafe, path: str) -> None:
    lost = Browser(running.event.key, running.cookie(running.cem))
    lost.ends.scope["path"] = path
    assert await lost.opens()
    assert (await lost.hears("err"))["code"] == "not_found"
    assert (await lost.hears("close"))["code"] == 4404


# ── what Daphne and Autobahn answer themselves ──
def masked(payload: bytes, *, first: int = 0x81, length: int | None = None) -> bytes:
    """A frame with a mask of zeros; `length` is what its header claims."""
    size = len(payload) if length is None else length
    head = bytes([first, 0x80 | (size if size < 126 else 126 if size < 65_536 else 127)])
    more = b"" if size < 126 else size.to_bytes(2 if size < 65_536 else 8, "big")
    return head + more + bytes(4) + payload


def handshake(tiny: Tiny, **headers: str) -> socket.socket:
    caller = tiny.call()
    said = {
        "Host": f"127.0.0.1:{tiny.port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": b64encode(bytes(16)).decode(),
        "Sec-WebSocket-Version": "13",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = ["GET / HTTP/1.1", *(f"{name}: {value}" for name, value in said.items()), "", ""]
    caller.sendall("\r\n".join(lines).encode("latin-1"))
    return caller


WRONG = {
    "A10 no UTF-8": masked(b"\xff\xfe"),
    "A10 half a character": masked("\ud800".encode("utf-8", "surrogatepass")),
    "A13 a ping of 126 bytes": masked(b"x" * 126, first=0x89),
    "A02 4 GiB announced": masked(b"x", length=1 << 32),
    "an unknown opcode": masked(b"x", first=0x83),
    "reserved bits": masked(b"x", first=0xC1),
    "no mask": b"\x81\x01x",
    "a continuation of nothing": masked(b"x", first=0x80),
}


@pytest.mark.parametrize("raw", WRONG.values(), ids=WRONG)
async def test_what_breaks_the_protocol_is_dropped_with_one_line_and_no_other_socket_with_it(raw: bytes) -> None:
    with serving() as tiny:
        async with connect(tiny.url) as other:
            with handshake(tiny) as caller:
                assert b" 101 " in caller.recv(4096)
                caller.sendall(raw)
                assert await asyncio.to_thread(read_all, caller) == b""
            await other.send("still here")
            assert await other.recv() == "10"
        code, _said, complained = await asyncio.to_thread(tiny.stop)
    assert (code, len(complained.splitlines())) == (0, 1), complained


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_WebSocket_Protocol": "a, b"}, 101),
        ({"Sec_WebSocket_Protocol": "\xff\xfe"}, 101),
        ({"Sec_WebSocket_Version": "x"}, 400),
        ({"Sec_WebSocket_Key": "short"}, 400),
        ({"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits=99"}, 400),
        ({"Host": "evil:port"}, 400),
        ({"Connection": "close"}, 400),
    ],
)
async def test_a_handshake_that_is_none_is_answered_without_a_traceback(headers: dict[str, str], status: int) -> None:
    with serving() as tiny:
        with handshake(tiny, **headers) as caller:
            assert int(caller.recv(4096).split(b" ", 2)[1]) == status
        _code, _said, complained = await asyncio.to_thread(tiny.stop)
    assert "Traceback" not in complained


def test_two_hundred_megabytes_in_frames_end_at_the_first() -> None:
    """A04"""
    with serving() as tiny, handshake(tiny) as caller:
        assert b" 101 " in caller.recv(4096)
        before = tiny.memory()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            caller.sendall(masked(b"x" * MIB) * 200)
        assert tiny.memory() - before < 8 * MIB
