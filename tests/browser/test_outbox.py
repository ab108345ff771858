"""The browser keeps its word: through crashes, minutes offline, a line that flaps, and a power cut at the guest's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Error, Page, expect

from tests.browser.outage import (
    LONG,
    SOON,
    Outage,
    expect_live,
    expect_once,
    expect_state,
    note,
    opens,
    outage_in,
    writes,
)

MINUTES_MS = 5 * 60_000
DURABILITY = """() => { window.asked = []; const begin = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (names, mode, how) {
    if (mode === 'readwrite') asked.push(how.durability); return begin.call(this, names, mode, how); }; }"""
NEVER_STRICT = """() => { const begin = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (names, mode, how) { const begun = begin.call(this, names, mode, how);
    if (how?.durability === 'strict') Object.defineProperty(begun, 'oncomplete', {set() {}}); return begun; }; }"""
SILENT_ONCE = """() => { const open = IDBFactory.prototype.open; let asked = 0;
  IDBFactory.prototype.open = function (...how) { asked += 1; return asked === 1 ? {} : open.apply(this, how); }; }"""


@pytest.fixture(scope="module")
def outage(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    with outage_in(tmp_path_factory.mktemp("outbox"), chromium) as found:
        yield found


@pytest.fixture
def cem(outage: Outage) -> Iterator[Page]:
    """A tab of Cem's at Table 1, by the wire; his only one."""
    outage.cem.page.goto("about:blank")
    page = outage.cem.context.new_page()
    opens(page, outage.address("table", through=outage.wire.url))
    yield page
    outage.wire.let_through()
    outage.wire.end_dead()
    page.close()


@pytest.fixture
def dana(outage: Outage) -> Page:
    if not outage.dana.page.url.endswith("/table/"):
        outage.dana.page.goto(outage.address("table"))
    return outage.dana.page


@pytest.mark.parametrize("store", ["() => {}", SILENT_ONCE], ids=["a store that answers", "one too busy at first"])
def test_a_note_survives_the_crash_of_its_tab(outage: Outage, cem: Page, dana: Page, store: str) -> None:
    """Also when the next page opens without a store, as in seed 1 of chaos, ten minutes, scale."""
    text = f"The tab crashes, {len(store)}"
    outage.wire.clog()
    writes(cem, text)
    expect_state(cem, text, "Sending")
    with pytest.raises(Error, match="crash"):
        cem.goto("chrome://crash")
    outage.wire.let_through()
    outage.wire.end_dead()
    after = outage.cem.context.new_page()
    after.add_init_script(f"({store})()")
    opens(after, outage.address("table", through=outage.wire.url))
    expect_once(after, dana, text=text)
    expect_state(after, text, "Saved")
    assert outage.counts(text) == 1
    after.close()


def has_come_back(page: Page, text: str) -> None:
    """The answer that a note is saved may be here before the note itself, without which its menu does not open."""
    note(page, text).get_by_role("button", name="More").click()
    expect(page.get_by_role("menuitem", name="Delete")).to_be_visible(timeout=SOON)
    page.keyboard.press("Escape")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_hidden()


def test_five_minutes_offline_cost_nothing(outage: Outage, cem: Page, dana: Page) -> None:
    cem.clock.install()
    opens(cem, cem.url)
    for text in ("To be edited", "To be deleted"):
        writes(cem, text)
        expect_state(cem, text, "Saved")
        has_come_back(cem, text)
    outage.wire.clog()
    cem.clock.run_for(20_000)
    expect(cem.get_by_text("You are offline.")).to_be_visible(timeout=SOON)
    for n in range(3):
        writes(cem, f"Offline {n}")
    note(cem, "To be edited").get_by_role("button", name="More").click()
    note(cem, "To be edited").get_by_role("button", name="Edit").or_(cem.get_by_role("menuitem", name="Edit")).click()
    cem.get_by_role("dialog").get_by_role("textbox").fill("Edited offline")
    cem.get_by_role("button", name="Save").click()
    note(cem, "To be deleted").get_by_role("button", name="More").click()
    cem.get_by_role("menuitem", name="Delete").or_(cem.get_by_role("button", name="Delete", exact=True)).first.click()
    writes(dana, "Meanwhile")
    cem.clock.run_for(MINUTES_MS)
    for n in range(3):
        expect_state(cem, f"Offline {n}", "Not saved")
    outage.wire.let_through()
    outage.wire.end_dead()
    cem.clock.run_for(10_000)
    for text in ("Offline 0", "Offline 1", "Offline 2", "Edited offline", "Meanwhile"):
        expect_once(cem, dana, text=text)
        assert outage.counts(text) == 1
    for page in (cem, dana):
        for text in ("To be edited", "To be deleted"):
            expect(note(page, text)).to_have_count(0, timeout=LONG)
    for text in ("Offline 0", "Offline 1", "Offline 2", "Edited offline"):
        expect_state(cem, text, "Saved")


def test_a_line_that_flaps_doubles_and_loses_nothing(outage: Outage, cem: Page, dana: Page) -> None:
    texts = [f"Flapping {n}" for n in range(6)]
    for text in texts:
        writes(cem, text)
        outage.wire.cut()
        outage.wire.let_through()
        with cem.expect_websocket(timeout=LONG):
            pass
    for text in texts:
        expect_once(cem, dana, text=text)
        expect_state(cem, text, "Saved")
        assert outage.counts(text) == 1
    expect_live(cem)


def test_a_note_is_brought_to_the_disk_but_sending_does_not_wait_for_it(cem: Page, dana: Page) -> None:
    cem.evaluate(DURABILITY)
    writes(cem, "Kept through a power cut")
    expect_state(cem, "Kept through a power cut", "Saved")
    assert cem.evaluate("asked")[:2] == ["relaxed", "strict"]
    cem.evaluate(NEVER_STRICT)
    writes(cem, "The disk is slow")
    expect_once(dana, text="The disk is slow")
    expect_state(cem, "The disk is slow", "Saved")
