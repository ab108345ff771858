from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from zoomcafe import opening
from zoomcafe.backups import shelf
from zoomcafe.backups.restoring import NotRestored, restore


class Command(BaseCommand):
    requires_system_checks = []  # the database may be damaged
    help = "Puts a copy of the SQLite database in its place, with the server stopped. What is there now is kept aside."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        opening.check_settings()
        if connection.vendor != "sqlite":
            raise CommandError(
                "The data is in PostgreSQL: stop all servers, bring it back with pg_restore,"
                " then run python3 manage.py restored."
            )
        with opening.the_folder_to_ourselves("restore", otherwise="stop it first."):
            try:
                done = restore(file)
            except NotRestored as reason:
                raise CommandError(str(reason)) from None
        self.stdout.write(f"Restored {file}: {done.renewed}")
        if done.aside:
            self.stdout.write(f"What was there before is in {shelf.near(done.aside)}.")
