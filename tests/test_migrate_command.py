"""`migrate` does not change the ground under people who talk (F36)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models.signals import post_migrate
from django.dispatch import Signal
from django.test import Client
from django.utils import timezone

from sessions.clock import now_ms
from sessions.models import Event, Moderator, Participant
from sessions.phases import Phase
from tables.models import Authorship, Board, Note
from tests.cafe import Cafe
from tests.cast import put
from zoomcafe.management.commands import migrate

LONG_AGO = timedelta(minutes=6)


@pytest.fixture
def something_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "pending", lambda _alias: True)


def migrates(*arguments: str, **options: Any) -> str:
    said = StringIO()
    call_command("migrate", *arguments, stdout=said, **options)
    return said.getvalue()


def everybody_left() -> None:
    Participant.objects.update(seen_at=timezone.now() - LONG_AGO)


@pytest.mark.usefixtures("something_to_do")
def test_it_refuses_while_a_session_runs(event: Event) -> None:
    everybody_left()
    with pytest.raises(CommandError, match=r"An event is going on.*--while-live"):
        migrates()
    Event.objects.update(ends_at=now_ms() - 1)
    assert "No migrations to apply" in migrates()


@pytest.mark.usefixtures("something_to_do")
@pytest.mark.parametrize("phase", [Phase.LOBBY, Phase.SEATING, Phase.OVER, Phase.GALLERY])
def test_it_refuses_while_people_are_there(event: Event, cem: Participant, phase: Phase) -> None:
    put(event, phase, session=1)
    with pytest.raises(CommandError, match="An event is going on"):
        migrates()
    everybody_left()
    assert "No migrations to apply" in migrates()


@pytest.mark.usefixtures("something_to_do")
@pytest.mark.parametrize("phase", [Phase.DRAFT, Phase.CLOSED])
def test_plans_and_records_are_no_event_that_goes_on(event: Event, cem: Participant, phase: Phase) -> None:
    put(event, phase)
    assert "No migrations to apply" in migrates()


@pytest.mark.usefixtures("something_to_do")
def test_who_knows_that_both_versions_run_may_go_on(event: Event) -> None:
    assert "No migrations to apply" in migrates("--while-live")
    assert "Planned operations" in migrates("--plan")


def test_where_there_is_nothing_to_do_nobody_is_disturbed(event: Event) -> None:
    assert "No migrations to apply" in migrates()


@pytest.mark.django_db
def test_the_first_migration_has_nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", list)
    assert not migrate.anybody_there("default")


@pytest.mark.django_db(transaction=True)
def test_a_change_takes_the_time_it_needs_and_waits_for_no_lock_longer_than_pages_do() -> None:
    if connection.vendor != "postgresql":
        return
    seen: list[list[str]] = []

    def look(**_: Any) -> None:
        seen.append([setting("statement_timeout"), setting("lock_timeout")])

    with hears(post_migrate, look):
        migrates()
    assert seen
    assert all(limits == ["0", "2s"] for limits in seen)
    assert [setting("statement_timeout"), setting("lock_timeout")] == ["5s", "2s"]


@contextmanager
def hears(signal: Signal, hear: Callable[..., None]) -> Iterator[None]:
    signal.connect(hear)
    try:
        yield
    finally:
        signal.disconnect(hear)


def setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_what_was_written_before_is_counted_afterwards() -> None:
    cafe = Cafe().runs()
    first, *_others, last = (cafe.note(cafe.writes(cafe.cem, text)) for text in "ABCD")
    newest = cafe.note(cafe.writes(cafe.ben, "E"))
    Note.objects.filter(pk=newest.pk).update(at=newest.at + 1_000)
    other = cafe.note(cafe.writes(cafe.dana, "G", table=2))
    board = f"board:{cafe.board().pk}"
    assert cafe.does(cafe.cem, board, "note.gone", note=first.pk).code is None
    assert cafe.does(cafe.moderator, board, "note.hide", note=last.pk).code is None
    before = counted()
    assert (len(before[0]), before[1][cafe.board(2).pk]) == (3, other.pk)
    migrates("tables", "0005", while_live=True)
    migrates("tables", while_live=True)
    assert counted() == before


@pytest.mark.django_db(transaction=True)
def test_who_was_signed_in_before_is_so_afterwards(client: Client, ada: Moderator) -> None:
    migrates("cafe", "0006", while_live=True)
    client.force_login(ada)
    Session.objects.update(session_key=client.cookies[settings.SESSION_COOKIE_NAME].value)  # as it was kept then
    migrates(while_live=True)
    assert client.get("/password/").status_code == 200


def counted() -> tuple[set[tuple[int, int, int]], dict[int, UUID | None]]:
    """Authors' notes at each board, and the boards' newest ones."""
    written = Authorship.objects.values_list("participant", "board", "notes")
    return set(written), dict(Board.objects.values_list("pk", "newest"))
