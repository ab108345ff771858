"""What people do to pages: two tabs, double clicks, the back button, leaving in mid-sentence. Nothing is lost by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.outage import (
    SOON,
    Outage,
    expect_once,
    expect_state,
    note,
    opens,
    outage_in,
    types,
    writes,
)
from tests.browser.test_journey import ENGLISH, joins_by_code

BREAKS = {
    "open": "indexedDB.open = () => { throw new DOMException('not here', 'SecurityError'); };",
    "missing": "Object.defineProperty(window, 'indexedDB', {value: undefined});",
    "refused": """const open = indexedDB.open.bind(indexedDB);
        indexedDB.open = (...how) => { const asked = open(...how);
          asked.addEventListener('success', event => event.stopImmediatePropagation());
          queueMicrotask(() => asked.onerror?.(new Event('error'))); return asked; };""",
    "full": """IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError'); };""",
    "full at the end": """const put = IDBObjectStore.prototype.put;
        IDBObjectStore.prototype.put = function (value) {
          const asked = put.call(this, value); this.transaction.abort(); return asked; };""",
    "silent": """const begin = IDBDatabase.prototype.transaction;
        IDBDatabase.prototype.transaction = function (...how) { const begun = begin.apply(this, how);
          Object.defineProperty(begun, 'oncomplete', {set() {}}); return begun; };""",
}
LATER = ["full", "full at the end"]  # it worked when the page was opened


@pytest.fixture(scope="module")
def outage(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outage]:
    with outage_in(tmp_path_factory.mktemp("pages"), chromium) as found:
        yield found


@pytest.fixture
def tab(outage: Outage) -> Iterator[Callable[[], Page]]:
    """Opens one more tab of Cem's at Table 1, by the wire."""
    opened: list[Page] = []

    def another() -> Page:
        opened.append(outage.cem.context.new_page())
        opens(opened[-1], outage.address("table", through=outage.wire.url))
        return opened[-1]

    yield another
    outage.wire.let_through()
    outage.wire.end_dead()
    for page in opened:
        page.close()


@pytest.fixture
def dana(outage: Outage) -> Page:
    opens(outage.dana.page, outage.address("table"))
    return outage.dana.page


def test_two_tabs_of_a_person_are_both_live_and_take_one_seat(tab: Callable[[], Page], dana: Page) -> None:
    one, other = tab(), tab()
    writes(one, "From the first tab")
    writes(other, "From the second tab")
    for text in ("From the first tab", "From the second tab"):
        expect_once(one, other, dana, text=text)
        expect_state(one, text, "Saved")
        expect_state(other, text, "Saved")
    at_the_table = dana.get_by_role("complementary", name="At the table")
    expect(at_the_table.get_by_role("listitem").filter(has_text="Cem")).to_have_count(1)
    expect(at_the_table.get_by_text("2 seats free")).to_be_visible()


def test_what_a_closed_tab_could_not_send_the_other_sends(outage: Outage, tab: Callable[[], Page], dana: Page) -> None:
    outage.cem.page.goto("about:blank")
    dying, staying = tab(), tab()
    outage.wire.clog()
    writes(dying, "Left by a closed tab")
    expect_state(dying, "Left by a closed tab", "Sending")
    dying.close()
    outage.wire.let_through()
    expect_once(staying, dana, text="Left by a closed tab")
    expect_state(staying, "Left by a closed tab", "Saved")
    assert outage.counts("Left by a closed tab") == 1


@pytest.mark.parametrize(("how", "later"), [*((how, False) for how in sorted(BREAKS)), *((how, True) for how in LATER)])
def test_where_nothing_can_be_kept_the_page_says_so_and_guards_what_is_unsent(
    outage: Outage, dana: Page, tab: Callable[[], Page], how: str, later: bool
) -> None:
    page = tab()
    if later:
        page.evaluate(f"() => {{ {BREAKS[how]} }}")
    else:
        page.add_init_script(BREAKS[how])
        opens(page, page.url)
    text = f"Only in memory: {how} {later}"
    writes(page, text)
    expect(page.get_by_text("This browser cannot keep anything.")).to_be_visible(timeout=SOON)
    expect_once(page, dana, text=text)
    expect_state(page, text, "Saved")
    outage.wire.clog()
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", answer)
    writes(page, f"Not yet sent: {how} {later}")
    expect_state(page, f"Not yet sent: {how} {later}", "Sending")
    page.evaluate("() => location.assign('/')")
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    expect(note(page, f"Not yet sent: {how} {later}")).to_have_count(1)
    outage.wire.let_through()
    outage.wire.end_dead()
    expect_state(page, f"Not yet sent: {how} {later}", "Saved")
    expect_once(dana, text=f"Not yet sent: {how} {later}")
    page.evaluate("() => location.assign('/')")
    page.wait_for_url(f"{outage.wire.url}/", timeout=SOON)
    assert asked == ["beforeunload"]


