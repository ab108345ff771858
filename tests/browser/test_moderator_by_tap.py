"""Ada leads a whole event with one finger on a phone; the keyboard only types into fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.house import House, People
from tests.browser.test_journey import SOON

# Whatever is neither a finger nor typing into a field is told.
WATCH = """for (const name of ['pointerdown', 'keydown', 'wheel']) document.addEventListener(name, event => {
  const typing = name === 'keydown' && event.target.matches('input, textarea');
  if (event.pointerType !== 'touch' && !typing) window.strays(name); }, true);"""


class Finger:
    """Taps what it finds by role and name; waits for nothing but what it taps."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.strays: list[str] = []
        page.expose_function("strays", lambda name: self.strays.append(name))  # noqa: PLW0108 - a builtin cannot be exposed
        page.add_init_script(WATCH)

    def taps(self, name: str, *, role: Any = "button", within: Page | Locator | None = None) -> None:
        (within or self.page).get_by_role(role, name=name, exact=True).first.tap(timeout=SOON)

    def types(self, name: str, text: str, *, role: Any = "textbox", within: Page | Locator | None = None) -> None:
        field = (within or self.page).get_by_role(role, name=name, exact=True).first
        field.tap(timeout=SOON)
        field.fill(text)

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible(timeout=SOON)

    def misses(self, text: str) -> None:
        expect(self.page.get_by_text(text).filter(visible=True)).to_have_count(0, timeout=SOON)

    def steps(self, name: str, then: str) -> None:
        self.taps(name)
        expect(self.page.get_by_role("button", name=then, exact=True)).to_be_visible(timeout=SOON)

    def is_at(self, heading: str) -> None:
        """The dialog of that name is on top."""
        expect(self.dialog.get_by_role("heading", name=heading, exact=True)).to_be_visible(timeout=SOON)

    @property
    def dialog(self) -> Locator:
        """The one on top."""
        return self.page.locator("dialog[open]").last


@pytest.fixture
def ada(visitors: People) -> Iterator[Finger]:
    context = visitors.browser.new_context(
        viewport={"width": 360, "height": 800}, has_touch=True, is_mobile=True, locale="en-GB", reduced_motion="reduce"
    )
    finger = Finger(context.new_page())
    yield finger
    assert finger.strays == []
    context.close()


def creates(ada: Finger, house: House) -> str:
    """The event's key; the form is changed in every way on the way there."""
    page = ada.page
    page.goto(house.moderator_link())
    ada.taps("Sign in")
    ada.taps("New event", role="link")
    ada.taps("Topic tables", role="link")
    ada.taps("World Café, classic", role="link")
    ada.types("Title", "By tap alone")
    ada.types("Number of tables", "2", role="spinbutton")
    ada.types("Seats per table", "4", role="spinbutton")
    first = page.get_by_role("group", name="Session 1", exact=True)
    ada.types("Question 1", "What works?", within=first)
    ada.types("Question 2", "What holds us back?", within=first)
    ada.taps("Add question", within=first)
    ada.types("Question 3", "Who is missing?", within=first)
    ada.taps("Move question 3 up", within=first)
    ada.taps("Remove question 3", within=first)
    ada.taps("Add session")
    ada.taps("Move session 3 up")
    ada.taps("Remove session 2")
    expect(first.get_by_role("textbox", name="Question 2", exact=True)).to_have_value("Who is missing?")
    ada.taps("Create event")
    page.wait_for_url("**/console/", timeout=SOON)
    found = re.search(r"/events/([A-Z0-9]{8})/", page.url)
    assert found
    return found[1]


def seats_people(ada: Finger) -> None:
    ada.sees("3 of 8 seats")
    ada.taps("Table 1", role="link")
    ada.taps("Add a seat", within=ada.dialog)
    expect(ada.dialog.get_by_text("of 5 seats taken")).to_be_visible(timeout=SOON)
    ada.taps("Remove a seat", within=ada.dialog)
    ada.taps("Close the table", within=ada.dialog)
    ada.taps("Open the table", within=ada.dialog)
    ada.types("Name of the table", "Window", within=ada.dialog)
    ada.taps("Rename", within=ada.dialog)
    expect(ada.dialog.get_by_role("heading", name="Window")).to_be_visible(timeout=SOON)


def guides_a_person(ada: Finger) -> None:
    person = ada.dialog.get_by_role("listitem").first.get_by_role("button")
    person.tap()
    ada.taps("Make host of Window", within=ada.dialog)
    expect(ada.dialog.get_by_role("listitem").first).to_contain_text("host", timeout=SOON)
    person.tap()
    expect(ada.dialog.get_by_text("Host of Window.")).to_be_visible()
    ada.taps("No longer host", within=ada.dialog)
    ada.is_at("Window")
    expect(ada.dialog.get_by_text("host", exact=True).filter(visible=True)).to_have_count(0, timeout=SOON)
    person.tap()
    ada.types("Name", "Kim", within=ada.dialog)
    ada.taps("Rename", within=ada.dialog)
    ada.is_at("Window")
    ada.taps("Kim", within=ada.dialog)
    ada.dialog.get_by_label("Move to").select_option(label="Table 2 · 0/4")
    ada.taps("Move there", within=ada.dialog)
    ada.is_at("Window")
    expect(ada.dialog.get_by_role("button", name="Kim")).to_have_count(0, timeout=SOON)
    ada.taps("Close", within=ada.dialog)


