"""Markup in everything people type (A23, A24, A30, A36), on every page: shown as text, and nothing runs."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sessions import identity
from sessions.models import Event, Question
from tests.browser.house import ROOT, House, People, Person
from tests.cafe import Cafe
from tests.test_hostile_text import MARKUP

WATCH = """
window.violations = [];
window.fired = [];
document.addEventListener("securitypolicyviolation", (e) => window.violations.push(`${e.violatedDirective} ${e.blockedURI}`));
window.alert = (what) => window.fired.push(what);
"""  # noqa: E501 - as it stands in the browser
BECAME = "[onerror], [onload], [onmouseover], [hx-get='/evil'], #config, [href^='javascript:']"
STICK_OUT = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const out = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > width + 1);
  return out.map((one) => `${one.localName}.${one.className} ${one.getBoundingClientRect().right}`).slice(-5);
}"""
NAME = "<img src=x onerror=alert(1)>"
WIDE = "W" * 1_000
MIXED = "שלום 3 عربي 4 \u202eevil"
SOON = 10_000


def set_up() -> None:
    """In the server's database; prints what the test needs as JSON."""
    cafe = Cafe().runs()
    ada, cem = cafe.moderator, cafe.cem
    hostile = "".join(MARKUP)
    Event.objects.filter(pk=cafe.event.pk).update(title=MARKUP[0] + MARKUP[6], purpose=hostile)
    Question.objects.filter(session__event=cafe.event).update(text=hostile[:500])
    cafe.does(ada, "room", "person.set", p=cem.pk, name=NAME)
    cafe.does(ada, "room", "person.set", p=cafe.ben.pk, name="</script><b>{{7*7}}</b>")
    cafe.does(ada, "room", "table.set", table=cafe.table(1).pk, name="<svg/onload=alert(1)>")
    cafe.does(ada, "stage", "word.say", text=hostile)
    for text in (*MARKUP, WIDE, MIXED):
        assert cafe.writes(cem, text).code is None
    print(json.dumps({"key": cafe.event.key, "cem": cafe.cookie(cem), "ben": cafe.cookie(cafe.ben)}))  # noqa: T201


def open_gallery(key: str) -> None:
    from sessions.clock import now_ms
    from sessions.live import streams
    from sessions.live.ops import Name, Op
    from sessions.live.uuid7 import uuid7

    event = Event.objects.get(key=key)
    ada = identity.moderator_in(event, event.owner)
    cem = event.participants.get(name=NAME)
    assert ada is not None
    for who, stream, kind, data in (
        (ada, "stage", "phase.go", {"phase": "gallery"}),
        (ada, "gallery", "closing.set", {"text": "".join(MARKUP)}),
        (cem, "gallery", "takeaway.set", {"text": "".join(MARKUP)}),
    ):
        [answer] = streams.apply([Op(uuid7(), event.pk, who.pk, Name(stream), kind, data, None, now_ms())])
        assert answer.code is None, answer


def run(house: House, call: str) -> str:
    module = "tests.browser.test_hostile_browser"
    return house.does("shell", "-v0", "-c", f"from {module} import open_gallery, set_up; {call}")


def harmless(person: Person) -> None:
    """Nothing ran, nothing was asked for elsewhere, nothing became an element."""
    page = person.page
    assert page.evaluate("window.violations") == []
    assert page.evaluate("window.fired") == []
    assert (
        page.locator("[onerror], [onload], [onmouseover], [hx-get='/evil'], #config, [href^='javascript:']").count()
        == 0
    )
    assert not [address for address in person.asked if "evil" in address or address.endswith("/x")]
    assert [text for text in person.complaints if "Content Security Policy" in text] == []


def comes_as(visitors: People, house: House, cookie: str, **options: Any) -> Person:
    person = visitors.comes(**options)
    person.context.add_init_script(WATCH)
    if cookie:
        name, _, value = cookie.partition("=")
        person.context.add_cookies([{"name": name, "value": value, "url": house.url}])
    return person


def shows(page: Page, *texts: str) -> None:
    """As text that can be read."""
    said = " ".join(page.locator("body").inner_text().split()).lower()
    for text in texts:
        assert " ".join(text.split()).lower() in said, text


def too_wide(page: Page) -> list[str]:
    """What sticks out sideways, when the page can be scrolled that way."""
    return list(page.evaluate(STICK_OUT))


def test_markup_is_text_on_every_page_and_in_what_is_pushed(house: House, visitors: People) -> None:
    cast = json.loads(run(house, "set_up()").splitlines()[-1])
    guest, home = f"{house.url}/e/{cast['key']}", f"{house.url}/events"
    cem = comes_as(visitors, house, cast["cem"], width=360, height=740)
    ben = comes_as(visitors, house, cast["ben"])
    ada = comes_as(visitors, house, "")

    ben.page.goto(f"{guest}/table/")
    cem.page.goto(f"{guest}/table/")
    shows(cem.page, *MARKUP, NAME)
    assert too_wide(cem.page) == []
    cem.page.get_by_role("textbox", name="Your note").first.fill(f"pushed {MARKUP[5]}{NAME}")
    cem.page.get_by_role("button", name="Post note").first.click()
    expect(ben.page.get_by_text(f"pushed {MARKUP[5]}{NAME}").first).to_be_visible(timeout=SOON)
    harmless(ben)
    for path in ("lobby/", "me/"):
        cem.page.goto(f"{guest}/{path}")
        assert too_wide(cem.page) == []
        harmless(cem)
    ada.page.goto(house.moderator_link())
    ada.page.get_by_role("button", name="Sign in").click()
    for path in ("", f"{cast['key']}/console/", f"{cast['key']}/screen/", f"{cast['key']}/", f"{cast['key']}/delete/"):
        ada.page.goto(f"{home}/{path}")
        harmless(ada)
    ada.page.goto(f"{home}/")
    shows(ada.page, MARKUP[0] + MARKUP[6])

    run(house, f"open_gallery('{cast['key']}')")
    for query in ("", "?view=wall", "?q=<img", "?q=%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"):
        cem.page.goto(f"{guest}/gallery/{query}")
        assert too_wide(cem.page) == []
        harmless(cem)
    cem.page.goto(f"{guest}/gallery/")
    shows(cem.page, *MARKUP)
    ada.page.goto(f"{home}/{cast['key']}/screen/")
    harmless(ada)


def test_no_page_can_be_framed_and_browsers_complain_of_no_header(house: House, visitors: People) -> None:
    """A36"""
    framed = comes_as(visitors, house, "")
    warnings: list[str] = []
    framed.page.on("console", lambda said: warnings.append(said.text))
    framed.page.goto(house.url)
    assert warnings == []
    framed.page.set_content(f"<iframe src='{house.url}/'></iframe>")
    frame = framed.page.frames[-1]
    assert "Event code" not in frame.content()


@pytest.mark.parametrize("folder", ["templates", "static/js"])
def test_people_type_into_plain_fields_alone(folder: str) -> None:
    """A24: a plain field takes the text of what is pasted and nothing else"""
    for path in Path(ROOT, folder).rglob("*.*"):
        assert "contenteditable" not in path.read_text(encoding="utf-8").lower(), path
