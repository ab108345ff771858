from typing import Any

import pytest
from django.urls import reverse

from sessions import identity
from sessions.live.ops import Name
from sessions.models import Event, Moderator, Participant, Question
from sessions.phases import Phase
from tables.models import Table
from tests.cast import browser_of, come_in, do, put
from tests.pages import words

PAGES = ("screen", "console")


def screen_of(ada: Moderator, event: Event) -> str:
    return browser_of(ada).get(reverse("screen", args=[event.key])).content.decode()


@pytest.mark.parametrize(
    ("phase", "session", "said"),
    [
        (Phase.DRAFT, None, "Welcome"),
        (Phase.LOBBY, None, "Welcome"),
        (Phase.SEATING, 1, "Session 1 of 2: find a table"),
        (Phase.RUNNING, 1, "Session 1 of 2"),
        (Phase.OVER, 1, "Session 1 of 2 is over"),
        (Phase.GALLERY, 2, "Gallery walk"),
        (Phase.CLOSED, 2, "Thank you for being here"),
    ],
)
def test_screen_shows_title_map_and_code_in_every_phase(
    ada: Moderator, event: Event, phase: Phase, session: int | None, said: str
) -> None:
    put(event, phase, session=session)
    html = screen_of(ada, event)
    read = words(html)
    assert read.startswith(f"Skip to content {said} Smart City")
    assert event.join_code in read
    assert f'src="{reverse("event-qr", args=[event.key])}?{event.join_code}"' in html
    assert html.count('data-part="table:') == 2


def test_screen_shows_the_questions_of_the_session_only(ada: Moderator, event: Event) -> None:
    read = words(screen_of(ada, event))
    assert "What makes an offer succeed?" in read
    assert "What can I contribute?" not in read
    put(event, Phase.LOBBY)
    assert "What makes an offer succeed?" not in words(screen_of(ada, event))


def test_screen_says_that_every_table_has_its_own_question(ada: Moderator, event: Event) -> None:
    Question.objects.filter(session__event=event).update(table_no=1)
    assert "Every table has its own question" in words(screen_of(ada, event))


def test_nobody_is_told_to_write_on_the_wall(ada: Moderator, event: Event) -> None:
    screen, console = (browser_of(ada).get(reverse(page, args=[event.key])).content.decode() for page in PAGES)
    for sentence in ("Keep writing:", "until every note says “Saved”"):
        assert sentence in console
        assert sentence not in screen
    assert "This page goes on by itself as soon as the line is back." in screen


def test_screen_shows_the_word_to_all(ada: Moderator, event: Event) -> None:
    do(identity.moderator_in(event, ada), Name("stage"), "word.say", text="Coffee is ready.")
    assert "Coffee is ready." in words(screen_of(ada, event))


def test_screen_gives_away_no_name_and_no_note(ada: Moderator, event: Event, cem: Participant, table_1: Table) -> None:
    question = event.sessions.get(number=1).questions.first()
    board = table_1.boards.get(session__number=1)
    do(cem, Name("board", board.pk), "note.add", q=question.pk, text="Only for our table", colour="mint")
    come_in(event, "Dana")
    html = screen_of(ada, event)
    assert "1 note so far" in words(html)
    for secret in ("Cem", "Dana", "Only for our table"):
        assert secret not in words(html)


def test_walk_shows_what_everybody_takes_home(ada: Moderator, event: Event, cem: Participant) -> None:
    put(event, Phase.GALLERY, session=2)
    do(cem, Name("gallery"), "takeaway.set", text="Courage")
    assert "1 person takes something home" in words(screen_of(ada, event))
    do(identity.moderator_in(event, ada), Name("gallery"), "closing.set", text="Act together.")
    assert "Act together." in words(screen_of(ada, event))


@pytest.mark.parametrize(("tables", "size"), [(9, "few"), (10, "some"), (23, "some"), (24, "many")])
def test_map_grows_from_pictures_to_sums(ada: Moderator, event: Event, tables: int, size: str) -> None:
    for number in range(3, tables + 1):
        Table.objects.create(event=event, number=number, name=f"Table {number}", seq=1)
    html = screen_of(ada, event)
    assert f'data-size="{size}"' in html
    assert f"{tables * 5} free seats" in words(html)


def test_number_of_queries_does_not_grow_with_tables(
    ada: Moderator, event: Event, cem: Participant, django_assert_max_num_queries: Any
) -> None:
    for number in range(3, 9):
        Table.objects.create(event=event, number=number, name=f"Table {number}", seq=1)
    browser, address = browser_of(ada), reverse("screen", args=[event.key])
    browser.get(address)
    with django_assert_max_num_queries(30):
        browser.get(address)
