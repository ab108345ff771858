"""Bringing the sample into the database: the finished evening as it was, and one that can be taken part in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from sessions.clock import as_datetime, now_ms
from sessions.live import streams
from sessions.live.ops import Name, Op
from sessions.live.uuid7 import uuid7
from sessions.models import Event, Moderator, Participant
from sessions.phases import Phase
from tables.models import Seat, Table
from tables.plan import Plan, PlanSession, PlanTable, asked, build
from tables.samples.content import Content, content
from tables.samples.story import DOORS, Story

ZONE = "Europe/Berlin"
FINISHED, LIVE = "finished", "live"
FIRST_EVENING = datetime(2021, 8, 24, 17, tzinfo=ZoneInfo(ZONE))
PLAYED_OUT = frozenset({Phase.GALLERY, Phase.CLOSED, Phase.ARCHIVED})


class Brought(NamedTuple):
    finished: Event
    live: Event


def plan(language: str) -> Plan:
    """The sample as a plan to start from: tomorrow at five, tables named, sessions and questions as they were."""
    words = content(language)
    tomorrow = timezone.now().astimezone(ZoneInfo(ZONE)) + timedelta(days=1)
    return Plan(
        title=words.series,
        purpose=words.purpose,
        language=words.language,
        time_zone=ZONE,
        starts_at=tomorrow.replace(hour=17, minute=0, second=0, microsecond=0),
        sessions=tuple(
            PlanSession(title=talk.title, minutes=talk.minutes, questions=asked(*talk.questions))
            for talk in words.talks
        ),
        tables=tuple(PlanTable(name=place.name) for place in words.places),
    )


@transaction.atomic
def load_finished(owner: Moderator, language: str) -> Event:
    """The evening of 24 August 2021, closed, with everything people wrote and took home."""
    words = content(language)
    event = build(owner, replace(plan(language), title=words.title, starts_at=FIRST_EVENING), sample=FINISHED)
    moderator = moderator_of(event)
    invite(event, words)
    streams.open_for(event)
    for act in Story(event, words, moderator).acts():
        carry_out(act)
    event.refresh_from_db()
    return event


@transaction.atomic
def load_live(owner: Moderator, language: str) -> Event:
    """The series' second evening, moved to now: the doors are open, session 1 is being seated."""
    words = content(language)
    event = build(owner, replace(plan(language), title=words.live_title, starts_at=timezone.now()), sample=LIVE)
    _lead(event, "phase.next", {})
    _lead(event, "phase.next", {})
    _lead(event, "word.say", {"text": words.word})
    event.refresh_from_db()
    return event


def bring(owner: Moderator, *, language: str = "en", talking: bool = False) -> Brought:
    """Both samples, made unless they are there; a live one that was played to its end gets a successor.

    `talking` sees to it that a session runs in the live one and half of its seats are free, as simulated guests need.
    """
    own = Event.objects.visible_to(owner).filter(language=content(language).language).prefetch_related("sessions")
    finished = own.filter(sample=FINISHED).first() or load_finished(owner, language)
    playable = (event for event in own.filter(sample=LIVE) if event.phase_at() not in PLAYED_OUT)
    welcoming = (event for event in playable if not talking or is_half_free(event))
    live = next(welcoming, None) or load_live(owner, language)
    if talking and live.phase_at() is not Phase.RUNNING:
        _lead(live, "phase.go", {"phase": str(Phase.RUNNING), "session": live.session_no or 1})
        live.refresh_from_db()
    return Brought(finished, live)


def is_half_free(event: Event) -> bool:
    """Guests simulated on an earlier day still have their seats: too many of them, and nobody new finds one."""
    taken = Seat.objects.filter(session=event.current_session()).count()
    return 2 * taken <= sum(event.tables.values_list("cap", flat=True))


def invite(event: Event, words: Content) -> None:
    """People come in; the first one at each table is its host."""
    came = as_datetime(DOORS)
    people = Participant.objects.bulk_create(
        Participant(
            event=event,
            name=person.name,
            role=Participant.Role.GUEST if i else Participant.Role.HOST,
            created_at=came,
            seen_at=came,
        )
        for place in words.places
        for i, person in enumerate(place.people)
    )
    hosts = [person for person in people if person.role == Participant.Role.HOST]
    tables = list(event.tables.all())
    for table, host in zip(tables, hosts, strict=True):
        table.host = host
    Table.objects.bulk_update(tables, ["host"])


def carry_out(act: list[Op]) -> None:
    """Raises `ValueError` when the rules no longer allow what the sample tells."""
    refused = [answer for answer in streams.replay(act) if answer.code]
    if refused:
        raise ValueError(f"the sample breaks a rule: {refused[0]}")


def moderator_of(event: Event) -> Participant:
    moderator, made = Participant.objects.get_or_create(
        event=event,
        moderator=event.owner,
        defaults={"name": str(event.owner)[:40], "role": Participant.Role.MODERATOR},
    )
    if made:
        streams.open_me(moderator)
    return moderator


def _lead(event: Event, kind: str, data: dict[str, object]) -> None:
    now = now_ms()
    streams.apply([Op(uuid7(now), event.pk, moderator_of(event).pk, Name("stage"), kind, data, None, now)])
