"""What people see when line, browser or clock do not do as they wish: real pages against the real server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, WebSocketRoute, expect

from sessions.live.uuid7 import uuid7
from tests.browser.house import House, People, Person, people
from tests.browser.test_journey import ENGLISH, joins_by_code, prepares, signs_in

SOON = 10_000
POST = """async ([code, frame]) => {
  const token = document.querySelector('[name=csrfmiddlewaretoken]').value;
  const headers = {'Content-Type': 'application/json', 'X-CSRFToken': token};
  const answer = await fetch(`/live/${code}/ops?as=moderator`, {method: 'POST', body: JSON.stringify(frame), headers});
  return await answer.json();
}"""


class Scene:
    """Session 1 runs; Cem and Dana sit at Table 1."""

    def __init__(self, house: House, visitors: People) -> None:
        self.house, self.visitors = house, visitors
        self.ada = visitors.comes(width=1440, height=900)
        signs_in(self.ada, house)
        self.code = prepares(self.ada.page)
        self.moderates("stage", "phase.next")
        self.cem, self.dana = self.guest("Cem"), self.guest("Dana")
        self.moderates("stage", "phase.next")
        for guest in (self.cem, self.dana):
            guest.page.get_by_role("button", name="Sit at Table 1", exact=True).click()
            expect(guest.page.get_by_text("You sit at Table 1.")).to_be_visible(timeout=SOON)
        self.moderates("stage", "phase.next")
        for guest in (self.cem, self.dana):
            guest.page.wait_for_url("**/table/", timeout=SOON)

    def guest(self, name: str) -> Person:
        person = self.visitors.comes()
        joins_by_code(person.page, self.house.url, self.code, name, ENGLISH)
        return person

    def moderates(self, stream: str, kind: str, **data: Any) -> None:
        page = self.ada.page
        frame = {"t": "op", "id": str(uuid7()), "s": stream, "k": kind, "d": data}
        answer = page.evaluate(POST, [self.code, frame])
        assert answer["t"] == "ack", answer

    def table(self) -> str:
        return f"{self.house.url}/e/{self.code}/table/"


@pytest.fixture(scope="module")
def scene(chromium: str, house: House) -> Iterator[Scene]:
    with people(chromium, house.url) as visitors:
        yield Scene(house, visitors)


@pytest.fixture
def cem(scene: Scene) -> Iterator[Page]:
    """Cem's page at Table 1, freshly loaded; whatever stood in its way is gone afterwards."""
    page = scene.cem.context.new_page()
    page.goto(scene.table())
    yield page
    scene.cem.context.set_offline(False)
    page.close()


@pytest.fixture
def dana(scene: Scene) -> Page:
    scene.dana.page.goto(scene.table())
    return scene.dana.page


