"""The files of `deploy/` and the page about them agree with the product and with each other."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from tests.browser.house import House
from zoomcafe.environment import HARNESSES
from zoomcafe.management.commands.serve import Command
from zoomcafe.settings import ENV

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
PAGE = ROOT / "docs" / "deploying.md"
OF_COMPOSE = {"DOMAIN", "POSTGRES_PASSWORD", "WORKERS"}
OF_PYTHON = {"PYTHONUNBUFFERED"}
DRAIN_S = 30  # the least a stop must wait


def read(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(read("compose.yaml"))["services"]
    return services


def unit() -> dict[str, list[str]]:
    """The lines of the unit by name; one name may come several times."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", read("zoomcafe.service"), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def words_of_env() -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", read(".env.example"), re.MULTILINE))


def served(arguments: list[str]) -> argparse.Namespace:
    """What `serve` understands; the words before it are the program."""
    at = arguments.index("serve")
    assert [Path(word).name for word in arguments[at - 2 : at]] == ["python3", "manage.py"]
    return Command().create_parser("manage.py", "serve").parse_args(arguments[at + 1 :])


def commands(services: dict[str, Any]) -> dict[str, list[str]]:
    """Each place's way to start the server, as words."""
    [image] = re.findall(r"^CMD \[(.*)\]$", read("Dockerfile"), re.MULTILINE)
    return {
        "image": [word.strip(' "') for word in image.split(",")],
        "compose": shlex.split(services["app"]["command"][-1].replace("${WORKERS:-2}", "2")),
        "unit": shlex.split(unit()["ExecStart"][0].replace("${WORKERS}", "1")),
    }


# ── names ──
def test_every_setting_in_them_is_one_of_ours(services: dict[str, Any]) -> None:
    names = {*services["app"]["environment"], *re.findall(r"^ENV (\w+)=|^    (\w+)=", read("Dockerfile"))}
    names |= {word.partition("=")[0] for line in unit()["Environment"] for word in line.split()}
    names |= set(re.findall(r"^(?:echo )?([A-Z_]{4,})=", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    names |= set(re.findall(r"`([A-Z]+_[A-Z_]+)`", PAGE.read_text(encoding="utf-8")))
    assert {"BASE_URL", "DATABASE_URL", "REDIS_URL", "VAR_DIR", "TRUSTED_PROXIES"} <= names
    assert names - ENV.known.keys() - OF_COMPOSE - OF_PYTHON == set()


def test_what_compose_asks_for_stands_in_the_example_and_no_secret_does() -> None:
    asked = set(re.findall(r"\$\{(\w+)", read("compose.yaml")))
    assert words_of_env().keys() == asked
    assert words_of_env()["POSTGRES_PASSWORD"] == ""


def test_compose_names_only_what_it_has(services: dict[str, Any]) -> None:
    volumes = yaml.safe_load(read("compose.yaml"))["volumes"]
    named = {mount.partition(":")[0] for service in services.values() for mount in service.get("volumes", [])}
    assert {name for name in named if not name.startswith(".")} == set(volumes)
    assert [name for name in named if name.startswith(".") and not (DEPLOY / name).is_file()] == []
    for service in services.values():
        waits = service.get("depends_on", {})
        assert set(waits) <= services.keys()
        for name, how in waits.items() if isinstance(waits, dict) else ():
            assert how["condition"] == "service_started" or "healthcheck" in services[name]
    url = services["app"]["environment"]["DATABASE_URL"]
    database = services["postgres"]["environment"]
    assert url.startswith(f"postgres://{database['POSTGRES_USER']}:${{POSTGRES_PASSWORD")
    assert url.endswith(f"@postgres:5432/{database['POSTGRES_DB']}")


@pytest.mark.parametrize("page", [PAGE, ROOT / "README.md"], ids=["deploying.md", "README.md"])
def test_the_page_names_commands_and_files_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"(?:manage\.py|deploy/manage) (\w+)", text)) <= {*get_commands(), "tool", *HARNESSES}
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text)]
    assert [link for link in links if link and not (page.parent / link).exists()] == []


# ── numbers ──
def test_serve_understands_what_they_say(services: dict[str, Any]) -> None:
    seen = {place: served(words) for place, words in commands(services).items()}
    assert {place: (found.host, found.port, found.workers) for place, found in seen.items()} == {
        "image": ("0.0.0.0", 8000, 2),
        "compose": ("0.0.0.0", 8000, 2),
        "unit": ("127.0.0.1", 8000, 1),
    }


