"""What people type, cleaned once for HTTP and socket alike."""

import unicodedata

KEPT = {"\n", "\t"}
UNSEEN = {"\u2800", "\u3164", "\u115f", "\u1160", "\uffa0"}  # letters and symbols without a shape


def clean_text(value: str) -> str:
    """NFC, line ends as newlines, control characters gone but newline and tab, nothing around it."""
    text = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(c for c in text if c in KEPT or unicodedata.category(c) != "Cc").strip()


def can_be_seen(text: str) -> bool:
    """Whether anything in it has a shape; spaces, joiners and fillers have none."""
    return any(c not in UNSEEN and unicodedata.category(c)[0] in "LNPS" for c in text)
