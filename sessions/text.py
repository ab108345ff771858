"""What people type, cleaned once for HTTP and socket alike."""

import re
import unicodedata

CONTROLS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {ord("\n"), ord("\t")})  # all of category Cc
UNSEEN = {"\u2800", "\u3164", "\u115f", "\u1160", "\uffa0"}  # letters and symbols without a shape
TWO_MARKS = {"\u0f73", "\u0f75", "\u0f81"}  # each becomes two marks, and says it were none
PERHAPS_MARKS = re.compile("[\u0300-\u1fff\u20d0-\U0010ffff]")  # no mark lies outside
# Latin letters and common signs: all that cleaning does to such a text is to strip it.
LEFT_ALONE = re.compile("[\n\t -~\u00a0-\u02ff\u2010-\u2027\u20a0-\u20bf]*")
MOST_MARKS = 30  # in a row, as in Unicode's stream-safe text; no language comes near


def clean_text(value: str) -> str:
    """NFC, line ends as newlines, control characters gone but newline and tab, nothing around it."""
    text = composed(value.replace("\r\n", "\n").replace("\r", "\n"))
    return (text if text.isprintable() else text.translate(CONTROLS)).strip()


def composed(text: str) -> str:
    """NFC. Longer runs of marks piece by piece: Unicode has a run sorted, which takes the square of its length."""
    if text.isascii():
        return text
    if not PERHAPS_MARKS.search(text):  # what most Europeans write; character by character takes five times as long
        return unicodedata.normalize("NFC", text)
    if not any(map(unicodedata.combining, text)) and TWO_MARKS.isdisjoint(text):
        return unicodedata.normalize("NFC", text)
    pieces: list[str] = []
    start = marks = 0
    for at, c in enumerate(text):
        marks = marks + 1 if unicodedata.combining(c) or c in TWO_MARKS else 0
        if marks > MOST_MARKS:
            pieces.append(unicodedata.normalize("NFC", text[start:at]))
            start, marks = at, 1
    return "".join([*pieces, unicodedata.normalize("NFC", text[start:])])


def can_be_seen(text: str) -> bool:
    """Whether anything in it has a shape; spaces, joiners and fillers have none."""
    if text[:1].isascii() and text[:1].isalnum():  # most that people write
        return True
    return any(c not in UNSEEN and unicodedata.category(c)[0] in "LNPS" for c in text)
