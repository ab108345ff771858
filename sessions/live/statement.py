"""One statement to the database, and what is wanted of its answer."""

from collections.abc import Callable, Sequence
from operator import attrgetter, methodcaller
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connections

first, every = methodcaller("fetchone"), methodcaller("fetchall")
key = attrgetter("lastrowid")


def answer(sql: str, parameters: Sequence[Any], take: Callable[[Any], Any]) -> Any:
    """What `take` finds in the cursor. In a transaction of ours the database is asked without Django's layers, which
    take longer than it does (`zoomcafe/sqlite/`, `zoomcafe/postgres/`).
    """
    own = cast("Any", connections[DEFAULT_DB_ALIAS])
    straight = own.straight(sql, parameters)
    if straight is not None:
        return take(straight)
    with own.cursor() as cursor:
        cursor.execute(sql, parameters)
        return take(cursor)


def only(cursor: Any) -> Any:
    """The one value of the one row."""
    return cursor.fetchone()[0]
