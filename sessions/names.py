"""The name people see at the table: what may stand there."""

import regex
from django.conf import settings

from sessions.live.limits import limits
from sessions.live.ops import Refused
from sessions.text import can_be_seen, clean_text

MOST_CLUSTERS: int = settings.LIMIT_NAME_CLUSTERS
MOST_BYTES: int = settings.LIMIT_NAME_BYTES
BIDI = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C])


def clean_name(value: object) -> str:
    """The name as it is kept: NFC, one line, no direction overrides; at most 40 grapheme clusters and 200 bytes.

    Raises `Refused` with `bad_field`, `bad_text`, `name_empty` (nothing in it can be seen) or `too_long`.
    """
    if type(value) is not str:
        raise Refused("bad_field")
    if len(value) > limits.LIMIT_FRAME_BYTES:  # by a form; cleaning it would hold up everybody
        raise Refused("too_long")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refused("bad_text") from None
    name = " ".join(clean_text(value).translate(BIDI).split())
    if not can_be_seen(name):
        raise Refused("name_empty")
    if len(name.encode()) > MOST_BYTES or len(regex.findall(r"\X", name)) > MOST_CLUSTERS:
        raise Refused("too_long")
    return name
