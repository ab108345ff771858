"""A plan as it is being typed: every field as text, nothing judged. Adding, removing and moving loses nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeVar

from django.http import QueryDict

from tables.forms.zones import shown_in
from tables.models import MOST_TABLES
from tables.plan import Held, Plan, PlanQuestion, PlanSession, digest
from tables.plan.model import USUAL_MINUTES

TOP = ("title", "purpose", "starts", "time_zone", "language", "table_model", "talk_link", "by_hand", "tables", "seats")
ROW = ("name", "seats", "question", "talk_link", "closed")
TOKEN = re.compile(r"[0-9]{1,18}|n[0-9]{1,4}")  # the id of a stored row, or the number of a new one
MOST_READ = 50  # sessions, or questions of one: more than any form has
Texts = dict[str, str]
Item = TypeVar("Item")


@dataclass(slots=True)
class DraftSession:
    token: str
    texts: Texts
    questions: Texts  # by token, in order

    @property
    def prefix(self) -> str:
        return f"s{self.token}"


@dataclass(slots=True)
class Draft:
    """`tables` has a row per table that was ever asked for; `focus` is the name of the field to go on with.

    `loaded` is the digest of the plan that may be replaced: the one the page was made from, or one chosen knowingly.
    """

    top: Texts
    sessions: list[DraftSession]
    tables: list[Texts]
    focus: str = ""
    loaded: str = ""

    @classmethod
    def posted(cls, data: QueryDict) -> Draft:
        return cls(
            top={name: data.get(name, "") for name in TOP},
            sessions=[_posted_session(data, token) for token in _tokens(data, "session")],
            tables=_posted_tables(data),
            loaded=data.get("replacing", "") or data.get("loaded", ""),
        )

    def count(self) -> int:
        """How many tables are asked for, as far as that can be understood."""
        typed = self.top["tables"].strip()
        return (
            min(int(typed), MOST_TABLES)
            if typed.isascii() and typed.isdigit() and len(typed) < 10
            else len(self.tables)
        )

    def do(self, wish: str) -> None:
        """What a button asks for, such as `add-question:12` or `question-up:12:n1`. Anything else changes nothing."""
        act, *tokens = wish.split(":")
        session = next((s for s in self.sessions if s.token in tokens[:1]), None)
        if act == "add-session":
            self._add_session()
        elif session and act in {"session-up", "session-down", "remove-session"}:
            self.sessions = _moved(self.sessions, session, act)
            self.focus = f"{session.prefix}-title"
        elif session:
            self._do_in(session, act, tokens[-1])

    def _add_session(self) -> None:
        session = DraftSession(self._new_token(), {"title": "", "minutes": str(USUAL_MINUTES)}, {})
        self.sessions.append(session)
        self._do_in(session, "add-question", "")
        self.focus = f"{session.prefix}-title"

    def _do_in(self, session: DraftSession, act: str, token: str) -> None:
        if act == "add-question":
            token = self._new_token()
            session.questions[token] = ""
        elif act in {"question-up", "question-down", "remove-question"} and token in session.questions:
            session.questions = {t: session.questions[t] for t in _moved(list(session.questions), token, act)}
        self.focus = f"{session.prefix}-q{token}-text"

    def _new_token(self) -> str:
        taken = {session.token for session in self.sessions} | {t for s in self.sessions for t in s.questions}
        return next(token for token in (f"n{n}" for n in range(10_000)) if token not in taken)

    def put_back(self, plan: Plan, held: Held) -> None:
        """Sessions and questions that are held stand where they stood, whatever was taken away or moved."""
        stored = {s.token: s for s in draft_of(plan).sessions if int(s.token) in held.sessions}
        kept = {session.token: session for session in self.sessions}
        for token, session in stored.items():
            for question, text in session.questions.items():
                if token in kept and question in map(str, held.questions):
                    kept[token].questions.setdefault(question, text)
        later = [session for session in self.sessions if session.token not in stored]
        self.sessions = [kept.get(token, session) for token, session in stored.items()] + later


def draft_of(plan: Plan) -> Draft:
    """A plan as the form shows it. Most tables have the same number of seats: only others say theirs."""
    caps = [table.cap for table in plan.tables]
    usual = max(caps, key=caps.count)
    return Draft(
        top={
            "title": plan.title,
            "purpose": plan.purpose,
            "starts": shown_in(plan.starts_at, plan.time_zone),
            "time_zone": plan.time_zone,
            "language": plan.language,
            "table_model": str(plan.table_model),
            "talk_link": plan.talk_link,
            "by_hand": "on" if plan.by_hand else "",
            "tables": str(len(plan.tables)),
            "seats": str(usual),
        },
        sessions=[_draft_session(session, n) for n, session in enumerate(plan.sessions, 1)],
        tables=[
            {
                "name": table.name,
                "seats": "" if table.cap == usual else str(table.cap),
                "question": table.question,
                "talk_link": table.talk_link,
                "closed": "" if table.open else "on",
            }
            for table in plan.tables
        ],
        loaded=digest(plan),
    )


def _draft_session(session: PlanSession, number: int) -> DraftSession:
    asked = session.questions or (PlanQuestion(""),)
    new = 100 * number  # tokens of new things, different from one another
    return DraftSession(
        token=str(session.id or f"n{new}"),
        texts={"title": session.title, "minutes": str(session.minutes)},
        questions={str(question.id or f"n{new + n}"): question.text for n, question in enumerate(asked, 1)},
    )


def _posted_session(data: QueryDict, token: str) -> DraftSession:
    session = DraftSession(token, {}, {})
    session.texts = {name: data.get(f"{session.prefix}-{name}", "") for name in ("title", "minutes")}
    tokens = _tokens(data, f"{session.prefix}-question")
    session.questions = {t: data.get(f"{session.prefix}-q{t}-text", "") for t in tokens}
    return session


def _tokens(data: QueryDict, name: str) -> list[str]:
    return [token for token in dict.fromkeys(data.getlist(name)[:MOST_READ]) if TOKEN.fullmatch(token)]


def _posted_tables(data: QueryDict) -> list[Texts]:
    rows = [n for n in range(1, MOST_TABLES + 1) if f"t{n}-name" in data]
    return [{name: data.get(f"t{n}-{name}", "") for name in ROW} for n in range(1, max(rows, default=0) + 1)]


def _moved(items: list[Item], item: Item, act: str) -> list[Item]:
    """The items with one moved up or down by one, or without it."""
    at = items.index(item)
    rest = items[:at] + items[at + 1 :]
    if act.startswith("remove"):
        return rest
    to = max(0, at - 1) if act.endswith("up") else at + 1
    return [*rest[:to], item, *rest[to:]]
