"""Seeds that found something, by what it was. They run with the tests, and find nothing any more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """A short run, `seconds` of trouble; the fault was mended by the commit whose subject is `mended`."""

    profile: str
    seed: int
    seconds: float
    browsers: int
    mended: str


FOUND = {
    "the end of a visit taken for an answer, one server": Found(
        "sqlite", 5, 20.0, browsers=1, mended="Take the end of a visit for no answer"
    ),
    "the end of a visit taken for an answer, two servers": Found(
        "scale", 5, 20.0, browsers=0, mended="Take the end of a visit for no answer"
    ),
}
