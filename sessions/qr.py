"""A QR code as SVG, with neither style attributes nor scripts."""

from itertools import groupby

import segno

QUIET = 4  # modules of white around the code, as the standard asks for


def svg(text: str) -> str:
    """A picture of `text` with its white ground, error correction M; parts of a path are rows of dark modules."""
    rows = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix]
    side = len(rows) + 2 * QUIET
    dark = "".join(_bars(row, QUIET + y) for y, row in enumerate(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#1d1712" d="{dark}"/></svg>'
    )


def _bars(row: bytes, y: int) -> str:
    x, bars = QUIET, []
    for dark, run in groupby(row):
        width = len(list(run))
        if dark:
            bars.append(f"M{x} {y}h{width}v1h-{width}z")
        x += width
    return "".join(bars)
