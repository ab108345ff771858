from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from sessions.models import Event

REFUSED = (
    "An event is going on: people are in it just now. Migrate when it is over; or add --while-live"
    " if the release notes say that the code before and the code after both run."
)


class Command(migrate.Command):
    """Django's `migrate`, but not under people who talk, and for as long as a change takes."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--while-live", action="store_true", help="also while an event is going on")

    def handle(self, *args: Any, while_live: bool = False, **options: Any) -> None:
        changes = not (options["plan"] or options["check_unapplied"])
        if changes and not while_live and pending(options["database"]) and anybody_there(options["database"]):
            raise CommandError(REFUSED)
        with all_the_time_it_needs(options["database"]):
            super().handle(*args, **options)


def pending(alias: str) -> bool:
    executor = MigrationExecutor(connections[alias])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def anybody_there(alias: str) -> bool:
    """Asks for few columns, which are as old as the product: the tables may be those of an earlier version."""
    tables = connections[alias].introspection.table_names()
    return Event._meta.db_table in tables and Event.objects.using(alias).live().exists()


@contextmanager
def all_the_time_it_needs(alias: str) -> Iterator[None]:
    """Pages may not ask PostgreSQL for longer than some seconds. A lock is still waited for no longer than by them.

    The connection goes back to the pool as it came: `serve` migrates and goes on.
    """
    if connections[alias].vendor != "postgresql":
        yield
        return
    with connections[alias].cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    yield
    with connections[alias].cursor() as cursor:
        cursor.execute("RESET statement_timeout")
