"""What the moderator changes while people walk the gallery reaches them, and takes no half-typed words away."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.outage import LONG, SOON, Outage, opens


@pytest.fixture
def outage(outage: Outage) -> Outage:
    """Cem and Dana walk."""
    outage.moderates("gallery", "closing.set", text="We leave with courage")
    outage.moderates("stage", "phase.go", phase="gallery")
    for guest in (outage.cem, outage.dana):
        guest.page.wait_for_url("**/gallery/", timeout=SOON)
    return outage


def takes_home(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="What do you take home?").fill(text)
    page.get_by_role("button", name="Share").click()


def test_who_stayed_while_the_walk_was_interrupted_sees_all_of_it_again(outage: Outage) -> None:
    """The stream of the gallery ends when the event goes back to its tables; half-typed words hold the page."""
    cem, dana = outage.cem.page, outage.dana.page
    cem.get_by_role("textbox", name="What do you take home?").fill("Half a thou")
    outage.moderates("stage", "phase.go", phase="over", session=1)
    dana.wait_for_url(lambda url: "gallery" not in url, timeout=SOON)
    expect(cem.get_by_text("We leave with courage")).to_have_count(0, timeout=SOON)
    outage.moderates("stage", "phase.go", phase="gallery")
    opens(dana, outage.address("gallery"))
    takes_home(dana, "Neighbours")
    takes_home(cem, "A whole thought")
    for page in (cem, dana):
        for text in ("We leave with courage", "Neighbours", "A whole thought"):
            expect(page.locator("#takes, .closing-place").get_by_text(text)).to_be_visible(timeout=SOON)


def test_a_table_that_gets_another_name_has_no_second_one(outage: Outage) -> None:
    cem, dana = outage.cem.page, outage.dana.page
    first = f"from tables.models import Table; print(Table.objects.get(event__key={outage.code!r}, number=1).pk)"
    dana.get_by_role("textbox", name="What do you take home?").fill("Half a thou")
    outage.moderates("room", "table.set", table=int(outage.house.does("shell", "-v", "0", "-c", first)), name="Roofs")
    for page in (cem, dana):
        expect(page.locator(".exhibit").get_by_text("Roofs").first).to_be_visible(timeout=SOON)
    expect(cem.locator("main").get_by_text("Table 1", exact=True)).to_have_count(0, timeout=SOON)
    expect(dana.get_by_role("textbox", name="What do you take home?")).to_have_value("Half a thou")


BOARDS = """
import json
from tables.gallery import questions_of
from tables.models import Board
from sessions.models import Question
asked = list(Question.objects.order_by("table_no", "number"))
boards = Board.objects.filter(session__event__key={code!r}).select_related("table").order_by("pk")
print(json.dumps([[board.pk, questions_of(board, asked)[0].pk] for board in boards]))
"""


def boards_of(outage: Outage) -> list[tuple[int, int]]:
    """Each board with a question that lies on it."""
    found: list[tuple[int, int]] = json.loads(
        outage.house.does("shell", "-v", "0", "-c", BOARDS.format(code=outage.code))
    )
    return found


def test_of_boards_that_change_at_once_each_is_renewed(outage: Outage) -> None:
    """Late notes come together when the walk begins; the first board is still on its way when the others rise."""
    page = outage.cem.page
    asked: list[Route] = []
    page.route("**/gallery/*?at=*", lambda route: asked.append(route))  # noqa: PLW0108 - its handlers are called by their arity
    texts = []
    for board, question in boards_of(outage)[:4]:
        texts.append(f"Late at {board}")
        outage.moderates(f"board:{board}", "note.add", q=question, text=texts[-1], colour="mint")
    assert len(texts) == 4
    for _tenth in range(SOON // 100):
        if asked:
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(500)
    page.unroute("**/gallery/*?at=*")  # which lets them go on
    for text in texts:
        expect(page.locator(".exhibit").get_by_text(text)).to_be_visible(timeout=SOON)


def test_boards_that_cannot_be_had_are_asked_for_once_each_time(outage: Outage) -> None:
    """Or each that failed would ask for the others too, and a server in trouble would get thousands of requests."""
    page = outage.cem.page
    tries: list[str] = []

    def fail(route: Route) -> None:
        tries.append(route.request.url)
        route.abort()

    page.route("**/gallery/*?at=*", fail)
    boards = boards_of(outage)[:3]
    for board, question in boards:
        outage.moderates(f"board:{board}", "note.add", q=question, text=f"Late at {board}", colour="mint")
    for _second in range(LONG // 1_000):
        if len(tries) > len(boards):
            break
        page.wait_for_timeout(1_000)
    page.wait_for_timeout(9_000)
    assert len(boards) == 3
    assert len(boards) < len(tries) <= 9 * len(boards)  # each eight times within a minute at most, by the growing waits
    page.unroute("**/gallery/*?at=*")


def test_a_board_that_could_not_be_had_is_asked_for_again(outage: Outage) -> None:
    page = outage.cem.page
    tries: list[int] = []

    def fail_twice(route: Route) -> None:
        tries.append(1)
        if len(tries) > 2:
            route.continue_()
        elif len(tries) > 1:
            route.abort()
        else:
            route.fulfill(status=503, body="busy")

    page.route("**/gallery/*?at=*", fail_twice)
    board, question = boards_of(outage)[0]
    outage.moderates(f"board:{board}", "note.add", q=question, text="Late", colour="mint")
    expect(page.locator(".exhibit").get_by_text("Late", exact=True)).to_be_visible(timeout=SOON)
