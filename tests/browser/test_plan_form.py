"""The planning page in a browser: nothing typed is lost, with and without scripts, by keyboard."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.house import House, People


def new_event(visitors: People, house: House, *, template: str = "classic", scripts: bool = True) -> Page:
    page = visitors.comes(scripts=scripts).page
    page.goto(house.moderator_link())
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{house.url}/events/new/?template={template}")
    return page


def session(page: Page, number: int) -> Locator:
    return page.get_by_role("group", name=f"Session {number}", exact=True)


def question(page: Page, in_session: int, number: int) -> Locator:
    return session(page, in_session).get_by_role("textbox", name=f"Question {number}", exact=True)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_adding_moving_and_removing_keep_what_is_typed(visitors: People, house: House, *, scripts: bool) -> None:
    page = new_event(visitors, house, scripts=scripts)
    page.get_by_role("textbox", name="Title").fill("Half a ti")
    page.get_by_role("spinbutton", name="Number of tables").fill("12")
    session(page, 1).get_by_role("button", name="Add question").click()
    expect(question(page, 1, 3)).to_be_focused()
    question(page, 1, 3).fill("The third")
    session(page, 1).get_by_role("button", name="Move question 3 up").press("Enter")
    expect(question(page, 1, 2)).to_have_value("The third")
    page.get_by_role("button", name="Add session").click()
    question(page, 3, 1).fill("Late question")
    session(page, 3).get_by_role("button", name="Move session 3 up").click()
    expect(question(page, 2, 1)).to_have_value("Late question")
    session(page, 1).get_by_role("button", name="Remove question 1").click()
    session(page, 3).get_by_role("button", name="Remove session 3").click()
    expect(session(page, 3)).to_have_count(0)
    expect(question(page, 1, 1)).to_have_value("The third")
    expect(page.get_by_role("textbox", name="Title")).to_have_value("Half a ti")
    expect(page.get_by_role("spinbutton", name="Number of tables")).to_have_value("12")
    page.get_by_role("textbox", name="Title").press("Enter")
    expect(page.get_by_role("button", name="Open the doors")).to_be_visible()


def test_the_preview_follows_while_one_types(visitors: People, house: House) -> None:
    page = new_event(visitors, house)
    preview = page.get_by_role("complementary", name="Preview")
    page.get_by_role("spinbutton", name="Number of tables").fill("3")
    page.get_by_role("spinbutton", name="Seats per table").fill("7")
    expect(preview.get_by_text("3 × 7 = 21 seats")).to_be_visible()
    expect(page.get_by_text("With more than 6 seats")).to_be_visible()
    page.get_by_label("Starts").fill("2027-03-04T18:00")
    session(page, 1).get_by_role("spinbutton", name="Minutes").fill("30")
    expect(preview.get_by_role("listitem").nth(3)).to_have_text("Change tables 18:35", use_inner_text=True)
    page.get_by_text("Each table: name, seats, question, link").click()
    page.get_by_role("group", name="Table 2", exact=True).get_by_role("spinbutton", name="Seats").fill("4")
    expect(preview.get_by_text("18 seats at 3 tables")).to_be_visible()


def test_wrong_input_is_summed_up_and_the_summary_has_the_focus(visitors: People, house: House) -> None:
    page = new_event(visitors, house)
    session(page, 2).get_by_role("spinbutton", name="Minutes").fill("0")
    page.get_by_role("button", name="Create event").click()
    summary = page.get_by_role("alert").filter(has_text="2 things are not right yet.")
    expect(summary).to_be_focused()
    summary.get_by_role("link", name="Session 2: Minutes").click()
    expect(session(page, 2).get_by_role("spinbutton", name="Minutes")).to_be_focused()
    expect(session(page, 2).get_by_role("spinbutton", name="Minutes")).to_have_accessible_description(
        "Please enter a whole number from 1 to 240."
    )


def test_leaving_with_unsaved_changes_asks_first(visitors: People, house: House) -> None:
    page = new_event(visitors, house)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.get_by_role("textbox", name="Title").fill("Do not lose me")
    page.get_by_role("link", name="Your events").click(no_wait_after=True)
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    expect(page.get_by_role("textbox", name="Title")).to_have_value("Do not lose me")


def test_a_question_for_each_table_opens_the_list_of_tables(visitors: People, house: House) -> None:
    page = new_event(visitors, house)
    page.get_by_role("radio", name="A question for each table").check()
    table = page.get_by_role("group", name="Table 8", exact=True)
    table.get_by_role("textbox", name="Question").fill("What grows on the roof?")
    page.get_by_role("spinbutton", name="Number of tables").fill("2")
    expect(table).to_be_hidden()
    page.get_by_role("spinbutton", name="Number of tables").fill("9")
    expect(table.get_by_role("textbox", name="Question")).to_have_value("What grows on the roof?")
    expect(page.get_by_role("group", name="Table 9", exact=True)).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_page_that_was_overtaken_asks_before_it_undoes_anything(
    visitors: People, house: House, *, scripts: bool
) -> None:
    page = new_event(visitors, house, scripts=scripts)
    page.get_by_role("textbox", name="Title").fill("Overtaken")
    page.get_by_role("button", name="Create event").click()
    page.wait_for_url("**/console/")
    page.goto(page.url.replace("console/", ""))
    elsewhere = page.context.new_page()
    elsewhere.goto(page.url)
    elsewhere.get_by_role("spinbutton", name="Number of tables").fill("12")
    elsewhere.get_by_role("button", name="Save changes").click()
    elsewhere.wait_for_url("**/?saved=1")
    page.get_by_role("textbox", name="Title").fill("Mended")
    session(page, 1).get_by_role("button", name="Add question").click()
    question(page, 1, 3).fill("The third")
    page.get_by_role("button", name="Save changes").dblclick()
    asks = page.get_by_role("alert").filter(has_text="Nothing has been saved")
    expect(asks).to_be_focused()
    expect(asks.get_by_role("listitem").nth(1)).to_have_text("Number of tables: “12” is stored")
    page.get_by_role("textbox", name="Title").press("Enter")
    expect(asks).to_be_focused()
    expect(question(page, 1, 3)).to_have_value("The third")
    elsewhere.goto(page.url)
    expect(elsewhere.get_by_role("textbox", name="Title")).to_have_value("Overtaken")
    asks.get_by_role("button", name="Save all the same").click()
    page.wait_for_url("**/?saved=1")
    expect(page.get_by_role("textbox", name="Title")).to_have_value("Mended")
    expect(page.get_by_role("spinbutton", name="Number of tables")).to_have_value("8")


def test_a_double_click_without_scripts_saves_once(visitors: People, house: House) -> None:
    page = new_event(visitors, house, scripts=False)
    page.get_by_role("textbox", name="Title").fill("Twice")
    page.get_by_role("button", name="Create event").click()
    page.wait_for_url("**/console/")
    page.goto(page.url.replace("console/", ""))
    session(page, 1).get_by_role("button", name="Add question").click()
    question(page, 1, 3).fill("The third")
    page.get_by_role("button", name="Save changes").dblclick()
    page.wait_for_url("**/?saved=1")
    expect(question(page, 1, 3)).to_have_value("The third")


def test_in_forced_colours_the_chosen_template_is_still_marked(visitors: People, house: House) -> None:
    """They take grounds and shadows away, in which the switch shows what is chosen otherwise."""
    page = new_event(visitors, house, template="topics")
    page.emulate_media(forced_colors="active")
    links = page.get_by_role("navigation", name="Start from").get_by_role("link")
    framed = (
        "links => links.filter((one) => getComputedStyle(one).outlineStyle === 'solid').map((one) => one.textContent)"
    )
    assert links.evaluate_all(framed) == ["Topic tables"]
