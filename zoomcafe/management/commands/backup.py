from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from zoomcafe.backups import shelf
from zoomcafe.backups.taking import NotTaken, take


class Command(BaseCommand):
    help = "Copies the SQLite database, also while the server runs. The copy stays until you take it away."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="default: in VAR_DIR/backups")

    def handle(self, *args: Any, file: Path | None, **options: Any) -> None:
        if connection.vendor != "sqlite":
            raise CommandError("The data is in PostgreSQL: copy it with pg_dump --format=custom.")
        if not Path(connection.settings_dict["NAME"]).exists():
            raise CommandError(f"There is nothing to copy yet: no file {connection.settings_dict['NAME']}.")
        path = file or shelf.path_for(datetime.now(UTC), mark="-by-hand")
        if path.exists():
            raise CommandError(f"{path} exists already: choose another name.")
        try:
            take(path)
        except (NotTaken, DatabaseError) as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(str(path))
