"""Half-typed words come back where they can be seen, are offered once, and never twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.outage import (
    SOON,
    Outage,
    another_event,
    expect_once,
    expect_state,
    note,
    opens,
    outage_in,
    writes,
)
from tests.browser.test_fault_endings import KEPT


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


def edits(page: Page, text: str) -> Locator:
    """Opens "Edit" of the note; its field."""
    note(page, text).get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Edit").click()
    return page.get_by_role("textbox", name="Text of the note")


def test_what_was_begun_in_edit_waits_there_until_it_is_saved(outage: Outage) -> None:
    page = outage.cem.page
    writes(page, "Benches")
    expect_state(page, "Benches", "Saved")
    edits(page, "Benches").fill("Benches and sha")
    page.keyboard.press("Escape")
    expect(edits(page, "Benches")).to_have_value("Benches and sha")
    opens(page, page.url)
    expect(page.get_by_text("You had begun").filter(visible=True)).to_have_count(0)
    field = edits(page, "Benches")
    expect(field).to_have_value("Benches and sha")
    expect(page.get_by_text("Meanwhile this note was changed:")).to_be_hidden()
    field.fill("Benches and shade")
    page.get_by_role("button", name="Save", exact=True).click()
    expect_once(page, outage.dana.page, text="Benches and shade")
    assert page.evaluate(KEPT) == []
    expect(edits(page, "Benches and shade")).to_have_value("Benches and shade")


def test_what_is_cancelled_in_edit_is_forgotten(outage: Outage) -> None:
    page = outage.cem.page
    writes(page, "Trees")
    expect_state(page, "Trees", "Saved")
    edits(page, "Trees").fill("Trees, or no")
    assert len(page.evaluate(KEPT)) == 1
    page.get_by_role("button", name="Cancel").click()
    assert page.evaluate(KEPT) == []
    expect(edits(page, "Trees")).to_have_value("Trees")


def second_device(outage: Outage) -> Page:
    """Cem's laptop: the same person, another browser."""
    context = outage.visitors.browser.new_context(locale="en-GB")
    context.add_cookies(outage.cem.context.cookies())
    page = context.new_page()
    opens(page, outage.address("table"))
    return page


def test_what_others_made_of_the_note_is_seen_before_it_is_replaced(outage: Outage) -> None:
    page = outage.cem.page
    writes(page, "Fountain")
    expect_state(page, "Fountain", "Saved")
    edits(page, "Fountain").fill("Fountain and wel")
    page.keyboard.press("Escape")
    laptop = second_device(outage)
    edits(laptop, "Fountain").fill("Drinking fountain")
    laptop.get_by_role("button", name="Save", exact=True).click()
    expect_once(page, text="Drinking fountain")
    expect(edits(page, "Drinking fountain")).to_have_value("Fountain and wel")
    theirs = page.get_by_role("dialog").get_by_role("paragraph").filter(has_text="Drinking fountain")
    expect(page.get_by_text("Meanwhile this note was changed:")).to_be_visible()
    expect(theirs).to_be_visible()
    page.keyboard.press("Escape")
    expect(edits(page, "Drinking fountain")).to_have_value("Fountain and wel")
    expect(theirs).to_be_visible()
    page.get_by_role("textbox", name="Text of the note").fill("Drinking fountain and well")
    page.get_by_role("button", name="Save", exact=True).click()
    expect_once(page, laptop, text="Drinking fountain and well")
    laptop.context.close()


def test_a_change_that_was_not_saved_is_offered_on_the_next_page(outage: Outage) -> None:
    page = outage.cem.page
    writes(page, "Lamps")
    expect_state(page, "Lamps", "Saved")
    edits(page, "Lamps").fill("Lamps at night")
    page.keyboard.press("Escape")
    for _step in ("over", "seating"):
        outage.moderates("stage", "phase.next")
    page.wait_for_url("**/lobby/", timeout=SOON)
    expect(page.get_by_text("You had begun to change a note:")).to_be_visible(timeout=SOON)
    expect(page.locator("q").filter(has_text="Lamps at night")).to_be_visible()
    expect(page.get_by_role("button", name="Add it")).to_be_hidden()
    page.get_by_role("button", name="Save the change").click()
    expect(page.get_by_text("Your note lies on the table now.")).to_be_visible(timeout=SOON)
    assert outage.counts("Lamps at night") == 1
    assert outage.counts("Lamps") == 0
    assert page.evaluate(KEPT) == []
