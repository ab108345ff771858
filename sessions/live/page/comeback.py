"""What a closed socket means for a page, as `comeback` in static/js/core.js. Times are ms."""

from typing import Any

JITTER_MS = (500, 8_000)
STRIKE_MS = 5_000
QUICK_MS = (500, 2_000)
LOST_MS = (500, 4_000)
QUICK_TRIES = 3
TOO_FAST_MS = (30_000, 40_000)
STOPS = {4401: "join", 4403: "removed", 4404: "gone", 4409: "tabs"}


def comeback(
    code: int, *, random: float, again: bool = False, bye: int | None = None, failed: int = 0
) -> dict[str, Any]:
    """What a closed socket means: {in: ms} come back then, {stop: why} or {reload: true}.

    `random` is in [0, 1), `failed` the tries that failed since the last welcome.
    """
    if code in STOPS:
        return {"stop": STOPS[code]}
    if code in {4400, 4413, 4426} and again:
        return {"stop": "reload"}
    if code == 4426:
        return {"reload": True}
    if code in {4400, 4413}:
        return {"in": STRIKE_MS}
    if code not in {4408, 4429} and bye is not None:
        return {"in": _rounded(bye + random * 1_000)}
    lost = QUICK_MS if failed < QUICK_TRIES else LOST_MS
    low, high = {1006: lost, 4408: QUICK_MS, 4429: TOO_FAST_MS}.get(code, JITTER_MS)
    return {"in": _rounded(low + random * (high - low))}


def _rounded(ms: float) -> int:
    """As `Math.round`, which rounds halves up."""
    return int(ms + 0.5)
