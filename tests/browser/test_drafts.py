"""Half-typed words come back where they can be seen, are offered once, and never twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.outage import SOON, Outage, another_event, outage_in


@pytest.fixture(scope="module")
def house(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    with outage_in(tmp_path_factory.mktemp("drafts"), chromium) as found:
        yield found


@pytest.fixture
def outage(house: Outage) -> Outage:
    """A running session of an event of its own; Cem has a phone."""
    found = another_event(house)
    found.cem.page.set_viewport_size({"width": 360, "height": 800})
    return found


def turns_to(page: Page, number: int) -> None:
    page.get_by_role("radio", name=f"Question {number}").check(force=True)


def goes_to_the_lobby_and_back(page: Page) -> None:
    page.get_by_role("link", name="Change table").filter(visible=True).click()
    page.wait_for_url("**/lobby/")
    page.get_by_role("link", name="Go to the table").click()
    page.wait_for_url("**/table/")


def test_a_phone_shows_the_question_under_which_a_note_was_begun(outage: Outage) -> None:
    page = outage.cem.page
    turns_to(page, 2)
    page.locator("[data-draft]").nth(1).fill("Half a thou")
    goes_to_the_lobby_and_back(page)
    expect(page.locator("[data-draft]").nth(1)).to_have_value("Half a thou")
    expect(page.get_by_role("radio", name="Question 2")).to_be_checked()
    expect(page.locator("[data-draft]").nth(1)).to_be_visible(timeout=SOON)
    turns_to(page, 1)
    page.locator("[data-draft]").first.fill("Another")
    goes_to_the_lobby_and_back(page)
    expect(page.get_by_role("radio", name="Question 1")).to_be_checked()
    expect(page.locator("[data-draft]").first).to_have_value("Another")
