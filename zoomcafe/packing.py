"""Pages put together of what is one person's and of stretches that stand in the pages of many.

A lobby of 180 tables is 800 KB, all but a few of them the same for everybody: to copy and pack it cost more than to
make it. While the page is made, tokens stand for the stretches, which are encoded and packed once. A packed stretch
does not lean on what stands before it: what is one person's (their form's token above all) never shows in how well
others pack.
"""

import secrets
import zlib
from collections.abc import Iterator, Mapping, Sequence
from struct import pack

from sessions.live.shared import Shared, packer_of_stretches

HEADER = b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xff"  # deflate, a file name follows, no time, any system
WRAP = 0xFFFFFFFF


def plain(content: bytes, shared: Mapping[str, Sequence[Shared]]) -> bytes:
    return b"".join([piece if isinstance(piece, bytes) else piece.raw for piece in pieces(content, shared)])


def packed(content: bytes, shared: Mapping[str, Sequence[Shared]], *, most_random: int) -> bytes:
    """The same as gzip; up to `most_random` bytes more blur its size (BREACH)."""
    packer, crc, size = packer_of_stretches(), 0, 0
    made = [HEADER, b"a" * secrets.randbelow(most_random), b"\0"]
    for piece in pieces(content, shared):
        raw = piece if isinstance(piece, bytes) else piece.raw
        crc, size = zlib.crc32(raw, crc), size + len(raw)
        if isinstance(piece, bytes):
            made += [packer.compress(piece), packer.flush(zlib.Z_FULL_FLUSH)]
        else:
            made.append(piece.packed)
    return b"".join([*made, packer.flush(), pack("<LL", crc, size & WRAP)])


def pieces(content: bytes, shared: Mapping[str, Sequence[Shared]]) -> Iterator[bytes | Shared]:
    """What stands between the tokens, and what the tokens stand for."""
    places = sorted((content.find(token.encode()), token) for token in shared)
    done = 0
    for at, token in places:
        if at >= 0:  # or it is another page after all
            yield content[done:at]
            yield from shared[token]
            done = at + len(token)
    yield content[done:]
