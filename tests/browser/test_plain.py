"""Without JavaScript a guest still sits down, posts and reads; and how much a guest's page weighs with it."""

import json
from collections import Counter
from typing import NamedTuple

import pytest
from playwright.sync_api import Page, expect

from tests.browser.house import House, People
from tests.browser.test_journey import ENGLISH, QUESTIONS, joins_by_code, prepares, signs_in, steps

MOST_BYTES = 80 * 1024
MOST_SCRIPT = 25 * 1024


@pytest.fixture
def event(house: House, visitors: People) -> tuple[str, Page]:
    """The key of an event whose first session is being seated, and the moderator's console."""
    ada = visitors.comes(width=1440, height=900)
    signs_in(ada, house)
    code = prepares(ada.page)
    steps(ada.page, "Open the doors", "Open session 1")
    steps(ada.page, "Open session 1", "Start session 1")
    return code, ada.page


def test_a_guest_without_javascript_takes_part(house: House, visitors: People, event: tuple[str, Page]) -> None:
    code, console = event
    ben, eva = visitors.comes(scripts=False, width=360), visitors.comes()
    joins_by_code(ben.page, house.url, code, "Ben", ENGLISH)
    ben.page.get_by_role("button", name="Sit at Table 1", exact=True).click()
    ben.page.wait_for_load_state()
    steps(console, "Start session 1", "End session 1")
    joins_by_code(eva.page, house.url, code, "Eva", ENGLISH)
    eva.page.get_by_role("button", name="Sit at Table 1", exact=True).click()
    eva.page.wait_for_url("**/table/")
    ben.page.goto(f"{house.url}/e/{code}/")
    question = ben.page.get_by_role("region", name=QUESTIONS[0][0])
    question.get_by_role("textbox", name="Your note").fill("By plain form")
    question.get_by_role("button", name="Post note").click()
    expect(ben.page.get_by_role("listitem").filter(has_text="By plain form")).to_be_visible()
    expect(eva.page.get_by_role("listitem").filter(has_text="By plain form")).to_be_visible(timeout=10_000)
    writing = eva.page.get_by_role("region", name=QUESTIONS[0][0])
    writing.get_by_role("textbox", name="Your note").fill("By socket")
    writing.get_by_role("button", name="Post note").click()
    expect(eva.page.get_by_role("listitem").filter(has_text="By socket")).to_be_visible()
    expect(eva.page.get_by_text("Saved", exact=True).first).to_be_attached(timeout=10_000)
    console.get_by_role("textbox", name="Say to all").fill("Coffee is ready")
    console.get_by_role("button", name="Say", exact=True).click()
    expect(eva.page.get_by_text("Coffee is ready")).to_be_visible(timeout=10_000)
    expect(eva.page.get_by_role("button", name="Put away")).to_have_count(1)
    ben.page.reload()
    expect(ben.page.get_by_role("listitem").filter(has_text="By socket")).to_be_visible()
    expect(ben.page.get_by_text("Coffee is ready")).to_be_visible()
    expect(ben.page.get_by_role("button", name="Put away")).to_have_count(0)


def test_pages_promise_to_follow_only_where_they_do(house: House, visitors: People, event: tuple[str, Page]) -> None:
    """Without JavaScript lobby and table say that they stand still, and how to read them anew."""
    code, console = event
    ben, eva = visitors.comes(scripts=False, width=360), visitors.comes()
    for guest, name in ((ben, "Ben"), (eva, "Eva")):
        joins_by_code(guest.page, house.url, code, name, ENGLISH)
    still = ben.page.locator("noscript .banner")
    expect(still).to_have_text("Without JavaScript this page does not follow by itself: reload it.")
    steps(console, "Start session 1", "End session 1")
    still.locator("a").click()
    expect(ben.page.get_by_role("heading", name="Take a seat: the talk has begun")).to_be_visible()
    ben.page.get_by_role("button", name="Sit at Table 1", exact=True).click()
    ben.page.goto(f"{house.url}/e/{code}/table/")
    expect(still).to_be_visible()
    steps(console, "End session 1", "Open session 2")
    still.locator("a").click()
    ben.page.get_by_role("link", name="Change table").filter(visible=True).click()
    promise = "This page follows by itself when it goes on."
    for guest in (ben, eva):
        expect(guest.page.get_by_role("heading", name="This session is over")).to_be_visible(timeout=10_000)
    expect(ben.page.get_by_text(promise)).to_be_hidden()
    expect(eva.page.get_by_text(promise)).to_be_visible()
    expect(eva.page.locator(".banner").filter(has_text="Without JavaScript")).to_have_count(0)


@pytest.mark.parametrize("place", ["lobby", "table"])
def test_a_guests_page_weighs_little(house: House, visitors: People, event: tuple[str, Page], place: str) -> None:
    code, _console = event
    cem = visitors.comes()
    joins_by_code(cem.page, house.url, code, "Cem", ENGLISH)
    cem.page.get_by_role("button", name="Sit at Table 1", exact=True).click()
    expect(cem.page.get_by_role("button", name="Leave", exact=True).first).to_be_visible(timeout=10_000)
    fresh = visitors.comes()
    fresh.context.add_cookies(cem.context.cookies())
    weights = weigh(fresh.page, f"{house.url}/e/{code}/{place}/")
    assert sum(weight.whole for weight in weights.values()) <= MOST_BYTES, weights
    scripts = [weight.body for name, weight in weights.items() if "/static/js/" in name]
    assert len(scripts) == 2
    assert sum(scripts) <= MOST_SCRIPT, weights


class Weight(NamedTuple):
    """Bytes as they travel; `whole` has the headers too."""

    whole: int
    body: int


def weigh(page: Page, address: str) -> dict[str, Weight]:
    """What travels for a first visit, by address."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    names: dict[str, str] = {}
    sizes: dict[str, int] = {}
    bodies: Counter[str] = Counter()
    session.on("Network.responseReceived", lambda seen: names.update({seen["requestId"]: seen["response"]["url"]}))
    session.on("Network.loadingFinished", lambda seen: sizes.update({seen["requestId"]: seen["encodedDataLength"]}))
    session.on("Network.dataReceived", lambda seen: bodies.update({seen["requestId"]: seen["encodedDataLength"]}))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    found = {names[number]: Weight(int(size), bodies[number]) for number, size in sizes.items() if number in names}
    assert len(found) >= 4, json.dumps(found)
    return found
