import unicodedata
from io import StringIO
from itertools import combinations

import pytest
from django.core.management import call_command
from pytest_django import DjangoAssertNumQueries as Queries

from sessions.clock import now_ms
from sessions.live import reading, streams
from sessions.live.ops import Name, Op
from sessions.live.uuid7 import uuid7
from sessions.models import Event, Moderator, Participant
from sessions.phases import Phase
from sessions.text import clean_text
from tables import samples
from tables.models import COLOURS, Board, Note, Seat, Takeaway
from tables.plan import plan_of
from tables.samples.names import invented

LANGUAGES = ["de", "en"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_sample_has_the_shape_of_the_real_event(language: str) -> None:
    content = samples.content(language)

    assert content.language == language
    assert [len(talk.questions) for talk in content.talks] == [2, 2]
    assert [len(place.people) for place in content.places] == [5, 5, 5, 5, 5, 5, 4, 4]
    assert len({person.name for person in content.people}) == 38
    assert len({place.name for place in content.places}) == 8
    for place in content.places:
        assert all(5 <= len(notes) <= 9 for session in place.notes for notes in session)
        assert [len(session) for session in place.notes] == [2, 2]
    assert 30 <= len(content.takeaways()) < 38


def test_both_languages_tell_the_same_evening() -> None:
    german, english = (samples.content(language) for language in LANGUAGES)

    assert [len(notes) for place in german.places for talk in place.notes for notes in talk] == [
        len(notes) for place in english.places for talk in place.notes for notes in talk
    ]
    assert [bool(person.takeaway) for person in german.people] == [bool(person.takeaway) for person in english.people]
    assert not {person.name for person in german.people} & {person.name for person in english.people}


def test_language_without_a_sample_gets_the_english_one() -> None:
    assert samples.content("fr").language == "en"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_of_the_sample_is_clean(language: str) -> None:
    content = samples.content(language)
    notes = [words.text for place in content.places for talk in place.notes for texts in talk for words in texts]
    said = [*notes, *content.takeaways(), *(q for talk in content.talks for q in talk.questions)]
    said += [content.title, content.live_title, content.purpose, content.word, content.closing]

    assert len(set(said)) == len(said)
    for text in said:
        assert text == clean_text(text) == unicodedata.normalize("NFC", " ".join(text.split()))
        assert len(text) <= 500
        assert "..." not in text
        if language == "de":
            assert '"' not in text
            assert text.count("„") == text.count("“")


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
def test_finished_sample_is_complete(ada: Moderator, language: str) -> None:
    event = samples.load_finished(ada, language)

    assert (event.phase_at(), event.language, event.sample) == (Phase.CLOSED, language, "finished")
    assert event.starts_at.isoformat() == "2021-08-24T15:00:00+00:00"
    assert Board.objects.filter(session__event=event).count() == 16
    assert Note.objects.filter(board__session__event=event).count() == 197
    assert Note.objects.filter(board__session__event=event, late=True).count() == 2
    assert set(Note.objects.values_list("colour", flat=True)) == set(COLOURS)
    assert Seat.objects.filter(session__event=event).count() == 76
    assert Takeaway.objects.filter(participant__event=event).count() == 33
    assert event.closing == samples.content(language).closing


@pytest.mark.django_db
def test_sample_is_as_if_it_had_been_played(ada: Moderator) -> None:
    event = samples.load_finished(ada, "en")

    for stream in event.streams.all():
        seqs = list(stream.changes.filter(seq__isnull=False).order_by("seq").values_list("seq", flat=True))
        assert seqs == list(range(1, stream.head + 1))
    for board in Board.objects.filter(session__event=event):
        head = event.streams.get(kind="board", ref=board.pk).head
        assert sorted(board.notes.values_list("seq", flat=True)) == list(range(1, head + 1))
        assert board.note_count == head
    assert not event.changes.exclude(code="").exists()
    ids = set(Note.objects.filter(board__session__event=event).values_list("pk", flat=True))
    assert ids == set(event.changes.filter(kind="note.add", answers=True).values_list("op_id", flat=True))


@pytest.mark.django_db
def test_hosts_stay_and_nobody_meets_twice(ada: Moderator) -> None:
    event = samples.load_finished(ada, "de")
    met: list[set[frozenset[int]]] = []
    for session in event.sessions.all():
        groups = [
            list(table.seats.filter(session=session).values_list("participant", flat=True))
            for table in event.tables.all()
        ]
        met.append({frozenset(pair) for group in groups for pair in combinations(group, 2)})

    assert met[0]
    assert not met[0] & met[1]
    for table in event.tables.all():
        assert table.host is not None
        assert table.host.role == Participant.Role.HOST
        assert list(table.host.seats.values_list("table", "place").order_by("session")) == [
            (table.pk, 0),
            (table.pk, 0),
        ]


@pytest.mark.django_db
def test_everybody_wrote_only_where_they_sat_and_while_it_ran(ada: Moderator) -> None:
    event = samples.load_finished(ada, "en")

    for note in Note.objects.filter(board__session__event=event).select_related("board__session"):
        assert Seat.objects.filter(
            participant=note.author_id, session=note.board.session_id, table=note.board.table_id
        ).exists()
        ended = note.board.session.ended_at
        assert ended is not None
        assert (note.at > ended) == note.late
        assert ended - note.at < note.board.session.minutes * 60_000


@pytest.mark.django_db
def test_the_same_story_is_told_every_time(ada: Moderator) -> None:
    told = [
        list(
            Note.objects.filter(board__session__event=samples.load_finished(ada, "de"))
            .order_by("at", "text")
            .values_list("at", "text", "author__name", "colour", "seq")
        )
        for _ in range(2)
    ]

    assert told[0] == told[1]


@pytest.mark.django_db
def test_live_sample_waits_for_people_to_sit_down(ada: Moderator) -> None:
    event = samples.load_live(ada, "de")

    assert (event.phase_at(), event.session_no, event.sample) == (Phase.SEATING, 1, "live")
    moderator = event.participants.get(moderator=ada)
    room = reading.page(moderator, ["stage", "room", "me"]).parts["room"]
    assert [(table["name"], table["cap"], table["taken"]) for table in room] == [
        (place.name, 5, 0) for place in samples.content("de").places
    ]


@pytest.mark.django_db
def test_second_start_brings_nothing_new(ada: Moderator) -> None:
    first = samples.bring(ada, language="en")

    assert samples.bring(ada, language="en") == first
    assert Event.objects.count() == 2


@pytest.mark.django_db
def test_second_start_asks_the_database_little(ada: Moderator, django_assert_num_queries: Queries) -> None:
    samples.bring(ada, language="en")

    with django_assert_num_queries(4):
        samples.bring(ada, language="en")


@pytest.mark.django_db
def test_other_language_and_other_moderator_get_their_own(ada: Moderator) -> None:
    first = samples.bring(ada, language="en")

    assert samples.bring(ada, language="de") != first
    assert samples.bring(Moderator.objects.named("eve@example.org"), language="en") != first
    assert Event.objects.count() == 6


@pytest.mark.django_db
def test_simulated_guests_find_a_session_running(ada: Moderator) -> None:
    waiting = samples.bring(ada, language="en").live

    talking = samples.bring(ada, language="en", talking=True).live

    assert talking == waiting
    assert talking.phase_at() is Phase.RUNNING


@pytest.mark.django_db
@pytest.mark.parametrize(("seated", "same"), [(20, True), (21, False)])
def test_simulated_guests_find_seats_too(ada: Moderator, seated: int, same: bool) -> None:
    first = samples.bring(ada, language="en", talking=True).live
    call_command("guests", first.join_code, f"--count={seated}", "--seated", stdout=StringIO())

    assert samples.bring(ada, language="en").live == first
    assert (samples.bring(ada, language="en", talking=True).live == first) is same


@pytest.mark.django_db
def test_live_sample_played_to_its_end_gets_a_successor(ada: Moderator) -> None:
    first = samples.bring(ada, language="en")
    now = now_ms()
    moderator = first.live.participants.get(moderator=ada)
    go = Op(uuid7(), first.live.pk, moderator.pk, Name("stage"), "phase.go", {"phase": "gallery"}, None, now)
    assert streams.apply([go])[0].code is None

    second = samples.bring(ada, language="en")

    assert second.finished == first.finished
    assert second.live != first.live


@pytest.mark.django_db
@pytest.mark.parametrize("language", LANGUAGES)
def test_sample_serves_as_a_template(ada: Moderator, language: str) -> None:
    template = samples.plan(language)
    stored = plan_of(samples.load_live(ada, language))

    assert [table.name for table in template.tables] == [table.name for table in stored.tables]
    assert [q.text for s in template.sessions for q in s.questions] == [
        q.text for s in stored.sessions for q in s.questions
    ]
    assert template.purpose == stored.purpose


def test_invented_names_never_repeat() -> None:
    names = invented("de", besides={"Cem"})
    found = [next(names) for _ in range(3000)]

    assert len(set(found)) == 3000
    assert not {person.name for person in samples.content("de").people} & set(found)
