import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions import desk, identity, qr
from sessions.clock import now_ms
from sessions.live import streams
from sessions.live.ops import Name
from sessions.live.shown import shelf
from sessions.models import Event, Moderator, Participant, Stream
from sessions.phases import Facts, Phase
from sessions.steps import all_steps, next_step, run_sheet
from tables.models import Table
from tests.cast import MINUTE_MS, browser_of, come_in, do, new_event, put, sit
from tests.pages import reads, words

VECTORS = json.loads((Path(__file__).parent / "vectors" / "steps.json").read_text())


def console_of(ada: Moderator, event: Event, **query: str) -> Any:
    return browser_of(ada).get(reverse("console", args=[event.key]), query)


def step_button(html: str) -> str:
    [button] = re.findall(r'<button class="btn main big wide".*?</button>', html, re.DOTALL)
    return words(button)


@pytest.mark.parametrize("vector", VECTORS["steps"], ids=lambda v: v["name"])
def test_next_step_follows_the_shared_vectors(vector: dict[str, Any]) -> None:
    facts = Facts(**vector["facts"] | {"phase": Phase(vector["facts"]["phase"])})
    step = next_step(facts, vector["now"])
    assert (step and {"phase": step.phase, "session": step.session}) == vector["step"]


@pytest.mark.parametrize("vector", VECTORS["sums"], ids=lambda v: v["name"])
def test_sums_follow_the_shared_vectors(vector: dict[str, Any]) -> None:
    counted = desk.sums(vector["room"], vector["numbers"], vector["phase"])
    assert {name: counted[name] for name in vector["sums"]} == vector["sums"]


@pytest.mark.parametrize(
    ("phase", "session", "label"),
    [
        (Phase.DRAFT, None, "Open the doors"),
        (Phase.LOBBY, None, "Open session 1"),
        (Phase.SEATING, 1, "Start session 1"),
        (Phase.RUNNING, 1, "End session 1"),
        (Phase.OVER, 1, "Open session 2"),
        (Phase.SEATING, 2, "Start session 2"),
        (Phase.RUNNING, 2, "End session 2"),
        (Phase.OVER, 2, "Open the gallery walk"),
        (Phase.GALLERY, 2, "Close the event"),
        (Phase.CLOSED, 2, ""),
    ],
)
def test_one_primary_button_names_the_next_step(
    ada: Moderator, event: Event, phase: Phase, session: int | None, label: str
) -> None:
    put(event, phase, session=session)
    html = console_of(ada, event).content.decode()
    assert html.count("btn main big") == 1
    assert step_button(html) == label


@pytest.mark.django_db(transaction=True)
def test_primary_button_works_as_a_plain_form(ada: Moderator, event: Event) -> None:
    put(event, Phase.SEATING, session=1)
    html = console_of(ada, event).content.decode()
    [form] = [f for f in re.findall(r"<form[^>]*>.*?</form>", html, re.DOTALL) if "data-step" in f]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    [address] = re.findall(r'action="([^"]+)"', form)
    answer = browser_of(ada).post(address.replace("&amp;", "&"), fields)
    assert (answer.status_code, answer["Location"]) == (303, reverse("console", args=[event.key]))
    event.refresh_from_db()
    assert (event.phase, event.session_no) == (Phase.RUNNING, 1)


def test_people_count_once_however_many_sessions_they_sat_in(event: Event, cem: Participant) -> None:
    put(event, Phase.SEATING, session=2)
    sit(cem, event.tables.get(number=2))
    assert {name: desk.glance(event)[name] for name in ("people", "seated", "lobby")} == {
        "people": 1,
        "seated": 1,
        "lobby": [],
    }


def test_console_belongs_to_its_moderator_alone(
    ada: Moderator, event: Event, cem: Participant, elsewhere: Event
) -> None:
    mallory = elsewhere.owner
    assert console_of(ada, event).status_code == 200
    for name in ("console", "screen"):
        address = reverse(name, args=[event.key])
        assert browser_of(mallory).get(address).status_code == 404
        assert browser_of(cem).get(address)["Location"].startswith(reverse("sign-in"))
    for name in ("event-desk", "event-qr"):
        address = reverse(name, args=[event.key])
        answers = [browser_of(who).get(address).status_code for who in (ada, mallory, cem, None)]
        assert answers == [200, 404, 404, 404]
    for name in ("event-code", "event-doors", "event-seats"):
        address = reverse(name, args=[event.key])
        assert [browser_of(who).post(address).status_code for who in (ada, mallory, cem)] == [302, 404, 404]
        assert browser_of(ada).get(address).status_code == 405


