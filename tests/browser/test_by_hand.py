"""The whole way by keyboard alone and by tap alone; the focus is never lost, dialogs give it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.everywhere import Everywhere
from tests.browser.test_journey import SOON, tabs_to
from tests.browser.test_live_client import hold_parts

SPEAKS = """() => {
  window.said = [];
  const place = document.getElementById('say');
  const hear = () => place.textContent && window.said.push(place.textContent);
  new MutationObserver(hear).observe(place, {childList: true});
}"""
ANIMATED = """() => {
  window.moved = 0;
  const moves = (animation) => animation.effect.getTiming().duration > 1;
  const see = (event) => { if (event.target.getAnimations().some(moves)) window.moved++; };
  for (const name of ['animationstart', 'transitionrun']) document.addEventListener(name, see, true);
}"""


COUNT = "() => window.said.reduce((sum, text) => sum + (text === 'One new note.' ? 1 : parseInt(text)), 0)"


@pytest.fixture
def keyboard(everywhere: Everywhere) -> Iterator[Page]:
    """The guest with a keyboard and nothing else."""
    yield from guest(everywhere)


@pytest.fixture
def phone(everywhere: Everywhere) -> Iterator[Page]:
    """The guest with a phone and one finger."""
    yield from guest(everywhere, has_touch=True, viewport={"width": 360, "height": 800})


def guest(everywhere: Everywhere, **options: Any) -> Iterator[Page]:
    context = everywhere.browser.new_context(locale="en-GB", **options)
    everywhere.introduce(context, "guest")
    yield context.new_page()
    context.close()


def goes(page: Page, everywhere: Everywhere, scene: str, place: str) -> None:
    page.goto(f"{everywhere.house.url}/e/{everywhere.scenes[scene]['key']}/{place}")
    page.wait_for_function("() => !document.querySelector('[data-parts]')")


def focus(page: Page) -> str:
    """What has the focus, in words; empty when it is lost."""
    found: str = page.evaluate(
        """() => { const e = document.activeElement;
          if (!e || e === document.body) return '';
          return e.getAttribute('aria-label') || e.innerText.trim().replace(/\\s+/g, ' ') || e.id || e.localName; }"""
    )
    return found


def keeps_focus(page: Page) -> None:
    """Also a moment later, when the parts that follow the action have come."""
    page.wait_for_timeout(300)
    assert focus(page), "the focus is lost"


def presses(page: Page, name: str, *, role: Any = "button", then: str = "Enter") -> None:
    tabs_to(page, name, role=role)
    page.keyboard.press(then)


def chooses(page: Page, entry: str) -> None:
    """An entry of the open menu, by the arrow keys."""
    for _press in range(12):
        if focus(page) == entry:
            page.keyboard.press("Enter")
            return
        page.keyboard.press("ArrowDown")
    pytest.fail(f"{entry} cannot be reached in the menu")


def note(page: Page, text: str) -> Locator:
    return page.get_by_role("listitem").filter(has_text=text)


def posts(page: Page, text: str) -> None:
    tabs_to(page, "Your note", role="textbox")
    page.keyboard.type(text)
    page.keyboard.press("Control+Enter")
    expect(note(page, text).get_by_text("Saved", exact=True)).to_be_attached(timeout=SOON)
    keeps_focus(page)


def opens_menu(page: Page, text: str) -> None:
    note(page, text).get_by_role("button", name="More").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_visible()


def test_a_guest_sits_and_leaves_by_keyboard(everywhere: Everywhere, keyboard: Page) -> None:
    goes(keyboard, everywhere, "seating", "lobby/")
    presses(keyboard, "Leave")
    expect(keyboard.get_by_role("button", name="Seat me")).to_be_visible(timeout=SOON)
    keeps_focus(keyboard)
    presses(keyboard, "Seat me")
    expect(keyboard.get_by_text("You sit at")).to_be_visible(timeout=SOON)
    keeps_focus(keyboard)
    expect(keyboard.get_by_role("button", name="Leave", exact=True)).to_have_count(1)


def test_a_note_lives_by_keyboard_alone(everywhere: Everywhere, keyboard: Page) -> None:
    page = keyboard
    goes(page, everywhere, "running", "table/")
    posts(page, "First by keyboard")
    keeps_focus(page)
    opens_menu(page, "First by keyboard")
    page.keyboard.press("Escape")
    assert focus(page) == "More"
    page.keyboard.press("Enter")
    chooses(page, "Edit")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert focus(page) == "More"
    page.keyboard.press("Enter")
    chooses(page, "Edit")
    page.keyboard.press("End")
    page.keyboard.type(" and edited")
    page.keyboard.press("Control+Enter")
    expect(note(page, "First by keyboard and edited")).to_be_visible(timeout=SOON)
    keeps_focus(page)


def test_a_note_moves_to_the_other_question_by_keyboard(everywhere: Everywhere, keyboard: Page) -> None:
    page = keyboard
    goes(page, everywhere, "running", "table/")
    posts(page, "Belongs elsewhere")
    opens_menu(page, "Belongs elsewhere")
    chooses(page, "Move to…")
    page.keyboard.press("ArrowDown")  # the other question
    presses(page, "Move")
    moved = page.locator("[data-question]").nth(1).get_by_role("listitem").filter(has_text="Belongs elsewhere")
    expect(moved).to_be_visible(timeout=SOON)
    keeps_focus(page)


def test_a_deleted_note_comes_back_by_keyboard(everywhere: Everywhere, keyboard: Page) -> None:
    page = keyboard
    goes(page, everywhere, "running", "table/")
    posts(page, "Gone and back")
    opens_menu(page, "Gone and back")
    chooses(page, "Delete")
    expect(note(page, "Gone and back")).to_have_count(0, timeout=SOON)
    keeps_focus(page)
    presses(page, "Undo")
    expect(note(page, "Gone and back")).to_be_visible(timeout=SOON)
    keeps_focus(page)


def test_a_note_lives_by_tap_alone(everywhere: Everywhere, phone: Page) -> None:
    page = phone
    goes(page, everywhere, "running", "table/")
    page.get_by_role("textbox", name="Your note").first.tap()
    page.keyboard.type("Tapped")
    page.get_by_role("button", name="Post note").first.tap()
    expect(note(page, "Tapped").get_by_text("Saved", exact=True)).to_be_attached(timeout=SOON)
    note(page, "Tapped").get_by_role("button", name="More").tap()
    page.get_by_role("menuitem", name="Move up").tap()
    above = note(page, "Tapped").locator("xpath=following-sibling::li")
    expect(above).to_have_count(1, timeout=SOON)
    note(page, "Tapped").get_by_role("button", name="More").tap()
    page.get_by_role("menuitem", name="Move to…").tap()
    page.get_by_label("To question").select_option(index=1)
    page.get_by_role("button", name="Move", exact=True).tap()
    expect(note(page, "Tapped")).to_be_hidden(timeout=SOON)
    page.get_by_text("Question 2").first.tap()
    expect(note(page, "Tapped")).to_be_visible()
    note(page, "Tapped").get_by_role("button", name="More").tap()
    page.get_by_role("menuitem", name="Delete").tap()
    expect(note(page, "Tapped")).to_have_count(0, timeout=SOON)
    page.get_by_role("button", name="Undo").tap()
    expect(note(page, "Tapped")).to_be_visible(timeout=SOON)


def test_a_takeaway_is_shared_by_tap(everywhere: Everywhere, phone: Page) -> None:
    goes(phone, everywhere, "gallery", "gallery/")
    phone.get_by_role("link", name="What do you take home?").tap()
    expect(phone.get_by_role("textbox", name="What do you take home?")).to_be_focused()
    phone.keyboard.press("Control+a")
    phone.keyboard.type("One finger is enough")
    phone.get_by_role("button", name="Share").tap()
    expect(phone.locator("#takes").get_by_text("One finger is enough")).to_be_visible(timeout=SOON)


@pytest.mark.parametrize(("wish", "moves"), [("no-preference", True), ("reduce", False)])
def test_nothing_moves_for_who_asks_for_rest(everywhere: Everywhere, keyboard: Page, wish: Any, moves: bool) -> None:
    keyboard.emulate_media(reduced_motion=wish)
    goes(keyboard, everywhere, "running", "table/")
    keyboard.evaluate(ANIMATED)
    posts(keyboard, f"Laid down with {wish}")
    keyboard.get_by_role("button", name="Post note").first.hover()
    keyboard.wait_for_timeout(300)
    assert (keyboard.evaluate("() => window.moved") > 0) is moves


def test_new_notes_are_told_politely_and_together(everywhere: Everywhere, keyboard: Page) -> None:
    goes(keyboard, everywhere, "running", "table/")
    held: list[str | bytes] = []
    let_go = hold_parts(keyboard, held)  # what comes at once is told at once, however slow the machine is
    assert keyboard.locator("#say").get_attribute("aria-live") == "polite"
    keyboard.evaluate(SPEAKS)
    neighbour = everywhere.page_of("moderator")
    board = keyboard.locator("#main").get_attribute("data-board")
    goes(neighbour, everywhere, "running", f"table/?board={board}")
    for number in range(5):
        posts(neighbour, f"News {number}")
    for _moment in range(SOON // 50):
        if str(held).count('"text":"News ') < 5:
            keyboard.wait_for_timeout(50)
    let_go()
    posts(keyboard, "My own is no news to me")
    keyboard.wait_for_function(f"() => ({COUNT})() >= 5", timeout=SOON)
    said = keyboard.evaluate("() => window.said")
    assert keyboard.evaluate(COUNT) == 5
    assert len(said) < 5, said
