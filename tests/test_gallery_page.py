"""The gallery walk as a visitor gets it, before any script runs."""

import gzip
import re

import pytest
from django.db import connection
from django.template import Context
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.safestring import SafeString

from sessions import identity, ledger
from sessions.live.kinds import KINDS, Read
from sessions.live.ops import Name
from sessions.live.renewal import renew
from sessions.live.shared import LONG, Shared
from sessions.live.uuid7 import uuid7
from sessions.models import Event, Participant, Stream
from sessions.phases import Phase
from sessions.templatetags.live import together
from tables import fragments
from tables.gallery import Choice, Exhibit
from tables.models import Board, Table, Takeaway
from tables.templatetags import papers
from tests.cast import browser_of, come_in, do, put, sit
from tests.pages import reads, words
from zoomcafe import packing

GALLERY = Name("gallery")


def write(person: Participant, board: Board, text: str, *, question: int = 1) -> None:
    asked = board.session.questions.get(number=question)
    answer = do(person, Name("board", board.pk), "note.add", q=asked.pk, text=text, colour="oat")
    assert answer.code is None, answer


def board_at(event: Event, table: int, session: int) -> Board:
    return Board.objects.get(session__event=event, table__number=table, session__number=session)


@pytest.fixture
def walk(event: Event, cem: Participant, dana: Participant, table_1: Table) -> Event:
    """All is over. Cem wrote at table 1 in session 1, Dana at table 2, and at table 1 in session 2."""
    write(cem, board_at(event, 1, 1), "Ask the caretaker")
    write(dana, board_at(event, 2, 1), "The CARETAKER knows", question=2)
    put(event, Phase.SEATING, session=2)
    sit(dana, table_1)
    put(event, Phase.RUNNING, session=2)
    write(dana, board_at(event, 1, 2), "I call the office")
    return put(event, Phase.GALLERY, session=2)


def gallery_of(person: Participant, **query: str | int) -> str:
    answer = browser_of(person).get(reverse("gallery", args=[person.event.key]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_board_of_every_session_hangs_in_the_gallery(walk: Event, cem: Participant) -> None:
    page = gallery_of(cem)
    assert page.count('class="board exhibit"') == 4
    for text in ("Ask the caretaker", "The CARETAKER knows", "I call the office"):
        assert text in words(page)


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ({"session": 1}, {"Ask the caretaker", "The CARETAKER knows"}),
        ({"session": 2}, {"I call the office"}),
        ({"table": 2}, {"The CARETAKER knows"}),
        ({"q": "caretaker"}, {"Ask the caretaker", "The CARETAKER knows"}),
        ({"q": "the  ASK"}, {"Ask the caretaker"}),
        ({"q": "caretaker", "table": 1}, {"Ask the caretaker"}),
        ({"q": "nobody said this"}, set()),
        (
            {"session": "x", "table": "²", "question": "-1"},
            {"Ask the caretaker", "The CARETAKER knows", "I call the office"},
        ),
        ({"session": 9}, set()),
    ],
)
@pytest.mark.parametrize("view", ["tables", "wall"])
def test_gallery_narrows(
    walk: Event, cem: Participant, chosen: dict[str, str | int], found: set[str], view: str
) -> None:
    text = words(gallery_of(cem, view=view, **chosen))
    every = {"Ask the caretaker", "The CARETAKER knows", "I call the office"}
    assert {note for note in every if note in text} == found


def test_gallery_narrows_to_a_question(walk: Event, cem: Participant) -> None:
    question = board_at(walk, 1, 1).session.questions.get(number=2)
    text = words(gallery_of(cem, question=question.pk))
    assert "The CARETAKER knows" in text
    assert "Ask the caretaker" not in text


def test_found_words_are_marked_and_nothing_else_is_markup(walk: Event, cem: Participant, dana: Participant) -> None:
    put(walk, Phase.RUNNING, session=2)
    write(dana, board_at(walk, 1, 2), "<b>mark</b> & <mark>")
    put(walk, Phase.GALLERY, session=2)
    page = gallery_of(cem, q="mark")
    assert "&lt;b&gt;<mark>mark</mark>&lt;/b&gt; &amp; &lt;<mark>mark</mark>&gt;" in page


