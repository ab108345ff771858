import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions.models import Event, Moderator, Participant, Session
from sessions.phases import Phase
from tables.forms.draft import Draft, DraftSession
from tables.forms.preview import preview_of
from tables.plan import build, plan_of
from tables.plan.model import PlanTable
from tests.cafe import Cafe
from tests.cast import PLAN, browser_of, put
from tests.pages import reads, words
from tests.plan_forms import NEW, errors, new_page, questions_in, sent_from, typed

VECTORS = json.loads((Path(__file__).parent / "vectors" / "preview.json").read_text())


def test_ada_creates_an_event_with_nothing_but_a_title(ada: Moderator) -> None:
    page = new_page(ada)
    answer = browser_of(ada).post(NEW, typed(page, title="Evening"))
    event = Event.objects.get()
    assert (answer.status_code, answer.url) == (302, reverse("console", args=[event.key]))
    assert (event.owner, event.title, event.phase, event.language) == (ada, "Evening", Phase.DRAFT, "en")
    assert [(s.minutes, s.questions.count()) for s in event.sessions.all()] == [(20, 2), (20, 2)]
    assert list(event.tables.values_list("name", "cap")) == [(f"Table {n}", 5) for n in range(1, 9)]


def test_purpose_stands_where_the_form_says(ada: Moderator) -> None:
    page = new_page(ada)
    assert reads(page.content.decode(), "Purpose Guests read it when they come in.")
    browser_of(ada).post(NEW, typed(page, title="Evening", purpose="Know what we want"))
    door = Client().get(reverse("join", args=[Event.objects.get().join_code]))
    assert reads(door.content.decode(), "Know what we want")


@pytest.mark.parametrize(("template", "title"), [("classic", ""), ("topics", ""), ("sample", "Smart City")])
def test_templates_fill_the_form_in_the_readers_language(ada: Moderator, template: str, title: str) -> None:
    for language in ("de", "en"):
        sent = sent_from(browser_of(ada, language=language).get(NEW, {"template": template}).content.decode())
        assert sent["language"] == [language]
        assert title in sent["title"][0]


def test_tables_are_named_in_the_language_of_the_event(ada: Moderator) -> None:
    browser_of(ada).post(NEW, typed(new_page(ada), title="Abend", language="de", tables="1"))
    assert Event.objects.get().tables.get().name in {"Tisch 1", "Table 1"}


def test_each_table_can_have_its_own_name_seats_question_and_link(ada: Moderator) -> None:
    page = new_page(ada, template="topics")
    changes = {
        "title": "Topics",
        "t2__name": "Roofs",
        "t2__seats": "8",
        "t2__question": "What grows there?",
        "t2__talk_link": "https://Meet.example.org/roofs",
    }
    browser_of(ada).post(NEW, typed(page, **changes))
    table = plan_of(Event.objects.get()).tables[1]
    assert (table.name, table.cap, table.question) == ("Roofs", 8, "What grows there?")
    assert table.talk_link == "https://meet.example.org/roofs"


@pytest.mark.parametrize("wish", ["add-session", "add-question:{0}", "session-down:{0}", "question-down:{0}:{1}"])
def test_adding_and_moving_without_javascript_keeps_every_word(ada: Moderator, wish: str) -> None:
    before = typed(new_page(ada), title="Half ty", tables="many", seats="", by_hand="on", talk_link="nonsense")
    first, second = before["session"]
    question, other = before[f"s{first}-question"]
    page = browser_of(ada).post(NEW, before | {"do": [wish.format(first, question)]})
    after = sent_from(page.content.decode())
    assert page.status_code == 200
    assert not errors(page)
    for name in ("title", "tables", "seats", "by_hand", "talk_link", "starts", f"s{second}-minutes"):
        assert after[name] == before[name]
    assert sorted(text for texts in questions_in(after) for text in texts if text) == sorted(
        text for texts in questions_in(before) for text in texts
    )
    shape = (after["session"], after[f"s{first}-question"])
    assert (
        shape
        == {
            "add-session": ([first, second, "n0"], [question, other]),
            "add-question": ([first, second], [question, other, "n0"]),
            "session-down": ([second, first], [question, other]),
            "question-down": ([first, second], [other, question]),
        }[wish.partition(":")[0]]
    )


def test_the_new_field_has_the_focus(ada: Moderator) -> None:
    before = typed(new_page(ada))
    page = browser_of(ada).post(NEW, before | {"do": [f"add-question:{before['session'][0]}"]})
    [focused] = re.findall(r"<textarea[^>]*autofocus[^>]*>", page.content.decode())
    assert f'name="s{before["session"][0]}-qn0-text"' in focused


