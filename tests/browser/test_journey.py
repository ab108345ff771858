"""The real event, played by a moderator and three guests in browsers of their own."""

import re
import statistics
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.house import House, People, Person
from tests.machine import REPORT

QUESTIONS = [
    ["What makes an offer succeed?", "What holds offers back?"],
    ["What can I contribute?", "What must change for it?"],
]
SOON = 10_000


def signs_in(ada: Person, house: House) -> None:
    ada.page.goto(house.moderator_link())
    ada.page.get_by_role("button", name="Sign in").click()
    expect(ada.page.get_by_role("heading", name="Your events")).to_be_visible()


def prepares(page: Page) -> str:
    """Makes the event on the page for it; the event's key."""
    page.get_by_role("link", name="New event").first.click()
    page.get_by_role("textbox", name="Title").fill("Smart City")
    page.get_by_role("textbox", name="Purpose").fill("What helps, what hinders, what next?")
    page.get_by_role("spinbutton", name="Number of tables").fill("3")
    page.get_by_role("spinbutton", name="Seats per table").fill("4")
    for number, questions in enumerate(QUESTIONS, start=1):
        session = page.get_by_role("group", name=f"Session {number}", exact=True)
        for at, question in enumerate(questions, start=1):
            session.get_by_role("textbox", name=f"Question {at}", exact=True).fill(question)
    page.get_by_role("button", name="Create event").click()
    expect(page.get_by_role("button", name="Open the doors")).to_be_visible()
    found = re.search(r"/events/([A-Z0-9]{8})/console/", page.url)
    assert found, page.url
    return found[1]


def steps(page: Page, name: str, then: str) -> None:
    """Presses the console's one button; the next step stands on it."""
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("button", name=then, exact=True)).to_be_visible(timeout=SOON)


def joins_by_code(page: Page, url: str, code: str, name: str, words: dict[str, str]) -> None:
    page.goto(url)
    page.get_by_role("textbox", name=words["code"]).fill(f" {code[:4].lower()} {code[4:].lower()} ")
    page.get_by_role("button", name=words["join"]).click()
    page.get_by_role("textbox", name=words["name"]).fill(name)
    page.get_by_role("button", name=words["come in"]).click()
    page.wait_for_url("**/lobby/")


ENGLISH = {"code": "Event code", "join": "Join", "name": "Your name", "come in": "Come in"}
GERMAN = {"code": "Code der Veranstaltung", "join": "Beitreten", "name": "Ihr Name", "come in": "Eintreten"}


def tabs_to(page: Page, name: str, *, role: Any = "button") -> None:
    """Reaches a control by the Tab key alone."""
    wanted = page.get_by_role(role, name=name, exact=True).first
    expect(wanted).to_be_visible(timeout=SOON)
    for _press in range(200):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"{name} cannot be reached by keyboard")


def joins_by_keyboard(page: Page, url: str, code: str) -> None:
    page.goto(url)
    tabs_to(page, "Event code", role="textbox")
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    tabs_to(page, "Your name", role="textbox")
    page.keyboard.type("Dana")
    page.keyboard.press("Enter")
    page.wait_for_url("**/lobby/")


def writes(page: Page, question: str, text: str) -> None:
    place = page.get_by_role("region", name=question)
    place.get_by_role("textbox", name="Your note").fill(text)
    place.get_by_role("button", name="Post note").click()


def note_on(page: Page, text: str) -> Locator:
    return page.get_by_role("listitem").filter(has_text=text)


def latency_ms(writer: Page, reader: Page, question: str, count: int) -> list[float]:
    """From the tap to the note in another browser, by the clock both share."""
    found = []
    for number in range(count):
        text = f"Measured {number}"
        reader.evaluate(
            """text => { window.seen = new Promise(done => { const look = () => {
                 if ([...document.querySelectorAll('li.note')].some(n => n.textContent.includes(text))) {
                   watcher.disconnect(); done(Date.now()); } };
               const watcher = new MutationObserver(look);
               watcher.observe(document.body, {subtree: true, childList: true, characterData: true}); look(); }); }""",
            text,
        )
        place = writer.get_by_role("region", name=question)
        place.get_by_role("textbox", name="Your note").fill(text)
        button = place.get_by_role("button", name="Post note")
        tapped = button.evaluate("button => { const now = Date.now(); button.click(); return now; }")
        found.append(reader.evaluate("() => window.seen") - tapped)
        writer.wait_for_timeout(200)  # a person's pace: the limit is ten operations a second
    return found


