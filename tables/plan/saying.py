"""What a plan says, to tell whether two are the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from tables.plan.model import Plan
from tables.plan.rows import event_values, questions_of, session_values, table_values


def digest(plan: Plan) -> str:
    """Another one as soon as any row of the plan has another value, place or id."""
    return hashlib.sha256(json.dumps(list(_said(plan)), default=str).encode()).hexdigest()


def says_the_same(plan: Plan, stored: Plan) -> bool:
    """Whether saving `plan` would change nothing. What is new in it may have been stored by now, under an id."""
    mine, theirs = list(_said(plan)), list(_said(stored))
    return len(mine) == len(theirs) and all(
        values == known and pk in {None, of_known} for (pk, values), (of_known, known) in zip(mine, theirs, strict=True)
    )


def _said(plan: Plan) -> Iterator[tuple[int | None, object]]:
    """Each row's id and values."""
    yield None, event_values(plan)
    yield from zip((table.id for table in plan.tables), table_values(plan), strict=True)
    for session, values in zip(plan.sessions, session_values(plan), strict=True):
        yield session.id, values
        yield from ((asked.id, asked._replace(id=None)) for asked in questions_of(plan, session))
