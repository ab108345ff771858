"""Every page for everybody, in both languages, light and dark: axe finds nothing, nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from tests.browser.everywhere import Everywhere
from tests.browser.house import FLAGS, House
from tests.browser.places import PLACES, Place

Size = tuple[int, int]
Scheme = Literal["light", "dark"]
PHONE, ZOOMED, LAPTOP = (360, 800), (720, 450), (1440, 900)  # zoomed: a laptop's window at 200 %
# Each place twice in each language: both widths and both schemes meet both languages.
LOOKS: dict[str, tuple[tuple[Size, Scheme], ...]] = {
    "en": ((PHONE, "light"), (LAPTOP, "dark")),
    "de": ((PHONE, "dark"), (LAPTOP, "light")),
}
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module", params=["en", "de"])
def everywhere(request: pytest.FixtureRequest, chromium: str, house: House) -> Iterator[Everywhere]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield Everywhere(house, browser, request.param)
        browser.close()


def complaints_of_axe(page: Page) -> list[str]:
    found: dict[str, Any] = Axe().run(page, options=OPTIONS).response
    return [f"{wrong['id']}: {node['html'][:200]}" for wrong in found["violations"] for node in wrong["nodes"]]


def sideways(page: Page) -> list[str]:
    found = []
    for width, height in (PHONE, ZOOMED):
        page.set_viewport_size({"width": width, "height": height})
        wider = page.evaluate(WIDER)
        found += [f"{wider} px too wide at {width}"] if wider else []
    return found


def status_shown(page: Page) -> str:
    """The number on an error page's table; one nobody asked for would pass every other check."""
    sign = page.locator("main.alone .cloth b")
    return (sign.text_content() or "").strip() if sign.count() else ""


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_everybody_can_use_the_page(everywhere: Everywhere, place: Place) -> None:
    page = everywhere.go(place, size=PHONE)
    assert page.locator("html").get_attribute("lang") == everywhere.language
    assert status_shown(page) == place.status
    found = sideways(page)
    for size, scheme in LOOKS[everywhere.language]:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        found += complaints_of_axe(page)
    assert found == []


@pytest.mark.parametrize("place", [p for p in PLACES if p.name.startswith("screen")], ids=lambda place: place.name)
def test_the_projector_holds_everything_without_scrolling(everywhere: Everywhere, place: Place) -> None:
    page = everywhere.go(place, size=LAPTOP)
    assert page.evaluate("() => document.documentElement.scrollHeight - window.innerHeight") <= 0
