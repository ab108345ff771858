from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions.links import LinkInvalid, clean_link, host_of
from sessions.live import streams
from sessions.models import Event, Moderator, Question, Stream
from sessions.phases import Phase
from tables.forms.zones import moment_of, shown_in
from tables.models import Board
from tables.plan import (
    Plan,
    PlanQuestion,
    PlanSession,
    PlanTable,
    TakenAway,
    asked,
    build,
    change,
    held_in,
    laid,
    plan_of,
)
from tables.plan.templates import PLANS, plan_from
from tests.cafe import Cafe
from tests.cast import PLAN, come_in, put

OWN = Event.TableModel.OWN


def heads(event: Event) -> dict[str, int]:
    return dict(Stream.objects.filter(event=event, kind__in=["stage", "room", "gallery"]).values_list("kind", "head"))


def parts_since(event: Event, kind: str, after: int) -> dict[str, dict[str, object]]:
    stream = Stream.objects.get(event=event, kind=kind)
    return {part.id: part.guests for part in streams.since([(stream.pk, after)])[stream.pk][1]}


def test_a_plan_comes_back_as_it_was_built(ada: Moderator) -> None:
    plan = Plan(
        title="Wärme",
        purpose="Wissen, was wir wollen",
        starts_at=datetime(2026, 12, 1, 17, 30, tzinfo=ZoneInfo("Asia/Kathmandu")),
        time_zone="Asia/Kathmandu",
        language="de",
        table_model=OWN,
        talk_link="https://meet.example.org/cafe",
        by_hand=True,
        sessions=(PlanSession(asked("Was?"), title="Sammeln", minutes=15), PlanSession(asked("Wie?", "Wann?"))),
        tables=(PlanTable("Sonne", 6, "Wohin aufs Dach?", "https://meet.example.org/sonne"), PlanTable(open=False)),
    )
    found = plan_of(build(ada, plan))
    without_ids = replace(
        found,
        sessions=tuple(
            replace(s, id=None, questions=tuple(PlanQuestion(q.text) for q in s.questions)) for s in found.sessions
        ),
        tables=tuple(replace(table, id=None) for table in found.tables),
    )
    assert without_ids == plan


def test_every_session_has_a_board_at_every_table_and_a_stream_for_each(ada: Moderator) -> None:
    event = build(ada, replace(PLAN, tables=laid(3)))
    boards = set(Board.objects.filter(session__event=event).values_list("session__number", "table__number"))
    assert boards == {(session, table) for session in (1, 2) for table in (1, 2, 3)}
    refs = set(Stream.objects.filter(event=event, kind="board").values_list("ref", flat=True))
    assert refs == set(Board.objects.filter(session__event=event).values_list("pk", flat=True))


def test_a_tables_own_question_stands_there_in_every_session(ada: Moderator) -> None:
    event = build(ada, replace(PLAN, table_model=OWN, tables=(PlanTable(question="Roofs?"), PlanTable())))
    own = Question.objects.filter(session__event=event).exclude(table_no=None)
    assert list(own.values_list("session__number", "table_no", "text")) == [(1, 1, "Roofs?"), (2, 1, "Roofs?")]


@pytest.mark.parametrize(("sessions", "tables"), [(1, 1), (6, 12)])
def test_building_takes_as_many_queries_for_a_large_event_as_for_a_small_one(
    ada: Moderator, sessions: int, tables: int
) -> None:
    plan = replace(PLAN, sessions=PLAN.sessions[:1] * sessions, tables=laid(tables))
    with CaptureQueriesContext(connection) as queries:
        build(ada, plan)
    assert len([q for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]) == 7


@pytest.mark.parametrize("tables", [1, 40])
def test_reading_a_plan_takes_three_queries(ada: Moderator, tables: int) -> None:
    event = build(ada, replace(PLAN, tables=laid(tables)))
    with CaptureQueriesContext(connection) as queries:
        plan_of(event)
    assert len(queries) == 3


def test_saving_what_is_already_so_raises_nothing(ada: Moderator) -> None:
    event = build(ada, PLAN)
    before = heads(event)
    change(event, plan_of(event))
    assert heads(event) == before


def test_pages_get_the_parts_that_look_different_and_no_others(running: Cafe) -> None:
    event, before = running.event, heads(running.event)
    plan = plan_of(event)
    change(event, replace(plan, tables=(replace(plan.tables[0], name="Roofs", cap=6), plan.tables[1])))
    assert heads(event) == {**before, "room": before["room"] + 1, "gallery": before["gallery"] + 2}
    [(part, values)] = parts_since(event, "room", before["room"]).items()
    assert (part, values["name"], values["cap"]) == (f"table:{running.table(1).pk}", "Roofs", 6)


def shown_heads(event: Event) -> dict[tuple[int, int], object]:
    """What a gallery page compares: the heads that the exhibits tell, by session and table number."""
    parts = parts_since(event, "gallery", -1).values()
    return {(part["session"], part["no"]): part["head"] for part in parts if "head" in part}  # type: ignore[misc]


