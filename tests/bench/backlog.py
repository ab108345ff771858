"""How long callers wait in the backlog of the listening socket before the server takes them, as the kernel tells."""

from __future__ import annotations

import socket
import struct
import threading
import time
from pathlib import Path

NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY = 4, 20  # linux/netlink.h, linux/sock_diag.h
REQUEST, DUMP, DONE = 0x1, 0x300, 3
LISTENING = 1 << 10
HEAD = struct.Struct("=IHHII")  # nlmsghdr
ASKED = struct.Struct("=BBBxIH46x")  # inet_diag_req_v2: family, protocol, more, states, port; nothing else of the id
WAITING_AT = HEAD.size + 4 + 48 + 4  # inet_diag_msg, idiag_rqueue
EVERY_S = 0.002
NETSTAT = Path("/proc/net/netstat")


class Backlog:
    """Looks at the port's backlog in a thread of its own until the block ends.

    Who waits is taken in turn, so nobody waits for longer than callers stood there without a break: `longest_ms`.
    `mean_ms` is what all waited together for each who came (Little's law). `turned_away` callers found it full.
    """

    def __init__(self, port: int) -> None:
        self.port, self.ends = port, threading.Event()
        self.thread = threading.Thread(target=self.look, name="backlog")
        self.most, self.is_empty = 0, True
        self.longest = self.waited = 0.0

    def __enter__(self) -> Backlog:
        self.before = overflows()
        self.thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.ends.set()
        self.thread.join()
        self.turned_away = overflows() - self.before

    def found(self, callers: int) -> dict[str, float]:
        waited = {"mean_ms": round(1000 * self.waited / callers, 2), "longest_ms": round(1000 * self.longest, 2)}
        return {"most": self.most, **waited, "turned_away": self.turned_away}

    def look(self) -> None:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as kernel:
            before = since = time.monotonic()
            while not self.ends.wait(EVERY_S):
                count, now = waiting(kernel, self.port), time.monotonic()
                self.book(count, now - before, now - since)
                since = since if count else now
                before = now

    def book(self, count: int, step: float, stretch: float) -> None:
        """`count` wait; `step` since the last look, `stretch` since the last one at which nobody did (seconds)."""
        self.most, self.is_empty = max(self.most, count), not count
        self.waited += count * step
        self.longest = max(self.longest, stretch if count else 0.0)


def waiting(kernel: socket.socket, port: int) -> int:
    """How many connections nobody has accepted yet; Linux's sock_diag, see `man 7 sock_diag`."""
    asked = ASKED.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, LISTENING, socket.htons(port))
    kernel.send(HEAD.pack(HEAD.size + len(asked), SOCK_DIAG_BY_FAMILY, REQUEST | DUMP, 0, 0) + asked)
    count = 0
    while True:
        told, at = kernel.recv(65_536), 0
        while at < len(told):
            size, kind, *_rest = HEAD.unpack_from(told, at)
            if kind == DONE:
                return count
            if kind != SOCK_DIAG_BY_FAMILY:
                raise OSError("the kernel does not tell of listening sockets")
            count += int(struct.unpack_from("=I", told, at + WAITING_AT)[0])
            at += size


def overflows() -> int:
    """Connections that this machine has turned away because a backlog was full."""
    names, values = [
        line.split() for line in NETSTAT.read_text(encoding="ascii").splitlines() if line.startswith("TcpExt:")
    ]
    return int(values[names.index("ListenOverflows")])
