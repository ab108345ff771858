"""For every operation: the page before plus the pushed parts is the page as freshly loaded."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page

from tests.browser.house import House, People, people
from tests.browser.test_journey import ENGLISH, joins_by_code, prepares, signs_in

# Said by the page once, when it comes; the scripts go on from there.
PASSING = "[data-clock], script, [data-notice], [data-ring], .toast, [name=csrfmiddlewaretoken], [name=id]"
UNSAID = "nonce data-streams data-now data-epoch data-parts data-just data-fresh data-me data-laid"
# The console counts and derives; what it makes is no part with a seq. Its forms say their step when they are sent.
DERIVED = ("[data-step] [type=hidden]", "data-seq")
SNAPSHOT = """([passing, unsaidNames]) => {
  const main = document.getElementById('main').cloneNode(true);
  for (const element of main.querySelectorAll(passing)) element.remove();
  const unsaid = new Set(unsaidNames.split(' '));
  const lines = [];
  const walk = (node, depth) => {
    if (node.nodeType === 3) {
      const text = node.data.trim().replace(/\\s+/g, ' ');
      if (text) lines.push(' '.repeat(depth) + text);
    }
    if (node.nodeType !== 1) return;
    node.classList.remove('fresh');
    const said = [...node.attributes].filter(a => !unsaid.has(a.name) && !(a.name === 'class' && !a.value))
      .map(a => `${a.name}=${JSON.stringify(a.value.trim())}`).sort();
    lines.push(' '.repeat(depth) + [node.localName, ...said].join(' '));
    for (const child of (node.content ?? node).childNodes) walk(child, depth + 1);
  };
  walk(main, 0);
  return lines;
}"""


class Watch:
    """Pages that stay open while others act; each is compared with the same address loaded anew beside it."""

    def __init__(self, house: House, visitors: People) -> None:
        self.house, self.visitors = house, visitors
        self.ada = visitors.comes(width=1440, height=900)
        signs_in(self.ada, house)
        self.code = prepares(self.ada.page)
        self.notes: dict[str, dict[str, Any]] = {}
        self.acts("ada", "stage", "phase.next")
        self.guests = {name: visitors.comes() for name in ("Ben", "Cem", "Dana")}
        for name, guest in self.guests.items():
            joins_by_code(guest.page, house.url, self.code, name, ENGLISH)
        self.acts("ada", "stage", "phase.next")
        self.tables = self.parts("Ben", "room")
        for name, table in (("Ben", 0), ("Cem", 0)):
            self.acts(name, "room", "seat.take", table=self.tables[table]["table"])
        self.acts("ada", "stage", "phase.next")
        for name in ("Ben", "Cem"):
            self.page_of(name).wait_for_url("**/table/")
        self.board = f"board:{self.parts('Ben', 'room')[0]['board']}"
        self.questions = [question["id"] for question in self.parts("Ben", "stage")[0]["questions"]]

    def page_of(self, name: str) -> Page:
        return self.ada.page if name == "ada" else self.guests[name].page

    def acts(self, who: str, stream: str, kind: str, *, base: int | None = None, **data: Any) -> dict[str, Any]:
        """One operation by POST, so that the pages that watch learn of it by push only.

        Not from within the page: it may follow its person elsewhere before the answer is there.
        """
        new_id = str(uuid.uuid4())
        frame = {"t": "op", "id": new_id, "s": stream, "k": kind, "d": data}
        said = frame if base is None else {**frame, "base": base}
        answer = self.posts(who, said)
        while answer.get("retry"):  # as every client does, with the same id
            self.page_of(who).wait_for_timeout(answer.get("after_ms", 500))
            answer = self.posts(who, said)
        assert answer["t"] == "ack", (kind, answer)
        return {**answer, "note": new_id}

    def posts(self, who: str, frame: dict[str, Any]) -> dict[str, Any]:
        context = self.page_of(who).context
        address = f"{self.house.url}/live/{self.code}/ops{'?as=moderator' if who == 'ada' else ''}"
        token = next(cookie["value"] for cookie in context.cookies() if cookie["name"] == settings.CSRF_COOKIE_NAME)
        answer: dict[str, Any] = context.request.post(address, data=frame, headers={"X-CSRFToken": token}).json()
        return answer

    def parts(self, who: str, stream: str) -> list[dict[str, Any]]:
        """The stream's parts as this person gets them."""
        address = f"{self.house.url}/live/{self.code}/parts"
        frames = self.page_of(who).context.request.get(address, params={"since": json.dumps({stream: -1})}).json()
        found = [part for frame in frames if frame.get("s") == stream for part in frame.get("parts", [])]
        return sorted(found, key=lambda part: part.get("no", 0))

    def note(self, text: str) -> dict[str, Any]:
        return next(part for part in self.parts("Cem", self.board) if part.get("text") == text)


