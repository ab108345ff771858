"""The sheets as they travel."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from zoomcafe.storage import squeeze_brotli, whole_sheet

CSS = settings.BASE_DIR / "static" / "css"
SHEETS = ("zoomcafe.css", "moderator.css")


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
