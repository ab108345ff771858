"""Every page there is, with who can see it and how one gets there. For the tests that look at all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

Scenes = dict[str, dict[str, Any]]
Act = Callable[[Page], object]


def stay(_page: Page) -> None:
    """The page as it comes."""


@dataclass(frozen=True)
class Place:
    """`address` may name fields of the scene. `act` is what its person does there first."""

    name: str
    who: str
    address: str
    scene: str = "running"
    act: Act = stay
    status: str = ""  # the number an error page shows


def press(selector: str) -> Act:
    return lambda page: page.locator(selector).filter(visible=True).first.click()


def both(*acts: Act) -> Act:
    return lambda page: [act(page) for act in acts]


def fill(selector: str, text: str) -> Act:
    return lambda page: page.locator(selector).fill(text)


def send_plain(selector: str, **values: str) -> Act:
    """Sends a form past its script, as a browser without JavaScript would."""
    script = """(form, values) => {
      for (const [name, value] of Object.entries(values)) form.elements[name].value = value;
      form.noValidate = true; HTMLFormElement.prototype.submit.call(form); }"""

    def act(page: Page) -> None:
        with page.expect_navigation():
            page.locator(selector).first.evaluate(script, values)

    return act


def submit(selector: str) -> Act:
    def act(page: Page) -> None:
        with page.expect_navigation():
            page.locator(f"{selector} [type=submit]").filter(visible=True).last.click()

    return act


def as_cafe(page: Page) -> None:
    """The drawn tables instead of the list; a laptop shows both."""
    floor = page.locator("[name=view][value=floor]")
    if floor.count():
        floor.first.check(force=True)


def until_tried(page: Page) -> None:
    """The page that tries the connection, with everything on it that can be unfolded."""
    page.locator("[data-done]").wait_for(timeout=60_000)
    page.locator("details summary").click()


OWN_NOTE = ".note[data-mine] [data-act=more]"
STRANGERS = [
    Place("home", "stranger", "/"),
    Place("home, wrong code", "stranger", "/", act=both(fill("#id_code", "no such code"), submit("main form"))),
    Place("join", "stranger", "/j/{code}/", "lobby"),
    Place("join, refused", "stranger", "/j/{code}/", "lobby", act=send_plain("main form", name=" ")),
    Place("join, before", "stranger", "/j/{code}/", "draft"),
    Place("join, after", "stranger", "/j/{code}/", "closed"),
    Place("sign in", "stranger", "/sign-in/"),
    Place(
        "sign in, refused",
        "stranger",
        "/sign-in/",
        act=send_plain("main form", email="eve@example.org", password="wrong"),
    ),
    Place("sign-in link", "stranger", "/sign-in/{sign_in}/"),
    Place("sign-in link, used up", "stranger", "/sign-in/gone/", status="404"),
    Place("about", "stranger", "/about/"),
    Place("check", "stranger", "/check/", act=until_tried),
    Place("hand-over", "stranger", "/h/{hand_over}/"),
    Place("404", "stranger", "/nowhere/", status="404"),
    Place("403", "stranger", "/", act=send_plain("main form", csrfmiddlewaretoken="x", code="K7M2QXHB"), status="403"),
    Place("500", "stranger", "/j/{code}/", "broken", status="500"),
    Place("rejoin", "forger", "/e/{key}/"),
    Place("removed", "removed", "/e/{key}/"),
]
MODERATORS = [
    Place("events", "moderator", "/events/"),
    Place("event, new", "moderator", "/events/new/"),
    Place(
        "event, refused",
        "moderator",
        "/events/new/?template=sample",
        act=both(press("#plan details summary"), fill("#id_tables", "0"), fill("#id_title", ""), submit(".savebar")),
    ),
    Place("event, topic tables", "moderator", "/events/new/?template=topics"),
    Place("event, edit", "moderator", "/events/{key}/", "draft"),
    Place("event, edit while it runs", "moderator", "/events/{key}/", act=press("#plan details summary")),
    Place("event, delete", "moderator", "/events/{key}/delete/"),
    Place("password", "moderator", "/password/"),
    *(
        Place(f"console, {scene}", "moderator", "/events/{key}/console/", scene)
        for scene in ("draft", "lobby", "seating", "running", "over", "gallery", "closed")
    ),
    Place("console, jump", "moderator", "/events/{key}/console/", act=press("[data-dialog=jump]")),
    Place("console, table", "moderator", "/events/{key}/console/", act=press("#tables [data-act=table]")),
    Place(
        "console, person",
        "moderator",
        "/events/{key}/console/",
        act=both(press("#tables [data-act=table]"), press("#table-dialog [data-act=person]")),
    ),
    Place("screen, doors", "moderator", "/events/{key}/screen/", "lobby"),
    Place("screen, seating", "moderator", "/events/{key}/screen/", "seating"),
    Place("screen, session", "moderator", "/events/{key}/screen/"),
    Place("screen, over", "moderator", "/events/{key}/screen/", "over"),
    Place("screen, gallery", "moderator", "/events/{key}/screen/", "gallery"),
    Place("board, moderator", "moderator", "/e/{key}/table/?board={board}", act=press(".note [data-act=more]")),
    Place("lobby, moderator", "moderator", "/e/{key}/lobby/", "seating"),
    Place("gallery, moderator", "moderator", "/e/{key}/gallery/", "gallery"),
]
GUESTS = [
    Place("lobby", "guest", "/e/{key}/lobby/", "lobby"),
    Place("lobby, seating", "guest", "/e/{key}/lobby/", "seating"),
    Place("lobby, café", "guest", "/e/{key}/lobby/", "seating", act=as_cafe),
    Place("lobby, running", "guest", "/e/{key}/lobby/"),
    Place("table", "guest", "/e/{key}/table/"),
    Place("table, menu", "guest", "/e/{key}/table/", act=press(OWN_NOTE)),
    Place("table, edit", "guest", "/e/{key}/table/", act=both(press(OWN_NOTE), press("#note-menu [data-act=edit]"))),
    Place("table, move", "guest", "/e/{key}/table/", act=both(press(OWN_NOTE), press("#note-menu [data-act=move]"))),
    Place("table, over", "guest", "/e/{key}/table/", "over"),
    Place("not saved", "guest", "/e/{key}/table/", act=send_plain("[data-composer]", text="x" * 1001)),
    Place("gallery", "guest", "/e/{key}/gallery/", "gallery"),
    Place("gallery, wall", "guest", "/e/{key}/gallery/?view=wall", "gallery"),
    Place("gallery, search", "guest", "/e/{key}/gallery/?q=stadt", "gallery"),
    Place("gallery, nothing found", "guest", "/e/{key}/gallery/?q=nothinglikethis", "gallery"),
    Place("gallery, closed", "guest", "/e/{key}/gallery/", "closed"),
    Place("me", "guest", "/e/{key}/me/"),
    Place("me, link", "guest", "/e/{key}/me/", act=submit("form[action$='/link/']")),
    Place("left", "guest", "/e/{key}/me/", "over", act=send_plain("form[action$='/leave/']")),
]
PLACES = STRANGERS + MODERATORS + GUESTS