def test_search_that_finds_nothing_names_the_next_step(walk: Event, cem: Participant) -> None:
    page = gallery_of(cem, q="xyzzy")
    assert reads(page, "No note says that. Try a shorter word, or look at everything.")


def test_station_leads_to_the_next_table(walk: Event, cem: Participant) -> None:
    page = gallery_of(cem, table=1)
    assert page.count('class="board exhibit"') == 2
    assert re.search(r'<a class="btn main" href="\?table=2">', page)


def test_wall_says_at_which_table_a_note_was_written(walk: Event, cem: Participant) -> None:
    page = gallery_of(cem, view="wall")
    assert reads(page, "What makes an offer succeed? Session 1 · 1 note Ask the caretaker Cem · Table 1")


def test_htmx_gets_the_results_alone(walk: Event, cem: Participant) -> None:
    answer = browser_of(cem).get(f"/e/{walk.key}/gallery/", {"q": "office"}, headers={"hx-request": "true"})
    page = answer.content.decode()
    assert page.startswith('<div id="results"')
    assert reads(page, "I call the office")


def test_the_same_search_again_is_no_further_step_back(walk: Event, cem: Participant) -> None:
    """A pause in typing asks, and so does the button after it."""
    there = f"/e/{walk.key}/gallery/?session=&q=office"

    def pushed(at: str) -> str | None:
        here = {"hx-request": "true", "hx-current-url": f"http://testserver{at}"}
        return browser_of(cem).get(there, headers=here).get("HX-Push-Url")

    assert pushed(f"/e/{walk.key}/gallery/") is None
    assert pushed(there) == "false"


def test_exhibit_at_its_head_never_changes(walk: Event, cem: Participant) -> None:
    board = board_at(walk, 1, 1)
    head = Stream.objects.get(event=walk, kind="board", ref=board.pk).head
    there = f"/e/{walk.key}/gallery/{board.pk}"
    now = f"{there}?at={head}&of={str(walk.epoch)[:8]}"
    answer = browser_of(cem).get(now)
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert {"Cookie", "Accept-Language"} <= set(answer["Vary"].split(", "))
    assert reads(answer.content.decode(), "Ask the caretaker")
    for other in ("", "?at=0", f"?at={head + 1}", "?at=x", f"?at={head}", f"?at={head}&of=00000000"):
        moved = browser_of(cem).get(there + other)
        assert moved["Location"] == now, other


def test_the_same_head_after_a_restore_is_another_exhibit(walk: Event, cem: Participant) -> None:
    board = board_at(walk, 1, 1)
    there = f"/e/{walk.key}/gallery/{board.pk}"
    before = browser_of(cem).get(there)["Location"]
    assert browser_of(cem).get(before).status_code == 200
    renew(ledger.read())
    after = browser_of(cem).get(before)["Location"]
    assert (after == before, after.partition("&")[0] == before.partition("&")[0]) == (False, True)


def test_gallery_shows_the_same_exhibit_as_its_fragment(walk: Event, cem: Participant) -> None:
    page = gallery_of(cem)
    for board in Board.objects.filter(session__event=walk):
        fragment = browser_of(cem).get(f"/e/{walk.key}/gallery/{board.pk}", follow=True).content.decode()
        assert fragment.strip() in page


