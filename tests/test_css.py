"""The sheets as they travel."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from zoomcafe.storage import squeeze_brotli, whole_sheet

CSS = settings.BASE_DIR / "static" / "css"
SHEETS = ("zoomcafe.css", "moderator.css")
SPLIT = re.compile(r",(?![^(]*\))")  # between selectors, not within :is()


def whole(name: str) -> str:
    return whole_sheet((CSS / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_travels_in_one_piece(name: str) -> None:
    assert "@import" not in whole(name)
    assert whole(name).count("@layer") >= 3


def test_every_sheet_travels_somewhere() -> None:
    named = {found for name in SHEETS for found in re.findall(r'@import "([^"]+)"', (CSS / name).read_text("utf-8"))}
    assert {sheet.name for sheet in CSS.glob("*.css")} == named | {*SHEETS, "print.css", "check.css"}


def test_a_guests_sheet_has_at_most_12_kilobytes() -> None:
    assert len(squeeze_brotli(whole("zoomcafe.css").encode())) <= 12 * 1024


@pytest.mark.parametrize("path", sorted(CSS.glob("*.css")), ids=lambda path: path.name)
def test_values_come_from_the_tokens(path: Path) -> None:
    """Colours are named in tokens.css (and white behind a QR code, on paper in print)."""
    source = re.sub(r"/\*.*?\*/", "", (CSS / path.name).read_text("utf-8"), flags=re.DOTALL)
    colours = set(re.findall(r"#[0-9a-fA-F]{3,8}\b", source))
    if path.name not in {"tokens.css", "print.css"}:
        assert colours <= {"#000", "#fff", "#1d1712", "#2a211b", "#1a1613"}


def test_what_changes_somewhere_does_not_lay_out_everything_anew() -> None:
    """A browser looks below the anchor of each `:has()` for all that any of them may concern: around a thousand notes
    the anchor must be near to what it asks for, and what it concerns needs a name of its own.
    """
    sheet = re.sub(r"/\*.*?\*/", "", whole("zoomcafe.css"), flags=re.DOTALL)
    selectors = [one.strip() for found in re.findall(r"([^{};]*:has\([^{]*)\{", sheet) for one in SPLIT.split(found)]
    asking = [one for one in selectors if ":has(" in one]
    assert len(asking) > 20
    wide = re.compile(
        r"^(?:html|body|main|\.tablepage|\.board|\.at-board)(?![\w-])[^ ]*:has\((?!> body)|\.notes?(?![a-z])[^:]*:has\("
    )
    assert [one for one in asking if wide.search(one)] == []
    assert [one for one in asking if re.search(r":has\(.*\) (?:.* )?(?:span|p|i|form|li|button|svg|time)$", one)] == []
