"""The commands as people type them, each in a process and a folder of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command

from sessions.models import Moderator
from tests import collected
from tests.machine import or_say
from zoomcafe import database, reach
from zoomcafe.management.commands import demo

ROOT = Path(__file__).resolve().parent.parent
KEPT = ("CI", "HOME", "LANG", "PATH", "PYTHONPYCACHEPREFIX", "TMPDIR")


Running = tuple[str, subprocess.Popen[str]]


class Place:
    """A VAR_DIR and a port that nobody else has."""

    def __init__(self, folder: Path) -> None:
        self.var = folder / "var"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def command(self, *arguments: str, root: bool = True, **env: str) -> subprocess.Popen[str]:
        """Without `root` files are closed to it as to any other account, also where tests run as root."""
        inherited = {name: os.environ[name] for name in KEPT if name in os.environ}
        before = [] if root or os.geteuid() else [setpriv(), "--bounding-set=-all", "--inh-caps=-all"]
        return subprocess.Popen(
            [*before, sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=inherited | {"VAR_DIR": str(self.var), "PYTHONIOENCODING": "utf-8"} | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def refusal(self, *arguments: str, root: bool = True, **env: str) -> str:
        """The sentence with which the command ends, with status 1 and nothing after or before it but the log."""
        with self.command(*arguments, root=root, **env) as process:
            said, complained = process.communicate(timeout=60)
        *log, sentence = complained.splitlines()
        assert (process.returncode, said) == (1, "")
        assert [line for line in log if " warning " not in line] == []
        return sentence

    @contextlib.contextmanager
    def running(self, command: str, until: str, *arguments: str, **env: str) -> Iterator[Running]:
        """The lines up to the one that starts with `until`, and the process."""
        collected.lend(self.var)
        with self.command(command, "--port", str(self.port), *arguments, **env) as process:
            alarm = threading.Timer(60, process.terminate)
            alarm.start()
            try:
                lines = self.lines(process, until)
                collected.keep(self.var)
                yield lines, process
            finally:
                alarm.cancel()
                process.terminate()
                process.communicate(timeout=20)

    @staticmethod
    def lines(process: subprocess.Popen[str], until: str) -> str:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith(until):
                return said
        assert process.stderr is not None
        raise AssertionError(said + process.stderr.read())


def setpriv() -> str:
    return or_say(shutil.which("setpriv"), "setpriv (apt install util-linux)")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def told(output: str, name: str) -> str:
    found = re.findall(rf"^{name}: (.+)$", output, re.MULTILINE)
    assert len(found) == 1, output
    return str(found[0])


def visit(url: str) -> int:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return int(answer.status)


def test_demo_shows_the_way_in_and_the_moderators_link_works_once(place: Place) -> None:
    with place.running("demo", "Ctrl-C") as (said, process):
        assert told(said, "Open") == f"{place.url}/"
        assert told(said, "Also") == f"http://localhost:{place.port}/"
        assert visit(told(said, "Open")) == 200
        assert visit(told(said, "Also")) == 200
        link = told(said, "Moderator")
        assert link.startswith(f"{place.url}/sign-in/")
        assert "Smart City" in sign_in(link)
        with pytest.raises(urllib.error.HTTPError) as refused:
            sign_in(link)
        assert refused.value.code == 410
        refused.value.close()
        process.send_signal(signal.SIGINT)
        rest, complained = process.communicate(timeout=20)
        assert (process.returncode, rest) == (0, "")
        assert "Traceback" not in complained


def sign_in(link: str) -> str:
    """Takes the link as its page's form does; returns the page one is led to."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with browser.open(link, timeout=20) as answer:
        page = answer.read().decode()
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[-1]
    form = urllib.request.Request(link, data=f"csrfmiddlewaretoken={token}".encode())
    form.add_header("Origin", link.partition("/sign-in/")[0])
    with browser.open(form, timeout=20) as answer:
        return str(answer.read().decode())


def test_demo_brings_bots_who_come_in_like_everybody(place: Place) -> None:
    with place.running("demo", "Ctrl-C", "--bots", "2") as (_said, process):
        wait_until(lambda: guests_seen(place.var / "zoomcafe.sqlite3") == 2)
        process.send_signal(signal.SIGTERM)
        rest, complained = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in complained
    assert re.search(r"[12] came in", rest)


