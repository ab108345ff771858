"""Takes the README's pictures from the running house: `python3 manage.py tool python -m tests.browser.shots`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, sync_playwright

from tests.browser.everywhere import Everywhere
from tests.browser.house import FLAGS, ROOT, House
from tests.browser.places import PLACES
from tests.machine import BROWSERS

FOLDER = ROOT / "docs" / "shots"
LAPTOP, PHONE = (1280, 800), (390, 844)


class Shot(NamedTuple):
    """The place with this name, as the picture with that one."""

    place: str
    picture: str
    size: tuple[int, int] = LAPTOP
    scheme: Literal["light", "dark"] = "light"


SHOTS = [
    Shot("lobby, seating", "lobby"),
    Shot("table", "table"),
    Shot("table", "phone", PHONE, "dark"),
    Shot("console, running", "console"),
    Shot("screen, session", "screen"),
    Shot("gallery", "gallery"),
]


def take(everywhere: Everywhere, folder: Path) -> None:
    places = {place.name: place for place in PLACES}
    for shot in SHOTS:
        page = everywhere.go(places[shot.place], size=shot.size)
        page.emulate_media(color_scheme=shot.scheme)
        page.wait_for_timeout(1_500)  # the console's numbers come once a second
        page.screenshot(path=folder / f"{shot.picture}.png")


def browser_path() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or sys.exit("Chromium is missing: apt install chromium")


def at_house(browser: Browser, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as var:
        house = House(Path(var))
        house.start()
        try:
            take(Everywhere(house, browser, "en"), folder)
        finally:
            house.stop()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        at_house(browser, FOLDER)
        browser.close()


if __name__ == "__main__":
    main()