def writes(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Your note").first.fill(text)
    page.get_by_role("button", name="Post note").first.click()


def note(page: Page, text: str) -> Locator:
    return page.locator("li.note").filter(has_text=text)


def expect_state(page: Page, text: str, state: str) -> None:
    expect(note(page, text).get_by_role("status")).to_have_text(state, timeout=3 * SOON, use_inner_text=True)


def refuse_sockets(page: Page, code: int = 1011) -> None:
    page.route_web_socket("**/live/**", lambda socket: socket.close(code=code))


def lose_operations(page: Page) -> None:
    """Sockets live, but no operation arrives: as if the tab died in between."""

    def pass_on(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        socket.on_message(lambda said: None if '"t":"op"' in str(said) else server.send(said))

    page.route_web_socket("**/live/**", pass_on)
    page.route("**/live/*/ops*", lambda route: route.abort())
    page.reload()


def hold_parts(page: Page, held: list[str | bytes]) -> Callable[[], None]:
    """From now on the page hears answers, but no parts. What is returned hands it all and holds no more."""
    holds = False
    sockets: list[WebSocketRoute] = []

    def pass_on(socket: WebSocketRoute) -> None:
        sockets.append(socket)

        def hear(said: str | bytes) -> None:
            if holds and '"t":"parts"' in str(said):
                held.append(said)
            else:
                socket.send(said)

        socket.connect_to_server().on_message(hear)

    def let_go() -> None:
        nonlocal holds
        holds = False
        for said in held:
            sockets[-1].send(said)

    page.route_web_socket("**/live/**", pass_on)
    page.reload()
    writes(page, "Heard as ever")
    expect_state(page, "Heard as ever", "Saved")
    expect(page.locator(".note[data-order]").filter(has_text="Heard as ever")).to_have_count(1, timeout=SOON)
    holds = True
    return let_go


def test_a_press_on_a_note_that_is_saved_and_on_its_way_is_not_lost(cem: Page) -> None:
    held: list[str | bytes] = []
    let_go = hold_parts(cem, held)
    writes(cem, "Saved before it came")
    expect_state(cem, "Saved before it came", "Saved")
    note(cem, "Saved before it came").get_by_role("button", name="More").click()
    expect(cem.get_by_role("menu", name="Note")).to_be_hidden()
    let_go()
    assert held
    cem.get_by_role("menuitem", name="Delete").click()
    expect(note(cem, "Saved before it came")).to_have_count(0, timeout=SOON)


def test_a_note_written_offline_says_so_and_is_saved_once_when_the_line_is_back(
    cem: Page, dana: Page, scene: Scene
) -> None:
    writes(cem, "Written online")
    expect_state(cem, "Written online", "Saved")
    scene.cem.context.set_offline(True)
    writes(cem, "Written offline")
    expect(cem.get_by_text("You are offline.")).to_be_visible(timeout=SOON)
    expect_state(cem, "Written offline", "Not saved")
    expect(note(dana, "Written offline")).to_have_count(0)
    scene.cem.context.set_offline(False)
    expect_state(cem, "Written offline", "Saved")
    expect(cem.get_by_text("You are offline.")).to_be_hidden()
    expect(note(dana, "Written offline")).to_have_count(1, timeout=SOON)
    expect(note(cem, "Written offline")).to_have_count(1)


def test_a_note_whose_tab_died_is_sent_again_by_the_reloaded_page(cem: Page, dana: Page) -> None:
    lose_operations(cem)
    writes(cem, "Nearly lost")
    expect_state(cem, "Nearly lost", "Sending")
    cem.unroute_all()
    again = cem.context.new_page()
    cem.close()
    again.goto(dana.url)
    expect(note(dana, "Nearly lost")).to_have_count(1, timeout=3 * SOON)
    expect_state(again, "Nearly lost", "Saved")
    again.close()


def test_a_reloaded_page_says_that_a_note_is_being_sent_again(cem: Page, dana: Page, scene: Scene) -> None:
    scene.cem.page.goto("about:blank")  # or it would send what a slow reload leaves for ten seconds
    lose_operations(cem)
    writes(cem, "Sent again")
    expect_state(cem, "Sent again", "Sending")
    cem.reload()
    expect(cem.get_by_text("1 note is being sent again.")).to_be_visible(timeout=SOON)
    expect_state(cem, "Sent again", "Sending")
    expect(note(dana, "Sent again")).to_have_count(0)


def test_what_a_closed_tab_left_is_sent_by_another_one(cem: Page, dana: Page, scene: Scene) -> None:
    dying = scene.cem.context.new_page()
    dying.goto(scene.table())
    lose_operations(dying)
    writes(dying, "Left behind")
    expect_state(dying, "Left behind", "Sending")
    expect(note(cem, "Left behind")).to_have_count(0)
    dying.close()
    expect(note(dana, "Left behind")).to_have_count(1, timeout=3 * SOON)
    expect_state(cem, "Left behind", "Saved")


def test_words_refused_after_a_reload_stand_in_their_editor_again(cem: Page, scene: Scene) -> None:
    scene.cem.page.goto("about:blank")  # or it would send what the other leaves
    lose_operations(cem)
    writes(cem, "Refused words")
    expect_state(cem, "Refused words", "Sending")
    cem.unroute_all()
    cem.close()
    page = scene.cem.context.new_page()

    def refuse(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def answer(said: str | bytes) -> None:
            frame = json.loads(said)
            err = {"t": "err", "id": frame.get("id"), "code": "board_full", "text": "There is no room.", "retry": False}
            return socket.send(json.dumps(err)) if frame["t"] == "op" else server.send(said)

        socket.on_message(answer)

    page.route_web_socket("**/live/**", refuse)
    page.goto(scene.table())
    expect(page.get_by_role("textbox", name="Your note").first).to_have_value("Refused words", timeout=2 * SOON)
    expect(page.get_by_text("There is no room.")).to_be_visible()
    expect(note(page, "Refused words")).to_have_count(0)
    page.get_by_role("textbox", name="Your note").first.fill("")
    page.close()


def test_where_sockets_are_blocked_the_page_polls_and_posts(cem: Page, dana: Page) -> None:
    refuse_sockets(cem)
    cem.reload()
    writes(dana, "From the other side")
    expect(note(cem, "From the other side")).to_be_visible(timeout=3 * SOON)
    writes(cem, "By post")
    expect(note(dana, "By post")).to_be_visible(timeout=SOON)
    expect_state(cem, "By post", "Saved")
    expect(note(cem, "By post")).to_have_count(1)


def test_a_captive_portal_counts_as_offline_and_nothing_is_marked_as_saved(cem: Page, dana: Page) -> None:
    def portal(route: Route) -> None:
        route.fulfill(status=200, content_type="text/html", body="<h1>Please accept our terms</h1>")

    refuse_sockets(cem)
    cem.route("**/live/**", portal)
    cem.reload()
    writes(cem, "Behind the portal")
    expect(cem.get_by_text("You are offline.")).to_be_visible(timeout=3 * SOON)
    expect_state(cem, "Behind the portal", "Not saved")
    cem.unroute("**/live/**")
    expect(note(dana, "Behind the portal")).to_have_count(1, timeout=3 * SOON)
    expect_state(cem, "Behind the portal", "Saved")


def test_without_indexeddb_the_page_warns_and_works(scene: Scene, dana: Page) -> None:
    page = scene.cem.context.new_page()
    page.add_init_script("Object.defineProperty(window, 'indexedDB', {value: undefined})")
    page.goto(scene.table())
    expect(page.get_by_text("This browser cannot keep anything.")).to_be_visible(timeout=SOON)
    writes(page, "From memory")
    expect_state(page, "From memory", "Saved")
    expect(note(dana, "From memory")).to_have_count(1, timeout=SOON)
    page.close()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (4401, "Please come in again."),
        (4403, "You are not part of this event any more."),
        (4404, "This event is no longer here."),
        (4409, "This event is open in too many tabs."),
        (4426, "Please reload this page."),
    ],
)
def test_a_line_that_ends_for_good_says_why(cem: Page, code: int, sentence: str) -> None:
    loads: list[str] = []
    refuse_sockets(cem, code)
    cem.on("load", lambda page: loads.append(page.url))
    cem.reload()
    expect(cem.get_by_text(sentence)).to_be_visible(timeout=SOON)
    cem.wait_for_timeout(1_000)
    assert len(loads) == (2 if code == 4426 else 1)  # an outdated page reloads by itself, once


def test_half_typed_text_survives_a_reload(cem: Page) -> None:
    field = cem.get_by_role("textbox", name="Your note").first
    field.fill("Half a thou")
    cem.reload()
    expect(cem.get_by_role("textbox", name="Your note").first).to_have_value("Half a thou")
    cem.get_by_role("textbox", name="Your note").first.fill("")


def test_what_is_typed_outlives_the_gong(scene: Scene, cem: Page, dana: Page) -> None:
    """Session 1 ends and session 2 is seated: who has nothing open follows, who is typing decides."""
    cem.get_by_role("textbox", name="Your note").first.fill("Half typed at the gong")
    scene.moderates("stage", "phase.next")
    expect(cem.get_by_text("The gong: this session is over.")).to_be_visible(timeout=SOON)
    scene.moderates("stage", "phase.next")
    dana.wait_for_url("**/lobby/", timeout=SOON)
    expect(cem.get_by_text("You are in the middle of a text. Take your time; it")).to_be_visible(timeout=SOON)
    cem.wait_for_timeout(4_000)
    assert cem.url.endswith("/table/")
    cem.get_by_role("link", name="Go there now").click()
    cem.wait_for_url("**/lobby/", timeout=SOON)
    expect(cem.get_by_text("Half typed at the gong")).to_be_visible(timeout=SOON)
    cem.get_by_role("button", name="Add it to Table 1").click()
    expect(cem.get_by_text("You had begun a note:")).to_be_hidden(timeout=SOON)
    expect(cem.get_by_text("Your note lies on the table now.")).to_be_visible(timeout=SOON)
    count = (
        "from tables.models import Note; print(Note.objects.filter(text='Half typed at the gong', late=True).count())"
    )
    assert scene.house.does("shell", "-v", "0", "-c", count).strip() == "1"


def test_kept_text_stays_with_its_person_until_it_is_discarded(scene: Scene, cem: Page) -> None:
    cem.evaluate(
        "() => { const me = JSON.parse(document.getElementById('main').dataset.me);"
        " localStorage.setItem(`zc-draft/${document.getElementById('main').dataset.event}/${me.id}/board:0 1`,"
        " JSON.stringify({s: 'board:0', q: 1, table: 'Table 9', text: 'For later', at: Date.now()})); }"
    )
    cem.reload()
    expect(cem.get_by_role("button", name="Add it to Table 9")).to_be_visible(timeout=SOON)
    cem.get_by_role("button", name="Keep for me").click()
    expect(cem.get_by_text("1 text kept for you")).to_be_visible()
    cem.reload()
    cem.get_by_text("1 text kept for you").click()
    expect(cem.get_by_text("For later")).to_be_visible()
    cem.locator("details.kept").get_by_role("button", name="Discard").click()
    expect(cem.get_by_text("1 text kept for you")).to_be_hidden()
