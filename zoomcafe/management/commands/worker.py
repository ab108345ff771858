from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from zoomcafe import opening


class Command(BaseCommand):
    requires_system_checks = []  # `serve` has said what they find
    help = "One of the processes that `serve --workers N` starts; nothing to start by hand."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--prepare", action="store_true", help="only see whether new workers could start")
        parser.add_argument("--number", type=int, help="which of them")
        parser.add_argument("--place", type=int, help="its place in the tally")
        for name in ("listener", "tally", "lifeline"):
            parser.add_argument(f"--{name}", type=int, metavar="DESCRIPTOR")

    def handle(self, *args: Any, prepare: bool, **options: Any) -> None:
        if prepare:
            opening.prepare()
        else:
            given = {name: options[name] for name in ("number", "place", "listener", "tally", "lifeline")}
            if None in given.values():
                raise CommandError("Workers are not started by hand: use manage.py serve --workers N.")
            opening.work(**given)
