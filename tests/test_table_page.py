"""The table as a guest gets it, before any script runs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sessions.live.ops import Name
from sessions.live.shown import shelf
from sessions.live.uuid7 import uuid7
from sessions.models import Event, Moderator, Participant
from sessions.phases import Phase
from tables.models import Board, Note, Table
from tests.cast import browser_of, come_in, do, put, sit
from tests.pages import reads, words


def board_at(table: Table, session: int = 1) -> Board:
    return Board.objects.get(table=table, session__number=session)


def write(person: Participant, table: Table, text: str, *, question: int = 1) -> None:
    board = board_at(table)
    asked = board.session.questions.get(number=question)
    answer = do(person, Name("board", board.pk), "note.add", q=asked.pk, text=text, colour="mint")
    assert answer.code is None, answer


def table_of(person: Participant | Moderator, event: Event, **query: str) -> str:
    answer = browser_of(person).get(reverse("table", args=[event.key]), query)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def test_each_question_is_a_region_with_its_notes_and_a_composer(
    event: Event, cem: Participant, table_1: Table
) -> None:
    write(cem, table_1, "A caretaker with a key")
    page = table_of(cem, event)
    assert page.count('<label class="hear" for="text-') == 2
    assert reads(page, "What makes an offer succeed? 1 note Your note")
    assert reads(page, "What holds offers back? No notes yet Your note")
    assert reads(page, "A caretaker with a key Cem")


def test_one_character_too_many_is_no_plural(event: Event, cem: Participant) -> None:
    page = table_of(cem, event)
    assert page.count('<span data-form="one" hidden>1 character too many</span>') == 3  # two questions, "Edit note"


def test_words_of_people_are_text_and_nothing_else(event: Event, cem: Participant, table_1: Table) -> None:
    write(cem, table_1, '<script>x</script><img src=x onerror="y" hx-get="/"> {{ 7 }}')
    page = table_of(cem, event)
    assert "<script>x" not in page
    assert "<img" not in page
    assert '<script>x</script><img src=x onerror="y" hx-get="/"> {{ 7 }}' in words(page)


def test_the_table_names_who_sits_there(event: Event, ben: Participant, cem: Participant) -> None:
    assert reads(table_of(cem, event), "At the table Ben host Cem 3 seats free")


@pytest.mark.django_db(transaction=True)
def test_guest_posts_by_plain_form(event: Event, cem: Participant, table_1: Table) -> None:
    board = board_at(table_1)
    question = board.session.questions.get(number=2)
    data = {"s": f"board:{board.pk}", "k": "note.add", "q": question.pk, "text": "Forms, forms", "colour": "sky"}
    there = reverse("table", args=[event.key])
    answer = browser_of(cem).post(reverse("live-ops", args=[event.key]), {**data, "id": str(uuid7()), "next": there})
    assert (answer.status_code, answer["Location"]) == (303, there)
    assert Note.objects.get().colour == "sky"
    assert reads(table_of(cem, event), "Forms, forms")


def test_guest_without_a_seat_is_led_to_the_lobby(event: Event, cem: Participant) -> None:
    assert "What makes an offer succeed?" in table_of(cem, event)
    late = come_in(event, "Late")
    answer = browser_of(late).get(reverse("table", args=[event.key]))
    assert answer["Location"] == f"/e/{event.key}/lobby/"


def test_next_group_reads_what_the_last_one_left(
    event: Event, cem: Participant, dana: Participant, table_1: Table
) -> None:
    write(cem, table_1, "Left for the next")
    put(event, Phase.SEATING, session=2)
    sit(dana, table_1)
    page = table_of(dana, event)
    assert reads(page, "What the last group left Session 1 · 1 note · for reading")
    assert reads(page, "Left for the next")
    assert reads(page, "Not begun yet")


def test_hidden_note_is_seen_by_its_author_and_the_moderator_only(
    event: Event, ada: Moderator, ben: Participant, cem: Participant, table_1: Table
) -> None:
    write(cem, table_1, "Not nice")
    board, note = board_at(table_1), Note.objects.get()
    assert reads(table_of(ben, event), "Not nice")
    browser_of(ada).get(f"/events/{event.key}/console/")
    moderator = event.participants.get(role="moderator")
    assert do(moderator, Name("board", board.pk), "note.hide", note=note.pk).code is None
    assert "Not nice" not in table_of(ben, event)
    assert reads(table_of(cem, event), "Only you still see these notes of yours. Not nice Hidden")
    assert reads(table_of(ada, event, board=str(board.pk)), "Not nice")


def test_moderator_reads_any_board_and_guests_their_own(
    event: Event, ada: Moderator, cem: Participant, table_2: Table
) -> None:
    other = str(board_at(table_2).pk)
    assert reads(table_of(ada, event, board=other), "Table 2")
    for board in (other, "0", "x", "9" * 30):
        answer = browser_of(cem).get(reverse("table", args=[event.key]), {"board": board})
        assert answer.status_code == 404, board


def test_only_guests_change_tables(ada: Moderator, event: Event, cem: Participant, table_1: Table) -> None:
    board = table_1.boards.get(session__number=1).pk
    assert "Change table" in table_of(cem, event)
    assert "Change table" not in table_of(ada, event, board=str(board))


def test_link_of_the_table_stands_beside_its_name(event: Event, cem: Participant, table_1: Table) -> None:
    assert not reads(table_of(cem, event), "Where we talk")
    Table.objects.filter(pk=table_1.pk).update(talk_link="https://meet.example.org/one")
    shelf.clear()
    assert reads(table_of(cem, event), "Where we talk meet.example.org There, choose “Table 1”.")


@pytest.mark.parametrize("notes", [1, 3])
def test_table_asks_the_same_number_of_questions_however_many_notes(
    event: Event, cem: Participant, table_1: Table, notes: int
) -> None:
    for n in range(notes):
        write(cem, table_1, f"Note {n}")
    browser = browser_of(cem)
    with CaptureQueriesContext(connection) as asked:
        browser.get(reverse("table", args=[event.key]))
    assert len(asked) == 17
