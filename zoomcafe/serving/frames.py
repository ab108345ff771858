"""The two frames of RFC 6455 that nearly everything is: text in one piece, masked as it comes and plain as it goes."""

from __future__ import annotations

import functools

LONGEST_MESSAGE = 16 * 1024  # bytes
MOST_AT_ONCE = 16  # of one socket, before others have a turn
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


def whole_texts(data: bytes) -> list[str] | None:
    """The texts of a few masked frames, each a message by itself, as browsers send them; null for anything else."""
    texts: list[str] = []
    at, end = 0, len(data)
    while at < end:
        if end - at < 6 or data[at] != TEXT or len(texts) == MOST_AT_ONCE:
            return None
        size = data[at + 1] - MASKED
        at += 2
        if size == TWO_BYTES:
            size = int.from_bytes(data[at : at + 2], "big")
            at += 2
            if size < TWO_BYTES:
                return None
        elif not 0 < size < TWO_BYTES:
            return None
        start, at = at + 4, at + 4 + size
        if at > end or size > LONGEST_MESSAGE:
            return None
        mask = (data[start - 4 : start] * (size // 4 + 1))[:size]
        masked = int.from_bytes(data[start:at], "big") ^ int.from_bytes(mask, "big")
        try:
            texts.append(masked.to_bytes(size, "big").decode())
        except UnicodeDecodeError:
            return None
    return texts or None
