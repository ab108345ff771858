"""The two frames of RFC 6455 that nearly everything is: text in one piece, masked as it comes and plain as it goes."""

from __future__ import annotations

import functools
from collections.abc import Iterator

LONGEST_MESSAGE = 16 * 1024  # bytes
TEXT, MASKED = 0x81, 0x80  # final and text
TWO_BYTES, EIGHT_BYTES = 126, 127  # instead of a size, which stands in the next ones
MASKED_TWO_BYTES = bytes([MASKED + TWO_BYTES])
SHORT = [bytes([TEXT, size]) for size in range(TWO_BYTES)]


def text_frame(text: str) -> bytes:
    """RFC 6455, 5.2: final, text, unmasked."""
    payload = text.encode()
    size = len(payload)
    if size < TWO_BYTES:
        return SHORT[size] + payload
    if size < 65_536:
        return bytes([TEXT, TWO_BYTES]) + size.to_bytes(2, "big") + payload
    return bytes([TEXT, EIGHT_BYTES]) + size.to_bytes(8, "big") + payload


def xored(data: bytes | bytearray | memoryview, mask: bytes | bytearray) -> bytes:
    """RFC 6455, 5.3."""
    size = len(data)
    masks = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(masks, "big")).to_bytes(size, "big")


try:
    from websockets.speedups import apply_mask as unmasked  # the same in C, where the library has it
except ImportError:
    unmasked = xored

shared_text_frame = functools.lru_cache(maxsize=16)(text_frame)  # of what several are told, one after the other


def sole_text(data: bytes) -> str | None:
    """The text of a frame as `whole_texts` knows them, where that is all there is."""
    size, start = len(data) - 6, 2
    if size <= 0 or data[0] != TEXT:
        return None
    if size >= TWO_BYTES:
        size, start = size - 2, 4
        if size < TWO_BYTES or size > LONGEST_MESSAGE or data[1:4] != MASKED_TWO_BYTES + size.to_bytes(2, "big"):
            return None
    elif data[1] != MASKED + size:
        return None
    return _text(data, start, len(data))


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
        text = _text(data, start, at)
        if text is None:
            return
        yield text, at


def _text(data: bytes, start: int, end: int) -> str | None:
    """What follows behind the mask at `start`; null where that is no UTF-8."""
    try:
        return unmasked(data[start + 4 : end], data[start : start + 4]).decode()
    except UnicodeDecodeError:
        return None
