"""The server comes back from an older copy: pages notice, and everything written comes back exactly once."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.outage import (
    LONG,
    SOON,
    Outage,
    expect_once,
    expect_state,
    note,
    opens,
    sits,
    types,
    writes,
)
from tests.several import until

RESTORED = "The café was restored from a copy"
AGAIN = re.compile(rf"{RESTORED}; your notes (are being|have been) sent again\.")

LISTEN = """() => { window.sent = [];
  const [send, fetch] = [WebSocket.prototype.send, window.fetch];
  WebSocket.prototype.send = function (data) { sent.push(data); return send.call(this, data); };
  window.fetch = (address, how) => { sent.push(String(how?.body)); return fetch(address, how); }; }"""


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
    answer = outage.cem.context.new_page().goto(outage.address("table"))  # the old one may go there by itself
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
        until(lambda n=n: outage.counts(f"Note {n}") == 1)  # type: ignore[misc]  # pages show it all the while
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


def test_who_had_a_seat_has_it_again_and_notes_wait_for_their_session(outage: Outage) -> None:
    outage.moderates("stage", "phase.go", phase="seating", session=1)
    finn = outage.guest("Finn").page
    copy = copies(outage)
    sits(finn, "Table 2")
    outage.moderates("stage", "phase.next")
    finn.wait_for_url("**/table/", timeout=SOON)
    for text in ("Before the crash", "Soon after"):
        writes(finn, text)
        expect_state(finn, text, "Saved")
    comes_back_from(outage, copy)
    finn.wait_for_url("**/lobby/", timeout=LONG)
    expect(finn.get_by_text("You sit at Table 2.")).to_be_visible(timeout=LONG)
    expect(says_so(finn).get_by_text("Some of your notes wait until their session runs again.")).to_be_visible()
    outage.moderates("stage", "phase.next")
    finn.wait_for_url("**/table/", timeout=LONG)
    for text in ("Before the crash", "Soon after"):
        expect_once(finn, text=text)
        expect_state(finn, text, "Saved")
        assert outage.counts(text) == 1
    expect(finn.get_by_text("You had begun a note:")).to_be_hidden()


def test_words_that_cannot_be_taken_again_are_offered_to_keep(outage: Outage) -> None:
    outage.moderates("stage", "phase.go", phase="seating", session=1)
    finn = outage.guest("Finn").page
    copy = copies(outage)
    sits(finn, "Table 2")
    outage.moderates("stage", "phase.next")
    finn.wait_for_url("**/table/", timeout=SOON)
    for text in ("Words to keep", "Words of no use"):
        writes(finn, text)
        expect_state(finn, text, "Saved")
    chooses(finn, "Words of no use", "Delete")
    expect(note(finn, "Words of no use")).to_have_count(0, timeout=SOON)
    finn.goto("about:blank")
    comes_back_from(outage, copy)
    outage.moderates("stage", "phase.go", phase="gallery")
    opens(finn, outage.address("gallery"))
    offered = finn.get_by_role("region", name="A note you had begun")
    expect(offered.get_by_text("Words to keep")).to_be_visible(timeout=LONG)
    expect(finn.locator(".banner.alarm").filter(visible=True)).to_have_count(0)
    offered.get_by_role("button", name="Keep for me").click()
    expect(offered).to_be_hidden()
    finn.get_by_text("1 text kept for you").click()
    expect(finn.locator('[data-notice="kept"]').get_by_text("Words to keep")).to_be_visible()
    assert outage.counts("Words to keep") == outage.counts("Words of no use") == 0


def test_what_people_take_home_comes_back_and_boards_are_shown_as_they_are(outage: Outage) -> None:
    writes(outage.cem.page, "Read in the gallery")
    expect_state(outage.cem.page, "Read in the gallery", "Saved")
    outage.moderates("stage", "phase.go", phase="gallery")
    cem, dana = outage.cem.page, outage.dana.page
    for page in (cem, dana):
        page.wait_for_url("**/gallery/", timeout=SOON)
    copy = copies(outage)
    cem.get_by_role("textbox", name="What do you take home?").fill("A bench")
    cem.get_by_role("button", name="Share").click()
    expect(dana.get_by_role("listitem").filter(has_text="A bench")).to_be_visible(timeout=SOON)
    asked = "from tables.models import *; n = Note.objects.get(text='Read in the gallery'); print(n.board_id, n.pk)"
    board, found = outage.house.does("shell", "-v", "0", "-c", asked).split()
    outage.moderates(f"board:{board}", "note.hide", note=found)
    expect(note(dana, "Read in the gallery")).to_have_count(0, timeout=SOON)
    outage.moderates(f"board:{board}", "note.show", note=found)
    for page in (cem, dana):
        expect(note(page, "Read in the gallery")).to_be_visible(timeout=SOON)
    comes_back_from(outage, copy)
    for page in (cem, dana):
        expect(page.get_by_role("listitem").filter(has_text="A bench")).to_have_count(1, timeout=LONG)
        expect(note(page, "Read in the gallery")).to_be_visible(timeout=LONG)
    board_now = cem.locator(f"#exhibit-{board}")
    expect(board_now).to_have_attribute("data-head", "1", timeout=LONG)


def test_in_german_it_is_said_in_german(outage: Outage) -> None:
    cem = outage.cem.page
    cem.get_by_role("button", name="Deutsch").first.click()
    expect(cem.get_by_role("heading", name="Am Tisch")).to_be_visible(timeout=SOON)
    copy = copies(outage)
    cem.get_by_role("textbox", name="Ihr Zettel").first.fill("Nach der Kopie")
    cem.get_by_role("button", name="Zettel ablegen").first.click()
    expect_state(cem, "Nach der Kopie", "Gespeichert")
    comes_back_from(outage, copy)
    expect(says_so(cem).filter(has_text="Das Café kommt aus einer Sicherungskopie zurück")).to_be_visible(timeout=LONG)
    expect_once(cem, text="Nach der Kopie")
    assert outage.counts("Nach der Kopie") == 1


def test_who_came_in_after_the_copy_comes_in_again_and_finds_the_own_words(outage: Outage) -> None:
    copy = copies(outage)
    finn = outage.guest("Finn").page
    finn.get_by_role("button", name="Sit at Table 2", exact=True).click()
    finn.wait_for_url("**/table/", timeout=SOON)
    writes(finn, "Written by a newcomer")
    expect_state(finn, "Written by a newcomer", "Saved")
    types(finn, "Half typed")
    comes_back_from(outage, copy)
    expect(finn.get_by_text("Please come in again.")).to_be_visible(timeout=LONG)
    finn.get_by_role("link", name="Come in again").click()
    finn.get_by_role("link", name="Join again").click()
    finn.get_by_role("textbox", name="Your name").fill("Finn")
    finn.get_by_role("button", name="Come in").click()
    finn.wait_for_url("**/lobby/", timeout=SOON)
    offered = finn.get_by_role("region", name="A note you had begun")
    found = []
    for _text in range(2):
        expect(offered).to_be_visible(timeout=LONG)
        found.append(offered.locator("q").inner_text())
        offered.get_by_role("button", name="Keep for me").click()
        expect(offered.filter(has_text=found[-1])).to_be_hidden()
    assert sorted(found) == ["Half typed", "Written by a newcomer"]


def test_a_browser_that_can_keep_nothing_hands_in_what_its_page_remembers(outage: Outage) -> None:
    cem, dana = outage.cem.page, outage.dana.page
    cem.add_init_script("Object.defineProperty(window, 'indexedDB', {value: undefined})")
    opens(cem, cem.url)
    copy = copies(outage)
    writes(cem, "Only in memory")
    expect_once(cem, dana, text="Only in memory")
    comes_back_from(outage, copy)
    expect(says_so(cem).filter(has_text=AGAIN)).to_be_visible(timeout=LONG)
    expect_once(cem, dana, text="Only in memory")
    assert outage.counts("Only in memory") == 1
