"""One account leads from two consoles: each tells its own steps from the other's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Page, expect

from tests.browser.everywhere import Everywhere
from tests.browser.test_journey import SOON


@pytest.fixture
def consoles(everywhere: Everywhere) -> Iterator[tuple[Page, Page]]:
    """Of the running event: in English at a desk, in German on a phone."""
    with ExitStack() as stack:
        pages = []
        for locale, width in (("en-GB", 1440), ("de-DE", 360)):
            context = everywhere.browser.new_context(locale=locale, viewport={"width": width, "height": 800})
            stack.callback(context.close)
            page = context.new_page()
            everywhere.sign_in(page)
            page.goto(f"{everywhere.house.url}/events/{everywhere.scenes['running']['key']}/console/")
            page.wait_for_function("() => !document.querySelector('[data-parts]')")
            pages.append(page)
        yield pages[0], pages[1]


def test_both_see_who_did_what_and_hear_of_the_others(consoles: tuple[Page, Page]) -> None:
    desk, phone = consoles
    desk.get_by_role("button", name="Pause", exact=True).click()
    newest_is(desk, "Clock paused", ", here")
    newest_is(phone, "Uhr angehalten", ", an anderer Regie")
    expect(phone.locator("#toasts")).to_contain_text("Uhr angehalten. Das war Ada", timeout=SOON)

    phone.get_by_role("button", name="Weiter", exact=True).click()
    newest_is(phone, "Uhr läuft weiter", ", hier")
    newest_is(desk, "Clock resumed", ", on another console")
    expect(desk.locator("#toasts")).to_contain_text("Clock resumed. Ada", timeout=SOON)
    assert desk.locator("#toasts > *").count() == phone.locator("#toasts > *").count() == 1

    phone.reload()
    newest_is(phone, "Uhr läuft weiter", ", hier")
    expect(phone.locator("#deeds-now li").nth(1)).to_contain_text("Uhr angehalten")
    expect(phone.locator("#deeds-now li").nth(1)).to_contain_text("an anderer Regie")
    expect(phone.locator("#toasts > *")).to_have_count(0)


def test_a_word_that_is_taken_back_is_not_told_as_said(consoles: tuple[Page, Page]) -> None:
    desk, phone = consoles
    phone.get_by_role("textbox", name="Durchsage an alle").fill("Noch fünf Minuten")
    phone.get_by_role("button", name="Durchsagen", exact=True).click()
    newest_is(desk, "Word to all changed", ", on another console")
    phone.get_by_role("button", name="Zurücknehmen").click()
    rows = desk.locator("#deeds-now li .what > :not([hidden])")
    expect(rows.nth(1)).to_have_text("Word to all changed", timeout=SOON)
    newest_is(phone, "Durchsage geändert", ", hier")


def newest_is(console: Page, what: str, where: str) -> None:
    row = console.locator("#deeds-now li").first
    expect(row.locator(".what > :not([hidden])")).to_have_text(what, timeout=SOON)
    expect(row).to_contain_text("Ada", timeout=SOON)
    expect(row.locator("span:not([hidden])", has_text=where).first).to_be_visible(timeout=SOON)
