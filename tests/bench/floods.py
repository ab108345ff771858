"""Ways to flood a server, each as fast as one process can: functions that go on until they are killed."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.raw import frame, handshake

CALLERS = 8
READ = 65_536
HELLO = frame(b'{"t":"hello","v":1,"streams":{}}')


class Target(NamedTuple):
    port: int
    key: str
    code: str
    cookie: str
    board: str
    question: int

    def call(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)

    def head(self, line: str, *headers: str) -> bytes:
        return "\r\n".join([line, f"Host: 127.0.0.1:{self.port}", *headers, "", ""]).encode()

    def handshake(self, cookie: str) -> bytes:
        here = f"127.0.0.1:{self.port}"
        said = f"Host: {here}\r\nOrigin: http://{here}\r\nCookie: {cookie}\r\n"
        return handshake(f"/live/{self.key}/", said.encode())

    def op(self, **changed: object) -> bytes:
        data = {"q": self.question, "text": "flood", "colour": "mint"}
        return json.dumps(
            {"t": "op", "id": str(uuid.uuid4()), "s": self.board, "k": "note.add", "d": data, **changed}
        ).encode()


def flood(kind: str, target: Target) -> None:
    """Some callers at once, each beginning anew whenever it is thrown out."""
    os.nice(10)
    for _caller in range(CALLERS):
        threading.Thread(target=goes_on, args=[FLOODS[kind], target]).start()


def goes_on(act: Callable[[Target], object], target: Target) -> None:
    while True:
        with contextlib.suppress(OSError):
            act(target)


def asks(target: Target, *requests: bytes) -> None:
    with target.call() as caller:
        while True:
            for request in requests:
                caller.sendall(request)
                if not caller.recv(READ):
                    return


@contextlib.contextmanager
def seated(target: Target) -> Iterator[socket.socket]:
    with target.call() as caller:
        caller.sendall(target.handshake(target.cookie) + HELLO)
        caller.recv(READ)
        threading.Thread(target=swallows, args=[caller], daemon=True).start()
        yield caller


def swallows(caller: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while caller.recv(READ):
            pass


def ops_by_socket(target: Target) -> None:
    with seated(target) as caller:
        while True:
            caller.sendall(frame(target.op()))


def pings(target: Target) -> None:
    with seated(target) as caller:
        while True:
            caller.sendall(frame(b'{"t":"ping","c":1}') * 100)


def bad_frames(target: Target) -> None:
    with seated(target) as caller:
        while True:
            caller.sendall(frame(b"[" * 8_000) * 10)


def large_frames(target: Target) -> None:
    with seated(target) as caller:
        while True:
            caller.sendall(frame(b"a" * 250_000))


def handshakes(target: Target) -> None:
    with target.call() as caller:
        caller.sendall(target.handshake(target.cookie) + HELLO)
        caller.recv(READ)


def ops_by_post(target: Target) -> None:
    with target.call() as caller:
        while True:
            body = target.op()
            caller.sendall(
                target.head(
                    f"POST /live/{target.key}/ops HTTP/1.1",
                    f"Cookie: {target.cookie}; csrf={'a' * 32}",
                    f"X-CSRFToken: {'a' * 32}",
                    "Sec-Fetch-Site: same-origin",
                    "Content-Type: application/json",
                    f"Content-Length: {len(body)}",
                )
                + body
            )
            if not caller.recv(READ):
                return


def polls(target: Target) -> None:
    asks(target, target.head(f"GET /live/{target.key}/parts HTTP/1.1", f"Cookie: {target.cookie}"))


def table_pages(target: Target) -> None:
    asks(target, target.head(f"GET /e/{target.key}/table/ HTTP/1.1", f"Cookie: {target.cookie}"))


def join_pages(target: Target) -> None:
    asks(target, target.head(f"GET /j/{target.code}/ HTTP/1.1"))


def unknown_pages(target: Target) -> None:
    asks(target, target.head("GET /nowhere/ HTTP/1.1"))


def wrong_codes(target: Target) -> None:
    asks(target, target.head(f"GET /j/{uuid.uuid4().hex[:8]}/ HTTP/1.1"))


def files(target: Target) -> None:
    asks(target, target.head("GET /static/js/live.js HTTP/1.1"))


def half_requests(target: Target) -> None:
    callers = [target.call() for _half in range(100)]
    for caller in callers:
        caller.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
    for caller in callers:
        caller.close()


FLOODS = {
    act.__name__.replace("_", " "): act
    for act in (
        ops_by_socket,
        ops_by_post,
        polls,
        pings,
        bad_frames,
        large_frames,
        handshakes,
        table_pages,
        join_pages,
        unknown_pages,
        wrong_codes,
        files,
        half_requests,
    )
}
