"""An event that is closed: its console offers nothing that would be refused, and what is needed to open it again."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.house import House, People
from tests.browser.test_journey import SOON, steps
from tests.browser.test_moderator_by_keyboard import creates

REFUSED = [
    "Share with all",
    "Add a seat",
    "Close the table",
    "Rename",
    "Move there",
    "Remove from the event…",
]


def test_a_closed_console_offers_only_what_it_does(house: House, visitors: People) -> None:
    ada = visitors.comes(width=1440, height=900)
    page = ada.page
    key = creates(page, house)
    steps(page, "Open the doors", "Open session 1")
    house.does("guests", key, "--count", "3")
    expect(page.get_by_role("button", name="Seat ").first).to_be_visible(timeout=SOON)
    jumps(page, "Gallery walk")
    page.get_by_role("textbox", name="What we all take home").fill("Courage")
    page.get_by_role("button", name="Share with all").click()
    page.get_by_role("button", name="Close the event", exact=True).click()

    expect(page.get_by_text("To change something, go back to the gallery walk first.")).to_be_visible(timeout=SOON)
    expect(page.locator("#closing-said")).to_have_text("Courage")
    offers_nothing(page)
    page.reload()
    offers_nothing(page)
    expect(page.locator("#closing-said")).to_have_text("Courage")

    jumps(page, "Gallery walk")
    expect(page.get_by_role("button", name="Share with all")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("textbox", name="What we all take home")).to_have_value("Courage")


def jumps(page: Page, where: str) -> None:
    page.get_by_role("button", name="Jump to…").click()
    page.locator("#jump").get_by_role("button", name=where).click()


def offers_nothing(page: Page) -> None:
    expect(page.get_by_role("button", name="Seat ")).to_have_count(0)
    tables = page.get_by_role("list", name="Tables").get_by_role("link")
    tables.first.click()
    expect(page.get_by_text("its tables and seats stay as they were").first).to_be_visible(timeout=SOON)
    shown = [name for name in REFUSED if page.get_by_role("button", name=name, exact=True).count()]
    assert shown == []
    page.locator("#table-dialog").get_by_role("button", name="Close", exact=True).click()
