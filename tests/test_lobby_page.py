"""The lobby as a guest gets it, before any script runs."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions.live.ops import Name
from sessions.live.uuid7 import uuid7
from sessions.models import Event, Moderator, Participant
from sessions.phases import Phase
from tables.models import Seat, Table
from tests.cast import browser_of, come_in, do, put, sit
from tests.pages import reads, words

ROOM = Name("room")


def lobby_of(person: Participant, **headers: str) -> str:
    answer = browser_of(person).get(reverse("lobby", args=[person.event.key]), headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_guest_sees_every_table_in_words_and_as_a_drawing(cem: Participant, dana: Participant) -> None:
    page = lobby_of(dana)
    assert reads(page, "Table 1 1 of 5 seats taken 4 seats free Cem Sit at Table 1")
    assert reads(page, "2 of 10 seats taken")
    assert page.count('<div class="tablepic"') == 2 + 1  # the floor and its blank part
    assert 'aria-labelledby="tables-head" data-stream="room"' in page


def test_button_is_named_by_its_table_and_described_by_its_free_seats(cem: Participant, table_1: Table) -> None:
    page = lobby_of(cem)
    [button] = re.findall(rf'<button[^>]*value="{table_1.pk}"[^>]*>.*?</button>', page)
    assert reads(button, "Sit at Table 1")
    assert f'aria-describedby="free-{table_1.pk}"' in button
    assert f'id="free-{table_1.pk}"' in page


def test_host_is_named_as_such(ben: Participant, cem: Participant) -> None:
    assert reads(lobby_of(cem), "Ben (host) Cem")


@pytest.mark.parametrize(
    ("phase", "sentence"),
    [
        (Phase.LOBBY, "Welcome! Seats open soon"),
        (Phase.SEATING, "Find yourself a table"),
        (Phase.RUNNING, "Take a seat: the talk has begun"),
        (Phase.OVER, "This session is over"),
    ],
)
def test_lobby_says_where_the_event_is(event: Event, phase: Phase, sentence: str) -> None:
    dana = come_in(event, "Dana")
    put(event, phase, session=None if phase is Phase.LOBBY else 1)
    assert reads(lobby_of(dana), sentence)


@pytest.mark.parametrize(("phase", "sentence"), [(Phase.DRAFT, "Nearly ready"), (Phase.OVER, "Take a breath.")])
def test_lobby_promises_to_follow_only_with_a_script(event: Event, phase: Phase, sentence: str) -> None:
    dana = come_in(event, "Dana")
    put(event, phase, session=1 if phase is Phase.OVER else None)
    page = lobby_of(dana)
    assert (reads(page, sentence), reads(page, "follows by itself")) == (True, False)
    [without] = re.findall(r"<noscript>.*?</noscript>", page, re.DOTALL)
    assert reads(without[10:-11], "Without JavaScript this page does not follow by itself: reload it.")


def test_before_the_seats_open_the_lobby_says_who_is_there(event: Event) -> None:
    dana, _cem = come_in(event, "Dana"), come_in(event, "Cem <b>")
    put(event, Phase.LOBBY)
    assert reads(lobby_of(dana), "Who is here 2 Dana Cem <b>")
    put(event, Phase.SEATING, session=1)
    assert not reads(lobby_of(dana), "Who is here")


def test_names_of_who_is_there_come_alone_when_asked_for(event: Event) -> None:
    dana = come_in(event, "Dana")
    put(event, Phase.LOBBY)
    page = lobby_of(dana, hx_request="true")
    assert words(page).replace(" ", "") == "Whoishere1Dana"


def test_before_it_begins_the_clock_tells_how_long_it_will_take(event: Event, cem: Participant) -> None:
    """And does not sound as if it began then: when, the moderator says."""
    put(event, Phase.SEATING, session=1)
    page = lobby_of(cem)
    [word] = re.findall(r'<small data-clock-word="waiting">(.*?)</small>', page)
    assert (reads(page, "20:00"), word) == (True, "to talk")


def test_seated_guest_is_told_where_and_when_it_begins(event: Event, table_1: Table) -> None:
    put(event, Phase.SEATING, session=1)
    cem = sit(come_in(event, "Cem"), table_1)
    sentence = "You sit at Table 1. It begins when the moderator starts session 1. Go to the table"
    assert reads(lobby_of(cem), sentence)
    assert not reads(lobby_of(come_in(event, "Dana")), "You sit at")


def test_from_the_second_session_on_one_may_stay(event: Event, cem: Participant) -> None:
    assert not reads(lobby_of(cem), "Stay at")
    put(event, Phase.SEATING, session=2)
    assert reads(lobby_of(cem), "Stay at Table 1")
    assert not reads(lobby_of(come_in(event, "Late")), "Stay at")


@pytest.mark.django_db(transaction=True)
def test_plain_form_seats_a_guest_without_javascript(event: Event, table_1: Table) -> None:
    dana = come_in(event, "Dana")
    data = {"id": str(uuid7()), "s": "room", "k": "seat.take", "table": table_1.pk, "next": f"/e/{event.key}/"}
    answer = browser_of(dana).post(reverse("live-ops", args=[event.key]), data)
    assert (answer.status_code, answer["Location"]) == (303, f"/e/{event.key}/")
    assert Seat.objects.get(participant=dana).table == table_1


def test_link_to_the_talk_shows_its_host(event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(talk_link="https://meet.example.org/a")
    page = lobby_of(come_in(event, "Dana"))
    assert reads(page, "Where we talk meet.example.org")
    assert 'rel="noopener noreferrer"' in page


def test_event_with_a_question_for_each_table_shows_it(event: Event, table_2: Table) -> None:
    dana = come_in(event, "Dana")
    session = event.current_session()
    assert session is not None
    session.questions.create(number=1, table_no=2, text="Which bus runs after nine?")
    assert words(lobby_of(dana)).count("Which bus runs after nine?") == 1


def test_here_leads_to_where_the_event_is(event: Event, cem: Participant) -> None:
    late = come_in(event, "Late")
    for phase, session, seated, seatless in (
        (Phase.LOBBY, None, "lobby", "lobby"),
        (Phase.SEATING, 1, "lobby", "lobby"),
        (Phase.RUNNING, 1, "table", "lobby"),
        (Phase.OVER, 1, "table", "lobby"),
        (Phase.GALLERY, 2, "gallery", "gallery"),
        (Phase.CLOSED, 2, "gallery", "gallery"),
    ):
        put(event, phase, session=session)
        for person, place in ((cem, seated), (late, seatless)):
            answer = browser_of(person).get(f"/e/{event.key}/")
            assert answer["Location"] == f"/e/{event.key}/{place}/", (phase, person.name)


def test_the_moderator_looks_on_and_finds_back(ada: Moderator, event: Event, cem: Participant) -> None:
    put(event, Phase.SEATING, session=1)
    console = f'href="/events/{event.key}/console/"'
    led, guests = (browser_of(who).get(f"/e/{event.key}/lobby/").content.decode() for who in (ada, cem))
    assert ("You lead this event" in led, console in led, "data-looks-on" in led) == (True, True, True)
    assert ("You lead this event" in guests, console in guests, "data-looks-on" in guests) == (False, False, False)


def test_outsider_learns_nothing(event: Event, cem: Participant, eve: Participant) -> None:
    assert browser_of(cem).get(f"/e/{event.key}/lobby/").status_code == 200
    assert browser_of(eve).get(f"/e/{event.key}/lobby/").status_code == 302  # to the door
    assert browser_of(eve).get("/e/ZZZZZZZZ/lobby/").status_code == 404


@pytest.mark.parametrize("guests", [1, 3])
def test_lobby_asks_the_same_number_of_questions_however_many_sit(event: Event, table_1: Table, guests: int) -> None:
    people = [sit(come_in(event, f"Guest {n}"), table_1) for n in range(guests)]
    browser = browser_of(people[0])
    with CaptureQueriesContext(
        connection,
    ) as asked:
        browser.get(f"/e/{event.key}/lobby/")
    assert len(asked) == 13


def test_leaving_by_plain_form_frees_the_seat(event: Event, cem: Participant) -> None:
    assert do(cem, ROOM, "seat.leave").code is None
    assert not Seat.objects.filter(participant=cem).exists()
