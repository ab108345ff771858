"""One of our commands with a rule switched off: `python -m tests.chaos.mutated NAME serve --port …`."""

from __future__ import annotations

import os
import sys

import django
from django.core.management import execute_from_command_line

from tests.chaos.mutants import switched_off

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zoomcafe.settings")
    django.setup()
    with switched_off(sys.argv[1]):
        execute_from_command_line(["manage.py", *sys.argv[2:]])
