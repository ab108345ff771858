"""What is wrong with a planning form beyond its single fields."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from sessions.models import MOST_QUESTIONS, MOST_SESSIONS, Event

if TYPE_CHECKING:
    from tables.forms.plan import PlanForm, SessionPiece


def judge(form: PlanForm) -> None:
    """Says beside each field what is wrong."""
    for piece in form.all_forms():
        piece.full_clean()
    _judge_number_of_sessions(form)
    for session in form.sessions:
        _judge_session(form, session)
    if _own(form):
        _judge_own_questions(form)
    _judge_held_tables(form)
    _judge_names(form)


def _own(form: PlanForm) -> bool:
    return form.event.cleaned_data.get("table_model") == Event.TableModel.OWN


def _judge_number_of_sessions(form: PlanForm) -> None:
    if not form.sessions:
        form.wrong_sessions = _("An event has at least one session. Please add one.")
    elif len(form.sessions) > MOST_SESSIONS:
        form.wrong_sessions = _("An event has at most %(most)s sessions. Please remove some.") % {"most": MOST_SESSIONS}


def _judge_session(form: PlanForm, session: SessionPiece) -> None:
    asked = [question for question in session.questions if question.text]
    for question in session.questions:
        if question.held and not question.form.errors and not question.text:
            question.form.add_error(
                "text", _("Notes hang on this question: it can be put in other words, but not removed.")
            )
    if len(asked) > MOST_QUESTIONS:
        session.wrong = _("A session has at most %(most)s questions.") % {"most": MOST_QUESTIONS}
    if asked or _own(form) or any(question.form.errors for question in session.questions):
        return
    if session.questions:
        session.questions[0].form.add_error("text", _("Each session needs a question that people talk about."))
    else:
        session.wrong = _("Each session needs a question. Please add one.")


def _judge_own_questions(form: PlanForm) -> None:
    """A table without a question of its own is fine where every session has one for such tables."""
    if all(any(question.text for question in session.questions) for session in form.sessions):
        return
    for table in form.tables:
        if not table.beyond and "question" not in table.form.errors and not table.form.cleaned_data["question"]:
            table.form.add_error("question", _("This table needs a question, or each session one for tables without."))


def _judge_held_tables(form: PlanForm) -> None:
    wanted = sum(not table.beyond for table in form.tables)
    last = max((n for n, table in enumerate(form.stored_tables, 1) if table.id in form.held.tables), default=0)
    if not form.event.has_error("tables") and wanted < last:
        form.event.add_error("tables", _held_tables(last, live=form.held.live))
    if form.held.own_questions and not _own(form) and not form.event.has_error("table_model"):
        form.event.add_error(
            "table_model", _("Notes hang on questions of single tables, so tables keep their own questions.")
        )
    for table in form.tables:
        gone = table.number in form.held.own_questions and not table.form.cleaned_data.get("question")
        if gone and not table.form.has_error("question"):
            table.form.add_error(
                "question", _("Notes hang on this question: it can be put in other words, but not removed.")
            )


def _held_tables(last: int, *, live: bool) -> str:
    if live:
        return _("The doors have been opened: %(last)s tables stay. Below, a table can be closed instead.") % {
            "last": last
        }
    return _("Table %(last)s carries notes and stays. Below, it can be closed instead.") % {"last": last}


def _judge_names(form: PlanForm) -> None:
    """Two tables of one name could not be told apart by ear."""
    tables = [table for table in form.tables if not table.beyond and not table.form.has_error("name")]
    names = [(table.form.cleaned_data["name"] or table.usual_name).casefold() for table in tables]
    twice = Counter(names)
    for table, name in zip(tables, names, strict=True):
        if table.form.cleaned_data["name"] and twice[name] > 1:
            table.form.add_error("name", _("Another table has the same name."))