def test_console_shows_who_waits_and_how_many_seats_are_taken(ada: Moderator, event: Event, cem: Participant) -> None:
    come_in(event, "Dana")
    said = words(console_of(ada, event).content.decode())
    assert "1 of 10 seats · 1 in the lobby" in said
    assert "In the lobby: 1 Dana" in said
    assert "More people than seats." not in said


def test_console_shows_notes_of_the_session(ada: Moderator, event: Event, cem: Participant, table_1: Table) -> None:
    question = event.sessions.get(number=1).questions.first()
    board = table_1.boards.get(session__number=1)
    do(cem, Name("board", board.pk), "note.add", q=question.pk, text="A person with a name", colour="mint")
    html = console_of(ada, event).content.decode()
    assert "1 of 5 seats taken·1 note" in words(html)
    assert "A person with a name" in words(html)


def test_more_people_than_seats_get_a_seat_more_at_every_open_table(ada: Moderator, event: Event) -> None:
    for number in range(11):
        come_in(event, f"Guest {number}")
    closed = event.tables.get(number=2)
    do(identity.moderator_in(event, ada), Name("room"), "table.set", table=closed.pk, open=False)
    said = words(console_of(ada, event).content.decode())
    assert "More people than seats. 6 people find no seat. Add a seat to every table Add a table" in said
    browser_of(ada).post(reverse("event-seats", args=[event.key]))
    assert list(event.tables.values_list("cap", flat=True)) == [6, 5]


def test_tables_do_not_grow_beyond_fifty_seats(ada: Moderator, event: Event) -> None:
    Table.objects.filter(event=event).update(cap=50)
    answer = browser_of(ada).post(reverse("event-seats", args=[event.key]))
    assert answer["Location"] == f"/events/{event.key}/console/#tables"
    assert set(event.tables.values_list("cap", flat=True)) == {50}


def test_renewed_code_leaves_addresses_alone_and_reaches_open_pages(ada: Moderator, event: Event) -> None:
    before, head = event.join_code, Stream.objects.get(event=event, kind="stage").head
    browser_of(ada).post(reverse("event-code", args=[event.key]))
    event.refresh_from_db()
    assert event.join_code != before
    assert event.key == before
    assert Stream.objects.get(event=event, kind="stage").head == head + 1 == event.stage_seq
    shown = browser_of(ada).get(reverse("event-desk", args=[event.key])).json()
    assert (shown["code"], shown["first"] + shown["second"]) == (event.join_code, event.join_code)
    assert shown["address"].endswith(f"/j/{event.join_code}/")


def test_doors_close_and_open_again(ada: Moderator, event: Event) -> None:
    address = reverse("event-doors", args=[event.key])
    for wish, said in (("false", "nobody new can come in"), ("true", "who has the code can come in")):
        answer = browser_of(ada).post(address, {"open": wish})
        assert answer["Location"] == f"/events/{event.key}/console/#code"  # where the following is said
        event.refresh_from_db()
        assert event.doors_open is (wish == "true")
        assert said in words(console_of(ada, event).content.decode())


@pytest.mark.parametrize(
    ("phase", "said", "button"),
    [
        (Phase.DRAFT, "Nobody can come in before you open the doors.", ""),
        (Phase.LOBBY, "The doors are open: who has the code can come in.", "Close the doors"),
        (Phase.GALLERY, "The doors are open: who has the code can come in.", "Close the doors"),
        (Phase.CLOSED, "The event is closed: nobody can come in any more.", ""),
    ],
)
def test_console_says_who_can_come_in_now(ada: Moderator, event: Event, phase: Phase, said: str, button: str) -> None:
    put(event, phase)
    html = console_of(ada, event).content.decode()
    [form] = [f for f in re.findall(r"<form[^>]*>.*?</form>", html, re.DOTALL) if "/doors/" in f]
    assert words(form) == f"{said} {button}".strip()


def test_what_is_closed_is_not_offered_for_editing(ada: Moderator, event: Event) -> None:
    edit = reverse("event-edit", args=[event.key])
    for phase, code in ((Phase.GALLERY, 200), (Phase.CLOSED, 403)):
        put(event, phase, session=2)
        page = words(console_of(ada, event).content.decode())
        assert ("Edit" in page, browser_of(ada).get(edit).status_code) == (code == 200, code)


@pytest.mark.django_db(transaction=True)
def test_the_closing_sentence_is_written_in_the_console(ada: Moderator, event: Event, cem: Participant) -> None:
    put(event, Phase.OVER, session=2)
    html = console_of(ada, event).content.decode()
    [form] = [f for f in re.findall(r"<form[^>]*>.*?</form>", html, re.DOTALL) if "closing.set" in f]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form))
    address = f"/live/{event.key}/ops?as=moderator"
    assert browser_of(ada).post(address, {**fields, "text": "We act together."}).status_code == 303
    put(event, Phase.GALLERY, session=2)
    gallery = browser_of(cem).get(f"/e/{event.key}/gallery/").content.decode()
    assert reads(gallery, "What we all take home We act together.")
    assert reads(console_of(ada, event).content.decode(), "What we all take home We act together.")


