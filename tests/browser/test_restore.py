"""The server comes back from an older copy: pages notice, and everything written comes back exactly once."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.outage import (
    LONG,
    SOON,
    Outage,
    another_event,
    expect_once,
    expect_state,
    note,
    opens,
    outage_in,
    writes,
)

RESTORED = "The café was restored from a copy"
AGAIN = re.compile(rf"{RESTORED}; your notes (are being|have been) sent again\.")

LISTEN = """() => { window.sent = [];
  const [send, fetch] = [WebSocket.prototype.send, window.fetch];
  WebSocket.prototype.send = function (data) { sent.push(data); return send.call(this, data); };
  window.fetch = (address, how) => { sent.push(String(how?.body)); return fetch(address, how); }; }"""


@pytest.fixture(scope="module")
def house(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    with outage_in(tmp_path_factory.mktemp("restore"), chromium) as found:
        yield found


@pytest.fixture
def outage(house: Outage) -> Outage:
    """A running session of an event of its own."""
    return another_event(house)


def copies(outage: Outage) -> str:
    return outage.house.does("backup").strip()


def comes_back_from(outage: Outage, copy: str) -> None:
    """The machine is lost; the operator brings the copy back and starts the server."""
    outage.house.kill()
    outage.house.does("restore", copy)
    outage.house.start()


def edits(page: Page, text: str, new: str) -> None:
    chooses(page, text, "Edit")
    page.get_by_role("dialog").get_by_role("textbox").fill(new)
    page.get_by_role("button", name="Save").click()


def chooses(page: Page, text: str, what: str) -> None:
    note(page, text).get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name=what).or_(page.get_by_role("button", name=what, exact=True)).first.click()


def says_so(page: Page) -> Locator:
    return page.locator('[data-notice="restored"]')


def test_everything_written_after_the_copy_comes_back_once(outage: Outage) -> None:
    cem, dana = outage.cem.page, outage.dana.page
    for page, text in ((cem, "Cem, in the copy"), (dana, "Dana, in the copy"), (cem, "Deleted later")):
        writes(page, text)
        expect_once(cem, dana, text=text)
    copy = copies(outage)
    for page, text in ((cem, "Cem, after the cpoy"), (dana, "Dana, after the copy"), (cem, "Short-lived")):
        writes(page, text)
        expect_once(cem, dana, text=text)
    edits(cem, "Cem, after the cpoy", "Cem, after the coyp")
    expect_once(cem, dana, text="Cem, after the coyp")
    edits(cem, "Cem, after the coyp", "Cem, after the copy")
    expect_once(cem, dana, text="Cem, after the copy")
    for text in ("Deleted later", "Short-lived"):
        chooses(cem, text, "Delete")
        expect(note(dana, text)).to_have_count(0, timeout=SOON)
    comes_back_from(outage, copy)
    for page in (cem, dana):
        expect(says_so(page).filter(has_text=AGAIN)).to_be_visible(timeout=LONG)
    stay = ["Cem, after the copy", "Cem, in the copy", "Dana, after the copy", "Dana, in the copy"]
    for text in stay:
        expect_once(cem, dana, text=text)
        expect_state(cem if text.startswith("Cem") else dana, text, "Saved")
        assert outage.counts(text) == 1
    for text in ("Deleted later", "Short-lived", "Cem, after the cpoy", "Cem, after the coyp"):
        expect(note(cem, text)).to_have_count(0)
        expect(note(dana, text)).to_have_count(0)
    for page in (cem, dana):
        expect(says_so(page)).to_be_hidden(timeout=LONG)
        expect(page.get_by_text("You had begun a note:")).to_be_hidden()
    writes(dana, "And on it goes")
    expect_once(cem, dana, text="And on it goes")


def test_a_removed_person_stays_removed(outage: Outage) -> None:
    cem, dana = outage.cem.page, outage.dana.page
    copy = copies(outage)
    writes(cem, "Written by Cem")
    expect_once(cem, dana, text="Written by Cem")
    found = cem.evaluate("() => JSON.parse(document.getElementById('main').dataset.me).id")
    outage.moderates("room", "person.set", p=found, removed=True)
    expect(cem.get_by_text("You are not part of this event any more.")).to_be_visible(timeout=SOON)
    comes_back_from(outage, copy)
    expect(says_so(dana)).to_be_visible(timeout=LONG)
    answer = cem.goto(outage.address("table"))
    assert answer is not None
    assert answer.status == 403
    assert outage.counts("Written by Cem") == 0
    expect(dana.get_by_role("complementary", name="At the table").get_by_text("Cem")).to_have_count(0, timeout=SOON)


def test_pages_opened_afterwards_hand_in_what_closed_ones_had_written(outage: Outage) -> None:
    cem, dana = outage.cem.page, outage.dana.page
    copy = copies(outage)
    writes(cem, "Its tab is closed")
    writes(dana, "Its page is loaded again")
    expect_once(cem, dana, text="Its tab is closed")
    expect_once(cem, dana, text="Its page is loaded again")
    cem.close()
    outage.house.kill()
    dana.goto("about:blank")
    outage.house.does("restore", copy)
    outage.house.start()
    first, second = (outage.cem.context.new_page() for _tab in range(2))
    for page, through in ((first, outage.wire.url), (second, outage.wire.url), (dana, "")):
        opens(page, outage.address("table", through=through))
    for text in ("Its tab is closed", "Its page is loaded again"):
        expect_once(first, second, dana, text=text)
        assert outage.counts(text) == 1


def test_two_tabs_of_a_person_hand_in_once(outage: Outage) -> None:
    cem = outage.cem.page
    other = outage.cem.context.new_page()
    opens(other, outage.address("table", through=outage.wire.url))
    copy = copies(outage)
    for n in range(3):
        writes(cem if n % 2 else other, f"Note {n}")
        expect_once(cem, other, text=f"Note {n}")
        expect_state(cem, f"Note {n}", "Saved")
    for page in (cem, other):
        page.evaluate(LISTEN)
    comes_back_from(outage, copy)
    for n in range(3):
        expect_once(cem, other, text=f"Note {n}")
        expect_state(cem, f"Note {n}", "Saved")
        assert outage.counts(f"Note {n}") == 1
        sent = [frame for page in (cem, other) for frame in page.evaluate("sent")]
        assert len([frame for frame in sent if f"Note {n}" in frame]) == 1


def test_a_page_without_sockets_hands_in_too(outage: Outage) -> None:
    cem, dana = outage.cem.page, outage.dana.page
    outage.wire.refuse_sockets()
    cem.reload()
    copy = copies(outage)
    writes(cem, "Posted by polling")
    expect_once(dana, text="Posted by polling")
    expect_state(cem, "Posted by polling", "Saved")
    comes_back_from(outage, copy)
    expect_once(cem, dana, text="Posted by polling")
    expect(says_so(cem).filter(has_text=AGAIN)).to_be_visible(timeout=LONG)
    assert outage.counts("Posted by polling") == 1
