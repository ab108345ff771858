from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError
from django.db.models import Q

from sessions.codes import as_code
from sessions.models import Event
from tables.samples import content
from tables.samples.names import invented
from tables.samples.rehearsal import Rehearsal, ShutOut

MOST = 1_000
QUICKEST = 100  # beyond, the limits of the protocol are what is rehearsed


class Command(BaseCommand):
    help = "Simulated guests take part in an event over the network: they come in, sit down, write and change tables."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="join code of the event")
        parser.add_argument("--guests", type=int, default=10, help="how many (default 10)")
        parser.add_argument("--minutes", type=float, help="how long; without it until the event is closed")
        parser.add_argument("--seed", type=int, help="the same number makes the guests decide alike")
        parser.add_argument("--pace", type=float, default=1.0, help="times as quick as people (default 1)")
        parser.add_argument("--at", default=settings.BASE_URL, metavar="URL", help="the server (default: BASE_URL)")

    def handle(
        self, *args: Any, code: str, guests: int, minutes: float | None, seed: int | None, **options: Any
    ) -> None:
        if not 1 <= guests <= MOST:
            raise CommandError(f"--guests must be between 1 and {MOST}.")
        if not 0 < options["pace"] <= QUICKEST:
            raise CommandError(f"--pace must be above 0 and at most {QUICKEST}.")
        dice = random.Random(seed)  # noqa: S311 - decides what is played, keeps no secret
        join_code, language, here = known_of(code)
        rehearsal = Rehearsal(
            base_url=options["at"],
            code=join_code,
            content=content(language),
            names=invented(language, besides=here, seed=dice.random()),
            dice=dice,
            pace=options["pace"],
        )
        started = time.monotonic()
        try:
            asyncio.run(play(rehearsal, guests, None if minutes is None else minutes * 60))
        except ShutOut as reason:
            raise CommandError(f"Nobody could come in: {reason}.") from None
        finally:
            self.stdout.write(summary(rehearsal, time.monotonic() - started))


def known_of(code: str) -> tuple[str, str, list[str]]:
    """Join code, language and the names taken, as far as this database knows the event; the server may be elsewhere."""
    typed = as_code(code)
    event = None
    with contextlib.suppress(OperationalError, ProgrammingError):  # no server has ever run here
        event = Event.objects.filter(Q(join_code=typed) | Q(key=typed)).first()
    if event is None:
        return typed, settings.LANGUAGE_CODE, []
    return event.join_code, event.language, list(event.participants.values_list("name", flat=True))


async def play(rehearsal: Rehearsal, guests: int, seconds: float | None) -> None:
    """Ends with the event, after `seconds`, or at SIGTERM and Ctrl-C."""
    playing = asyncio.create_task(rehearsal.run(guests))
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, playing.cancel)
    with contextlib.suppress(TimeoutError, asyncio.CancelledError):
        async with asyncio.timeout(seconds):
            await playing


def summary(rehearsal: Rehearsal, seconds: float) -> str:
    done = ", ".join(f"{count} {what}" for what, count in sorted(rehearsal.tally.items()) if count)
    return f"{done or 'nothing done'} in {seconds:.0f} s"
