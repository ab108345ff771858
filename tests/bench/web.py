"""HTTP and WebSocket from the asking side, with next to nothing around the bytes: a generator must cost little."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

MOST_HEAD = 65_536
TOO_BUSY = 503
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
Address = tuple[str, int]


@dataclass(slots=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def cookies(self) -> dict[str, str]:
        pairs = (value.partition(";")[0].partition("=") for key, value in self.headers if key == "set-cookie")
        return {name: value for name, _, value in pairs if value}


async def ask_again(where: Address, path: str, busy: list[float], **how: Any) -> Answer:
    """As `ask`; while the server is too busy it is asked again when it says, and `busy` gets the moment."""
    while (answer := await ask(where, path, **how)).status == TOO_BUSY:
        busy.append(time.monotonic())
        await asyncio.sleep(float(answer.header("retry-after") or 1))
    return answer


async def ask(
    where: Address,
    path: str,
    *,
    method: str = "GET",
    cookies: str = "",
    typed: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request on a connection of its own, as a browser's; redirects are not followed."""
    body = urlencode(typed).encode() if typed is not None else b""
    lines = {"Accept": "text/html", "Accept-Encoding": "gzip", "Connection": "close", **(headers or {})}
    if cookies:
        lines["Cookie"] = cookies
    if typed is not None:
        origin = f"http://{where[0]}:{where[1]}"
        lines |= {"Origin": origin, "Referer": f"{origin}{path}", "Sec-Fetch-Site": "same-origin"}
        lines |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    reader, writer = await asyncio.open_connection(*where)
    try:
        writer.write(head(method, path, where, lines) + body)
        raw = await reader.read()
    finally:
        writer.close()
    return read_answer(raw)


def head(method: str, path: str, where: Address, lines: Mapping[str, str]) -> bytes:
    told = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\nHost: {where[0]}:{where[1]}\r\n{told}\r\n".encode()


def read_answer(raw: bytes) -> Answer:
    """Raises `ConnectionError` for what is no answer."""
    top, gap, body = raw.partition(b"\r\n\r\n")
    status, *lines = top.decode("latin-1").split("\r\n")
    if not gap:
        raise ConnectionError("no answer")
    pairs = (line.partition(":") for line in lines)
    return Answer(int(status.split()[1]), [(name.lower(), value.strip()) for name, _, value in pairs], body)


def frame(payload: bytes, *, opcode: int = TEXT) -> bytes:
    """A client's frame. Its mask is zero, which is a mask like any other and leaves the payload as it is."""
    count = len(payload)
    if count < 126:
        size = bytes([0x80 | count])
    elif count < 65_536:
        size = bytes([0x80 | 126]) + count.to_bytes(2, "big")
    else:
        size = bytes([0x80 | 127]) + count.to_bytes(8, "big")
    return bytes([0x80 | opcode]) + size + bytes(4) + payload


def text_frame(content: Any) -> bytes:
    return frame(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


class Wire:
    """One WebSocket until the hot loop takes it over: `socket` and `rest`, the bytes that were read but not heard."""

    def __init__(self, opened: socket.socket, rest: bytes) -> None:
        self.socket, self.rest = opened, rest

    @classmethod
    async def open(cls, where: Address, path: str, *, headers: Mapping[str, str] | None = None) -> Wire:
        """Raises `ConnectionError` when the server does not change protocols."""
        loop = asyncio.get_running_loop()
        opened = socket.socket()
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setblocking(False)
        try:
            await loop.sock_connect(opened, where)
            await loop.sock_sendall(opened, head("GET", path, where, upgrade(where) | dict(headers or {})))
            return cls(opened, await shaken(loop, opened))
        except BaseException:
            opened.close()
            raise

    async def say(self, content: Any) -> None:
        await self.put(text_frame(content))

    async def put(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def hear(self) -> tuple[int, bytes]:
        """The next frame but pings: opcode and payload. Raises `ConnectionError` when the server hangs up."""
        while True:
            found = split(self.rest)
            if found is None:
                more = await asyncio.get_running_loop().sock_recv(self.socket, MOST_HEAD)
                if not more:
                    raise ConnectionError("hung up")
                self.rest += more
                continue
            opcode, payload, self.rest = found
            if opcode == CLOSE:
                raise ConnectionError(f"closed with {int.from_bytes(payload[:2], 'big')}")
            if opcode == PING:
                await self.put(frame(payload, opcode=PONG))
            else:
                return opcode, payload

    def close(self) -> None:
        self.socket.close()


def upgrade(where: Address) -> dict[str, str]:
    return {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
        "Origin": f"http://{where[0]}:{where[1]}",
    }


async def shaken(loop: asyncio.AbstractEventLoop, opened: socket.socket) -> bytes:
    """Reads the answer to the handshake; what came after it."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        more = await loop.sock_recv(opened, MOST_HEAD)
        if not more:
            raise ConnectionError(f"hung up in the handshake: {raw[:200]!r}")
        raw += more
    top, _, rest = raw.partition(b"\r\n\r\n")
    if b" 101 " not in top.split(b"\r\n")[0]:
        raise ConnectionError(top[:200].decode("latin-1"))
    return rest


def split(data: bytes) -> tuple[int, bytes, bytes] | None:
    """The first frame of a server as opcode, payload, and what follows; none while it is not complete."""
    if len(data) < 2:
        return None
    count, start = data[1] & 127, 2
    if count > 125:
        start = 4 if count == 126 else 10
        count = int.from_bytes(data[2:start], "big")
    if len(data) < max(start, start + count):
        return None
    return data[0] & 15, data[start : start + count], data[start + count :]