def guests_seen(file: Path) -> int:
    """Guests of the live sample, counted from outside."""
    count = (
        "SELECT count(*) FROM cafe_participant WHERE role = 'guest'"
        " AND event_id = (SELECT id FROM cafe_event WHERE sample = 'live')"
    )
    with contextlib.closing(sqlite3.connect(file)) as database:
        return int(database.execute(count).fetchone()[0])


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(300):
        if true():
            return
        threading.Event().wait(0.1)
    raise AssertionError("it did not come true within 30 s")


def test_demo_for_phones_shows_a_qr_code_with_an_address_they_reach(place: Place) -> None:
    try:
        name = reach.network_address()
    except reach.NoNetworkError:
        or_say(None, "A network")
    with place.running("demo", "Ctrl-C", "--lan") as (said, _process):
        assert told(said, "Open") == f"http://{name}:{place.port}/"
        assert told(said, "Also") == f"{place.url}/"
        assert visit(told(said, "Guests")) == 200
        assert visit(told(said, "Also")) == 200
        assert "█▀▀▀▀▀█" in said


def test_an_address_nobody_was_told_is_not_answered(place: Place) -> None:
    with place.running("serve", "ZoomCafé listens", BASE_URL="http://cafe.example"):
        assert visit(f"{place.url}/healthz") == 200
        with pytest.raises(urllib.error.HTTPError) as refused:
            visit(f"{place.url}/")
        assert refused.value.code == 400
        refused.value.close()


def test_a_second_server_in_the_same_folder_or_at_the_same_port_is_refused(place: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "elsewhere")
    with place.running("serve", "ZoomCafé listens") as (_said, process):
        folder = place.refusal("serve", "--port", str(other.port))
        port = other.refusal("demo", "--port", str(place.port))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    assert f"(process {process.pid}, {place.url}/) already works in {place.var}" in folder
    assert f"Port {place.port} is taken by another program: choose another, such as --port" in port
    with place.running("serve", "ZoomCafé listens"):
        assert visit(f"{place.url}/healthz") == 200


def test_a_damaged_database_file_is_not_opened(place: Place) -> None:
    place.var.mkdir()
    (place.var / "zoomcafe.sqlite3").write_bytes(b"coffee" * 4096)
    assert "zoomcafe.sqlite3 is damaged" in place.refusal("serve", "--port", str(place.port))


@pytest.mark.parametrize(("name", "rights"), [("zoomcafe.sqlite3", 0o444), ("secret_key", 0)])
def test_a_file_that_belongs_to_another_account_is_named(place: Place, name: str, rights: int) -> None:
    place.var.mkdir()
    (place.var / name).touch(rights)
    sentence = place.refusal("serve", "--port", str(place.port), root=False)
    assert str(place.var / name) in sentence


def test_a_database_that_does_not_answer_is_named_in_a_sentence(place: Place) -> None:
    sentence = place.refusal("serve", "--port", str(place.port), DATABASE_URL="postgres://127.0.0.1:9/zoomcafe")
    assert "The database does not answer" in sentence
    assert "check DATABASE_URL" in sentence


def test_a_shared_database_is_migrated_by_its_operator_only(place: Place, postgres_url: str) -> None:
    name = f"empty_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url.rpartition("/")[0] + "/postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            url = f"{postgres_url.rpartition('/')[0]}/{name}"
            sentence = place.refusal("serve", "--port", str(place.port), DATABASE_URL=url)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert re.search(r"lacks \d+ migrations: run python3 manage.py migrate first", sentence)


def test_several_workers_need_a_database_they_can_share(place: Place) -> None:
    sentence = place.refusal("serve", "--workers", "2", REDIS_URL="redis://127.0.0.1:6379")
    assert "set DATABASE_URL=postgres://user:password@host/name, or start with --workers 1." in sentence


def test_several_workers_need_redis(place: Place, postgres_url: str) -> None:
    sentence = place.refusal("serve", "--workers", "2", DATABASE_URL=postgres_url)
    assert "set REDIS_URL=redis://host:6379, or start with --workers 1." in sentence


def test_a_bad_setting_is_said_in_a_sentence(place: Place) -> None:
    assert place.refusal("serve", POOL_SIZE="many").endswith("POOL_SIZE must be a whole number from 3 to 200.")