@pytest.fixture(scope="module")
def watch(chromium: str, house: House) -> Iterator[Watch]:
    with people(chromium, house.url) as visitors:
        yield Watch(house, visitors)


def is_as_fresh(page: Page, *, but: tuple[str, str] = ("", "")) -> None:
    """Waits until the page shows what a fresh load shows; names the lines that differ otherwise.

    `but` names elements (a selector) and attributes that are not compared here.
    """
    left_out = [", ".join(filter(None, [PASSING, but[0]])), f"{UNSAID} {but[1]}"]
    beside = page.context.new_page()
    beside.goto(page.url)
    beside.wait_for_function(
        "() => document.querySelector('#main[data-live]') && !document.querySelector('[data-parts]')"
    )
    fresh: list[str] = beside.evaluate(SNAPSHOT, left_out)
    shown: list[str] = []
    for _try in range(30):
        shown = page.evaluate(SNAPSHOT, left_out)
        if shown == fresh:
            break
        page.wait_for_timeout(100)
    beside.close()
    assert [line for line in shown if line not in fresh] == [line for line in fresh if line not in shown]
    assert shown == fresh


def add(watch: Watch, text: str, q: int = 0) -> None:
    watch.acts("Ben", watch.board, "note.add", q=watch.questions[q], text=text, colour="mint")


def edit(watch: Watch) -> None:
    note = watch.note("first")
    watch.acts("Ben", watch.board, "note.edit", note=note["note"], text="first, again", base=note["edited"])


NOTES: list[tuple[str, Callable[[Watch], object]]] = [
    ("note.add", lambda w: add(w, "first")),
    ("note.add another", lambda w: add(w, "second <b>&amp;</b>")),
    ("note.add elsewhere", lambda w: add(w, "third", 1)),
    ("note.edit text", edit),
    ("note.edit colour", lambda w: w.acts("Ben", w.board, "note.edit", note=w.note("third")["note"], colour="sky")),
    (
        "note.move",
        lambda w: w.acts("Ben", w.board, "note.move", note=w.note("second <b>&amp;</b>")["note"], after=None),
    ),
    (
        "note.move to the other question",
        lambda w: w.acts("Ben", w.board, "note.move", note=w.note("third")["note"], after=None, q=w.questions[0]),
    ),
    (
        "note.hide",
        lambda w: (
            w.notes.update(hidden=w.note("third"))
            or w.acts("ada", w.board, "note.hide", note=w.notes["hidden"]["note"])
        ),
    ),
    ("note.show", lambda w: w.acts("ada", w.board, "note.show", note=w.notes["hidden"]["note"])),
    (
        "note.gone",
        lambda w: (
            w.notes.update(gone=w.note("third")) or w.acts("Ben", w.board, "note.gone", note=w.notes["gone"]["note"])
        ),
    ),
    ("note.back", lambda w: w.acts("Ben", w.board, "note.back", note=w.notes["gone"]["note"])),
]
ROOM: list[tuple[str, Callable[[Watch], object]]] = [
    ("seat.leave", lambda w: w.acts("Ben", "room", "seat.leave")),
    ("seat.any", lambda w: w.acts("Ben", "room", "seat.any")),
    ("seat.take", lambda w: w.acts("Ben", "room", "seat.take", table=w.tables[2]["table"])),
    ("seat.put", lambda w: w.acts("ada", "room", "seat.put", p=person(w, "Ben"), table=w.tables[0]["table"])),
    ("table.set cap", lambda w: w.acts("ada", "room", "table.set", table=w.tables[0]["table"], cap=2)),
    ("table.set name", lambda w: w.acts("ada", "room", "table.set", table=w.tables[1]["table"], name="Window")),
    ("table.set closed", lambda w: w.acts("ada", "room", "table.set", table=w.tables[2]["table"], open=False)),
    ("table.set open", lambda w: w.acts("ada", "room", "table.set", table=w.tables[2]["table"], open=True)),
    ("table.set host", lambda w: w.acts("ada", "room", "table.set", table=w.tables[0]["table"], host=person(w, "Cem"))),
    (
        "table.set host elsewhere",
        lambda w: w.acts("ada", "room", "table.set", table=w.tables[2]["table"], host=person(w, "Cem")),
    ),
    ("person.set name", lambda w: w.acts("ada", "room", "person.set", p=person(w, "Ben"), name="Benjamin B.")),
    (
        "person.set name of a host",
        lambda w: w.acts("ada", "room", "person.set", p=person(w, "Cem"), name="Cem C."),
    ),
    ("table.set no host", lambda w: w.acts("ada", "room", "table.set", table=w.tables[2]["table"], host=None)),
]
STAGE: list[tuple[str, Callable[[Watch], object]]] = [
    ("word.say", lambda w: w.acts("ada", "stage", "word.say", text="Five more minutes")),
    ("clock.pause", lambda w: w.acts("ada", "stage", "clock.pause")),
    ("clock.resume", lambda w: w.acts("ada", "stage", "clock.resume")),
    ("clock.add", lambda w: w.acts("ada", "stage", "clock.add", minutes=5)),
    ("word taken back", lambda w: w.acts("ada", "stage", "word.say", text="")),
]
GALLERY: list[tuple[str, Callable[[Watch], object]]] = [
    ("takeaway.set", lambda w: w.acts("Ben", "gallery", "takeaway.set", text="Courage")),
    ("takeaway.set again", lambda w: w.acts("Ben", "gallery", "takeaway.set", text="Courage and users")),
    ("closing.set", lambda w: w.acts("ada", "gallery", "closing.set", text="We act together.")),
    ("late note", lambda w: add(w, "from the train")),
    ("takeaway taken back", lambda w: w.acts("Ben", "gallery", "takeaway.set", text="")),
]


