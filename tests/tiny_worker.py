"""A worker that does what a file tells it, for tests of the supervisor. Arguments: the file, then a worker's own."""

import argparse
import os
import socket
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("mood", type=Path)
    parser.add_argument("--prepare", action="store_true")
    for name in ("number", "place", "listener", "tally", "lifeline"):
        parser.add_argument(f"--{name}", type=int)
    given = parser.parse_args()
    mood = given.mood.read_text(encoding="ascii")
    if given.prepare:
        sys.exit(mood == "unprepared")
    with given.mood.with_suffix(".started").open("a", encoding="ascii") as started:
        started.write(f"{os.getpid()}\n")
    if mood == "fails":
        sys.exit(3)
    serve(socket.socket(fileno=given.lifeline), mood)


def serve(lifeline: socket.socket, mood: str) -> None:
    lifeline.send(b"r")
    while lifeline.recv(1) or mood == "hangs":
        pass
    sys.exit(mood == "stumbles")


main()
