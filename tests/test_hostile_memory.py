"""What one socket can make the server keep (A84): less than 1 MiB, whatever it sends and however little it fetches."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from tests.raw import frame, handshake, read_all, status
from tests.test_serving import HOST, MIB, Tiny, running

SOCKETS = 5
SENT = 24 * MIB  # at most, by each
MESSAGE = 256 * 1024
ON_AND_ON, BEGUN, LAST = 0x00, 0x01, 0x80


@pytest.fixture
def tiny() -> Iterator[Tiny]:
    with running() as tiny:
        yield tiny


def opened(tiny: Tiny, path: str) -> socket.socket:
    caller = tiny.call()
    caller.sendall(handshake(path, HOST))
    assert status(caller.recv(4096)) == 101
    caller.settimeout(0.5)
    return caller


def sends(caller: socket.socket, sent: bytes) -> bool:
    """Whether all of it was taken."""
    try:
        caller.sendall(sent)
    except TimeoutError:
        return False
    return True


def crumbs() -> bytes:
    """One message of almost 256 KiB in frames of a byte each, that never ends."""
    return frame(b"a", first=BEGUN) + frame(b"a", first=ON_AND_ON) * (MESSAGE - 2)


def wide() -> bytes:
    """One message of 256 KiB that is four times as large in memory."""
    return frame("😀".encode() + b"a" * (MESSAGE - 4))


def wide_ones() -> bytes:
    """Short enough to be heard, four times as large in memory, several in one reading."""
    return frame("😀".encode() + b"a" * 15_000)


def many(one: bytes) -> bytes:
    return one * (SENT // len(one))


FLOODS = {
    "texts, answers not fetched": ("/", many(frame(b"abc"))),
    "pings, pongs not fetched": ("/", many(frame(b"", first=0x89))),
    "long pings": ("/", many(frame(b"a" * 125, first=0x89))),
    "texts that nobody takes": ("/deaf", many(frame(b"a"))),
    "long texts that nobody takes": ("/deaf", many(frame(b"a" * 16_000))),
    "wide texts that nobody takes": ("/deaf", wide() * 20),
    "shorter wide texts": ("/deaf", many(wide_ones())),
    "a text in crumbs": ("/deaf", crumbs()),
    "texts of no words": ("/deaf", many(frame(b""))),
}


@pytest.mark.parametrize(("path", "sent"), FLOODS.values(), ids=FLOODS)
def test_nobody_makes_the_server_keep_more_than_a_mebibyte(tiny: Tiny, path: str, sent: bytes) -> None:
    with contextlib.ExitStack() as stack:
        callers = [stack.enter_context(opened(tiny, path)) for _socket in range(SOCKETS)]
        before = tiny.memory()
        for caller in callers:
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                sends(caller, sent)
        assert status(tiny.get()) == 200
        assert (tiny.memory() - before) / SOCKETS < MIB


def test_who_is_not_heard_for_a_while_is_heard_whole_and_in_order(tiny: Tiny) -> None:
    """Reading rests while nobody takes anything, or fetches nothing; then everything is there."""
    words = [b"a" * (1 + n % 300) for n in range(100_000)]
    with opened(tiny, "/deaf") as caller:
        caller.setblocking(False)
        pending, got = b"".join(frame(word) for word in words), b""
        taken = caller.send(pending)
        assert taken < len(pending), "more than is kept for one socket"
        pending = pending[taken:]
        tiny.get(b"/wake")
        caller.settimeout(20)
        while pending:
            taken = caller.send(pending[:65_536])
            pending = pending[taken:]
        answers = b"".join(b"\x81%c%d" % (len(str(len(word))), len(word)) for word in words)
        while len(got) < len(answers):
            got += caller.recv(65_536)
        assert got == answers
        caller.sendall(frame(b"\x03\xe8", first=0x88))
        assert read_all(caller) == b"\x88\x02\x03\xe8"


def test_who_fetches_nothing_is_cut_off_beyond_what_a_page_may_have_on_its_way(tiny: Tiny) -> None:
    with opened(tiny, "/flood") as caller, contextlib.suppress(ConnectionResetError):
        assert tiny.line() == "cut off"
        assert status(tiny.get()) == 200
        assert len(read_all(caller)) < 16 * MIB
