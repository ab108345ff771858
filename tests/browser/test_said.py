"""What concerns everybody is in sight wherever one has scrolled to: the moderator's word, the gong, a refusal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.everywhere import Everywhere
from tests.browser.test_journey import SOON


@pytest.fixture
def phone(everywhere: Everywhere) -> Iterator[Page]:
    context = everywhere.browser.new_context(
        locale="en-GB", has_touch=True, is_mobile=True, viewport={"width": 360, "height": 800}, reduced_motion="reduce"
    )
    everywhere.introduce(context, "guest")
    yield context.new_page()
    context.close()


def goes(page: Page, everywhere: Everywhere, scene: str, place: str) -> None:
    page.goto(f"{everywhere.house.url}/e/{everywhere.scenes[scene]['key']}/{place}/")
    page.wait_for_function("() => !document.querySelector('[data-parts]')")


def scrolls_down(page: Page) -> None:
    page.evaluate("() => scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_function("() => scrollY > 400")


def is_in_sight(banner: Locator) -> None:
    expect(banner).to_be_visible(timeout=SOON)
    expect(banner).to_be_in_viewport(ratio=0.99, timeout=SOON)
    crown = banner.page.locator("header.bar").bounding_box()
    box = banner.bounding_box()
    assert crown is not None
    assert box is not None
    assert box["y"] >= crown["y"] + crown["height"] or crown["y"] + crown["height"] <= 0


@pytest.mark.parametrize(("scene", "place"), [("seating", "lobby"), ("running", "table"), ("gallery", "gallery")])
def test_everybody_reads_the_moderators_word_until_it_is_taken_back(
    everywhere: Everywhere, phone: Page, scene: str, place: str
) -> None:
    goes(phone, everywhere, scene, place)
    scrolls_down(phone)
    word = phone.locator("[data-notice=word]")
    everywhere.moderates(scene, "stage", "word.say", text=f"Coffee in the {place}")
    expect(word).to_have_text(f"The moderator says: Coffee in the {place} Put away", timeout=SOON, use_inner_text=True)
    is_in_sight(word)
    everywhere.moderates(scene, "stage", "word.say", text="")
    expect(word).to_be_hidden(timeout=SOON)


def test_a_word_that_was_read_stays_away_and_the_next_one_comes(everywhere: Everywhere, phone: Page) -> None:
    everywhere.moderates("running", "stage", "word.say", text="Five minutes")
    goes(phone, everywhere, "running", "table")
    word = phone.locator("[data-notice=word]")
    expect(word).to_be_visible(timeout=SOON)
    word.get_by_role("button", name="Put away").tap()
    everywhere.moderates("running", "stage", "clock.add", minutes=1)
    phone.reload()
    phone.wait_for_function("() => !document.querySelector('[data-parts]')")
    expect(word).to_be_hidden()
    everywhere.moderates("running", "stage", "word.say", text="One minute")
    expect(word).to_be_visible(timeout=SOON)


@pytest.mark.parametrize("meanwhile", [[], [""]], ids=["at once", "taken back"])
def test_the_same_word_said_again_is_read_again(everywhere: Everywhere, phone: Page, meanwhile: list[str]) -> None:
    """On the page that is open, and on the one that the server makes meanwhile; once more put away it stays away."""
    words = f"Please come to an end ({len(meanwhile)})"
    everywhere.moderates("running", "stage", "word.say", text=words)
    goes(phone, everywhere, "running", "table")
    word = phone.locator("[data-notice=word]")
    for fresh in (False, True):
        expect(word).to_be_visible(timeout=SOON)
        word.get_by_role("button", name="Put away").tap()
        expect(word).to_be_hidden()
        if fresh:
            phone.goto("about:blank")
        for text in (*meanwhile, words):
            everywhere.moderates("running", "stage", "word.say", text=text)
        if fresh:
            goes(phone, everywhere, "running", "table")
    expect(word).to_be_visible(timeout=SOON)
    word.get_by_role("button", name="Put away").tap()
    goes(phone, everywhere, "running", "table")
    expect(word).to_be_hidden()


def test_the_gong_is_seen_at_the_end_of_a_long_board(everywhere: Everywhere, phone: Page) -> None:
    everywhere.moderates("running", "stage", "word.say", text="")
    goes(phone, everywhere, "running", "table")
    scrolls_down(phone)
    everywhere.moderates("running", "stage", "phase.go", phase="over", session=2)
    is_in_sight(phone.locator("[data-notice=gong]"))
    everywhere.moderates("running", "stage", "phase.go", phase="running", session=2)


def test_the_reason_why_a_seat_cannot_be_had_is_seen_where_it_was_tapped(everywhere: Everywhere, phone: Page) -> None:
    goes(phone, everywhere, "lobby", "lobby")
    last = phone.get_by_role("button", name="Sit at Willow")
    last.scroll_into_view_if_needed()
    last.tap(force=True)
    is_in_sight(phone.locator("#refused"))
