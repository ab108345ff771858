"""How things end: a session under half-typed text, the last one by itself, an event that is deleted."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.outage import (
    SOON,
    Outage,
    expect_break,
    expect_state,
    note,
    opens,
    types,
    writes,
)

TO_THE_END = {"minutes": -240}
ONE_MINUTE = re.compile(r"^\s*0[01]:")
KEPT = "() => Object.keys(localStorage).filter(key => key.startsWith('zc-draft/'))"
STORED = """name => new Promise(done => { const opening = indexedDB.open('zoomcafe', 2);
  opening.onsuccess = () => { const all = opening.result.transaction(name).objectStore(name).getAll();
    all.onsuccess = () => { opening.result.close(); done(all.result.length); }; }; })"""


def ends_session_under(outage: Outage, page: Page, text: str) -> None:
    """Session 1 ends and session 2 is opened while `text` stands in a composer; the page stays, its reader goes."""
    types(page, text)
    outage.moderates("stage", "phase.next")
    outage.moderates("stage", "phase.next")
    outage.dana.page.wait_for_url("**/lobby/", timeout=SOON)
    expect(page.get_by_text("You are in the middle of a text. Take your time; it")).to_be_visible(timeout=SOON)
    assert page.url.endswith("/table/")
    page.get_by_role("link", name="Go there now").click()
    page.wait_for_url("**/lobby/", timeout=SOON)
    expect(page.locator("q").filter(has_text=text)).to_be_visible(timeout=SOON)


def test_text_under_way_at_the_end_is_offered_and_added_late(outage: Outage) -> None:
    page = outage.cem.page
    ends_session_under(outage, page, "Nearly too late")
    page.get_by_role("button", name="Add it to Table 1").click()
    expect(page.get_by_text("You had begun a note:")).to_be_hidden(timeout=SOON)
    page.reload()
    expect(page.get_by_text("You had begun a note:")).to_be_hidden()
    assert outage.counts("Nearly too late", late=True) == 1


def test_text_under_way_at_the_end_can_be_discarded(outage: Outage) -> None:
    page = outage.cem.page
    ends_session_under(outage, page, "Better not")
    page.get_by_role("button", name="Discard").first.click()
    expect(page.get_by_text("You had begun a note:")).to_be_hidden(timeout=SOON)
    assert page.evaluate(KEPT) == []
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("Better not")).to_have_count(0)
    assert outage.counts("Better not") == 0


def test_a_note_on_its_way_when_the_session_ends_is_not_lost(outage: Outage) -> None:
    page = outage.cem.page
    outage.wire.clog()
    writes(page, "On its way at the gong")
    expect_state(page, "On its way at the gong", "Sending")
    outage.moderates("stage", "phase.next")
    outage.wire.let_through()
    outage.wire.end_dead()
    expect_state(page, "On its way at the gong", "Saved")
    assert outage.counts("On its way at the gong") == 1


def to_the_last_session(outage: Outage) -> None:
    """Session 2 runs; Cem sits at Table 1, Dana stands in the lobby."""
    for _step in ("over", "seating"):
        outage.moderates("stage", "phase.next")
    for guest in (outage.cem, outage.dana):
        guest.page.wait_for_url("**/lobby/", timeout=SOON)
    outage.cem.page.get_by_role("button", name="Stay at Table 1", exact=True).click()
    expect(outage.cem.page.get_by_text("You sit at Table 1.")).to_be_visible(timeout=SOON)
    outage.moderates("stage", "phase.next")
    outage.cem.page.wait_for_url("**/table/", timeout=SOON)


def test_every_page_turns_to_the_gallery_by_itself(outage: Outage) -> None:
    to_the_last_session(outage)
    console, screen = (outage.ada.context.new_page() for _page in range(2))
    opens(console, f"{outage.house.url}/events/{outage.code}/console/")
    opens(screen, f"{outage.house.url}/events/{outage.code}/screen/")
    outage.moderates("stage", "clock.add", **TO_THE_END)
    for guest in (outage.cem, outage.dana):
        guest.page.wait_for_url("**/gallery/", timeout=SOON)
        expect(guest.page.get_by_role("heading", name="Gallery walk")).to_be_visible()
    expect(console.get_by_role("button", name="Close the event")).to_be_visible(timeout=SOON)
    expect(screen.locator("main")).to_have_attribute("data-phase", "gallery", timeout=SOON)
    outage.cem.page.go_back()
    walk = outage.cem.page.get_by_role("heading", name="Gallery walk")
    go = outage.cem.page.get_by_role("link", name="Go there now")
    expect(walk.or_(go)).to_be_visible(timeout=SOON)  # the browser may show the table as it was
    outage.cem.page.evaluate("() => document.querySelector('[data-notice=stay] [data-go]')?.click()")
    expect(walk).to_be_visible(timeout=SOON)
    for guest in (outage.cem, outage.dana):
        assert guest.complaints == []


def test_a_page_without_a_line_stays_until_the_line_is_back(outage: Outage) -> None:
    """It would only meet the browser's error page."""
    to_the_last_session(outage)
    page = outage.cem.page
    page.clock.install()
    opens(page, page.url)
    outage.moderates("stage", "clock.add", minutes=-19)
    expect(page.get_by_role("timer").first).to_have_text(ONE_MINUTE, timeout=SOON)
    outage.wire.cut()
    expect_break(page)
    outage.moderates("stage", "clock.add", **TO_THE_END)
    page.clock.fast_forward(70_000)
    expect(page.get_by_text("The gallery walk is open. This page follows")).to_be_visible(timeout=SOON)
    page.wait_for_timeout(2_000)
    assert page.url.endswith("/table/")
    outage.wire.let_through()
    page.wait_for_url("**/gallery/", timeout=3 * SOON)