def test_removed_things_are_gone_and_the_rest_can_be_saved(ada: Moderator) -> None:
    before = typed(new_page(ada), title="Short")
    first, second = before["session"]
    page = browser_of(ada).post(NEW, before | {"do": [f"remove-session:{first}"]})
    page = browser_of(ada).post(
        NEW, typed(page) | {"do": [f"remove-question:{second}:{before[f's{second}-question'][0]}"]}
    )
    browser_of(ada).post(NEW, typed(page) | {"do": ["save"]})
    [session] = plan_of(Event.objects.get()).sessions
    assert [q.text for q in session.questions] == [before[f"s{second}-q{before[f's{second}-question'][1]}-text"][0]]


@pytest.mark.parametrize("number", ["", "0", "-1", "1e3", "٣", "1000000000", "5.0", "five", "1_0", " "])
@pytest.mark.parametrize(
    ("field", "bounds"), [("tables", "from 1 to 400"), ("seats", "from 1 to 50"), ("minutes", "from 1 to 240")]
)
def test_a_number_out_of_bounds_is_answered_with_the_bounds(
    ada: Moderator, field: str, bounds: str, number: str
) -> None:
    sent = typed(new_page(ada), title="Bounds")
    name = f"s{sent['session'][0]}-minutes" if field == "minutes" else field
    page = browser_of(ada).post(NEW, sent | {name: [number]})
    assert page.status_code == 422
    assert errors(page) == [f"Please enter a whole number {bounds}."]
    assert sent_from(page.content.decode())[name] == [number]
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("title", "", "This field is required."),
        ("title", "\u200b\u2800\u3164", "This field is required."),
        ("title", "x" * 201, "Ensure this value has at most 200 characters (it has 201)."),
        ("starts", "2026-02-30T10:00", "Please choose a date and a time, such as 2026-11-30 17:30."),
        ("starts", "99999-01-01T10:00", "Please choose a date and a time, such as 2026-11-30 17:30."),
        (
            "talk_link",
            "http://127.0.0.1",
            "Only https links, such as https://meet.example.org/cafe, of at most 500 characters.",
        ),
        (
            "talk_link",
            "https://zoom.us@evil.example",
            "Only https links, such as https://meet.example.org/cafe, of at most 500 characters.",
        ),
        (
            "t3-talk_link",
            "javascript:alert(1)",
            "Only https links, such as https://meet.example.org/cafe, of at most 500 characters.",
        ),
        ("t3-name", "table 2", "Another table has the same name."),
        ("t3-name", "x" * 41, "A table's name has at most 40 characters."),
        ("t3-seats", "51", "Please enter a whole number from 1 to 50."),
        ("time_zone", "Mars/Olympus", "Select a valid choice. Mars/Olympus is not one of the available choices."),
        ("table_model", "both", "Select a valid choice. both is not one of the available choices."),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(
    ada: Moderator, field: str, text: str, sentence: str
) -> None:
    page = browser_of(ada).post(NEW, typed(new_page(ada), title="Kept") | {field: [text]})
    assert page.status_code == 422
    assert errors(page) == [sentence]
    html = page.content.decode()
    assert 'id="wrong"' in html
    after = sent_from(html)
    assert [len(texts) for texts in questions_in(after)] == [2, 2]
    if field not in {"time_zone", "table_model"}:
        assert after[field] == [text]


def test_a_time_that_does_not_exist_is_explained(ada: Moderator) -> None:
    page = browser_of(ada).post(
        NEW, typed(new_page(ada), title="Spring", starts="2027-03-28T02:30", time_zone="Europe/Berlin")
    )
    assert errors(page) == [
        "This time does not exist in Berlin: the clock is put forward. Please choose one an hour later."
    ]


def test_saving_does_not_move_a_start_in_the_hour_that_comes_twice(ada: Moderator) -> None:
    event = build(ada, PLAN)
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    Event.objects.filter(pk=event.pk).update(starts_at=second)
    address = reverse("event-edit", args=[event.key])
    browser_of(ada).post(address, typed(browser_of(ada).get(address), title="Autumn"))
    event.refresh_from_db()
    assert (event.title, event.starts_at) == ("Autumn", second)


def test_a_session_needs_a_question(ada: Moderator) -> None:
    sent = typed(new_page(ada), title="Silence")
    token = sent["session"][1]
    blank = {name: [""] for name in sent if name.startswith(f"s{token}-q") and name.endswith("-text")}
    page = browser_of(ada).post(NEW, sent | blank)
    assert (page.status_code, errors(page)) == (422, ["Each session needs a question that people talk about."])


def test_a_question_for_each_table_means_for_each(ada: Moderator) -> None:
    sent = typed(new_page(ada, template="topics"), title="Topics", t4__question="")
    page = browser_of(ada).post(NEW, sent)
    assert errors(page) == ["This table needs a question, or each session one for tables without."]


