"""The two frames of RFC 6455 that nearly everything is: text in one piece, masked as it comes and plain as it goes."""

from __future__ import annotations

import functools
from collections.abc import Iterator

LONGEST_MESSAGE = 16 * 1024  # bytes
TEXT, MASKED, TWO_BYTES = 0x81, 0x80, 126  # final and text; a size that stands in the next two bytes


@functools.lru_cache(maxsize=16)
def text_frame(text: str) -> bytes:
    """RFC 6455, 5.2: final, text, unmasked."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return bytes([0x81, size]) + payload
    if size < 65_536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


def whole_texts(data: bytes) -> Iterator[tuple[str, int]]:
    """The texts of masked frames that are messages by themselves, as browsers send them, each with the position behind
    it; ends before anything else.
    """
    at, end = 0, len(data)
    while end - at > 6 and data[at] == TEXT:
        size, start = data[at + 1] - MASKED, at + 2
        if size == TWO_BYTES:
            size, start = int.from_bytes(data[start : start + 2], "big"), start + 2
            if size < TWO_BYTES:
                return
        elif not 0 < size < TWO_BYTES:
            return
        at = start + 4 + size
        if at > end or size > LONGEST_MESSAGE:
            return
        mask = (data[start : start + 4] * (size // 4 + 1))[:size]
        masked = int.from_bytes(data[start + 4 : at], "big") ^ int.from_bytes(mask, "big")
        try:
            text = masked.to_bytes(size, "big").decode()
        except UnicodeDecodeError:
            return
        yield text, at
