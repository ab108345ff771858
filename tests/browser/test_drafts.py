"""Half-typed words come back where they can be seen, are offered once, and never twice."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.outage import (
    SOON,
    Outage,
    expect_once,
    expect_state,
    note,
    opens,
    writes,
)
from tests.browser.test_fault_endings import KEPT


@pytest.fixture
def outage(outage: Outage) -> Outage:
    """Cem has a phone."""
    outage.cem.page.set_viewport_size({"width": 360, "height": 800})
    return outage


def turns_to(page: Page, number: int) -> None:
    page.get_by_role("radio", name=f"Question {number}").check(force=True)


def goes_to_the_lobby(page: Page) -> None:
    page.get_by_role("link", name="Change table").filter(visible=True).click()
    page.wait_for_url("**/lobby/")
    expect(page.get_by_role("heading", level=1)).to_have_text("The talk has begun")  # and not: take a seat


def goes_to_the_lobby_and_back(page: Page) -> None:
    goes_to_the_lobby(page)
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
    expect(page.get_by_text("Your change is saved.")).to_be_visible(timeout=SOON)
    assert outage.counts("Lamps at night") == 1
    assert outage.counts("Lamps") == 0
    assert page.evaluate(KEPT) == []


LEFT_OVER = """text => {
    const { draft: s, q, tableName: table } = document.querySelector("[data-draft]").dataset;
    const { event, me } = document.querySelector("main").dataset;
    const entry = { s, q: Number(q), table, text, at: Date.now() };
    localStorage.setItem(`zc-draft/${event}/${JSON.parse(me).id}/${s} ${q} another`, JSON.stringify(entry));
}"""


def test_what_is_refused_at_its_own_table_stands_there_once(outage: Outage) -> None:
    """A note of an earlier page that its table did not take is offered at that table too."""
    page, text = outage.cem.page, "Much too long" * 80
    page.evaluate(LEFT_OVER, text)
    opens(page, page.url)
    page.get_by_role("button", name="Add it to Table 1").click()
    expect(page.locator("[data-draft]").first).to_have_value(text, timeout=SOON)
    page.wait_for_timeout(500)
    expect(page.get_by_text("You had begun a note:")).to_be_hidden()
    assert len(page.evaluate(KEPT)) == 1


def begins(outage: Outage, text: str) -> Page:
    """Cem stands in the lobby, where what he has begun at Table 1 is offered."""
    page = outage.cem.page
    page.locator("[data-draft]").first.fill(text)
    goes_to_the_lobby(page)
    expect(page.locator("q").filter(has_text=text)).to_be_visible(timeout=SOON)
    return page


DEAF = "addEventListener('storage', event => event.stopImmediatePropagation(), true)"


@pytest.mark.parametrize("script", ["", DEAF], ids=["that hears of it", "that hears nothing"])
def test_a_text_is_added_once_though_two_tabs_offer_it(outage: Outage, script: str) -> None:
    text = f"Offered twice, {len(script)}"
    page = begins(outage, text)
    other = outage.cem.context.new_page()
    other.add_init_script(script)
    opens(other, page.url)
    for tab in (page, other):
        expect(tab.get_by_text("You had begun a note:")).to_be_visible(timeout=SOON)
    page.get_by_role("button", name="Add it to Table 1").click()
    expect(page.get_by_text("Your note lies on the table now.")).to_be_visible(timeout=SOON)
    if script:
        other.get_by_role("button", name="Add it to Table 1").click()
    expect(other.get_by_text("You had begun a note:")).to_be_hidden(timeout=SOON)
    other.wait_for_timeout(1_000)
    assert outage.counts(text) == 1
    other.close()


def test_what_was_added_in_the_lobby_does_not_stand_in_its_composer_again(outage: Outage) -> None:
    page = begins(outage, "Added, then back")
    page.get_by_role("button", name="Add it to Table 1").click()
    expect(page.get_by_text("Your note lies on the table now.")).to_be_visible(timeout=SOON)
    page.go_back()
    expect_once(page, text="Added, then back")
    expect(page.locator("[data-draft]").first).to_have_value("")


def test_what_was_only_begun_stands_in_its_composer_again(outage: Outage) -> None:
    page = begins(outage, "Begun, then back")
    page.go_back()
    expect(page.locator("[data-draft]").first).to_have_value("Begun, then back")


@pytest.mark.parametrize("name", ["Discard", "Keep for me", "Add it to Table 1"])
def test_a_double_click_does_not_touch_the_next_text(outage: Outage, name: str) -> None:
    page = outage.cem.page
    page.locator("[data-draft]").first.fill("The first")
    turns_to(page, 2)
    page.locator("[data-draft]").nth(1).fill("The second")
    goes_to_the_lobby(page)
    offered = page.get_by_role("region", name="A note you had begun")
    expect(offered.locator("q")).to_have_text("The first", timeout=SOON)
    offered.get_by_role("button", name=name).dblclick()
    expect(offered.locator("q")).to_have_text("The second", timeout=SOON)
    page.wait_for_timeout(500)
    expect(offered.locator("q")).to_have_text("The second")
    offered.get_by_role("button", name=name).click()
    expect(offered).to_be_hidden(timeout=SOON)
