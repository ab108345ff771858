"""What people type, cleaned once for HTTP and socket alike."""

import unicodedata

KEPT = {"\n", "\t"}


def clean_text(value: str) -> str:
    """NFC, line ends as newlines, control characters gone but newline and tab, nothing around it."""
    text = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(c for c in text if c in KEPT or unicodedata.category(c) != "Cc").strip()
