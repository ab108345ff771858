"""What leads the event is done when it is meant, once, or not at all."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.outage import LONG, SOON, Outage, opens

TOO_LATE_MS = 31_000


def console_of(outage: Outage, url: str) -> Page:
    """Ada's second one, behind the wire or not."""
    page = outage.ada.context.new_page()
    opens(page, f"{url}/events/{outage.code}/console/")
    return page


def test_a_step_that_waited_for_the_line_is_not_taken_later(outage: Outage) -> None:
    """Ada's laptop loses the net without a word; meanwhile she goes on from her phone."""
    laptop = console_of(outage, outage.wire.url)
    outage.wire.clog()
    laptop.get_by_role("button", name="End session 1").click()
    laptop.wait_for_timeout(TOO_LATE_MS)
    laptop.get_by_role("button", name="End session 1").click()
    expect(laptop.get_by_text("There is no connection just now.").filter(visible=True)).to_be_visible(timeout=SOON)
    expect(laptop.get_by_text("your words wait here")).to_be_visible()
    outage.moderates("stage", "clock.add", minutes=5)
    outage.wire.let_through()
    outage.wire.end_dead()
    expect(laptop.get_by_text("That waited too long for the line.").filter(visible=True)).to_be_visible(timeout=LONG)
    expect(laptop.get_by_role("button", name="End session 1")).to_be_visible()
    assert outage.dana.page.url.endswith("/table/")


def test_a_key_held_down_is_one_step(outage: Outage) -> None:
    console = console_of(outage, outage.house.url)
    console.get_by_role("button", name="End session 1").focus()
    for _repeat in range(5):
        console.keyboard.down("Enter")
        console.wait_for_timeout(300)
    console.keyboard.up("Enter")
    expect(console.get_by_role("button", name="Open session 2")).to_be_visible(timeout=SOON)