class Play:
    """Ada leads, Cem has a phone, Ben reads German, Dana has only a keyboard."""

    def __init__(self, house: House, visitors: People) -> None:
        self.house, self.visitors = house, visitors
        self.ada = visitors.comes(width=1440, height=900)
        self.cem, self.dana = visitors.comes(width=360, height=800, touch=True), visitors.comes()
        self.ben = visitors.comes(locale="de-DE")
        self.guests = [self.cem, self.ben, self.dana]

    def all_are_at(self, place: str) -> None:
        for guest in self.guests:
            guest.page.wait_for_url(f"**/{place}/", timeout=SOON)

    def doors_open(self) -> None:
        signs_in(self.ada, self.house)
        code = prepares(self.ada.page)
        steps(self.ada.page, "Open the doors", "Open session 1")
        joins_by_code(self.cem.page, self.house.url, code, "Cem", ENGLISH)
        joins_by_code(self.ben.page, self.house.url, code, "Ben", GERMAN)
        joins_by_keyboard(self.dana.page, self.house.url, code)
        expect(self.cem.page.get_by_role("button", name="Sit at Table 1", exact=True)).to_be_disabled()

    def first_session(self) -> None:
        steps(self.ada.page, "Open session 1", "Start session 1")
        self.cem.page.get_by_role("button", name="Sit at Table 1", exact=True).click(timeout=SOON)
        self.ben.page.get_by_role("button", name="An Table 1 Platz nehmen", exact=True).click(timeout=SOON)
        tabs_to(self.dana.page, "Sit at Table 2")
        self.dana.page.keyboard.press("Enter")
        expect(self.ada.page.get_by_text("3 of 12 seats").first).to_be_visible(timeout=SOON)
        steps(self.ada.page, "Start session 1", "End session 1")
        self.all_are_at("table")

    def notes_are_written(self) -> list[float]:
        question = QUESTIONS[0][0]
        writes(self.cem.page, question, "A person with a name and a number")
        expect(note_on(self.ben.page, "A person with a name")).to_be_visible(timeout=SOON)
        expect(note_on(self.dana.page, "A person with a name")).to_have_count(0)
        own = note_on(self.cem.page, "A person with a name")
        expect(own.get_by_text("Saved", exact=True)).to_be_attached(timeout=SOON)
        tabs_to(self.dana.page, "Your note", role="textbox")
        self.dana.page.keyboard.type("By keyboard alone")
        self.dana.page.keyboard.press("Control+Enter")
        expect(note_on(self.dana.page, "By keyboard alone")).to_be_visible(timeout=SOON)
        return latency_ms(self.cem.page, self.ben.page, question, 12)

    def second_session(self) -> None:
        steps(self.ada.page, "End session 1", "Open session 2")
        steps(self.ada.page, "Open session 2", "Start session 2")
        self.all_are_at("lobby")
        self.cem.page.get_by_role("button", name="Sit at Table 2", exact=True).click(timeout=SOON)
        tabs_to(self.dana.page, "Stay at Table 2")
        self.dana.page.keyboard.press("Enter")
        expect(self.ada.page.get_by_text("2 of 12 seats").first).to_be_visible(timeout=SOON)
        steps(self.ada.page, "Start session 2", "End session 2")
        for guest in (self.cem, self.dana):
            guest.page.wait_for_url("**/table/", timeout=SOON)
        expect(self.cem.page.get_by_text("By keyboard alone")).to_be_attached()  # what the last group left
        writes(self.cem.page, QUESTIONS[1][0], "Ask the users first")
        expect(note_on(self.dana.page, "Ask the users first")).to_be_visible(timeout=SOON)

    def gallery_walk(self) -> None:
        steps(self.ada.page, "End session 2", "Open the gallery walk")
        steps(self.ada.page, "Open the gallery walk", "Close the event")
        self.all_are_at("gallery")
        expect(self.cem.page.get_by_role("heading", name="Gallery walk")).to_be_visible()
        for text in ("A person with a name and a number", "By keyboard alone", "Ask the users first"):
            expect(self.cem.page.get_by_text(text).first).to_be_attached(timeout=SOON)
        self.cem.page.get_by_role("textbox", name="What do you take home?").fill("Courage")
        self.cem.page.get_by_role("button", name="Share").click()
        expect(self.ben.page.get_by_text("Courage").first).to_be_attached(timeout=SOON)

    def nothing_went_wrong(self) -> None:
        """No page complained, and nobody's browser asked anybody but us."""
        for person in self.visitors.all:
            assert person.complaints == []
            ours = (self.house.url, "data:", "blob:")
            assert [address for address in person.asked if not address.startswith(ours)] == []


def test_a_whole_event_with_three_guests(house: House, visitors: People) -> None:
    play = Play(house, visitors)
    play.doors_open()
    play.first_session()
    found = play.notes_are_written()
    REPORT.append(f"note to the other browser: median {statistics.median(found):.0f} ms, worst {max(found):.0f} ms")
    play.second_session()
    play.gallery_walk()
    play.nothing_went_wrong()