def test_more_sessions_or_questions_than_fit_are_refused(ada: Moderator) -> None:
    sent = typed(new_page(ada), title="Long")
    many = {f"s{token}-{name}": ["20"] for token in range(7) for name in ("minutes", "title")}
    page = browser_of(ada).post(NEW, sent | many | {"session": [str(n) for n in range(7)]})
    assert "An event has at most 6 sessions. Please remove some." in errors(page)
    first = sent["session"][0]
    asked_for = {f"s{first}-q{n}-text": ["Why?"] for n in range(5)} | {f"s{first}-question": [str(n) for n in range(5)]}
    page = browser_of(ada).post(NEW, sent | asked_for)
    assert errors(page) == ["A session has at most 4 questions."]


def test_words_of_others_are_shown_as_text(ada: Moderator) -> None:
    hostile = '"><script>alert(1)</script></textarea>{{7*7}}'
    sent = typed(new_page(ada), title=hostile, purpose=hostile, t1__name=hostile[:40])
    page = browser_of(ada).post(NEW, sent | {"tables": ["0"]})
    assert "<script>alert" not in page.content.decode()
    assert sent_from(page.content.decode())["purpose"] == [hostile]


def test_control_characters_are_stripped(ada: Moderator) -> None:
    browser_of(ada).post(NEW, typed(new_page(ada), title="A\x00b\x1b[2J\x85c\nd", purpose="a\r\nb"))
    event = Event.objects.get()
    assert (event.title, event.purpose) == ("Ab[2Jc d", "a\nb")


def test_400_tables_come_in(ada: Moderator) -> None:
    sent = typed(new_page(ada), title="Hall", tables="400")
    page = browser_of(ada).post(NEW, sent | {"do": ["tables"]})
    assert browser_of(ada).post(NEW, typed(page) | {"do": ["save"]}).status_code == 302
    assert Event.objects.get().tables.count() == 400


@pytest.mark.parametrize("name", ["event-edit", "event-delete"])
def test_strangers_do_not_find_the_event(ada: Moderator, elsewhere: Event, name: str) -> None:
    own = build(ada, PLAN)
    assert browser_of(ada).get(reverse(name, args=[own.key])).status_code == 200
    for method in ("get", "post"):
        assert getattr(browser_of(ada), method)(reverse(name, args=[elsewhere.key])).status_code == 404
    assert Event.objects.filter(pk=elsewhere.pk).exists()


@pytest.mark.parametrize("name", ["event-copies", "event-tables"])
def test_strangers_cannot_post_to_the_event(ada: Moderator, elsewhere: Event, name: str) -> None:
    own = build(ada, PLAN)
    assert browser_of(ada).post(reverse(name, args=[own.key])).status_code == 302
    assert browser_of(ada).get(reverse(name, args=[own.key])).status_code == 405
    assert browser_of(ada).post(reverse(name, args=[elsewhere.key])).status_code == 404


@pytest.mark.parametrize("name", ["event-edit", "event-delete", "event-copies", "event-tables"])
def test_guests_are_sent_to_sign_in(running: Cafe, name: str) -> None:
    guest = Client(headers={"cookie": running.cookie(running.cem)})
    answer = guest.post(reverse(name, args=[running.event.key]))
    assert (answer.status_code, answer.url.partition("?")[0]) == (302, reverse("sign-in"))
    assert Event.objects.filter(pk=running.event.pk).exists()


def test_editing_while_live_says_what_stays_and_why(running: Cafe) -> None:
    running.writes(running.cem, "A note")
    address = reverse("event-edit", args=[running.event.key])
    page = browser_of(running.ada).get(address)
    shown = words(page.content.decode())
    assert "Notes hang on it: it can be put in other words, but not removed." in shown
    assert "This session has begun or carries notes: it stays where it is." in shown
    held = running.question().pk
    session = running.question().session_id
    refused = browser_of(running.ada).post(address, typed(page, tables="1", **{f"s{session}__q{held}__text": ""}))
    assert refused.status_code == 422
    assert errors(refused) == [
        "The doors have been opened: 2 tables stay. Below, a table can be closed instead.",
        "Notes hang on this question: it can be put in other words, but not removed.",
    ]


def test_a_stale_page_takes_nothing_away_that_came_into_use(cafe: Cafe) -> None:
    address = reverse("event-edit", args=[cafe.event.key])
    cafe.steps(1)
    before = typed(browser_of(cafe.ada).get(address), title="Renamed")
    first, second = before["session"]
    cafe.steps(1)
    cafe.seats_everybody()
    cafe.steps(1)
    cafe.writes(cafe.cem, "Written meanwhile")
    answer = browser_of(cafe.ada).post(address, before | {"session": [second]})
    assert answer.status_code == 302
    assert [str(s.id) for s in plan_of(cafe.event).sessions] == [first, second]
    assert cafe.now.title == "Renamed"