def removes_a_person(ada: Finger) -> None:
    ada.taps("Table 2", role="link")
    ada.taps("Kim", within=ada.dialog)
    ada.taps("Free the seat", within=ada.dialog)
    ada.is_at("Table 2")
    ada.taps("Close", within=ada.dialog)
    ada.taps("Seat Kim…")
    ada.taps("Remove from the event…", within=ada.dialog)
    ada.taps("Let stay", within=ada.dialog)
    ada.taps("Remove from the event…", within=ada.dialog)
    ada.taps("Remove", within=ada.dialog)
    ada.sees("Kim was removed.")
    ada.sees("2 of 8 seats")


def keeps_time(ada: Finger) -> None:
    for name in ("+5 minutes", "+1 minute", "−1 minute"):
        ada.taps(name)
    ada.steps("Pause", "Resume")
    ada.types("Say to all", "Coffee is ready")  # a second tap at the same place is a double tap, which does nothing
    ada.steps("Resume", "Pause")
    ada.taps("Say")
    ada.sees("Coffee is ready")
    ada.taps("Take back")
    ada.misses("Coffee is ready")


def hides_a_note(ada: Finger) -> None:
    page = ada.page
    ada.taps("Window", role="link")
    ada.taps("Read the board", role="link", within=ada.dialog)
    page.wait_for_url("**/table/?board=*", timeout=SOON)
    ada.types("Your note", "Better not")
    ada.taps("Post note")
    note = page.locator("[data-question]").get_by_role("listitem").filter(has_text="Better not")
    expect(note.get_by_text("Saved", exact=True)).to_be_attached(timeout=SOON)
    for entry, hidden in (("Hide", 1), ("Show", 0)):
        ada.taps("More", within=note)
        ada.taps(entry, role="menuitem")
        expect(note.locator(".chip.alarm:not([hidden])")).to_have_count(hidden, timeout=SOON)
    ada.taps("Console", role="link")
    page.wait_for_url("**/console/", timeout=SOON)


def minds_the_doors(ada: Finger) -> None:
    ada.taps("Close the doors")
    ada.sees("The doors are closed: nobody new can come in.")
    ada.taps("Let people in again")
    ada.sees("The doors are open: who has the code can come in.")
    code = ada.page.locator("#code .code")
    before = code.text_content()
    ada.taps("New code…", role="link")
    ada.taps("Keep the code", within=ada.dialog)
    ada.taps("New code…", role="link")
    ada.taps("Give out a new code", within=ada.dialog)
    expect(code).not_to_have_text(before or "", timeout=SOON)


def ends_it(ada: Finger) -> None:
    ada.steps("End session 1", "Open session 2")
    ada.taps("Jump to…")
    ada.taps("Stay here", within=ada.dialog)
    ada.taps("Jump to…")
    ada.dialog.get_by_role("button", name="Gallery walk").tap()
    ada.sees("Gallery walk")
    ada.types("What we all take home", "We act together.")
    ada.taps("Share with all")
    ada.sees("Everybody reads it now.")
    ada.taps("Close the event")
    ada.sees("The event is closed")
    ada.taps("Gallery walk", role="link")
    expect(ada.page.locator(".closing")).to_contain_text("We act together.", timeout=SOON)
    ada.taps("Console", role="link")


def row(page: Page, title: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=title, exact=True))


def tidies_up(ada: Finger) -> None:
    page = ada.page
    ada.page.get_by_role("button", name=re.compile("^Account:")).tap()
    ada.taps("Your events", role="link")
    row(page, "By tap alone").get_by_role("button", name="Duplicate").tap()
    page.wait_for_url(re.compile(r"/events/[A-Z0-9]{8}/$"), timeout=SOON)
    expect(page.get_by_role("textbox", name="Title")).to_have_value("Copy of By tap alone")
    ada.taps("Your events", role="link")
    row(page, "Copy of By tap alone").get_by_role("link", name="Delete").tap()
    ada.taps("Keep the event", role="link")
    row(page, "Copy of By tap alone").get_by_role("link", name="Delete").tap()
    ada.taps("Delete for good")
    page.wait_for_url("**/events/", timeout=SOON)
    ada.misses("Copy of By tap alone")
    ada.page.get_by_role("button", name=re.compile("^Account:")).tap()
    ada.taps("Sign out")
    page.wait_for_url(re.compile(r"/$"), timeout=SOON)


def test_ada_leads_an_event_by_tap_alone(ada: Finger, house: House) -> None:
    key = creates(ada, house)
    ada.steps("Open the doors", "Open session 1")
    ada.steps("Open session 1", "Start session 1")
    house.does("guests", key, "--count", "3", "--seated")
    ada.steps("Start session 1", "End session 1")
    seats_people(ada)
    guides_a_person(ada)
    removes_a_person(ada)
    keeps_time(ada)
    hides_a_note(ada)
    minds_the_doors(ada)
    ends_it(ada)
    tidies_up(ada)
