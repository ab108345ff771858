"""How a seat enters a room of each peer and how it posts a note there. Protocols as their own clients speak them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.bench import web


@dataclass(slots=True)
class Seat:
    """A place in a room; `clock` counts what was posted from it."""

    room: str
    table: int
    place: int
    clock: int = 0

    def next(self) -> int:
        self.clock += 1
        return self.clock - 1


class Adapter:
    """`echo`: whoever posts gets the note back, too. `packages` is where npm put them."""

    echo = True

    def __init__(self, packages: Path) -> None:
        self.packages = packages

    def path(self, seat: Seat) -> str:
        return f"/{seat.room}"

    async def enter(self, wire: web.Wire, seat: Seat) -> None:
        """Returns when the seat gets what others post."""
        raise NotImplementedError

    def post(self, seat: Seat, number: int, text: str) -> bytes:
        """The frame that posts a note; numbers are never used twice."""
        raise NotImplementedError


class SocketIO(Adapter):
    def path(self, seat: Seat) -> str:
        return "/socket.io/?EIO=4&transport=websocket"

    async def enter(self, wire: web.Wire, seat: Seat) -> None:
        await until(wire, b"0")
        await wire.put(web.frame(b"40"))
        await until(wire, b"40")
        await wire.put(web.frame(event("join", seat.room)))
        await until(wire, b'42["joined"')

    def post(self, seat: Seat, number: int, text: str) -> bytes:
        return web.frame(event("note", {"text": text, "colour": "mint"}))


def event(name: str, content: Any) -> bytes:
    return b"42" + json.dumps([name, content], ensure_ascii=False).encode()


class YWebsocket(Adapter):
    """Yjs: a note is an entry of the map `notes`, one update each."""

    def before(self, seat: Seat) -> bytes:
        """What every frame begins with."""
        return b""

    async def enter(self, wire: web.Wire, seat: Seat) -> None:
        before = self.before(seat)
        await wire.put(web.frame(before + b"\x00\x00\x01\x00", opcode=web.BINARY))  # what have you? I have nothing
        while True:
            _opcode, payload = await wire.hear()
            told = payload[len(before) :]
            if told.startswith(b"\x00\x00"):
                await wire.put(web.frame(before + b"\x00\x01\x02\x00\x00", opcode=web.BINARY))  # nothing to give
            elif told.startswith(b"\x00\x01"):
                return

    def post(self, seat: Seat, number: int, text: str) -> bytes:
        change = update(1000 + 64 * seat.table + seat.place, seat.next(), f"n{number}", text)
        return web.frame(self.before(seat) + b"\x00\x02" + sized(change), opcode=web.BINARY)


class Hocuspocus(YWebsocket):
    """All documents at one address: each frame names its document, the first one asks to be let in."""

    def path(self, seat: Seat) -> str:
        return "/"

    def before(self, seat: Seat) -> bytes:
        return sized(seat.room.encode())

    async def enter(self, wire: web.Wire, seat: Seat) -> None:
        token = b"\x02\x00" + sized(b"token") + sized(b"4.7.0")
        await wire.put(web.frame(self.before(seat) + token, opcode=web.BINARY))
        await super().enter(wire, seat)


def update(client: int, clock: int, key: str, text: str) -> bytes:
    """A Yjs update (version 1) of one item: the string `text` at `key` of the root map `notes`."""
    item = bytes([0x28]) + number(1) + sized(b"notes") + sized(key.encode()) + number(1) + b"w" + sized(text.encode())
    return number(1) + number(1) + number(client) + number(clock) + item + number(0)


def number(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    found = bytearray()
    while value > 127:
        found.append(128 | value & 127)
        value >>= 7
    found.append(value)
    return bytes(found)


def sized(content: bytes) -> bytes:
    return number(len(content)) + content


class Tldraw(Adapter):
    """A note is a note shape. The author gets a receipt instead of the note."""

    echo = False

    def path(self, seat: Seat) -> str:
        return f"/{seat.room}?session={seat.room}-{seat.place}"

    async def enter(self, wire: web.Wire, seat: Seat) -> None:
        hello = {"type": "connect", "connectRequestId": "c", "protocolVersion": 8, "lastServerClock": 0}
        await wire.say({**hello, "schema": schema(self.packages)})
        await until(wire, b'"type":"connect"', anywhere=True)

    def post(self, seat: Seat, number: int, text: str) -> bytes:
        note = shape(number, text)
        return web.text_frame({"type": "push", "clientClock": seat.next() + 1, "diff": {note["id"]: ["put", note]}})


@cache
def schema(packages: Path) -> Any:
    return json.loads((packages / "schema.json").read_text(encoding="utf-8"))


def shape(number: int, text: str) -> dict[str, Any]:
    words = {"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}]}
    looks = {"color": "yellow", "labelColor": "black", "size": "m", "font": "draw", "fontSizeAdjustment": 0}
    lies = {"align": "middle", "verticalAlign": "middle", "growY": 0, "url": "", "scale": 1}
    return {
        "id": f"shape:n{number}",
        "typeName": "shape",
        "type": "note",
        **PLACE,
        "props": {**looks, **lies, "richText": words, "textFirstEditedBy": None},
    }


PLACE: dict[str, Any] = {
    "x": 10,
    "y": 10,
    "rotation": 0,
    "index": "a1",
    "parentId": "page:page",
    "isLocked": False,
    "opacity": 1,
    "meta": {},
}


async def until(wire: web.Wire, begins: bytes, *, anywhere: bool = False) -> None:
    """Hears until such a frame comes."""
    while True:
        _opcode, payload = await wire.hear()
        if begins in payload if anywhere else payload.startswith(begins):
            return
