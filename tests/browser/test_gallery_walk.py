"""Whoever walks the gallery sees which tables they have looked at, however long these are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.everywhere import Everywhere
from tests.browser.test_journey import SOON

LOOKED_AT = "number => JSON.parse(localStorage.getItem(`zc-seen-${main.dataset.event}`) ?? '[]').includes(number)"


@pytest.fixture
def slit(everywhere: Everywhere) -> Iterator[Page]:
    """A window of which every board is several times as long."""
    context = everywhere.browser.new_context(
        locale="en-GB", viewport={"width": 360, "height": 240}, reduced_motion="reduce"
    )
    everywhere.introduce(context, "guest")
    page = context.new_page()
    page.goto(f"{everywhere.house.url}/e/{everywhere.scenes['gallery']['key']}/gallery/")
    page.wait_for_function("() => !document.querySelector('[data-parts]')")
    yield page
    context.close()


def test_a_board_that_is_longer_than_two_windows_counts_as_looked_at(slit: Page) -> None:
    board = slit.locator(".exhibit").last
    board.evaluate("board => scrollTo(0, board.getBoundingClientRect().top + scrollY)")
    assert board.evaluate("board => board.offsetHeight > 2 * innerHeight")
    slit.wait_for_function(LOOKED_AT, arg=board.get_attribute("data-table-no"), timeout=SOON)