def test_ports_and_sizes_agree(services: dict[str, Any]) -> None:
    assert "{$CAFE_SERVER:127.0.0.1:8000}" in read("Caddyfile")
    assert services["caddy"]["environment"]["CAFE_SERVER"] == "app:8000"
    assert "server 127.0.0.1:8000;" in read("nginx.conf")
    assert "EXPOSE 8000\n" in read("Dockerfile")
    assert "http://127.0.0.1:8000/readyz" in services["app"]["healthcheck"]["test"][-1]
    assert ENV.known["LIMIT_BODY_BYTES"] == str(1024 * 1024)
    assert re.search(r"client_max_body_size +1m;", read("nginx.conf"))


def test_nobody_is_killed_while_draining(services: dict[str, Any]) -> None:
    assert int(services["app"]["stop_grace_period"].removesuffix("s")) >= DRAIN_S
    assert int(unit()["TimeoutStopSec"][0]) >= DRAIN_S
    assert (unit()["KillSignal"], unit()["ExecReload"]) == (["SIGTERM"], ["/bin/kill -HUP $MAINPID"])


def test_only_the_web_server_can_be_reached_and_the_app_is_nobody(services: dict[str, Any]) -> None:
    assert [name for name, service in services.items() if "ports" in service] == ["caddy"]
    assert re.search(r"^USER zoomcafe$", read("Dockerfile"), re.MULTILINE)
    assert services["app"]["cap_drop"] == ["ALL"]
    assert (unit()["User"], unit()["NoNewPrivileges"], unit()["ProtectSystem"]) == (["zoomcafe"], ["yes"], ["strict"])


# ── what runs ──
def copied() -> list[str]:
    """The sources that go into the image."""
    return [word for line in re.findall(r"^COPY (.+) \S+$", read("Dockerfile"), re.MULTILINE) for word in line.split()]


def test_the_image_gets_what_is_copied_and_nothing_else() -> None:
    let_in = re.findall(r"^!(.+)$", read("Dockerfile.dockerignore"), re.MULTILINE)
    assert sorted(let_in) == sorted(name.rstrip("/") for name in copied())
    assert read("Dockerfile.dockerignore").splitlines()[0] == "*"


def test_what_is_in_the_image_is_enough_to_serve(services: dict[str, Any], tmp_path: Path) -> None:
    """Its own health check finds that all is well."""
    for name in copied():
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    house = House(tmp_path)
    house.root = tmp_path
    house.env |= {"VAR_DIR": str(tmp_path / "var"), "BASE_URL": "https://cafe.example"}
    house.start()
    try:
        check = services["app"]["healthcheck"]["test"][-1].replace(":8000", f":{house.port}")
        assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
    finally:
        house.stop()
    assert subprocess.run([sys.executable, "-c", check], check=False, capture_output=True).returncode != 0


def test_manage_runs_as_the_service_does(tmp_path: Path) -> None:
    settings = tmp_path / "zoomcafe.env"
    settings.write_text(
        "# settings\n\nBASE_URL=https://cafe.example\nTRUSTED_ORIGINS=https://a.example https://b.example\n"
        'DATABASE_URL="postgres:///zoomcafe?host=/run/pg&user=zoomcafe"\nSECRET_KEY=a$b`c(&d"e'
    )
    becoming = tmp_path / "runuser"
    told = ("PWD", "VAR_DIR", "BASE_URL", "TRUSTED_ORIGINS", "DATABASE_URL", "SECRET_KEY", "*")
    words = " ".join(f'"${name}"' for name in told)
    becoming.write_text(f"#!/bin/sh\nprintf '%s\\n' {words}\n")
    becoming.chmod(0o755)
    done = subprocess.run(
        [str(DEPLOY / "manage"), "moderator", "ada@cafe.example", "--name", "Ada B."],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "ZOOMCAFE_ENV": str(settings)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    addresses = ["https://cafe.example", "https://a.example https://b.example"]
    said = [str(ROOT), "/var/lib/zoomcafe", *addresses, "postgres:///zoomcafe?host=/run/pg&user=zoomcafe", 'a$b`c(&d"e']
    command = "-u zoomcafe -- /usr/bin/python3 manage.py moderator ada@cafe.example --name Ada B."
    assert (done.stdout.splitlines(), done.stderr) == ([*said, command], "")
    assert f"VAR_DIR={unit()['StateDirectory'][0]}".replace("=", "=/var/lib/") in unit()["Environment"][0].split()
    assert unit()["ExecStart"][0].startswith("/usr/bin/python3 manage.py")
