from __future__ import annotations

import subprocess
import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """`manage.py test` never comes here: it starts pytest before Django is loaded. This is for `django-admin test`."""

    help = "Runs all tests: Python, JavaScript, browser. Arguments go to pytest."

    def run_from_argv(self, argv: list[str]) -> None:
        sys.exit(subprocess.call([sys.executable, "-m", "pytest", *argv[2:]]))  # noqa: S603

    def handle(self, *args: Any, **options: Any) -> None:
        self.run_from_argv(["", "", *args])
