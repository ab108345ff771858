"""The real thing for browser tests: `manage.py serve` with its own VAR_DIR, and people in browsers of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests import collected

ROOT = Path(__file__).resolve().parent.parent.parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
START_S = 60


class House:
    """A running server. `url` is its address."""

    def __init__(self, folder: Path, *, database_url: str = "") -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder, self.log = folder, folder / "server.log"
        self.root = ROOT  # where the sources are
        outside = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        self.env = {**outside, "VAR_DIR": str(folder), "BASE_URL": self.url, "DATABASE_URL": database_url}
        self.program = ["manage.py"]
        self.process: subprocess.Popen[str] | None = None
        self.arguments: list[str] = []  # further ones for `serve`

    def start(self) -> None:
        collected.lend(self.folder)
        place = ["--host", "127.0.0.1", "--port", str(self.port)]
        command = [sys.executable, *self.program, "serve", *place, *self.arguments]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=self.root, env=self.env, text=True, stdout=subprocess.PIPE, stderr=log
            )
        assert self.process.stdout is not None
        assert "listens" in self.process.stdout.readline(), self.log.read_text(encoding="utf-8")
        collected.keep(self.folder)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
            if self.process.stdout is not None:
                self.process.stdout.close()

    def kill(self) -> None:
        """As when the machine is out of memory: no word to anybody."""
        self.stop(signal.SIGKILL)

    def freeze(self) -> None:
        """Connections stay open, nothing is read; `kill` or `thaw` end it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def trusts(self, *origins: str) -> None:
        """Other addresses that lead here; before the start."""
        self.env["TRUSTED_ORIGINS"] = " ".join(origins)

    def does(self, *command: str) -> str:
        """The output of one of our commands beside the running server."""
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=self.root,
            env=self.env,
            text=True,
            capture_output=True,
            timeout=START_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def moderator_link(self, email: str = "ada@example.org") -> str:
        return self.does("moderator", email, "--name", "Ada").split()[-1]


@dataclass
class Person:
    """Somebody at a browser; keeps what the console complained of and every address asked for."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


class People:
    """Opens a browser of its own for everyone."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url
        self.all: list[Person] = []

    def comes(
        self, *, width: int = 1280, height: int = 800, locale: str = "en-GB", scripts: bool = True, touch: bool = False
    ) -> Person:
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            locale=locale,
            java_script_enabled=scripts,
            has_touch=touch,
            reduced_motion="reduce",
        )
        page = context.new_page()
        person = Person(context, page)
        page.on("console", lambda said: person.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: person.complaints.append(str(error)))
        page.on("request", lambda request: person.asked.append(request.url))
        self.all.append(person)
        return person


@contextlib.contextmanager
def people(chromium: str, url: str) -> Iterator[People]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield People(browser, url)
        browser.close()
