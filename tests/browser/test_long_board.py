"""A board with more notes than fit onto many screens: laid out on approach and in time, and nothing else changes."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.house import House, People
from tests.browser.test_journey import ENGLISH, SOON, joins_by_code

NOTES = 90
TICKS_MS = 3_500
EVERY_MS = 200  # asked at each frame, the browser would never be idle
BUSY = "delete window.requestIdleCallback"  # a browser that never has time
IN_SIGHT = "note => note.querySelector('.note-text').checkVisibility({contentVisibilityAuto: true})"
LAID = "() => [...document.querySelectorAll('.notes[data-stream] > .note')].every(note => 'laid' in note.dataset)"
Opens = Callable[..., Page]


@pytest.fixture(scope="module")
def event(house: House) -> dict[str, str]:
    words = "import json; from tests.bench import opening; made = opening.event(tables=1, seats=8); "
    words += f"opening.fill(json.loads(made)['key'], notes={NOTES}, writers=3); print(made)"
    found: dict[str, str] = json.loads(house.does("shell", "-v0", "-c", words).splitlines()[-1])
    return found


@pytest.fixture
def opens(house: House, visitors: People, event: dict[str, str]) -> Opens:
    """The table as a guest's phone shows it."""

    def open_table(script: str = "") -> Page:
        page = visitors.comes(width=360, height=800, touch=True).page
        page.add_init_script(script)
        joins_by_code(page, house.url, event["code"], "Cem", ENGLISH)
        page.get_by_role("button", name="Sit at Table 1", exact=True).click(timeout=SOON)
        page.wait_for_url("**/table/", timeout=SOON)
        expect(notes(page)).to_have_count(NOTES, timeout=SOON)
        page.wait_for_function("() => !document.querySelector('[data-parts]')")
        return page

    return open_table


def notes(page: Page) -> Locator:
    return page.locator(".notes[data-stream] > .note")


def test_far_notes_are_laid_out_when_they_come_near(opens: Opens) -> None:
    page = opens(BUSY)
    first, last = notes(page).first, notes(page).last
    assert first.evaluate(IN_SIGHT)
    assert not last.evaluate(IN_SIGHT)
    last.get_by_role("button", name="More").click()
    assert last.evaluate(IN_SIGHT)
    expect(page.get_by_role("menu")).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(last.get_by_role("button", name="More")).to_be_focused()


def test_paper_shows_them_all(opens: Opens) -> None:
    page = opens(BUSY)
    page.emulate_media(media="print")
    assert notes(page).evaluate_all(f"notes => notes.every({IN_SIGHT})")


def test_in_time_all_are_laid_out_and_stay_where_they_are(opens: Opens) -> None:
    page = opens()
    page.wait_for_function(LAID, timeout=SOON, polling=EVERY_MS)
    page.evaluate("() => scrollTo(0, document.documentElement.scrollHeight)")
    high = page.evaluate("() => document.documentElement.scrollHeight")
    page.evaluate("() => scrollTo(0, 0)")
    assert page.evaluate("() => document.documentElement.scrollHeight") == high


def test_a_clock_that_goes_on_concerns_nothing_but_the_clock(opens: Opens) -> None:
    """How many elements the browser styles anew, each time the clock turns to another second."""
    page = opens()
    page.wait_for_function(LAID, timeout=SOON, polling=EVERY_MS)
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=["disabled-by-default-devtools.timeline", "devtools.timeline"])
    page.wait_for_timeout(TICKS_MS)
    seen = json.loads(browser.stop_tracing())["traceEvents"]
    styled = [one["args"]["elementCount"] for one in seen if "elementCount" in one.get("args", {})]
    assert styled
    assert max(styled) < NOTES
