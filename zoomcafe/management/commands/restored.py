from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from sessions import ledger
from sessions.live.renewal import renew
from zoomcafe import opening
from zoomcafe.database import APPLICATION_NAME

PATIENCE_S = 3.0


class Command(BaseCommand):
    help = (
        "After the database was brought back by other means (pg_restore, a snapshot), before the servers start:"
        " erases again what was erased since, and lets browsers hand in what is missing."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--ledger",
            dest="ledgers",
            action="append",
            type=Path,
            default=[],
            metavar="FILE",
            help="ledger.jsonl of another machine's VAR_DIR; may be given several times",
        )

    def handle(self, *args: Any, ledgers: list[Path], **options: Any) -> None:
        for path in ledgers:
            if not path.is_file():
                raise CommandError(f"There is no file {path}.")
        with opening.the_folder_to_ourselves("restored", otherwise="stop it first."):
            try:
                refuse_while_servers_are_connected()
                if missing := opening.missing_migrations():
                    raise CommandError(f"The database lacks {missing} migrations: run python3 manage.py migrate first.")
                done = renew(ledger.read(ledger.path(), *ledgers))
            except (DatabaseError, OSError) as problem:
                raise CommandError(f"Nothing has changed ({str(problem).strip()}).") from None
        self.stdout.write(str(done))


def refuse_while_servers_are_connected() -> None:
    """They would go on with what they remember of the database as it was. Those that just ended are waited for."""
    if connection.vendor != "postgresql":
        return
    connection.settings_dict["OPTIONS"]["pool"] = False  # or its spare connection were taken for a server's
    patience = time.monotonic() + PATIENCE_S
    while (others := connections_of_others()) and time.monotonic() < patience:
        time.sleep(0.2)
    if others:
        raise CommandError(f"ZoomCafé servers still use the database ({others} connections): stop them first.")


def connections_of_others() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = %s AND pid <> pg_backend_pid()",
            [APPLICATION_NAME],
        )
        return int(cursor.fetchone()[0])