def test_a_page_in_mid_sentence_is_not_led_to_the_gallery(outage: Outage) -> None:
    to_the_last_session(outage)
    page = outage.cem.page
    types(page, "One more thing")
    outage.moderates("stage", "clock.add", **TO_THE_END)
    outage.dana.page.wait_for_url("**/gallery/", timeout=SOON)
    expect(page.get_by_text("You are in the middle of a text. Take your time; it")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("textbox", name="Your note").first).to_have_value("One more thing")
    page.get_by_role("link", name="Go there now").click()
    page.wait_for_url("**/gallery/", timeout=SOON)
    page.get_by_role("button", name="Add it to Table 1").click()
    expect(page.get_by_text("You had begun a note:")).to_be_hidden(timeout=SOON)
    expect(page.get_by_role("listitem").filter(has_text="One more thing")).to_be_visible(timeout=SOON)
    expect(page.get_by_text("No notes were written.")).to_be_hidden()
    assert outage.counts("One more thing", late=True) == 1


@pytest.mark.parametrize("pause_ms", [0, 250])
def test_a_double_click_takes_one_step(outage: Outage, pause_ms: int) -> None:
    console = outage.ada.page
    outage.moderates("stage", "phase.next")
    opens(console, f"{outage.house.url}/events/{outage.code}/console/")
    button = console.get_by_role("button", name="Open session 2", exact=True)
    box = button.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    console.mouse.click(x, y)
    console.wait_for_timeout(pause_ms)
    console.mouse.down(click_count=2)
    console.mouse.up(click_count=2)
    expect(console.get_by_role("button", name="Start session 2", exact=True)).to_be_visible(timeout=SOON)
    console.wait_for_timeout(1_000)
    expect(console.get_by_role("button", name="Start session 2", exact=True)).to_be_visible()


def test_a_deleted_event_says_so_and_leaves_nothing_behind(outage: Outage) -> None:
    page, lobby = outage.cem.page, outage.dana.context.new_page()
    opens(lobby, outage.address("lobby"))
    writes(page, "Sent")
    expect_state(page, "Sent", "Saved")
    outage.wire.clog()
    writes(page, "Never sent")
    types(page, "Half typed")
    expect_state(page, "Never sent", "Sending")
    assert page.evaluate(KEPT) != []
    assert page.evaluate(STORED, "ops") == 1
    assert page.evaluate(STORED, "kept") > 0
    outage.ada.page.goto(f"{outage.house.url}/events/{outage.code}/delete/")
    outage.ada.page.get_by_role("button", name="Delete for good").click()
    expect(outage.ada.page.get_by_role("heading", name="Your events")).to_be_visible(timeout=SOON)
    outage.wire.let_through()
    outage.wire.end_dead()
    for place in (page, outage.dana.page, lobby):
        expect(place.get_by_text("This event is no longer here.")).to_be_visible(timeout=3 * SOON)
    expect(note(page, "Never sent")).to_have_count(1)  # what stands on the page can still be copied
    assert page.evaluate(KEPT) == []
    assert page.evaluate(STORED, "ops") == page.evaluate(STORED, "kept") == 0
    types(page, "Typed afterwards")
    assert page.evaluate(KEPT) == []
    answer = page.goto(outage.address("table"))
    assert answer is not None
    assert answer.status == 404
