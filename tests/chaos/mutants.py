"""Ten rules that can be switched off, to show that our tests would notice. The product knows nothing of this.

`with switched_off("seat"):` in a test; `python -m tests.chaos.mutated seat serve` for a whole server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Mutant:
    """`rule` is what no longer holds, `zero` what the checker must find then; `of` says in whose process the rule
    lives, `client` or `server`.
    """

    name: str
    of: str
    zero: str
    rule: str

    def applied(self) -> AbstractContextManager[None]:
        """Imports the product on first need: Django must be set up for what the server does."""
        broken: Callable[[], AbstractContextManager[None]]
        broken = getattr(import_module(f"tests.chaos.broken_{self.of}"), self.name.replace("-", "_"))
        return broken()


MUTANTS = {
    mutant.name: mutant
    for mutant in (
        Mutant("dedupe", "server", "doubled", "An operation that arrives again is not done again."),
        Mutant(
            "dedupe-60s",
            "server",
            "doubled",
            "An operation that arrives again is not done again, however late it comes.",
        ),
        Mutant(
            "cursor", "client", "views", "A frame that begins beyond the cursor is not applied: something is missing."
        ),
        Mutant(
            "heartbeat",
            "server",
            "views",
            "Every five seconds the heads are read from the database, whatever was lost.",
        ),
        Mutant("early-ack", "server", "lost", "An operation is acknowledged after the commit."),
        Mutant("early-publish", "server", "untold", "Others are told to look after the commit."),
        Mutant("deferred", "server", "failed by contention", "A transaction on SQLite begins as a writer's."),
        Mutant("outbox", "client", "outboxes", "An operation is repeated until it is answered."),
        Mutant("seat", "server", "seats", "A seat is given on the condition that it is free."),
        Mutant(
            "rights", "server", "removed but heard", "Who may do what is read inside the transaction, under its locks."
        ),
    )
}


def switched_off(name: str) -> AbstractContextManager[None]:
    """This process without one of the rules, until the block ends. Raises `KeyError` for what is none."""
    return MUTANTS[name].applied()


@contextmanager
def swapped(owner: Any, name: str, value: Any) -> Iterator[None]:
    """`owner.name` is `value` for a while."""
    usual = owner.__dict__[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, usual)