def test_a_table_can_be_closed_and_opened_again_while_people_talk(running: Cafe) -> None:
    address = reverse("event-edit", args=[running.event.key])
    page = browser_of(running.ada).get(address)
    answer = browser_of(running.ada).post(address, typed(page, t2__closed="on"))
    assert answer.url == f"{address}?saved=1"
    assert not running.table(2).open
    page = browser_of(running.ada).get(address)
    open_again = typed(page)
    del open_again["t2-closed"]
    browser_of(running.ada).post(address, open_again)
    assert running.table(2).open


def test_a_closed_event_is_not_edited(ada: Moderator) -> None:
    event = put(build(ada, PLAN), Phase.GALLERY, session=2)
    address = reverse("event-edit", args=[event.key])
    assert browser_of(ada).get(address).status_code == 200
    put(event, Phase.CLOSED, session=2)
    assert browser_of(ada).get(address).status_code == 403


def test_a_copy_has_the_preparation_and_nobody_in_it(running: Cafe) -> None:
    running.writes(running.cem, "A note")
    answer = browser_of(running.ada).post(reverse("event-copies", args=[running.event.key]))
    copy = Event.objects.exclude(pk=running.event.pk).get(owner=running.ada)
    assert answer.url == reverse("event-edit", args=[copy.key])
    assert (copy.title, copy.phase, copy.participants.count()) == ("Copy of Neighbours", Phase.DRAFT, 0)
    assert [len(s.questions) for s in plan_of(copy).sessions] == [2, 2]
    assert not Session.objects.filter(event=copy, boards__notes__isnull=False).exists()


def test_one_more_table_comes_while_people_talk(running: Cafe) -> None:
    answer = browser_of(running.ada).post(reverse("event-tables", args=[running.event.key]))
    assert answer.url == f"{reverse('console', args=[running.event.key])}#tables"
    assert (running.table(3).name, running.table(3).cap) == ("Table 3", 4)
    assert running.does(running.comes("Finn"), "room", "seat.take", table=running.table(3).pk).code is None


def test_deleting_asks_first_and_says_what_is_lost(running: Cafe) -> None:
    running.writes(running.cem, "One")
    running.writes(running.dana, "Two", table=2)
    address = reverse("event-delete", args=[running.event.key])
    page = browser_of(running.ada).get(address)
    shown = words(page.content.decode())
    assert "2 notes 0 takeaways the seats of 3 people" in shown
    assert shown.index("Keep the event") < shown.index("Delete for good")
    assert Event.objects.filter(pk=running.event.pk).exists()
    assert browser_of(running.ada).post(address).url == reverse("events")
    assert not Event.objects.filter(pk=running.event.pk).exists()
    assert not Participant.objects.filter(pk=running.cem.pk).exists()


def test_forged_ids_of_another_event_make_new_things_there(ada: Moderator, elsewhere: Event) -> None:
    theirs = plan_of(elsewhere)
    event = build(ada, PLAN)
    address = reverse("event-edit", args=[event.key])
    session, question = theirs.sessions[0].id, theirs.sessions[0].questions[0].id
    forged = {
        "session": [str(session)],
        f"s{session}-minutes": ["5"],
        f"s{session}-question": [str(question)],
        f"s{session}-q{question}-text": ["Ours now?"],
    }
    answer = browser_of(ada).post(address, typed(browser_of(ada).get(address)) | forged)
    assert answer.status_code == 302
    assert plan_of(elsewhere) == theirs
    [ours] = plan_of(event).sessions
    assert (ours.questions[0].text, ours.id == session) == ("Ours now?", False)


def test_the_edit_page_takes_as_many_queries_for_many_tables_as_for_one(ada: Moderator) -> None:
    counts = []
    for tables in (1, 30):
        event = build(ada, PLAN)
        browser = browser_of(ada)
        if tables > 1:
            event = build(ada, replace_tables(tables))
        browser.get(reverse("event-edit", args=[event.key]))
        with CaptureQueriesContext(connection) as queries:
            browser.get(reverse("event-edit", args=[event.key]))
        counts.append(len(queries))
    assert counts == [11, 11]


def replace_tables(count: int) -> Any:
    return replace(PLAN, tables=tuple(PlanTable(name=f"T{n}") for n in range(count)))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_preview_follows_the_shared_vectors(vector: dict[str, Any]) -> None:
    typed_in = vector["typed"]
    draft = Draft(
        top={"starts": typed_in["starts"], "tables": typed_in["tables"], "seats": typed_in["seats"]},
        sessions=[DraftSession(str(n), texts, {}) for n, texts in enumerate(typed_in["sessions"])],
        tables=[{"seats": seats} for seats in typed_in["rows"]],
    )
    shown = preview_of(draft)
    assert {name: shown[name] for name in vector["preview"]} == vector["preview"]
