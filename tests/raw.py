"""A real `serve` asked byte by byte: what a polite client library would never send."""

from __future__ import annotations

import contextlib
import json
import socket
from base64 import b64encode
from pathlib import Path

from tests.browser.house import House

SET_UP = """
import json
from tests.cafe import Cafe
cafe = Cafe().runs()
board, question = cafe.board().pk, cafe.question().pk
print(json.dumps([cafe.event.key, cafe.event.join_code, cafe.cookie(cafe.cem), cafe.cookie(cafe.ben), board, question]))
"""
READ = 65_536


class Raw:
    """A house with a running event in it; Cem and Ben sit at table 1."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.house.start()
        found = json.loads(self.house.does("shell", "-v0", "-c", SET_UP).splitlines()[-1])
        self.key, self.code, self.cem, self.ben, self.board, self.question = found
        self.read_of_log = 0

    @property
    def host(self) -> bytes:
        return f"Host: 127.0.0.1:{self.house.port}\r\n".encode()

    def call(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.house.port), timeout=60)

    def ask(self, *pieces: bytes) -> bytes:
        """Everything that is answered until the server hangs up."""
        with self.call() as caller:
            return ask(caller, *pieces)

    def get(self, path: str, *, method: str = "GET", headers: bytes = b"", body: bytes = b"") -> bytes:
        """A whole request; `headers` are lines that end as lines do."""
        length = b"Content-Length: %d\r\n" % len(body) if body else b""
        line = f"{method} {path} HTTP/1.1\r\n".encode("latin-1")
        return self.ask(line + self.host + length + headers + b"Connection: close\r\n\r\n", body)

    def is_well(self) -> bool:
        return status(self.get("/healthz")) == 200

    def handshake(self, path: str, *, origin: str = "", headers: bytes = b"") -> socket.socket:
        """A socket just asked for; its answer is not read yet."""
        caller = self.call()
        asked = self.host + f"Origin: {origin or self.house.url}\r\n".encode() + headers
        caller.sendall(handshake(path, asked))
        return caller

    def new_lines(self) -> list[str]:
        """Of the log, since it was asked for last."""
        with self.house.log.open("rb") as log:
            log.seek(self.read_of_log)
            lines = log.read()
        self.read_of_log += len(lines)
        return lines.decode("utf-8").split("\n")[:-1]


def handshake(path: str, headers: bytes) -> bytes:
    """What asks for a socket; `headers` are lines that end as lines do, the host among them."""
    wishes = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    key = b"Sec-WebSocket-Key: " + b64encode(bytes(16)) + b"\r\n"
    return f"GET {path} HTTP/1.1\r\n".encode() + wishes + key + headers + b"\r\n"


def ask(caller: socket.socket, *pieces: bytes) -> bytes:
    """Everything that is answered until the server hangs up."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for piece in pieces:
            caller.sendall(piece)
    return read_all(caller)


def read_all(caller: socket.socket) -> bytes:
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := caller.recv(READ):
            answer += piece
    return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def frame(payload: bytes, *, first: int = 0x81, length: int | None = None) -> bytes:
    """A frame with a mask of zeros; `length` is what its header claims."""
    size = len(payload) if length is None else length
    head = bytes([first, 0x80 | (size if size < 126 else 126 if size < 65_536 else 127)])
    more = b"" if size < 126 else size.to_bytes(2 if size < 65_536 else 8, "big")
    return head + more + bytes(4) + payload
