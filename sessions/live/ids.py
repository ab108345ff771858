"""Ids of operations. Python has UUIDv7 from 3.14 on."""

import secrets
from collections.abc import Callable
from uuid import UUID

from sessions.clock import now_ms


def uuid7(ms: int | None = None, *, bits: Callable[[int], int] = secrets.randbits) -> UUID:
    """A UUIDv7 (RFC 9562) of the moment `ms`, now when absent; `bits` gives random ones."""
    stamp = now_ms() if ms is None else ms
    return UUID(int=stamp << 80 | 0x7 << 76 | bits(12) << 64 | 0b10 << 62 | bits(62))
