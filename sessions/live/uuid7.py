"""Identities of operations: UUID version 7, in the order of their making."""

import secrets
import uuid

from sessions.clock import now_ms


def uuid7(now: int | None = None, random: int | None = None) -> uuid.UUID:
    """`now` in ms since the epoch; `random` gives the 74 bits after version and variant (for tests)."""
    bits = secrets.randbits(74) if random is None else random
    high, low = bits >> 62, bits & ((1 << 62) - 1)
    return uuid.UUID(int=(now_ms() if now is None else now) << 80 | 7 << 76 | high << 64 | 2 << 62 | low)


def made_at(identity: uuid.UUID) -> int:
    """The time in it, ms since the epoch: its maker's word, and the same whenever the operation arrives again."""
    return identity.int >> 80