def test_the_closing_sentence_waits_for_the_end(ada: Moderator, event: Event) -> None:
    for phase, number, shown in ((Phase.OVER, 1, False), (Phase.RUNNING, 2, False), (Phase.OVER, 2, True)):
        put(event, phase, session=number)
        assert ("What we all take home" in words(console_of(ada, event).content.decode())) is shown, (phase, number)


def test_run_sheet_shows_where_we_are_and_when_the_rest_is_to_be_expected(event: Event) -> None:
    now, sessions = now_ms() // MINUTE_MS * MINUTE_MS, list(event.sessions.all())
    facts = put(event, Phase.RUNNING, session=1, ends_at=now + 8 * MINUTE_MS).facts()
    rows = list(run_sheet(all_steps(sessions), facts, starts=now - 90 * MINUTE_MS, now=now))
    shown = [(row["phase"], row["session"], row["state"], row["at"] and (row["at"] - now) // MINUTE_MS) for row in rows]
    assert shown == [
        ("lobby", None, "done", None),
        ("seating", 1, "done", None),
        ("running", 1, "now", None),
        ("seating", 2, "ahead", 8),
        ("running", 2, "ahead", 13),
        ("gallery", None, "ahead", 33),
        ("closed", None, "ahead", 53),
    ]


def test_run_sheet_keeps_the_plan_before_the_doors_open(event: Event) -> None:
    starts, facts = now_ms() + 60 * MINUTE_MS, put(event, Phase.DRAFT).facts()
    rows = list(run_sheet(all_steps(list(event.sessions.all())), facts, starts=starts, now=now_ms()))
    assert [row["state"] for row in rows] == ["ahead"] * 7
    assert rows[1]["at"] == starts // MINUTE_MS * MINUTE_MS


def test_word_can_be_taken_back(ada: Moderator, event: Event) -> None:
    moderator = identity.moderator_in(event, ada)
    do(moderator, Name("stage"), "word.say", text="Five minutes, please.")
    assert "Everybody reads now: Five minutes, please. Take back" in words(console_of(ada, event).content.decode())
    do(moderator, Name("stage"), "word.say", text="")
    assert "Take back" not in words(console_of(ada, event).content.decode())


def test_card_opens_without_javascript(ada: Moderator, event: Event, cem: Participant, table_1: Table) -> None:
    html = console_of(ada, event, table=str(table_1.pk)).content.decode()
    [card] = re.findall(r"<noscript><section.*?</noscript>", html, re.DOTALL)
    assert words(card.removeprefix("<noscript>").removesuffix("</noscript>")) == "Table 1 Cem Read the board"
    assert 'id="looked-at"' not in console_of(ada, event, table="9" * 30).content.decode()


def test_number_of_queries_does_not_grow_with_tables_and_people(
    ada: Moderator, event: Event, cem: Participant, dana: Participant, django_assert_num_queries: Any
) -> None:
    browser = browser_of(ada)
    address = reverse("console", args=[event.key])
    browser.get(address)
    shelf.clear()
    with CaptureQueriesContext(connection) as at_two:
        browser.get(address)
    shelf.clear()
    for number in (3, 4, 5):
        Table.objects.create(event=event, number=number, name=f"Table {number}", seq=1)
    for name in ("Ben", "Eve", "Finn"):
        sit(come_in(event, name), event.tables.get(number=3))
    streams.open_for(event)
    with django_assert_num_queries(len(at_two)):
        browser.get(address)


def test_hostile_names_stay_text(ada: Moderator, event: Event) -> None:
    come_in(event, '"><img src=x onerror=alert(1)>')
    Event.objects.filter(pk=event.pk).update(
        title="</title><script>alert(1)</script>", word="<script>alert(2)</script>"
    )
    event.refresh_from_db()
    for name in ("console", "screen"):
        html = browser_of(ada).get(reverse(name, args=[event.key])).content.decode()
        assert "<img src=x" not in html
        assert "<script>" not in html
        assert " style=" not in html


def test_console_speaks_german(ada: Moderator) -> None:
    event = new_event(ada)
    html = browser_of(ada, language="de").get(reverse("console", args=[event.key])).content.decode()
    assert step_button(html) == "Runde 1 öffnen"


def test_qr_code_is_a_picture_without_style_or_script(ada: Moderator, event: Event) -> None:
    answer = browser_of(ada).get(reverse("event-qr", args=[event.key]))
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer.content.decode() == qr.svg(f"http://testserver/j/{event.join_code}/")
    assert not re.search(r"style|script|on\w+=", answer.content.decode())
