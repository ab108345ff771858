from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email
from django.urls import reverse

from sessions.management.asking import AskingCommand
from sessions.models import Moderator


class Command(AskingCommand):
    help = "Makes a moderator, or finds the one there is, and prints a sign-in address that works once."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")

    def handle(self, *args: Any, email: str, name: str, **options: Any) -> None:
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email} is not an e-mail address: write it like ada@cafe.example.") from None
        self.stdout.write(sign_in_address(Moderator.objects.named(email, name=name)))


def sign_in_address(moderator: Moderator) -> str:
    return settings.BASE_URL + reverse("sign-in-link", args=[moderator.new_link()])