@pytest.mark.parametrize("view", ["tables", "wall"])
def test_a_board_is_rendered_once_for_all_who_see_the_same(
    walk: Event, cem: Participant, dana: Participant, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    """Until it changes, and then only that one; on the first look there is one fragment for each of six boards."""
    made: list[int] = []
    usual = fragments._made

    def counted(event: Event, exhibit: Exhibit, choice: Choice) -> list[fragments.Hung]:
        made.append(exhibit.board.pk)
        return usual(event, exhibit, choice)

    monkeypatch.setattr(fragments, "_made", counted)
    boards = set(Board.objects.filter(session__event=walk).values_list("pk", flat=True))
    first = gallery_of(cem, view=view)
    assert (len(made), set(made)) == (len(boards), boards)
    assert results(gallery_of(dana, view=view)) == results(first)
    assert len(made) == len(boards)

    changed = board_at(walk, 2, 1)
    lead = identity.moderator_in(walk, walk.owner)
    assert lead is not None
    assert do(lead, Name("board", changed.pk), "note.hide", note=changed.notes.get().pk).code is None
    assert not reads(gallery_of(cem, view=view), "The CARETAKER knows")
    assert made[len(boards) :] == [changed.pk]
    page = browser_of(walk.owner).get(reverse("gallery", args=[walk.key]), {"view": view}).content.decode()
    assert reads(page, "The CARETAKER knows"), "who may see more has their own"
    assert not reads(gallery_of(dana, view=view), "The CARETAKER knows")


def test_markup_says_what_is_written_on_tables_and_questions_now(walk: Event, cem: Participant) -> None:
    assert reads(gallery_of(cem), "Table 2")
    Table.objects.filter(event=walk, number=2).update(name="Under the lime tree")
    assert "Under the lime tree, " in gallery_of(cem)


def test_an_author_has_their_new_name_in_the_gallery_at_once(walk: Event, cem: Participant) -> None:
    assert reads(gallery_of(cem), "Dana")
    lead, dana = identity.moderator_in(walk, walk.owner), walk.participants.get(name="Dana")
    assert lead is not None
    assert do(lead, Name("room"), "person.set", p=dana.pk, name="Robin").code is None
    shown = results(gallery_of(cem))
    assert ("Robin" in shown, "Dana" in shown) == (True, False)


def test_a_reader_of_another_language_gets_their_own_markup(walk: Event, cem: Participant) -> None:
    there = reverse("gallery", args=[walk.key])
    pages = [browser_of(cem, language=language).get(there).content.decode() for language in ("en", "de")]
    assert ["Session 1" in results(page) for page in pages] == [True, False]
    assert ["Runde 1" in results(page) for page in pages] == [False, True]


def test_fragments_forget_what_was_asked_for_longest_ago(walk: Event) -> None:
    hung = [fragments.Hung(None, 1, SafeString("x" * 1_000))]
    kept = fragments.Fragments(most_bytes=3 * fragments.size_of(hung))
    for key in "abc":
        kept.keep(key, hung)
    kept.keep("a", hung)
    assert kept.get("b") == hung
    kept.keep("d", hung)
    assert [key for key in "abcd" if kept.get(key)] == ["a", "b", "d"]
    assert kept.size == 3 * fragments.size_of(hung)


def test_of_a_changed_board_the_changed_note_alone_is_rendered(walk: Event, cem: Participant) -> None:
    board = board_at(walk, 2, 1)
    note = board.notes.get()
    lead = identity.moderator_in(walk, walk.owner)
    assert lead is not None
    write(lead, board, "Windows too")
    gallery_of(cem)
    before = papers._kept.cache_info().misses
    edit = {"note": note.pk, "text": "Ask at the window", "base": note.edited}
    assert do(lead, Name("board", board.pk), "note.edit", **edit).code is None
    assert reads(gallery_of(cem), "Ask at the window")
    assert papers._kept.cache_info().misses == before + 1


def test_who_searches_fills_no_memory(walk: Event, cem: Participant) -> None:
    gallery_of(cem)
    before = papers._kept.cache_info().misses
    assert "<mark>" in gallery_of(cem, q="caretaker")
    assert papers._kept.cache_info().misses == before


def test_a_gallery_put_together_from_packed_boards_says_the_same(
    walk: Event, cem: Participant, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = results(gallery_of(cem))
    monkeypatch.setattr("sessions.templatetags.live.LONG", 1)
    there = reverse("gallery", args=[walk.key])
    packed = browser_of(cem).get(there, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert results(gzip.decompress(packed.content).decode()) == plain
    assert results(browser_of(cem).get(there).content.decode()) == plain


def results(page: str) -> str:
    return page[page.index('<div id="results"') : page.index("<aside")]


def test_gallery_opens_to_guests_when_the_last_session_is_over(event: Event, cem: Participant) -> None:
    put(event, Phase.GALLERY, session=2)
    assert reads(gallery_of(cem), "Gallery walk")
    put(event, Phase.RUNNING, session=2)
    for there in ("gallery/", f"gallery/{board_at(event, 1, 1).pk}"):
        answer = browser_of(cem).get(f"/e/{event.key}/{there}")
        assert (answer.status_code, answer["Location"]) == (302, f"/e/{event.key}/"), there


def test_board_of_another_event_is_not_found(walk: Event, cem: Participant, elsewhere: Event) -> None:
    assert browser_of(cem).get(f"/e/{walk.key}/gallery/{board_at(walk, 1, 1).pk}", follow=True).status_code == 200
    assert browser_of(cem).get(f"/e/{walk.key}/gallery/{board_at(elsewhere, 1, 1).pk}").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_takeaway_is_shared_by_plain_form_and_can_be_changed(walk: Event, cem: Participant, dana: Participant) -> None:
    assert reads(gallery_of(cem), "Nobody has shared a thought yet. Be the first.")
    data = {
        "id": str(uuid7()),
        "s": "gallery",
        "k": "takeaway.set",
        "text": "Ask first",
        "next": f"/e/{walk.key}/gallery/",
    }
    answer = browser_of(cem).post(reverse("live-ops", args=[walk.key]), data)
    assert answer.status_code == 303
    assert Takeaway.objects.get().text == "Ask first"
    page = gallery_of(cem)
    assert "Ask first</textarea>" in page
    assert reads(gallery_of(dana), "Ask first Cem")
    assert "Ask first</textarea>" not in gallery_of(dana)


def test_closing_sentence_of_the_moderator_stands_on_top(walk: Event, cem: Participant) -> None:
    assert not reads(gallery_of(cem), "What we all take home")
    moderator = Participant.objects.create(event=walk, name="Ada", role="moderator", moderator=walk.owner)
    assert do(moderator, GALLERY, "closing.set", text="Courage!").code is None
    assert reads(gallery_of(cem), "What we all take home Courage!")


def test_nothing_can_be_shared_once_the_event_is_closed(walk: Event, cem: Participant) -> None:
    assert reads(gallery_of(cem), "What do you take home?")
    put(walk, Phase.CLOSED, session=2)
    assert not reads(gallery_of(cem), "What do you take home?")


def test_empty_gallery_names_the_next_step(event: Event) -> None:
    dana = come_in(event, "Dana")
    put(event, Phase.GALLERY, session=2)
    assert reads(gallery_of(dana), "No notes were written. You can still share what you take home.")


@pytest.mark.parametrize("notes", [1, 3])
def test_gallery_asks_the_same_number_of_questions_however_many_notes(
    event: Event, cem: Participant, notes: int
) -> None:
    for n in range(notes):
        write(cem, board_at(event, 1, 1), f"Note {n}")
    put(event, Phase.GALLERY, session=2)
    browser = browser_of(cem)
    with CaptureQueriesContext(connection) as asked:
        browser.get(f"/e/{event.key}/gallery/")
    assert len(asked) == 13


def test_address_of_a_choice_leads_back_to_it() -> None:
    choice = Choice(view="wall", session=2, words="a b&c")
    assert choice.address() == "?view=wall&session=2&q=a+b%26c"
    assert choice.address(session=None, words="") == "?view=wall"
    assert Choice().address() == "?"


def test_all_at_once_and_what_has_risen_say_the_same(walk: Event, cem: Participant, dana: Participant) -> None:
    """Read in two ways: at first in one statement, later only what is new. Every part has a seq from its birth."""
    for person, text in ((cem, "Benches"), (dana, "Shade"), (dana, "")):
        assert do(person, GALLERY, "takeaway.set", text=text).code is None
    stream = Stream.objects.get(event=walk, kind="gallery")
    whole, risen = (KINDS["gallery"].parts([Read(stream, after)])[stream.pk] for after in (-1, 0))
    assert sorted(whole, key=lambda part: part.id) == sorted(risen, key=lambda part: part.id)
    assert {part.id.partition(":")[0] for part in whole} == {"exhibit", "takeaway"}
    last = max(part.seq for part in whole)
    [newest] = KINDS["gallery"].parts([Read(stream, last - 1)])[stream.pk]
    assert newest in whole


def test_pieces_side_by_side_have_one_token_only_where_all_are_long_and_kept() -> None:
    long, short, own = Shared("a" * LONG), Shared("b"), SafeString("c" * LONG)
    for pieces, tokens in (([long, long], 1), ([long, short], 1), ([long, own, long], 2), ([short, own], 0), ([], 0)):
        request = RequestFactory().get("/")
        page = together(Context({"request": request}), pieces).encode()
        found = getattr(request, "shared", {})
        assert len(found) == tokens
        assert packing.plain(page, found).decode() == "".join(pieces)
