"""An event as its moderator thinks of it. Ids say which stored row a thing is; without one it is new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, override

from sessions.models import Event

USUAL_MINUTES = 20
USUAL_SEATS = 5


@dataclass(frozen=True, slots=True)
class PlanQuestion:
    text: str
    id: int | None = None


@dataclass(frozen=True, slots=True)
class PlanSession:
    """One session. Where tables have questions of their own, `questions` are for those without one."""

    questions: tuple[PlanQuestion, ...]
    title: str = ""
    minutes: int = USUAL_MINUTES
    id: int | None = None


@dataclass(frozen=True, slots=True)
class PlanTable:
    """One table. An empty name is the default one; its own `question` is put there in every session."""

    name: str = ""
    cap: int = USUAL_SEATS
    question: str = ""
    talk_link: str = ""
    open: bool = True
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """All of an event that is prepared. `starts_at` is aware; order is the order of sessions, questions and tables."""

    title: str
    starts_at: datetime
    sessions: tuple[PlanSession, ...]
    tables: tuple[PlanTable, ...]
    purpose: str = ""
    language: str = "en"
    time_zone: str = "Europe/Berlin"
    table_model: str = Event.TableModel.SAME
    talk_link: str = ""
    by_hand: bool = False

    @property
    def own_questions(self) -> bool:
        return self.table_model == Event.TableModel.OWN


def asked(*texts: str) -> tuple[PlanQuestion, ...]:
    """New questions with these texts."""
    return tuple(PlanQuestion(text) for text in texts)


def laid(count: int, *, cap: int = USUAL_SEATS) -> tuple[PlanTable, ...]:
    """New tables with default names."""
    return tuple(PlanTable(cap=cap) for _ in range(count))


def default_name(number: int | str, language: str) -> str:
    """What table `number` is called when nobody named it, in the event's language."""
    with override(language):
        return gettext("Table %(number)s") % {"number": number}