def renamed_in_the_plan(cafe: Cafe) -> None:
    plan = plan_of(cafe.event)
    change(cafe.event, replace(plan, tables=(replace(plan.tables[0], name="Roofs"), plan.tables[1])))


def renamed_at_the_console(cafe: Cafe) -> None:
    table = cafe.table(1).pk
    assert cafe.does(cafe.moderator, "room", "table.set", table=table, name="Roofs").code is None


def asked_otherwise(cafe: Cafe) -> None:
    plan = plan_of(cafe.event)
    [first, *others] = plan.sessions[0].questions
    session = replace(plan.sessions[0], questions=(replace(first, text="What really works?"), *others))
    change(cafe.event, replace(plan, sessions=(session, *plan.sessions[1:])))


@pytest.mark.parametrize(
    ("how", "touched"),
    [
        (renamed_in_the_plan, {(1, 1), (2, 1)}),
        (renamed_at_the_console, {(1, 1), (2, 1)}),
        (asked_otherwise, {(1, 1), (1, 2)}),
    ],
)
def test_open_galleries_fetch_boards_that_look_different(
    running: Cafe, how: Callable[[Cafe], None], touched: set[tuple[int, int]]
) -> None:
    running.does(running.moderator, "stage", "phase.go", phase="gallery")
    before, told = shown_heads(running.event), heads(running.event)["gallery"]
    how(running)
    risen = {at for at, head in shown_heads(running.event).items() if head != before[at]}
    assert risen == touched
    assert len(parts_since(running.event, "gallery", told)) == len(touched)


def test_a_table_that_keeps_its_name_keeps_its_look(running: Cafe) -> None:
    before, table = shown_heads(running.event), running.table(1)
    running.does(running.moderator, "room", "table.set", table=table.pk, name=table.name, cap=6)
    assert shown_heads(running.event) == before


def test_another_wording_of_a_question_reaches_the_stage(running: Cafe) -> None:
    event, before = running.event, heads(running.event)
    plan = plan_of(event)
    [first, *others] = plan.sessions[0].questions
    session = replace(plan.sessions[0], questions=(replace(first, text="What really works?"), *others))
    change(event, replace(plan, sessions=(session, *plan.sessions[1:])))
    [stage] = parts_since(event, "stage", before["stage"]).values()
    texts = {first.id: "What really works?", others[0].id: others[0].text}
    assert stage["questions"] == [{"id": pk, "text": text} for pk, text in texts.items()]
    assert heads(event)["room"] == before["room"]


def test_a_table_and_a_later_session_can_be_added_while_people_talk(running: Cafe) -> None:
    event, before = running.event, heads(running.event)
    plan = plan_of(event)
    change(
        event,
        replace(plan, tables=(*plan.tables, PlanTable()), sessions=(*plan.sessions, PlanSession(asked("And now?")))),
    )
    assert [table["no"] for table in parts_since(event, "room", before["room"]).values()] == [3]
    assert Board.objects.filter(session__event=event).count() == 9
    assert parts_since(event, "stage", before["stage"])["now"]["sessions"] == 3


def test_later_sessions_can_change_places(ada: Moderator) -> None:
    event = build(ada, replace(PLAN, sessions=tuple(PlanSession(asked(f"{n}?")) for n in range(4))))
    put(event, Phase.RUNNING, session=1)
    plan = plan_of(event)
    one, two, three, four = plan.sessions
    change(event, replace(plan, sessions=(one, four, two, three)))
    assert [session.questions[0].text for session in plan_of(event).sessions] == ["0?", "3?", "1?", "2?"]


def test_seats_may_be_fewer_than_people_who_sit_there(running: Cafe) -> None:
    plan = plan_of(running.event)
    change(running.event, replace(plan, tables=tuple(replace(table, cap=1) for table in plan.tables)))
    part = parts_since(running.event, "room", 0)[f"table:{running.table(1).pk}"]
    assert (part["taken"], part["cap"], part["over"]) == (2, 1, 1)


def test_what_carries_notes_stays(running: Cafe) -> None:
    note = running.writes(running.cem, "Neighbours who lend tools")
    event, plan = running.event, plan_of(running.event)
    spare, held = plan.sessions[0].questions[1], plan.sessions[0].questions[0]
    without_spare = replace(plan, sessions=(replace(plan.sessions[0], questions=(held,)), plan.sessions[1]))
    change(event, without_spare)
    assert not Question.objects.filter(pk=spare.id).exists()
    without_held = replace(plan, sessions=(replace(plan.sessions[0], questions=asked("Another?")), plan.sessions[1]))
    for part, wish in (
        ("questions", without_held),
        ("sessions", replace(plan, sessions=plan.sessions[1:])),
        ("sessions", replace(plan, sessions=tuple(reversed(plan.sessions)))),
        ("tables", replace(plan, tables=plan.tables[1:])),
    ):
        before = heads(event)
        with pytest.raises(TakenAway) as refused:
            change(event, wish)
        assert refused.value.part == part
        assert heads(event) == before
    assert running.note(note).text == "Neighbours who lend tools"


