"""JSON without spaces, and letters as they are."""

import json
from collections.abc import Callable
from json import encoder
from typing import Any


def lasting(usual: json.JSONEncoder) -> Callable[[Any], str]:
    """`usual.encode` for what holds no circles. It would have the encoder in C made anew for each call."""
    make = getattr(encoder, "c_make_encoder", None)
    if make is None:  # Pythons without it
        return usual.encode
    quoted = getattr(encoder, "encode_basestring_ascii" if usual.ensure_ascii else "encode_basestring")
    how = (usual.key_separator, usual.item_separator, usual.sort_keys, usual.skipkeys, usual.allow_nan)
    walk = make(None, usual.default, quoted, None, *how)
    return lambda value: "".join(walk(value, 0))


ascii_text: Callable[[str], str] = encoder.encode_basestring_ascii  # as JSON writes a text by itself
json_text: Callable[[str], str] = encoder.encode_basestring  # a text alone, as `compact` writes it
compact = lasting(json.JSONEncoder(ensure_ascii=False, separators=(",", ":")))
