"""The moderator changes questions while people sit with them; pages follow, but never away from half-typed words."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.outage import SOON, Outage, expect_once, note, opens, types, writes


def adds_question(outage: Outage, text: str) -> None:
    """Ada, on the event's page beside her console."""
    page = outage.ada.context.new_page()
    page.goto(f"{outage.house.url}/events/{outage.code}/")
    session = page.get_by_role("group", name="Session 1", exact=True)
    session.get_by_role("button", name="Add question").click()
    session.get_by_role("textbox", name="Question 3", exact=True).fill(text)
    page.get_by_role("button", name="Save changes").click()
    page.wait_for_url("**/?saved=1", timeout=SOON)
    page.close()


def asks(page: Page, text: str) -> None:
    expect(page.get_by_role("region", name=text)).to_be_visible(timeout=SOON)


def test_an_added_question_comes_by_itself_where_nobody_types_and_waits_where_somebody_does(outage: Outage) -> None:
    cem, dana = outage.cem.page, outage.dana.page
    types(dana, "Half a thou")
    adds_question(outage, "Who is missing?")
    asks(cem, "Who is missing?")
    writes(cem, "Still the same table")
    expect_once(cem, dana, text="Still the same table")
    expect(dana.get_by_text("The questions were changed.")).to_be_visible(timeout=SOON)
    expect(dana.get_by_role("region", name="Who is missing?")).to_have_count(0)
    expect(dana.get_by_role("textbox", name="Your note").first).to_have_value("Half a thou")
    dana.get_by_role("link", name="Show them").click()
    asks(dana, "Who is missing?")
    expect(dana.get_by_role("textbox", name="Your note").first).to_have_value("Half a thou")


def test_a_question_comes_as_soon_as_the_note_is_sent(outage: Outage) -> None:
    dana = outage.dana.page
    types(dana, "A whole thought")
    adds_question(outage, "Who pays?")
    expect(dana.get_by_text("The questions were changed.")).to_be_visible(timeout=SOON)
    dana.get_by_role("button", name="Post note").first.click()
    asks(dana, "Who pays?")
    expect_once(dana, text="A whole thought")


def test_nobody_is_taken_away_from_a_note_that_is_being_edited(outage: Outage) -> None:
    cem, dana = outage.cem.page, outage.dana.page
    writes(dana, "Benches")
    opens(dana, outage.address("table"))
    note(dana, "Benches").get_by_role("button", name="More").click()
    dana.get_by_role("menuitem", name="Edit").click()
    dana.get_by_role("textbox", name="Text of the note").fill("Benches and sha")
    outage.moderates("stage", "phase.go", phase="seating", session=2)
    cem.wait_for_url("**/lobby/", timeout=SOON)
    stay = dana.locator("[data-notice=stay]")
    expect(stay).to_be_visible(timeout=SOON)
    field = dana.get_by_role("textbox", name="Text of the note")
    expect(field).to_have_value("Benches and sha")
    field.fill("Benches and shade")
    dana.get_by_role("button", name="Save", exact=True).click()
    dana.wait_for_url("**/lobby/", timeout=SOON)
    assert outage.counts("Benches and shade") == 1
