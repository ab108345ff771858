"""The planning form as a whole: pieces made from a draft, and the plan that comes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from django.forms import Form
from django.utils.translation import gettext as _

from sessions.models import MOST_QUESTIONS, Event
from tables.forms.differing import differing
from tables.forms.draft import ROW, Draft, DraftSession, Texts, draft_of
from tables.forms.fields import DIGITS
from tables.forms.judging import judge
from tables.forms.pieces import EventForm, QuestionForm, SessionForm, TableForm, labelled
from tables.forms.zones import SHOWN, shown_in
from tables.plan import Held, Plan, PlanQuestion, PlanSession, PlanTable, default_name, digest
from tables.plan.held import NOTHING_HELD
from tables.plan.model import USUAL_MINUTES, USUAL_SEATS
from tables.plan.rows import EVENT_FIELDS

BLANK_SESSION, BLANK_QUESTION = "SESSION", "QUESTION"
GOOD_SEATS = (4, 6)
Piece = TypeVar("Piece", bound=Form)


@dataclass(slots=True)
class QuestionPiece:
    token: str
    form: QuestionForm
    held: bool

    @property
    def text(self) -> str:
        return str(self.form.cleaned_data.get("text", ""))


@dataclass(slots=True)
class SessionPiece:
    token: str
    prefix: str
    form: SessionForm
    questions: list[QuestionPiece]
    held: bool
    wrong: str = ""

    @property
    def is_full(self) -> bool:
        """No further question fits."""
        return len(self.questions) >= MOST_QUESTIONS


@dataclass(slots=True)
class TablePiece:
    """`beyond`: rows had been filled in for more tables than are asked for now."""

    number: int
    texts: Texts
    form: TableForm
    usual_name: str
    usual_seats: str
    beyond: bool

    @property
    def wrong(self) -> dict[str, list[str]]:
        return {name: list(map(str, problems)) for name, problems in self.form.errors.items()}


@dataclass(frozen=True, slots=True)
class Stored:
    """What the form has to know of an event that exists already."""

    plan: Plan
    held: Held


class PlanForm:
    """Shows a draft; with `check` says what is wrong with it. `stored` is null for a new event."""

    def __init__(self, draft: Draft, *, stored: Stored | None = None, check: bool = False) -> None:
        self.draft, self.check = draft, check
        self.held = stored.held if stored else NOTHING_HELD
        self.stored = stored.plan if stored else None
        self.stored_tables = stored.plan.tables if stored else ()
        self.present = digest(stored.plan) if stored and check else ""
        self.event = self._made(EventForm, "", draft.top)
        self.sessions = [self._session(session) for session in draft.sessions]
        self.tables = [self._table(row, n) for n, row in enumerate(self._rows(), 1)]
        self.wrong_sessions = ""
        for form in self.all_forms():
            for name, field in form.fields.items():
                if form.add_prefix(name) == draft.focus:
                    field.widget.attrs["autofocus"] = True
        if check:
            judge(self)

    def all_forms(self) -> Iterator[Form]:
        return (form for _where, form in self.places())

    def places(self) -> Iterator[tuple[str, Form]]:
        """Every form that counts and where it stands on the page."""
        yield "", self.event
        for number, session in enumerate(self.sessions, 1):
            where = _("Session %(number)s") % {"number": number}
            yield where, session.form
            yield from ((where, question.form) for question in session.questions)
        yield from ((table.usual_name, table.form) for table in self.tables if not table.beyond)

    def is_valid(self) -> bool:
        wrong = self.wrong_sessions or any(session.wrong for session in self.sessions)
        return self.check and not wrong and not any(form.errors for form in self.all_forms())

    @property
    def overtaken(self) -> bool:
        """Whether something else is stored by now than what this form was made from."""
        return bool(self.present and self.draft.loaded) and self.draft.loaded != self.present

    def blank(self) -> dict[str, Any]:
        """Pieces for the browser to copy: it puts tokens and numbers of its own into them."""
        session = self._session(DraftSession(BLANK_SESSION, {"minutes": str(USUAL_MINUTES)}, {BLANK_QUESTION: ""}))
        return {"session": session, "question": session.questions[0], "table": self._table(dict.fromkeys(ROW, ""), 0)}

    @property
    def seats_advice(self) -> str:
        """`few` or `many` where a talk is hard to keep together, else nothing."""
        typed = self.draft.top["seats"].strip()
        seats = int(typed) if DIGITS.fullmatch(typed) else USUAL_SEATS
        return "few" if seats < GOOD_SEATS[0] else "many" if seats > GOOD_SEATS[1] else ""

    @property
    def tables_open(self) -> bool:
        """Whether there is something to see in the list of single tables."""
        own = self.draft.top["table_model"] == Event.TableModel.OWN
        return (
            own
            or self.overtaken
            or any(table.form.errors for table in self.tables)
            or any(any(row.values()) for row in self.draft.tables)
        )

    def wrong_fields(self) -> list[tuple[str, str, str]]:
        """Of every field that is wrong: the id, the label and what is wrong."""
        found = [("id_sessions", _("Sessions and questions"), self.wrong_sessions)] if self.wrong_sessions else []
        for number, session in enumerate(self.sessions, 1):
            if session.wrong:
                found.append((f"id_{session.prefix}", _("Session %(number)s") % {"number": number}, session.wrong))
        for where, form in self.places():
            for name, problems in form.errors.items():
                label = ": ".join(filter(None, [where, str(form[name].label)]))
                found.append((str(form[name].auto_id), label, " ".join(map(str, problems))))
        return found

    def differing(self) -> list[tuple[str, str, str]]:
        """Of every place where something else is stored: the id, the label and what is stored."""
        return differing(self, draft_of(self.stored)) if self.stored else []

    def plan(self) -> Plan:
        """What a valid form asks for."""
        found = self.event.cleaned_data
        return Plan(
            sessions=tuple(self._plan_session(piece) for piece in self.sessions),
            tables=tuple(self._plan_table(piece, found["seats"]) for piece in self.tables if not piece.beyond),
            **{name: found[name] for name in EVENT_FIELDS} | {"starts_at": self._starts_at()},
        )

    def _starts_at(self) -> datetime:
        """The start as stored while its fields say the same: a local time may stand for two moments."""
        found, stored = self.event.cleaned_data, self.stored
        same = stored and stored.time_zone == found["time_zone"]
        if stored and same and shown_in(stored.starts_at, stored.time_zone) == f"{found['starts']:{SHOWN}}":
            return stored.starts_at
        return cast("datetime", found["starts_at"])

    def _plan_session(self, piece: SessionPiece) -> PlanSession:
        asked = (PlanQuestion(question.text, id_of(question.token)) for question in piece.questions if question.text)
        return PlanSession(tuple(asked), id=id_of(piece.token), **piece.form.cleaned_data)

    def _plan_table(self, piece: TablePiece, usual_seats: int) -> PlanTable:
        found = piece.form.cleaned_data
        stored = self.stored_tables[piece.number - 1 : piece.number]
        return PlanTable(
            id=stored[0].id if stored else None,
            name="" if found["name"] == piece.usual_name else found["name"],
            cap=found["seats"] or usual_seats,
            question=found["question"],
            talk_link=found["talk_link"],
            open=not found["closed"],
        )

    def _made(self, form: type[Piece], prefix: str, texts: Texts) -> Piece:
        if not self.check:
            return form(initial=texts, prefix=prefix or None)
        return form(
            {f"{prefix}-{name}" if prefix else name: text for name, text in texts.items()}, prefix=prefix or None
        )

    def _session(self, draft: DraftSession) -> SessionPiece:
        questions = []
        for number, (token, text) in enumerate(draft.questions.items(), 1):
            form = self._made(QuestionForm, f"{draft.prefix}-q{token}", {"text": text})
            questions.append(QuestionPiece(token, labelled(form, number), held=id_of(token) in self.held.questions))
        return SessionPiece(
            token=draft.token,
            prefix=draft.prefix,
            form=self._made(SessionForm, draft.prefix, draft.texts),
            questions=questions,
            held=id_of(draft.token) in self.held.sessions,
        )

    def _rows(self) -> list[Texts]:
        return self.draft.tables + [dict.fromkeys(ROW, "")] * (self.draft.count() - len(self.draft.tables))

    def _table(self, row: Texts, number: int) -> TablePiece:
        form = self._made(TableForm, f"t{number}", row)
        usual = default_name(number, self.draft.top["language"])
        return TablePiece(number, row, form, usual, self.draft.top["seats"], beyond=number > self.draft.count())


def id_of(token: str) -> int | None:
    return int(token) if token.isdigit() else None
