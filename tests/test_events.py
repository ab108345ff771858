from dataclasses import replace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions.models import Event, Moderator
from sessions.phases import Phase
from tables.plan import build
from tests.cafe import Cafe
from tests.cast import PLAN, browser_of, put
from tests.pages import words

EVENTS = "/events/"


def shown(ada: Moderator, *, language: str = "en") -> str:
    return browser_of(ada, language=language).get(EVENTS).content.decode()


def test_the_first_visit_names_the_next_step(ada: Moderator) -> None:
    html = shown(ada)
    assert "Make your first event" in words(html)
    assert f'href="{reverse("event-new")}"' in html
    for template in ("classic", "topics", "sample"):
        assert f'href="{reverse("event-new")}?template={template}"' in html


def test_an_event_is_listed_with_its_numbers(running: Cafe) -> None:
    running.writes(running.cem, "One")
    gone = running.writes(running.cem, "Two")
    running.does(running.cem, f"board:{running.board().pk}", "note.gone", note=gone.op_id)
    said = words(shown(running.ada))
    assert "Neighbours" in said
    assert "2 sessions · 2 tables · 3 people · 1 note" in said
    assert "Session 1 is running" in said


@pytest.mark.parametrize(
    ("phase", "chip"),
    [
        (Phase.DRAFT, "Being prepared"),
        (Phase.LOBBY, "Doors open"),
        (Phase.SEATING, "Find a table"),
        (Phase.OVER, "Session 1 is over"),
        (Phase.GALLERY, "Gallery walk"),
        (Phase.CLOSED, "Closed"),
        (Phase.ARCHIVED, "Closed"),
    ],
)
def test_the_chip_says_where_an_event_stands(ada: Moderator, phase: Phase, chip: str) -> None:
    put(build(ada, PLAN), phase, session=1 if phase in {Phase.SEATING, Phase.OVER} else None)
    assert chip in words(shown(ada))


def test_in_german_an_event_is_over_where_a_table_is_closed(ada: Moderator) -> None:
    put(build(ada, PLAN), Phase.CLOSED)
    said = words(shown(ada, language="de"))
    assert "Beendet" in said
    assert "Geschlossen" not in said


def test_a_session_whose_time_is_up_is_not_shown_as_running(ada: Moderator) -> None:
    put(build(ada, PLAN), Phase.RUNNING, session=2, ends_at=1)
    assert "Gallery walk" in words(shown(ada))


def test_the_start_is_shown_in_the_zone_of_the_event(ada: Moderator) -> None:
    build(ada, replace(PLAN, time_zone="Asia/Kathmandu"))
    assert "15:45" in words(shown(ada))


def test_running_events_come_first(ada: Moderator) -> None:
    put(build(ada, replace(PLAN, title="Running")), Phase.LOBBY)
    build(ada, replace(PLAN, title="Later", starts_at=PLAN.starts_at.replace(year=2030)))
    said = words(shown(ada))
    assert said.index("Running") < said.index("Later")


def test_a_closed_event_can_be_looked_at_copied_and_deleted_but_not_edited(ada: Moderator) -> None:
    event = put(build(ada, PLAN), Phase.LOBBY)
    assert reverse("event-edit", args=[event.key]) + '"' in shown(ada)
    put(event, Phase.CLOSED)
    html = shown(ada)
    assert reverse("event-edit", args=[event.key]) + '"' not in html
    for name in ("console", "event-copies", "event-delete"):
        assert reverse(name, args=[event.key]) + '"' in html


def test_events_of_others_are_not_listed(ada: Moderator, elsewhere: Event) -> None:
    build(ada, PLAN)
    said = words(shown(ada))
    assert "Smart City" in said
    assert "Elsewhere" not in said
    assert "Elsewhere" in words(shown(elsewhere.owner))


def test_titles_are_shown_as_they_were_typed(ada: Moderator) -> None:
    build(ada, replace(PLAN, title='<img src=x onerror=alert(1)>{{7*7}}"'))
    html = shown(ada)
    assert "<img" not in html
    assert '<img src=x onerror=alert(1)>{{7*7}}"' in words(html)


def test_the_list_leads_to_the_password_and_out(ada: Moderator) -> None:
    page = browser_of(ada).get(EVENTS).content.decode()
    assert reverse("password") in page
    assert f'action="{reverse("sign-out")}"' in page


def test_a_stranger_is_sent_to_sign_in(db: None) -> None:
    answer = Client().get(EVENTS)
    assert (answer.status_code, answer.url) == (302, f"{reverse('sign-in')}?next={EVENTS}")


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_takes_four_queries(ada: Moderator, count: int) -> None:
    for _number in range(count):
        build(ada, PLAN)
    browser = browser_of(ada)
    with CaptureQueriesContext(connection) as queries:
        browser.get(EVENTS)
    assert len(queries) == 4
