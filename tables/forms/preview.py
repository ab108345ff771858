"""The run sheet and the seats of a plan while it is typed. The browser does the same (`static/js/preview.js`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from sessions.models import Session
from sessions.steps import all_steps
from tables.forms.draft import Draft

USUAL_START = "17:30"
ANY_DAY = date(2021, 8, 24)  # only the hours are shown


def preview_of(draft: Draft) -> dict[str, object]:
    """Values for `tables/parts/plan_preview.html`, from whatever of the draft can be understood."""
    seats = [_number(row["seats"]) or _number(draft.top["seats"]) for row in draft.tables[: draft.count()]]
    seats += [_number(draft.top["seats"])] * (draft.count() - len(seats))
    return {
        "id": "preview",
        "seq": 0,
        "steps": list(_steps(draft)),
        "cap": _number(draft.top["seats"]),
        "tables": len(seats),
        "even": len(set(seats)) == 1,
        "sum": sum(seats),
    }


def _steps(draft: Draft) -> Iterator[dict[str, object]]:
    try:
        typed = datetime.fromisoformat(draft.top["starts"]).time()
    except ValueError:
        typed = time.fromisoformat(USUAL_START)
    at = datetime.combine(ANY_DAY, typed)
    sessions = [
        Session(number=number, title=session.texts["title"].strip(), minutes=_number(session.texts["minutes"]))
        for number, session in enumerate(draft.sessions, 1)
    ]
    for step in all_steps(sessions):
        yield {"what": step.what or str(step.phase), "session": step.session, "title": step.title, "at": f"{at:%H:%M}"}
        at += timedelta(minutes=step.minutes)


def _number(typed: str) -> int:
    """At most four plain digits; 0 for anything else."""
    text = typed.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
