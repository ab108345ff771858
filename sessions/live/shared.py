"""Markup that stands in the pages of many, as it is and packed."""

import zlib
from functools import cached_property

from django.utils.safestring import SafeString

LONG = 8 * 1024  # characters: a shorter one goes with what stands around it


class Shared(SafeString):
    """Says nothing about who looks."""

    @cached_property
    def raw(self) -> bytes:
        return self.encode()

    @cached_property
    def packed(self) -> bytes:
        """A stretch of a deflate stream that leans on nothing before it, and on which nothing after it leans."""
        packer = packer_of_stretches()
        return packer.compress(self.raw) + packer.flush(zlib.Z_FULL_FLUSH)


def packer_of_stretches() -> "zlib._Compress":
    return zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