def person(watch: Watch, name: str) -> int:
    return int(json.loads(watch.page_of(name).locator("#main").get_attribute("data-me") or "{}")["id"])


@pytest.fixture(scope="module")
def at_table(watch: Watch) -> Page:
    page = watch.page_of("Cem")
    page.goto(f"{watch.house.url}/e/{watch.code}/table/")
    return page


@pytest.fixture(scope="module")
def in_lobby(watch: Watch) -> Page:
    page = watch.page_of("Dana")
    page.goto(f"{watch.house.url}/e/{watch.code}/lobby/")
    return page


@pytest.fixture(scope="module")
def console(watch: Watch) -> Page:
    return watch.ada.page


@pytest.mark.parametrize(("name", "act"), [*NOTES, *STAGE], ids=lambda value: value if isinstance(value, str) else "")
def test_the_table_page(watch: Watch, at_table: Page, name: str, act: Callable[[Watch], object]) -> None:
    act(watch)
    is_as_fresh(at_table)


@pytest.mark.parametrize(("name", "act"), [*ROOM, *STAGE], ids=lambda value: value if isinstance(value, str) else "")
def test_the_lobby_page_and_the_seats_at_the_table(
    watch: Watch, in_lobby: Page, at_table: Page, name: str, act: Callable[[Watch], object]
) -> None:
    act(watch)
    is_as_fresh(in_lobby)
    is_as_fresh(at_table)


@pytest.mark.parametrize(("name", "act"), [*ROOM, *STAGE], ids=lambda value: value if isinstance(value, str) else "")
def test_the_console(watch: Watch, console: Page, name: str, act: Callable[[Watch], object]) -> None:
    act(watch)
    is_as_fresh(console, but=DERIVED)


@pytest.mark.parametrize(("name", "act"), GALLERY, ids=lambda value: value if isinstance(value, str) else "")
def test_the_gallery_page(watch: Watch, name: str, act: Callable[[Watch], object]) -> None:
    page = watch.page_of("Cem")
    if "gallery" not in page.url:
        watch.acts("ada", "stage", "phase.go", phase="gallery")
        page.wait_for_url("**/gallery/", timeout=10_000)
    act(watch)
    is_as_fresh(page)
