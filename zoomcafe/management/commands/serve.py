from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from zoomcafe import opening, reach

MOST_WORKERS = 64


class Command(BaseCommand):
    requires_system_checks = []  # `opening.serve` says what they find in plain sentences
    help = "Serves ZoomCafé; ends on SIGTERM when requests are answered and sockets have been told."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        reach.add_place(parser)
        parser.add_argument(
            "--workers",
            type=worker_count,
            default=1,
            metavar="N",
            help="processes that share the port, PostgreSQL and Redis; SIGHUP renews them one after the other",
        )

    def handle(self, *args: Any, host: str, port: int, workers: int, **options: Any) -> None:
        ready = partial(self.say, host, port, workers)
        if workers == 1:
            opening.serve(host=host, port=port, ready=ready)
        else:
            opening.serve_together(workers, host=host, port=port, ready=ready)

    def say(self, host: str, port: int, workers: int) -> None:
        many = f", with {workers} workers" if workers > 1 else ""
        self.stdout.write(f"ZoomCafé listens at {host}, port {port}{many}; people reach it at {settings.BASE_URL}/")
        self.stdout.flush()


def worker_count(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text[:6]) <= MOST_WORKERS:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is no number of workers: take one from 1 to {MOST_WORKERS}")
