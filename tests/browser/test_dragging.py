"""Notes are moved by their handle, with mouse and finger; Escape and a dropped touch put them back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Locator, Page, expect

from tests.browser.everywhere import Everywhere
from tests.browser.test_journey import SOON

STEPS = 8
Point = tuple[float, float]


class Mouse:
    def __init__(self, page: Page) -> None:
        self.page = page

    def takes(self, at: Point) -> None:
        self.page.mouse.move(*at)
        self.page.mouse.down()

    def carries(self, to: Point) -> None:
        self.page.mouse.move(*to, steps=STEPS)

    def drops(self) -> None:
        self.page.mouse.up()


class Finger:
    def __init__(self, page: Page) -> None:
        self.wire: CDPSession = page.context.new_cdp_session(page)
        self.at: Point = (0, 0)

    def touch(self, kind: str, *points: Point) -> None:
        self.wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    def takes(self, at: Point) -> None:
        self.at = at
        self.touch("touchStart", at)

    def carries(self, to: Point) -> None:
        (x, y), self.at = self.at, to
        for step in range(1, STEPS + 1):
            self.touch("touchMove", (x + (to[0] - x) * step / STEPS, y + (to[1] - y) * step / STEPS))

    def drops(self) -> None:
        self.touch("touchEnd")


@pytest.fixture
def opens(everywhere: Everywhere) -> Iterator[Callable[..., Page]]:
    """The guest's table with three fresh notes at its end."""
    contexts = []

    def open_table(mark: str, **options: Any) -> Page:
        context = everywhere.browser.new_context(locale="en-GB", reduced_motion="reduce", **options)
        contexts.append(context)
        everywhere.introduce(context, "guest")
        page = context.new_page()
        page.goto(f"{everywhere.house.url}/e/{everywhere.scenes['running']['key']}/table/")
        page.wait_for_function("() => !document.querySelector('[data-parts]')")
        for name in ("first", "second", "third"):
            page.get_by_role("textbox", name="Your note").first.fill(f"{mark} {name}")
            page.get_by_role("button", name="Post note").first.click()
            expect(note(page, f"{mark} {name}").get_by_text("Saved", exact=True)).to_be_attached(timeout=SOON)
        note(page, f"{mark} second").scroll_into_view_if_needed()
        return page

    yield open_table
    for context in contexts:
        context.close()


def note(page: Page, text: str) -> Locator:
    return page.locator("[data-question] .notes[data-stream] li.note").filter(has_text=text)


def order(page: Page, mark: str, question: int = 0) -> list[str]:
    texts = page.locator("[data-question]").nth(question).locator(".note-text").all_inner_texts()
    return [text.split()[-1] for text in texts if text.startswith(mark)]


def becomes(page: Page, mark: str, wanted: list[str]) -> None:
    page.wait_for_function(
        """([mark, wanted]) => [...document.querySelectorAll('[data-question]')[0].querySelectorAll('.note-text')]
          .map(e => e.innerText).filter(t => t.startsWith(mark)).map(t => t.split(' ').at(-1)).join() === wanted""",
        arg=[mark, ",".join(wanted)],
        timeout=SOON,
    )


def grip(page: Page, text: str) -> Point:
    box = note(page, text).locator("[data-act=grip]").bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def edge(page: Page, text: str, *, across: float = 0.5, down: float = 0.5) -> Point:
    box = note(page, text).bounding_box()
    assert box is not None
    return box["x"] + box["width"] * across, box["y"] + box["height"] * down


def test_a_mouse_carries_a_note_before_another(opens: Callable[..., Page]) -> None:
    page = opens("Mouse", viewport={"width": 1440, "height": 900})
    mouse = Mouse(page)
    mouse.takes(grip(page, "Mouse third"))
    mouse.carries(edge(page, "Mouse first", across=0.1))
    expect(note(page, "Mouse first")).to_have_attribute("data-drop", "before")
    mouse.drops()
    becomes(page, "Mouse", ["third", "first", "second"])
    expect(page.locator("[data-drop], [data-dragging]")).to_have_count(0)


def test_a_mouse_carries_a_note_to_the_other_question(opens: Callable[..., Page]) -> None:
    page = opens("Across", viewport={"width": 1440, "height": 900})
    mouse = Mouse(page)
    mouse.takes(grip(page, "Across second"))
    box = page.locator("[data-question]").nth(1).locator(".notes").bounding_box()
    assert box is not None
    mouse.carries((box["x"] + box["width"] / 2, min(box["y"] + box["height"] - 5, 880)))
    mouse.drops()
    becomes(page, "Across", ["first", "third"])
    assert order(page, "Across", 1) == ["second"]


def test_a_finger_carries_a_note_below_another(opens: Callable[..., Page]) -> None:
    page = opens("Finger", viewport={"width": 360, "height": 800}, has_touch=True, is_mobile=True)
    finger = Finger(page)
    finger.takes(grip(page, "Finger first"))
    finger.carries(edge(page, "Finger second", down=0.8))
    expect(note(page, "Finger second")).to_have_attribute("data-drop", "after across")
    finger.drops()
    becomes(page, "Finger", ["second", "first", "third"])


def test_escape_puts_a_note_back(opens: Callable[..., Page]) -> None:
    page = opens("Back", viewport={"width": 1440, "height": 900})
    mouse = Mouse(page)
    mouse.takes(grip(page, "Back third"))
    mouse.carries(edge(page, "Back first", across=0.1))
    page.keyboard.press("Escape")
    mouse.drops()
    expect(page.locator("[data-drop], [data-dragging]")).to_have_count(0)
    assert order(page, "Back") == ["first", "second", "third"]
