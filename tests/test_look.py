"""What every page shows: the clock, and pages that hold without an event or a request."""

import pytest
from django.template.loader import render_to_string

from sessions.templatetags.look import face, figures, spoken

NOW = 1_700_000_000_000
STAGE = {
    "phase": "running",
    "session": 1,
    "ends_at": NOW + 300_000,
    "paused_left": None,
    "sessions": 2,
    "by_hand": False,
    "minutes": 20,
}


@pytest.mark.parametrize(
    ("facts", "shows"),
    [
        ({}, {"figures": "05:00", "share": 25, "word": "left", "state": "", "hidden": False}),
        ({"ends_at": NOW + 59_001}, {"figures": "01:00", "share": 5, "word": "last", "state": "last", "hidden": False}),
        (
            {"paused_left": 727_000},
            {"figures": "12:07", "share": 61, "word": "paused", "state": "paused", "hidden": False},
        ),
        ({"ends_at": NOW}, {"figures": "00:00", "share": 0, "word": "over", "state": "", "hidden": False}),
        (
            {"phase": "seating", "ends_at": None},
            {"figures": "20:00", "share": 100, "word": "waiting", "state": "", "hidden": False},
        ),
    ],
)
def test_the_cup_shows_what_is_left(facts: dict[str, object], shows: dict[str, object]) -> None:
    assert face(STAGE | facts, NOW) == shows


@pytest.mark.parametrize("phase", ["draft", "gallery", "closed", "archived"])
def test_where_no_time_runs_there_is_no_clock(phase: str) -> None:
    assert face(STAGE | {"phase": phase, "ends_at": None}, NOW)["hidden"]


def test_figures_count_the_second_that_has_begun() -> None:
    assert [figures(ms) for ms in (0, 1, 1_000, 1_001, 3_600_000)] == ["00:00", "00:01", "00:01", "00:02", "60:00"]


def test_codes_are_read_out_in_two_groups() -> None:
    assert [spoken("K7M2QXHB"), spoken("")] == ["K7M2 QXHB", ""]


def test_an_error_page_needs_neither_request_nor_event() -> None:
    page = render_to_string(
        "errors/page.html", {"status": 500, "title": "Broken", "sentence": "Ours.", "request_id": "7f3a"}
    )
    assert "<h1>Broken</h1>" in page
    assert "7f3a" in page
    assert "<form" not in page