def test_a_session_that_has_not_begun_can_be_taken_away_while_live(running: Cafe) -> None:
    plan = plan_of(running.event)
    assert held_in(running.event).sessions == {plan.sessions[0].id}
    change(running.event, replace(plan, sessions=plan.sessions[:1]))
    assert Board.objects.filter(session__event=running.event).count() == 2


def test_before_the_doors_open_tables_can_be_taken_away_and_names_follow_their_numbers(ada: Moderator) -> None:
    event = build(ada, replace(PLAN, tables=(PlanTable("Roofs"), PlanTable(), PlanTable("Gardens"))))
    plan = plan_of(event)
    change(event, replace(plan, tables=plan.tables[1:], language="en"))
    assert list(event.tables.values_list("number", "name")) == [(1, "Table 1"), (2, "Gardens")]


def test_an_operation_that_waits_is_judged_by_the_changed_plan(running: Cafe) -> None:
    plan = plan_of(running.event)
    change(running.event, replace(plan, tables=(plan.tables[0], replace(plan.tables[1], open=False))))
    taken = running.does(running.comes("Finn"), "room", "seat.take", table=running.table(2).pk)
    assert taken.code == "table_full"


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("template", PLANS)
def test_every_template_is_an_event_at_once(ada: Moderator, template: str, language: str) -> None:
    plan = plan_from(template, language=language, time_zone="Europe/Berlin")
    event = build(ada, replace(plan, title=plan.title or "Trial"))
    stored = plan_of(event)
    assert all(session.questions for session in stored.sessions) or all(table.question for table in stored.tables)
    assert plan.language == language


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("  https://meet.example.org/a?b=c#d ", "https://meet.example.org/a?b=c#d"),
        ("HTTPS://Meet.Example.ORG", "https://meet.example.org"),
        ("https://münchen.example/café", "https://xn--mnchen-3ya.example/café"),
        ("https://zооm.us/j/1", "https://xn--zm-fmca.us/j/1"),  # Cyrillic letters
        ("https://192.168.1.5:8443/raum", "https://192.168.1.5:8443/raum"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]/x"),
    ],
)
def test_a_link_is_kept_with_its_host_in_ascii(typed: str, kept: str) -> None:
    assert clean_link(typed) == kept
    assert host_of(kept).isascii()


@pytest.mark.parametrize(
    "typed",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "https:evil.example",
        "https:/evil.example",
        " java\nscript:alert(1)",
        "https://ev\nil.example",
        "http://127.0.0.1",
        "http://169.254.169.254",
        "https://zoom.us@evil.example",
        "https://zoom.us:x@evil.example",
        "https://zoom.us\\@evil.example",
        "https://",
        "https://zoom",
        "https://-a.example",
        "https://a..example",
        "https://1.2.3",
        "https://zoom.us:99999/",
        "https://[::1",
        "https://zoom.us/" + "a" * 10_000,
        "zoom.us/j/1",
    ],
)
def test_anything_but_a_plain_https_link_is_refused(typed: str) -> None:
    with pytest.raises(LinkInvalid):
        clean_link(typed)


@pytest.mark.parametrize(
    ("local", "zone", "moment"),
    [
        (datetime(2026, 12, 1, 17, 30), "Asia/Kathmandu", datetime(2026, 12, 1, 11, 45, tzinfo=UTC)),  # noqa: DTZ001
        (datetime(2026, 12, 1, 17, 30), "Asia/Katmandu", datetime(2026, 12, 1, 11, 45, tzinfo=UTC)),  # noqa: DTZ001
        (datetime(2026, 10, 25, 2, 30), "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # noqa: DTZ001
        (datetime(2028, 2, 29, 9, 0), "UTC", datetime(2028, 2, 29, 9, 0, tzinfo=UTC)),  # noqa: DTZ001
    ],
)
def test_a_local_time_is_one_moment(local: datetime, zone: str, moment: datetime) -> None:
    assert moment_of(local, zone) == moment
    assert shown_in(moment, zone) == local.strftime("%Y-%m-%dT%H:%M")


def test_a_time_the_clock_is_put_forward_over_does_not_exist() -> None:
    with pytest.raises(ValidationError):
        moment_of(datetime(2026, 3, 29, 2, 30), "Europe/Berlin")  # noqa: DTZ001


def test_a_reader_who_has_nothing_gets_everything_of_a_new_event(ada: Moderator) -> None:
    event = build(ada, PLAN)
    cem = come_in(event, "Cem")
    found = {}
    for stream in event.streams.all():
        head, parts = streams.since([(stream.pk, 0)]).get(stream.pk, (stream, []))
        found[str(stream)] = (head.head, [part.seq for part in parts])

    boards = {f"board:{board.pk}": (0, []) for board in Board.objects.filter(session__event=event)}
    assert found == {"stage": (1, [1]), "room": (2, [1, 2]), "gallery": (4, [1, 2, 3, 4]), "me": (1, [1, 1])} | boards
    for stream in event.streams.all():
        assert list(stream.changes.values_list("seq", flat=True)) == list(range(1, stream.head + 1))
    assert cem.me_seq == 1
