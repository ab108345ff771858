"""JSON without spaces, and letters as they are; one encoder, since `json.dumps` makes one for each call."""

import json

compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
