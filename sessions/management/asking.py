"""Commands that ask the database, which the server sets up, or `migrate`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError, connection


class AskingCommand(BaseCommand):
    """Says in a sentence when the database is not there, or not ready yet."""

    def execute(self, *args: Any, **options: Any) -> Any:
        try:
            return super().execute(*args, **options)
        except (OperationalError, ProgrammingError) as problem:
            raise CommandError(f"{what_to_do()} ({str(problem).strip().splitlines()[0]})") from None


def what_to_do() -> str:
    if connection.vendor == "sqlite":
        return "The database is not ready: start the server, wait until it says that it listens, and try again."
    connection.close_pool()  # type: ignore[attr-defined] # which tries again in the background, and would say so last
    return "The database is not ready: look at DATABASE_URL, run python3 manage.py migrate, and try again."
