"""Says again and again how long the same short work took, until it is ended. Needs nothing but Python.

Appends two doubles each time: the moment on the monotonic clock, and the seconds of processor time. Begins with some
work that is not counted, after which the caches hold what it needs, whoever used the core before.
"""

import struct
import sys
import time
from pathlib import Path

EVERY_S = 0.05
SAMPLE = struct.Struct("=dd")
ROUNDS = 1_000  # some 0.1 ms


def work(rounds: int) -> dict[int, str]:
    """What interpreters do most: small objects, looked up and thrown away."""
    found: dict[int, str] = {}
    for number in range(rounds):
        found[number % 97] = f"{number}x"
    return found


def main(path: str) -> None:
    with Path(path).open("ab", buffering=0) as file:
        while True:
            time.sleep(EVERY_S)
            work(ROUNDS // 2)
            before = time.thread_time()
            work(ROUNDS)
            file.write(SAMPLE.pack(time.monotonic(), time.thread_time() - before))


if __name__ == "__main__":
    main(sys.argv[1])