def test_a_double_click_posts_one_note(outage: Outage, tab: Callable[[], Page], dana: Page) -> None:
    page = tab()
    types(page, "Clicked twice")
    page.get_by_role("button", name="Post note").first.dblclick()
    expect_state(page, "Clicked twice", "Saved")
    expect_once(page, dana, text="Clicked twice")
    assert outage.counts("Clicked twice") == 1


def test_a_double_click_brings_one_person_to_one_seat(outage: Outage) -> None:
    page = outage.visitors.comes().page
    page.goto(outage.house.url)
    page.get_by_role("textbox", name="Event code").fill(outage.code)
    page.get_by_role("button", name="Join").dblclick()
    page.get_by_role("textbox", name="Your name").fill("Eve")
    page.get_by_role("button", name="Come in").dblclick()
    page.wait_for_url("**/lobby/", timeout=SOON)
    page.get_by_role("button", name="Sit at Table 2", exact=True).dblclick()
    page.wait_for_url("**/table/", timeout=SOON)
    expect(page.get_by_role("heading", name="Table 2", exact=True)).to_be_visible()
    asked = "from sessions.models import Participant; from tables.models import Seat; "
    asked += (
        "print(Participant.objects.filter(name='Eve').count(), Seat.objects.filter(participant__name='Eve').count())"
    )
    assert outage.house.does("shell", "-v", "0", "-c", asked).split() == ["1", "1"]


def test_the_back_button_leads_nowhere_bad(outage: Outage, dana: Page) -> None:
    person = outage.visitors.comes()
    page = person.page
    joins_by_code(page, outage.house.url, outage.code, "Ben", ENGLISH)
    page.get_by_role("button", name="Sit at Table 1", exact=True).click()
    page.wait_for_url("**/table/", timeout=SOON)
    writes(page, "Before going back")
    expect_state(page, "Before going back", "Saved")
    page.go_back()
    expect(page.get_by_text("You sit at Table 1.")).to_be_visible(timeout=SOON)
    page.go_forward()
    expect_once(page, dana, text="Before going back")
    writes(page, "After coming back")
    expect_state(page, "After coming back", "Saved")
    page.go_back()
    while page.url.startswith(outage.house.url):
        expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=SOON)
        page.go_back()
    page.goto(outage.address("table"))
    for text in ("Before going back", "After coming back"):
        expect_once(page, dana, text=text)
        assert outage.counts(text) == 1
    assert person.complaints == []


def test_a_removed_person_is_told_and_stays_out(outage: Outage, dana: Page) -> None:
    person = outage.guest("Mallory")
    page = person.page
    page.get_by_role("button", name="Sit at Table 3", exact=True).click()
    page.wait_for_url("**/table/", timeout=SOON)
    types(page, "Half a thou")
    found = page.evaluate("() => JSON.parse(document.getElementById('main').dataset.me).id")
    outage.moderates("room", "person.set", p=found, removed=True)
    expect(page.get_by_text("You are not part of this event any more.")).to_be_visible(timeout=SOON)
    way_on = page.locator("[data-notice=stay]")  # the seat is gone, so it would lead to the lobby
    expect(way_on).not_to_have_attribute("hidden", "")
    expect(way_on).to_be_hidden()
    expect(page.get_by_role("textbox", name="Your note").first).to_have_value("Half a thou")  # to be copied
    for place in ("table", "lobby", "gallery", "me"):
        answer = page.goto(outage.address(place))
        assert answer is not None
        assert answer.status == 403, place
        expect(page.get_by_role("heading", name="You were removed")).to_be_visible()
    page.goto(f"{outage.house.url}/j/{outage.code}/")
    expect(page.get_by_role("textbox", name="Your name")).to_have_count(0)
