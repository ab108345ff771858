"""What people type, cleaned once for HTTP and socket alike."""

import unicodedata

KEPT = {"\n", "\t"}
UNSEEN = {"\u2800", "\u3164", "\u115f", "\u1160", "\uffa0"}  # letters and symbols without a shape
MOST_MARKS = 30  # in a row, as in Unicode's stream-safe text; no language comes near


def clean_text(value: str) -> str:
    """NFC, line ends as newlines, control characters gone but newline and tab, nothing around it."""
    text = composed(value.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(c for c in text if c in KEPT or unicodedata.category(c) != "Cc").strip()


def composed(text: str) -> str:
    """NFC. Longer runs of marks piece by piece: Unicode has a run sorted, which takes the square of its length."""
    pieces: list[str] = []
    start = marks = 0
    for at, c in enumerate("" if text.isascii() else text):
        marks = marks + 1 if unicodedata.combining(c) else 0
        if marks > MOST_MARKS:
            pieces.append(unicodedata.normalize("NFC", text[start:at]))
            start, marks = at, 1
    return "".join([*pieces, unicodedata.normalize("NFC", text[start:])])


def can_be_seen(text: str) -> bool:
    """Whether anything in it has a shape; spaces, joiners and fillers have none."""
    return any(c not in UNSEEN and unicodedata.category(c)[0] in "LNPS" for c in text)
