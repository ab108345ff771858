"""Ada leads a whole event with the keyboard alone: from the sign-in link to the closed doors."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.house import House, People
from tests.browser.test_by_hand import chooses, focus, keeps_focus, presses
from tests.browser.test_journey import QUESTIONS, SOON, tabs_to


def types(page: Page, name: str, text: str, *, role: str = "textbox") -> None:
    tabs_to(page, name, role=role)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def creates(page: Page, house: House) -> str:
    """The event's key."""
    page.goto(house.moderator_link())
    presses(page, "Sign in")
    page.wait_for_url("**/events/")
    presses(page, "New event", role="link")
    types(page, "Title", "By keyboard")
    types(page, "Number of tables", "2", role="spinbutton")
    for question in QUESTIONS[0]:
        types(page, f"Question {QUESTIONS[0].index(question) + 1}", question)
    presses(page, "Create event")
    page.wait_for_url("**/console/")
    found = re.search(r"/events/([A-Z0-9]{8})/", page.url)
    assert found
    return found[1]


def leads(page: Page, name: str, then: str) -> None:
    """One step; the focus stays on the button that now names the next one."""
    presses(page, name)
    expect(page.get_by_role("button", name=then, exact=True)).to_be_visible(timeout=SOON)
    keeps_focus(page)
    assert focus(page) == then


def removes_somebody(page: Page) -> None:
    expect(page.get_by_text("3 of 10 seats").first).to_be_visible(timeout=SOON)
    presses(page, "Table 1", role="link")
    dialog = page.locator("#table-dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert focus(page) == "Table 1"
    page.keyboard.press("Enter")
    person = dialog.get_by_role("listitem").first.get_by_role("button")
    name = (person.locator("span").first.text_content() or "").strip()
    presses(page, name)
    presses(page, "Remove from the event…")
    assert focus(page) == "Let stay"
    page.keyboard.press("Enter")
    assert focus(page) == "Remove from the event…"
    page.keyboard.press("Enter")
    presses(page, "Remove")
    expect(dialog.get_by_text(name)).to_have_count(0, timeout=SOON)
    keeps_focus(page)
    page.keyboard.press("Escape")
    expect(page.get_by_text("2 of 10 seats").first).to_be_visible(timeout=SOON)
    keeps_focus(page)


def pauses_and_speaks(page: Page) -> None:
    for pressed, then in (("Pause", "Resume"), ("Resume", "Pause")):
        presses(page, pressed)
        expect(page.get_by_role("button", name=then, exact=True)).to_be_visible(timeout=SOON)
        keeps_focus(page)
        assert focus(page) == then
    types(page, "Say to all", "Coffee is ready")
    presses(page, "Say")
    expect(page.get_by_text("Coffee is ready").first).to_be_visible(timeout=SOON)
    keeps_focus(page)


def hides_a_note(page: Page) -> None:
    presses(page, "Table 1", role="link")
    presses(page, "Read the board", role="link")
    page.wait_for_url("**/table/?board=*")
    tabs_to(page, "Your note", role="textbox")
    page.keyboard.type("Better not")
    page.keyboard.press("Control+Enter")
    note = page.locator("[data-question]").get_by_role("listitem").filter(has_text="Better not")
    expect(note.get_by_text("Saved", exact=True)).to_be_attached(timeout=SOON)
    for entry, then in (("Hide", 1), ("Show", 0)):
        keeps_focus(page)
        presses(page, "More")
        chooses(page, entry)
        expect(note.locator(".chip.alarm:not([hidden])")).to_have_count(then, timeout=SOON)
        keeps_focus(page)
        assert focus(page) == "More"


@pytest.fixture
def ada(visitors: People) -> Page:
    return visitors.comes(width=1440, height=900).page


def test_ada_leads_an_event_by_keyboard_alone(ada: Page, house: House) -> None:
    key = creates(ada, house)
    leads(ada, "Open the doors", "Open session 1")
    leads(ada, "Open session 1", "Start session 1")
    house.does("guests", key, "--count", "3", "--seated")
    leads(ada, "Start session 1", "End session 1")
    removes_somebody(ada)
    pauses_and_speaks(ada)
    hides_a_note(ada)
    ada.go_back()
    leads(ada, "End session 1", "Open session 2")
    presses(ada, "Jump to…")
    assert focus(ada) == "Stay here"
    ada.keyboard.press("Escape")
    assert focus(ada) == "Jump to…"
    leads(ada, "Open session 2", "Start session 2")
    leads(ada, "Start session 2", "End session 2")
    leads(ada, "End session 2", "Open the gallery walk")
    leads(ada, "Open the gallery walk", "Close the event")
    presses(ada, "Close the event")
    expect(ada.get_by_text("The event is closed").first).to_be_visible(timeout=SOON)
    keeps_focus(ada)
