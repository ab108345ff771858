"""A server with every scene in one language, and a browser for everybody who looks at them."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.house import House
from tests.browser.places import Place, Scenes

LOCALES = {"en": "en-GB", "de": "de-DE"}
READY = "() => !document.querySelector('[data-live]') || !document.querySelector('[data-parts]')"


class Everywhere:
    """Goes to places as the person who may be there. One context for each of them."""

    def __init__(self, house: House, browser: Browser, language: str) -> None:
        self.house, self.browser, self.language = house, browser, language
        words = f"from tests.browser import scenery; print(scenery.set_up('{language}'))"
        built = house.does("shell", "-v0", "-c", words)
        self.scenes: Scenes = json.loads(built.splitlines()[-1])
        self.pages: dict[str, Page] = {}

    def page_of(self, who: str) -> Page:
        if who not in self.pages:
            context = self.browser.new_context(locale=LOCALES[self.language], reduced_motion="reduce")
            self.introduce(context, who)
            self.pages[who] = context.new_page()
            if who == "moderator":
                self.sign_in(self.pages[who])
        return self.pages[who]

    def introduce(self, context: BrowserContext, who: str) -> None:
        """Gives the browser the cookies that are this person."""
        for scene in self.scenes.values():
            secret = {"guest": scene["cookie"], "removed": scene["removed"], "forger": "x" * 32}.get(who)
            if secret:
                name = f"zc-{scene['key']}"
                host = urlsplit(self.house.url).hostname or ""
                context.add_cookies([{"name": name, "value": secret, "domain": host, "path": "/"}])

    def sign_in(self, page: Page) -> None:
        page.goto(self.house.moderator_link())
        page.locator("main [type=submit]").first.click()
        page.wait_for_url("**/events/")

    def moderates(self, scene: str, stream: str, kind: str, **data: object) -> None:
        """What the moderator does elsewhere, so that pages learn of it by push."""
        words = "from sessions.models import Participant; from tests.browser.scenery import does; "
        words += f"ada = Participant.objects.get(event__key={self.scenes[scene]['key']!r}, role='moderator'); "
        self.house.does("shell", "-v0", "-c", f"{words}does(ada, {stream!r}, {kind!r}, **{data!r})")

    def address(self, place: Place) -> str:
        fields = dict(self.scenes[place.scene])
        if "{sign_in}" in place.address:
            fields["sign_in"] = urlsplit(self.house.moderator_link()).path.rstrip("/").rsplit("/", 1)[-1]
        return self.house.url + place.address.format(**fields)

    def go(self, place: Place, *, size: tuple[int, int]) -> Page:
        """There, as the person the place is for, after what they do there."""
        page = self.page_of(place.who)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.goto(self.address(place))
        page.wait_for_function(READY)
        place.act(page)
        page.wait_for_function(READY)
        return page
