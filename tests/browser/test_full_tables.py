"""More people than seats: every button that cannot be used says why, and takes it back when it can."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.house import House, People
from tests.browser.test_journey import ENGLISH, SOON, joins_by_code, signs_in, steps


@pytest.fixture
def ada(house: House, visitors: People) -> Page:
    person = visitors.comes(width=1440, height=900)
    signs_in(person, house)
    page = person.page
    page.get_by_role("link", name="New event").first.click()
    page.get_by_role("textbox", name="Title").fill("Narrow")
    page.get_by_role("spinbutton", name="Number of tables").fill("2")
    page.get_by_role("spinbutton", name="Seats per table").fill("1")
    page.get_by_role("button", name="Create event").click()
    steps(page, "Open the doors", "Open session 1")
    return page


def guest(ada: Page, house: House, visitors: People, name: str) -> Page:
    found = re.search(r"/events/([A-Z0-9]{8})/", ada.url)
    assert found
    page = visitors.comes().page
    joins_by_code(page, house.url, found[1], name, ENGLISH)
    return page


def cannot(page: Page, button: str, why: str) -> None:
    found = page.get_by_role("button", name=button, exact=True)
    expect(found).to_have_attribute("aria-disabled", "true", timeout=SOON)
    found.click(force=True)
    expect(page.locator("#refused")).to_have_text(re.compile(re.escape(why)), timeout=SOON)


def test_whoever_finds_no_seat_is_told_why_until_there_is_one(ada: Page, house: House, visitors: People) -> None:
    cem, ben, dana = (guest(ada, house, visitors, name) for name in ("Cem", "Ben", "Dana"))
    cannot(dana, "Seat me", "Seats are not open yet.")
    cannot(dana, "Sit at Table 1", "Seats are not open yet.")
    steps(ada, "Open session 1", "Start session 1")
    expect(dana.locator("#refused")).to_be_hidden(timeout=SOON)
    cem.get_by_role("button", name="Sit at Table 1", exact=True).click(timeout=SOON)
    cannot(dana, "Sit at Table 1", "Table 1 is full. Choose another one.")
    ben.get_by_role("button", name="Seat me", exact=True).click(timeout=SOON)
    cannot(dana, "Seat me", "Every table is full just now.")
    expect(ada.get_by_text("1 person finds no seat.")).to_be_visible(timeout=SOON)
    ada.get_by_role("button", name="Add a seat to every table").click()
    expect(dana.locator("#refused")).to_be_hidden(timeout=SOON)
    dana.get_by_role("button", name="Seat me", exact=True).click()
    expect(dana.get_by_text("You sit at Table 1.")).to_be_visible(timeout=SOON)


def test_an_open_lobby_offers_to_stay_when_the_next_session_opens(ada: Page, house: House, visitors: People) -> None:
    cem = guest(ada, house, visitors, "Cem")
    steps(ada, "Open session 1", "Start session 1")
    cem.get_by_role("button", name="Sit at Table 1", exact=True).click(timeout=SOON)
    steps(ada, "Start session 1", "End session 1")
    cem.wait_for_url("**/table/", timeout=SOON)
    cem.get_by_role("link", name="Change table").first.click()
    cem.wait_for_url("**/lobby/", timeout=SOON)
    steps(ada, "End session 1", "Open session 2")
    steps(ada, "Open session 2", "Start session 2")
    cem.get_by_role("button", name="Stay at Table 1", exact=True).click(timeout=SOON)
    expect(cem.get_by_text("You sit at Table 1.")).to_be_visible(timeout=SOON)
