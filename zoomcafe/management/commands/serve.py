from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from zoomcafe import opening, reach


class Command(BaseCommand):
    requires_system_checks = []  # `opening.serve` says what they find in plain sentences
    help = "Serves ZoomCafé; ends on SIGTERM when requests are answered and sockets have been told."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        reach.add_place(parser)
        parser.add_argument("--workers", type=int, default=1)

    def handle(self, *args: Any, host: str, port: int, workers: int, **options: Any) -> None:
        if workers != 1:
            raise CommandError(
                "Several workers share PostgreSQL and Redis, which is not built yet; start with --workers 1."
            )
        opening.serve(host=host, port=port, ready=lambda: self.say(host, port))

    def say(self, host: str, port: int) -> None:
        self.stdout.write(f"ZoomCafé listens at {host}, port {port}; people reach it at {settings.BASE_URL}/")
        self.stdout.flush()
