"""An Edit page that was opened earlier undoes nothing that was changed since, unless somebody says so knowingly."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from tables.plan import Overtaken, Plan, PlanQuestion, PlanSession, PlanTable, change, digest, plan_of
from tables.plan.saying import says_the_same
from tests.cafe import Cafe
from tests.cast import browser_of
from tests.held import PATIENCE, Held, elsewhere, waits
from tests.pages import reads, words
from tests.plan_forms import errors, sent_from, typed

TOKEN = "csrfmiddlewaretoken"  # of the page, each time another one
NOT_SAVED = "Nothing has been saved: since you opened this form, the event was changed elsewhere."
Sent = dict[str, list[str]]


def edit(cafe: Cafe) -> str:
    return reverse("event-edit", args=[cafe.event.key])


def opened(cafe: Cafe, *, language: str = "en") -> Any:
    return browser_of(cafe.ada, language=language).get(edit(cafe))


def saves(cafe: Cafe, sent: Sent, *, language: str = "en") -> Any:
    return browser_of(cafe.ada, language=language).post(edit(cafe), sent)


def is_saved(answer: Any, cafe: Cafe) -> bool:
    return (answer.status_code, getattr(answer, "url", "")) == (302, f"{edit(cafe)}?saved=1")


def is_overtaken(answer: Any) -> bool:
    return answer.status_code == 422 and NOT_SAVED in words(answer.content.decode())


def stored(cafe: Cafe) -> Plan:
    return plan_of(cafe.now)


def in_the_console(cafe: Cafe) -> None:
    """Somebody adds a seat to every table, closes table 2, gives table 1 a name, and adds a table."""
    for number in (1, 2):
        assert cafe.does(cafe.moderator, "room", "table.set", table=cafe.table(number).pk, cap=5).code is None
    assert cafe.does(cafe.moderator, "room", "table.set", table=cafe.table(2).pk, open=False).code is None
    assert cafe.does(cafe.moderator, "room", "table.set", table=cafe.table(1).pk, name="Roofs").code is None
    browser_of(cafe.ada).post(reverse("event-tables", args=[cafe.event.key]))


def knowingly(page: Any) -> dict[str, str]:
    """What the button "Save all the same" adds to the form."""
    found = re.findall(r'<button class="btn" type="submit" name="(\w+)" value="(\w+)">Save all the same</button>', page)
    return dict(found)


def test_nothing_that_was_changed_since_is_undone(cafe: Cafe) -> None:
    sent = typed(opened(cafe), title="Neighbours in May")
    in_the_console(cafe)
    before = stored(cafe)
    assert [(t.name, t.cap, t.open) for t in before.tables] == [("Roofs", 5, True), ("", 5, False), ("", 5, True)]
    page = saves(cafe, sent)
    assert is_overtaken(page)
    assert stored(cafe) == before
    shown = sent_from(page.content.decode())
    assert {name: shown[name] for name in sent if name != TOKEN} == {n: sent[n] for n in sent if n != TOKEN}


def test_the_page_names_every_place_where_something_else_is_stored(cafe: Cafe) -> None:
    sent = typed(opened(cafe), title="Neighbours in May", t1__seats="7")
    in_the_console(cafe)
    page = saves(cafe, sent).content.decode()
    shown = re.findall(r'<li><a href="#(\w+(?:-\w+)?)">(.*?)</a>: (.*?)</li>', page)
    assert shown == [
        ("id_title", "Title", "“Neighbours” is stored"),
        ("id_tables", "Number of tables", "“3” is stored"),
        ("id_seats", "Seats per table", "“5” is stored"),
        ("id_t1-name", "Table 1: Name", "“Roofs” is stored"),
        ("id_t1-seats", "Table 1: Seats", "“as at most tables” is stored"),
        ("id_t2-closed", "Table 2: Closed", "“yes” is stored"),
    ]
    assert all(f'id="{place}"' in page for place, _label, _text in shown)


def test_choices_times_and_sessions_are_named_as_people_say_them(cafe: Cafe) -> None:
    sent = typed(opened(cafe), t2__name="Roofs", language="de", starts="2026-10-10T18:00", table_model="own")
    plan = stored(cafe)
    change(cafe.event, replace(plan, sessions=plan.sessions[:1], by_hand=True))
    page = saves(cafe, sent)
    for text in (
        "Starts: “2021-08-24 17:00” is stored",
        "Language: “English” is stored",
        "Who talks about what?: “Same questions at every table” is stored",
        "I open the gallery walk myself: “yes” is stored",
        "Tisch 2: Name: “Tisch 2” is stored",
        "Session 2: “nothing” is stored",
    ):
        assert text in words(page.content.decode())


def differs(cafe: Cafe, sent: Sent) -> list[str]:
    """What the page says is stored."""
    page = saves(cafe, sent).content.decode()
    return [words(line) for line in re.findall(r'<li><a href="#id_.*?</li>', page)]


def test_sessions_and_questions_are_named_that_are_stored_alone_or_no_more(cafe: Cafe) -> None:
    sent, plan = typed(opened(cafe)), stored(cafe)
    first, second = plan.sessions
    trees = (PlanQuestion("Where are trees?"),)
    change(
        cafe.event,
        replace(
            plan,
            sessions=(replace(first, questions=first.questions[:1] + trees), PlanSession(trees, title="Late"), second),
        ),
    )
    assert differs(cafe, sent) == [
        "Session 1: Question 2: “nothing” is stored",
        "Session 1: Question: “Where are trees?” is stored",
        "Session 2: “Late” is stored",
    ]


@pytest.mark.parametrize("how", ["questions in another order", "sessions in another order"])
def test_another_order_is_named(cafe: Cafe, how: str) -> None:
    sent = typed(opened(cafe))
    change(cafe.event, OTHER[how](stored(cafe)))
    assert differs(cafe, sent) == ["Sessions and questions: “another order” is stored"]


def test_what_is_new_in_the_form_is_no_difference(cafe: Cafe) -> None:
    sent = typed(opened(cafe), sn1__title="Mine", sn1__minutes="20", sn1__qn2__text="New here")
    sent["session"].append("n1")
    sent["sn1-question"] = ["n2"]
    change(cafe.event, replace(stored(cafe), title="Other"))
    assert differs(cafe, sent) == ["Title: “Other” is stored"]


def test_it_is_said_in_the_readers_language(cafe: Cafe) -> None:
    sent = typed(opened(cafe, language="de"))
    in_the_console(cafe)
    page = saves(cafe, sent, language="de").content.decode()
    assert reads(page, "Seit Sie dieses Formular geöffnet haben, wurde die Veranstaltung anderswo geändert.")
    assert reads(page, "Table 2: Geschlossen: gespeichert ist „ja“")
    assert reads(page, "Trotzdem speichern")


def test_whoever_wants_to_saves_all_the_same(cafe: Cafe) -> None:
    sent = typed(opened(cafe), title="Neighbours in May")
    in_the_console(cafe)
    page = saves(cafe, sent)
    answer = saves(cafe, typed(page, **knowingly(page.content.decode())))
    assert is_saved(answer, cafe)
    assert stored(cafe).title == "Neighbours in May"
    assert [(t.name, t.cap, t.open) for t in stored(cafe).tables] == [("", 4, True), ("", 4, True)]


def test_save_alone_or_enter_do_not_replace_what_they_did_not_replace_before(cafe: Cafe) -> None:
    sent = typed(opened(cafe), title="Neighbours in May")
    in_the_console(cafe)
    page = saves(cafe, sent)
    before = stored(cafe)
    assert is_overtaken(saves(cafe, typed(page) | {"do": ["save"]}))
    assert stored(cafe) == before
    form = page.content.decode().partition('id="plan"')[2]
    assert re.findall(r'type="submit" name="(\w+)"', form)[:2] == ["do", "replacing"]  # Enter means the first


def test_what_was_changed_after_one_was_asked_is_not_undone_either(cafe: Cafe) -> None:
    sent = typed(opened(cafe), title="Neighbours in May")
    in_the_console(cafe)
    page = saves(cafe, sent)
    assert cafe.does(cafe.moderator, "room", "table.set", table=cafe.table(1).pk, name="Gardens").code is None
    page = saves(cafe, typed(page, **knowingly(page.content.decode())))
    assert is_overtaken(page)
    assert (stored(cafe).title, stored(cafe).tables[0].name) == ("Neighbours", "Gardens")
    assert is_saved(saves(cafe, typed(page, **knowingly(page.content.decode()))), cafe)


def test_what_is_stored_can_be_loaded_and_then_saved(cafe: Cafe) -> None:
    sent = typed(opened(cafe), title="Neighbours in May")
    in_the_console(cafe)
    page = saves(cafe, sent).content.decode()
    assert f'<a class="btn" href="{edit(cafe)}">Load what is stored</a>' in page
    assert is_saved(saves(cafe, typed(opened(cafe), title="Neighbours in June")), cafe)
    assert (stored(cafe).title, len(stored(cafe).tables)) == ("Neighbours in June", 3)


def test_a_form_that_is_sent_twice_is_saved_once(cafe: Cafe) -> None:
    page = saves(cafe, typed(opened(cafe), title="Twice", tables="3", t3__name="Roofs") | {"do": ["add-session"]})
    sent = typed(page)
    question = f"s{sent['session'][2]}-q{sent['sn0-question'][0]}-text"
    sent |= {question: ["What is new?"]}
    assert is_saved(saves(cafe, sent), cafe)
    first = stored(cafe)
    assert (first.title, first.tables[2].name, first.sessions[2].questions[0].text) == (
        "Twice",
        "Roofs",
        "What is new?",
    )
    assert is_saved(saves(cafe, sent), cafe)
    assert stored(cafe) == first


def test_two_who_say_the_same_do_not_stand_in_each_others_way(cafe: Cafe) -> None:
    ada, zoe = opened(cafe), opened(cafe)
    assert is_saved(saves(cafe, typed(ada, title="Agreed")), cafe)
    assert is_saved(saves(cafe, typed(zoe, title="Agreed")), cafe)
    assert is_overtaken(saves(cafe, typed(zoe, title="Not agreed")))


def test_a_page_from_before_the_update_saves_as_it_did(cafe: Cafe) -> None:
    sent = typed(opened(cafe), title="Old page")
    del sent["loaded"]
    in_the_console(cafe)
    assert is_saved(saves(cafe, sent), cafe)
    assert (stored(cafe).title, len(stored(cafe).tables)) == ("Old page", 2)


@pytest.mark.parametrize("loaded", ["nonsense", "0" * 64, "\x00", "ä" * 1000])
def test_a_mark_that_was_never_given_out_saves_nothing(cafe: Cafe, loaded: str) -> None:
    sent = typed(opened(cafe), title="Forged")
    assert is_overtaken(saves(cafe, sent | {"loaded": [loaded]}))
    assert is_overtaken(saves(cafe, sent | {"replacing": [loaded]}))
    assert stored(cafe).title == "Neighbours"


def test_adding_without_javascript_does_not_make_the_page_a_newer_one(cafe: Cafe) -> None:
    before = opened(cafe)
    in_the_console(cafe)
    page = saves(cafe, typed(before) | {"do": ["add-session"]})
    assert page.status_code == 200
    sent = typed(page) | {"sn0-qn1-text": ["What is new?"]}
    assert is_overtaken(saves(cafe, sent))
    assert len(stored(cafe).sessions) == 2


def test_what_is_wrong_and_what_was_changed_are_said_together(cafe: Cafe) -> None:
    page = saves(cafe, typed(opened(cafe), title=""))
    assert (page.status_code, NOT_SAVED in words(page.content.decode())) == (422, False)
    in_the_console(cafe)
    page = saves(cafe, typed(page))
    assert is_overtaken(page)
    assert errors(page) == ["This field is required."]
    assert page.content.decode().index('id="overtaken"') < page.content.decode().index('id="wrong"')
    assert is_overtaken(saves(cafe, typed(page, title="Mended")))
    assert stored(cafe).title == "Neighbours"


def test_whoever_chose_to_save_all_the_same_is_not_asked_again_after_a_mistake(cafe: Cafe) -> None:
    sent = typed(opened(cafe), title="")
    in_the_console(cafe)
    page = saves(cafe, sent)
    page = saves(cafe, typed(page, **knowingly(page.content.decode())))
    assert (page.status_code, NOT_SAVED in words(page.content.decode())) == (422, False)
    assert is_saved(saves(cafe, typed(page, title="Mended")), cafe)
    assert [(t.name, t.open) for t in stored(cafe).tables] == [("", True), ("", True)]


def test_people_and_notes_overtake_nobody(running: Cafe) -> None:
    sent = typed(opened(running), title="Neighbours in May")
    running.writes(running.cem, "Written meanwhile")
    running.comes("Finn")
    running.does(running.moderator, "stage", "clock.add", minutes=5)
    running.steps(1)
    assert is_saved(saves(running, sent), running)


def test_a_change_between_the_look_and_the_lock_is_not_undone(cafe: Cafe) -> None:
    event = cafe.now
    seen = plan_of(event)
    in_the_console(cafe)
    before = stored(cafe)
    with pytest.raises(Overtaken):
        change(event, replace(seen, title="Too late"), loaded=digest(seen))
    assert stored(cafe) == before
    change(event, replace(before, title="In time"), loaded=digest(before))
    assert stored(cafe).title == "In time"


def test_two_who_add_a_table_at_once_get_two(transactional_db: None, pool: ThreadPoolExecutor, writing: Held) -> None:
    cafe = Cafe().runs()
    address, ada, zoe = reverse("event-tables", args=[cafe.event.key]), browser_of(cafe.ada), browser_of(cafe.ada)
    writing.stops(pool, lambda: ada.post(address))
    second = elsewhere(pool, lambda: zoe.post(address))
    waits(second)
    answers = [writing.goes_on(), second.result(PATIENCE)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert [(cafe.table(n).name, cafe.table(n).cap) for n in (3, 4)] == [("Table 3", 4), ("Table 4", 4)]


OTHER: dict[str, Callable[[Plan], Plan]] = {
    "title": lambda p: replace(p, title="Other"),
    "purpose": lambda p: replace(p, purpose="Other"),
    "start": lambda p: replace(p, starts_at=p.starts_at + timedelta(minutes=1)),
    "zone": lambda p: replace(p, time_zone="UTC"),
    "language": lambda p: replace(p, language="de"),
    "model": lambda p: replace(p, table_model="own"),
    "link": lambda p: replace(p, talk_link="https://meet.example.org/"),
    "by hand": lambda p: replace(p, by_hand=True),
    "a table's name": lambda p: with_table(p, name="Roofs"),
    "a table's seats": lambda p: with_table(p, cap=9),
    "a table's link": lambda p: with_table(p, talk_link="https://meet.example.org/"),
    "a closed table": lambda p: with_table(p, open=False),
    "another table": lambda p: with_table(p, id=0),
    "one more table": lambda p: replace(p, tables=(*p.tables, PlanTable())),
    "minutes": lambda p: with_session(p, minutes=7),
    "a heading": lambda p: with_session(p, title="Other"),
    "another session": lambda p: with_session(p, id=0),
    "a question less": lambda p: with_session(p, questions=p.sessions[0].questions[:1]),
    "a question's words": lambda p: with_session(p, questions=(PlanQuestion("Other", p.sessions[0].questions[0].id),)),
    "questions in another order": lambda p: with_session(p, questions=p.sessions[0].questions[::-1]),
    "sessions in another order": lambda p: replace(p, sessions=p.sessions[::-1]),
    "one more session": lambda p: replace(p, sessions=(*p.sessions, PlanSession((PlanQuestion("New"),)))),
}


def with_table(plan: Plan, **values: Any) -> Plan:
    return replace(plan, tables=(replace(plan.tables[0], **values), *plan.tables[1:]))


def with_session(plan: Plan, **values: Any) -> Plan:
    return replace(plan, sessions=(replace(plan.sessions[0], **values), *plan.sessions[1:]))


@pytest.mark.parametrize("other", OTHER.values(), ids=OTHER)
def test_whatever_the_form_can_change_makes_it_another_plan(cafe: Cafe, other: Callable[[Plan], Plan]) -> None:
    plan = stored(cafe)
    assert digest(plan) == digest(stored(cafe))
    assert says_the_same(plan, stored(cafe))
    assert digest(other(plan)) != digest(plan)
    assert not says_the_same(other(plan), plan)


def test_a_tables_own_question_makes_it_another_plan(cafe: Cafe) -> None:
    own = replace(stored(cafe), table_model="own")
    assert digest(with_table(own, question="What grows here?")) != digest(own)
    assert digest(with_table(stored(cafe), question="Kept by nobody")) == digest(stored(cafe))


def test_what_is_new_says_the_same_once_it_is_stored(cafe: Cafe) -> None:
    plan = stored(cafe)
    assert says_the_same(with_session(plan, id=None), plan)
    assert says_the_same(with_table(plan, id=None), plan)
    assert not says_the_same(plan, with_table(plan, id=None))