def test_moderator_is_made_once_and_gets_a_new_link_each_time(db: None) -> None:
    said = StringIO()
    call_command("moderator", "Ada@cafe.example", "--name", "Ada", stdout=said)
    call_command("moderator", "ada@cafe.example", stdout=said)
    assert list(Moderator.objects.values_list("email", "name")) == [("ada@cafe.example", "Ada")]
    first, second = said.getvalue().split()
    assert re.fullmatch(r"http://testserver/sign-in/[\w-]{32}/", first)
    assert first != second


def test_moderator_wants_an_address(db: None) -> None:
    with pytest.raises(CommandError, match="ada is not an e-mail address"):
        call_command("moderator", "ada")
    assert Moderator.objects.count() == 0


@pytest.mark.parametrize("command", [("moderator", "ada@cafe.example"), ("guests", "K7M2QXHB")])
def test_who_comes_before_the_server_has_set_up_the_database_is_told_to_wait(
    place: Place, command: tuple[str, ...]
) -> None:
    assert place.refusal(*command).startswith(
        "CommandError: The database is not ready: start the server, wait until it says that it listens, and try again."
    )


def test_guests_are_simulated_at_a_server_elsewhere_without_a_database_here(place: Place) -> None:
    with place.command("rehearse", "K7M2QXHB", "--minutes", "0.01", "--at", place.url) as process:
        said, complained = process.communicate(timeout=60)
    assert (process.returncode, complained) == (0, "")
    assert re.fullmatch(r"nothing done in \d+ s\n", said)


def test_a_moderator_is_not_made_in_a_shared_database_that_is_not_there(place: Place) -> None:
    sentence = place.refusal("moderator", "ada@cafe.example", DATABASE_URL="postgres://ada@127.0.0.1:1/cafe")
    assert "look at DATABASE_URL, run python3 manage.py migrate" in sentence


@pytest.mark.parametrize("bots", ["-1", "1001", "many", "10000000000"])
def test_a_number_of_bots_that_cannot_come_is_refused_before_anything_starts(bots: str) -> None:
    with pytest.raises(CommandError, match="take one from 0 to 1000"):
        demo.Command().create_parser("manage.py", "demo").parse_args([f"--bots={bots}"])


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "de_AT.UTF-8"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": ""}, "de"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "en"),
    ],
)
def test_the_samples_speak_the_language_of_who_starts_the_demo(environment: dict[str, str], language: str) -> None:
    assert demo.language_of(environment) == language


@pytest.mark.parametrize(
    ("host", "port", "listens", "addresses"),
    [
        ("127.0.0.1", 8000, "127.0.0.1", ("http://127.0.0.1:8000", "http://localhost:8000")),
        ("localhost", 80, "localhost", ("http://localhost", "http://127.0.0.1")),
        ("::1", 8000, "::1", ("http://[::1]:8000", "http://127.0.0.1:8000")),
        ("192.0.2.7", 8000, "192.0.2.7", ("http://192.0.2.7:8000",)),
    ],
)
def test_the_addresses_of_a_demo(host: str, port: int, listens: str, addresses: tuple[str, ...]) -> None:
    assert reach.reach(host, port, lan=False) == reach.Reach(listens, port, addresses)


def test_one_address_and_the_whole_network_are_not_asked_for_together() -> None:
    with pytest.raises(CommandError, match="leave it away, or --host"):
        call_command("demo", "--lan", "--host", "192.0.2.7")


def test_a_worker_that_is_started_by_hand_says_who_starts_it() -> None:
    with pytest.raises(CommandError, match="serve --workers N"):
        call_command("worker", "--number", "1")


@pytest.mark.parametrize("url", ["postgres://cafe:a#b@db.example/cafe", "sqlite:////srv/a#b.sqlite3"])
def test_a_database_address_that_ends_at_a_number_sign_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="write %23 for it"):
        database.parse(url, pool_size=1)


@pytest.mark.parametrize("text", ["0", "65536", "-1", "٣", "1e3", "eight"])
def test_what_is_no_port_is_refused(place: Place, text: str) -> None:
    with pytest.raises(CommandError, match="is not a port"):
        call_command("serve", f"--port={text}")
