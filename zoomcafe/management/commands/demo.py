from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import segno
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from sessions.management.commands.moderator import sign_in_address
from sessions.models import Event, Moderator
from tables import samples
from tables.management.commands import rehearse
from zoomcafe import opening, reach

OWNER = ("ada@zoomcafe.example", "Ada")


class Command(BaseCommand):
    requires_system_checks = []  # `opening.serve` says what they find in plain sentences
    help = "Shows ZoomCafé with a finished and a live sample event; sets everything up on first use."

    bots: subprocess.Popen[bytes] | None = None
    live: Event
    moderator: Moderator

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        reach.add_arguments(parser)
        parser.add_argument("--bots", type=crowd, default=0, metavar="N", help="simulated guests sit and write")

    def handle(self, *args: Any, host: str, port: int, lan: bool, bots: int, **options: Any) -> None:
        if lan and host not in {*reach.LOOPBACK, *reach.ANYWHERE}:
            raise CommandError(f"--lan is for phones in the whole network: leave it away, or --host {host}.")
        try:
            place = reach.reach(host, port, lan=lan)
        except reach.NoNetworkError:
            raise CommandError(
                "This computer has no network address that phones could reach: join a Wi-Fi, or leave --lan away."
            ) from None
        try:
            opening.serve(
                host=place.host,
                port=port,
                prepare=lambda: self.bring_samples(bots),
                ready=lambda: self.welcome(place, bots),
            )
        finally:
            self.stop_bots()

    def bring_samples(self, bots: int) -> None:
        email, name = OWNER
        self.moderator = Moderator.objects.named(email, name=name)
        self.live = samples.bring(self.moderator, language=language_of(os.environ), talking=bots > 0).live

    def welcome(self, place: reach.Reach, bots: int) -> None:
        self.say(f"Open: {settings.BASE_URL}/")
        self.say(f"Moderator: {sign_in_address(self.moderator)}")
        for other in settings.ORIGINS[1:]:
            self.say(f"Also: {other}/")
        if place.for_phones:
            self.show_qr_code(settings.BASE_URL + reverse("join", args=[self.live.join_code]))
        else:
            self.say("For phones in the same network start with --lan.")
        self.say("Ctrl-C ends it.")
        self.start_bots(bots)

    def show_qr_code(self, link: str) -> None:
        self.say(f"Guests: {link}")
        if "utf" in (getattr(self.stdout, "encoding", None) or "").lower():
            self.say(qr_code(link))

    def start_bots(self, count: int) -> None:
        """A process of their own: they come over the network like everybody else."""
        if count > 0:
            manage = str(settings.BASE_DIR / "manage.py")
            arguments = ["rehearse", self.live.join_code, "--guests", str(count)]
            self.bots = subprocess.Popen([sys.executable, manage, *arguments], start_new_session=True)  # noqa: S603

    def stop_bots(self) -> None:
        if self.bots is not None:
            self.bots.terminate()
            self.bots.wait(timeout=10)

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def crowd(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 7 and int(text) <= rehearse.MOST:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is no number of bots: take one from 0 to {rehearse.MOST}")


def language_of(environment: Mapping[str, str]) -> str:
    """Of the person who starts it; an empty `LC_ALL` says nothing."""
    return "de" if (environment.get("LC_ALL") or environment.get("LANG", "")).startswith("de") else "en"


def qr_code(link: str) -> str:
    """Two rows per line, black on white whatever the terminal's own colours are."""
    rows = [list(row) for row in segno.make(link, error="m", micro=False).matrix_iter(border=4)]
    rows += [[0] * len(rows[0])] * (len(rows) % 2)
    lines = (
        "".join(" ▄▀█"[2 * above + below] for above, below in zip(rows[i], rows[i + 1], strict=True))
        for i in range(0, len(rows), 2)
    )
    return "\n".join(f"\x1b[38;5;16;48;5;231m{line}\x1b[0m" for line in lines)
