"""What leads the event is done when it is meant, once, or not at all."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from sessions.clock import now_ms
from sessions.live.uuid7 import uuid7
from tests.browser.outage import LONG, SOON, Outage, opens

TOO_LATE_MS = 31_000
OWNER = """() => {
    const { event, me } = document.querySelector("main").dataset;
    return `${event}/m${JSON.parse(me).id}`;
}"""
LEFT = """([owner, op]) => new Promise(done => {
    const entry = { id: op.id, owner, tab: "gone", at: Date.now(), op };
    indexedDB.open("zoomcafe", 2).onsuccess = ({ target: { result } }) => {
        const writing = result.transaction("ops", "readwrite");
        writing.objectStore("ops").put(entry);
        writing.oncomplete = () => { result.close(); done(); };
    };
})"""


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


def test_a_step_left_by_an_earlier_page_is_told_of(outage: Outage) -> None:
    """Ada reloads without the net; by the time it is back the step is no longer what she meant."""
    console, address = outage.ada.page, f"{outage.house.url}/events/{outage.code}/console/"
    opens(console, address)
    owner = console.evaluate(OWNER)
    console.goto(f"{outage.house.url}/about/")  # where nobody takes it over
    op = {"t": "op", "id": str(uuid7(now_ms() - TOO_LATE_MS)), "s": "stage", "k": "phase.next", "d": {}}
    console.evaluate(LEFT, [owner, op])
    opens(console, address)
    expect(console.get_by_text("That waited too long for the line.").filter(visible=True)).to_be_visible(timeout=LONG)
    expect(console.get_by_role("button", name="End session 1")).to_be_visible()


def test_a_key_held_down_is_one_step(outage: Outage) -> None:
    console = console_of(outage, outage.house.url)
    console.get_by_role("button", name="End session 1").focus()
    for _repeat in range(5):
        console.keyboard.down("Enter")
        console.wait_for_timeout(300)
    console.keyboard.up("Enter")
    expect(console.get_by_role("button", name="Open session 2")).to_be_visible(timeout=SOON)
