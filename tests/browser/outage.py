"""A running session for tests of what goes wrong: Cem's browser hangs on a wire of ours, Dana's on the server."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from sessions.live.uuid7 import uuid7
from tests.browser.house import House, People, Person, people
from tests.browser.test_journey import ENGLISH, joins_by_code, prepares, signs_in
from tests.browser.test_live_client import POST
from tests.browser.wire_cutter import WireCutter

SOON = 10_000
HEARTBEAT = 15_000
LONG = 30_000


class Outage:
    """Session 1 runs; Cem and Dana sit at Table 1. `url` is where Cem finds the server."""

    def __init__(self, house: House, visitors: People, wire: WireCutter) -> None:
        self.house, self.visitors, self.wire = house, visitors, wire
        self.ada = visitors.comes(width=1440, height=900)
        signs_in(self.ada, house)
        self.code = prepares(self.ada.page)
        self.moderates("stage", "phase.next")
        self.cem, self.dana = self.guest("Cem", wire.url), self.guest("Dana", house.url)
        self.moderates("stage", "phase.next")
        for guest in (self.cem, self.dana):
            sits(guest.page)
        self.moderates("stage", "phase.next")
        for guest in (self.cem, self.dana):
            guest.page.wait_for_url("**/table/", timeout=SOON)

    def guest(self, name: str, url: str = "") -> Person:
        person = self.visitors.comes()
        joins_by_code(person.page, url or self.house.url, self.code, name, ENGLISH)
        return person

    def moderates(self, stream: str, kind: str, **data: Any) -> None:
        page = self.ada.page
        frame = {"t": "op", "id": str(uuid7()), "s": stream, "k": kind, "d": data}
        answer = page.evaluate(POST, [self.code, frame])
        assert answer["t"] == "ack", answer

    def address(self, place: str, *, through: str = "") -> str:
        return f"{through or self.house.url}/e/{self.code}/{place}/"

    def counts(self, text: str, *, late: bool = False) -> int:
        """How many notes of this text the database holds; `late` counts those only that came after the end."""
        wanted = {"text": text, **({"late": True} if late else {})}
        asked = f"from tables.models import Note; print(Note.objects.filter(**{wanted!r}).count())"
        return int(self.house.does("shell", "-v", "0", "-c", asked))


def another_event(outage: Outage) -> Outage:
    """The same house and wire, other people."""
    outage.wire.let_through()
    outage.wire.end_dead()
    return Outage(outage.house, outage.visitors, outage.wire)


@contextlib.contextmanager
def outage_in(folder: Path, chromium: str) -> Iterator[Outage]:
    house = House(folder)
    wire = WireCutter(house.port)
    house.trusts(wire.url)
    try:
        house.start()
        with people(chromium, house.url) as visitors:
            yield Outage(house, visitors, wire)
    finally:
        house.stop()
        wire.close()


def opens(page: Page, address: str) -> None:
    """Loads a page and waits until the server has welcomed it."""
    said: list[str | bytes] = []

    def hear(frame: str | bytes) -> None:
        said.append(frame)

    page.goto("about:blank")  # or the socket that the page before is just opening is taken for the new one
    page.once("websocket", lambda socket: socket.on("framereceived", hear))
    page.goto(address)
    for _tenth in range(SOON // 100):
        if said:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"nobody welcomed {address}")


def sits(page: Page, table: str = "Table 1") -> None:
    page.get_by_role("button", name=f"Sit at {table}", exact=True).click()
    expect(page.get_by_text(f"You sit at {table}.")).to_be_visible(timeout=SOON)


def types(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Your note").first.fill(text)


def writes(page: Page, text: str) -> None:
    types(page, text)
    page.get_by_role("button", name="Post note").first.click()


def note(page: Page, text: str) -> Locator:
    return page.locator("li.note").filter(has_text=text)


def expect_once(*pages: Page, text: str) -> None:
    for page in pages:
        expect(note(page, text)).to_have_count(1, timeout=LONG)


def expect_state(page: Page, text: str, state: str, *, within: int = LONG) -> None:
    expect(note(page, text).get_by_role("status")).to_have_text(state, timeout=within, use_inner_text=True)


def expect_break(page: Page) -> None:
    """The page says that the line is broken."""
    banners = page.locator('[data-notice="connecting"], [data-notice="offline"]')
    expect(banners.filter(visible=True)).to_have_count(1, timeout=SOON)


def expect_live(page: Page) -> None:
    """No banner about the line, and a note of the moment goes through."""
    for sentence in ("You are offline.", "Reconnecting …"):
        expect(page.get_by_text(sentence)).to_be_hidden(timeout=LONG)
