"""The server clock, in the unit of the wire."""

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def as_datetime(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, tz=UTC)


def as_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
