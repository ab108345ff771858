"""Which core is whose."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

SERVER_CORE, GENERATOR_CORE = 0, 1
CORES = frozenset(os.sched_getaffinity(0))


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started inside stays on that core for good; this process comes back to where it was.

    Of all cores we were given, whatever this process is bound to now; without that core among them, on all of them.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core} & CORES or CORES)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
