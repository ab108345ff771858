"""Settings: from the environment only, checked at the start, safe without a word."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from zoomcafe import addresses, checks, database
from zoomcafe.secret import secret_in
from zoomcafe.settings import ENV
from zoomcafe.variables import Variables

ROOT = Path(__file__).resolve().parent.parent


def manage(tmp_path: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The real settings in a process of their own; nothing of this machine's environment but the way to programs."""
    base = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path / "var"), "DJANGO_SETTINGS_MODULE": "zoomcafe.settings"}
    return subprocess.run(
        [sys.executable, "-m", "django", *arguments],
        cwd=ROOT,
        env=base | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def settings_with(tmp_path: Path, names: list[str], **variables: str) -> dict[str, object]:
    script = (
        "import json; from django.conf import settings;"
        f"print(json.dumps({{name: getattr(settings, name) for name in {names!r}}}, default=str))"
    )
    done = manage(tmp_path, "shell", "--no-imports", "-c", script, **variables)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_behind_https_everything_is_as_django_advises(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", "--deploy", "--fail-level", "INFO", BASE_URL="https://cafe.example")
    assert (done.returncode, done.stdout) == (0, "System check identified no issues (2 silenced).\n"), done.stderr


def test_with_nothing_set_it_runs_and_is_not_debugging(tmp_path: Path) -> None:
    assert manage(tmp_path, "check").returncode == 0
    found = settings_with(tmp_path, ["DEBUG", "BASE_URL", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "SESSION_COOKIE_SECURE"])
    assert found == {
        "DEBUG": False,
        "BASE_URL": "http://localhost:8000",
        "ALLOWED_HOSTS": ["localhost"],
        "TRUSTED_PROXIES": 0,
        "SESSION_COOKIE_SECURE": False,
    }


def test_https_binds_cookies_to_this_host_and_trusts_one_proxy(tmp_path: Path) -> None:
    names = [
        "SESSION_COOKIE_NAME",
        "CSRF_COOKIE_NAME",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "TRUSTED_PROXIES",
    ]
    found = settings_with(tmp_path, names, BASE_URL="https://Cafe.example:443/")
    assert list(found.values()) == ["__Host-zoomcafe", "__Host-csrf", True, True, 1]


WRONG = {
    "ALLOWED_HOSTS": None,
    "BASE_URL": "cafe.example",
    "DATABASE_URL": "mysql://localhost/cafe",
    "REDIS_URL": "localhost:6379",
    "DEBUG": "perhaps",
    "LANES": "0",
    "LIMIT_BODY_BYTES": "1e6",
    "LOG_FORMAT": "xml",
    "LOG_LEVEL": "loud",
    "POOL_SIZE": "-1",
    "SECRET_KEY": "short",
    "TRUSTED_ORIGINS": "https://a.example javascript:alert(1)",
    "TRUSTED_PROXIES": "٣",
}


def test_all_wrong_values_are_named_at_once(tmp_path: Path) -> None:
    wrong = {name: value for name, value in WRONG.items() if value is not None}
    done = manage(tmp_path, "check", **wrong)
    assert done.returncode == 1
    assert set(re.findall(r"\(zoomcafe\.E001\) (\w+) ", done.stderr)) == set(wrong)
    assert "short" not in done.stderr.replace("must have", "")


def test_more_threads_than_connections_are_refused(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", LANES="14", LIVE_THREADS="4")
    assert "zoomcafe.E002" in done.stderr


@pytest.mark.parametrize(("version", "said"), [((3, 32, 3), ["zoomcafe.E003"]), ((3, 33, 0), [])])
def test_a_sqlite_that_is_too_old_is_refused(
    version: tuple[int, ...], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "settings", SimpleNamespace(DATABASES={"default": {"ENGINE": "zoomcafe.sqlite"}}))
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert [found.id for found in checks.sqlite_is_new_enough()] == said


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file stands here", encoding="utf-8")
    done = manage(tmp_path, "check")
    assert "VAR_DIR must be a folder that can be written" in done.stderr


def test_the_secret_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    with ThreadPoolExecutor(16) as starts:
        made = set(starts.map(lambda _: secret_in(folder), range(64)))
    assert len(made) == 1
    assert len(made.pop()) == 64
    assert [path.name for path in folder.iterdir()] == ["secret_key"]
    assert (folder / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_variable_is_read_and_remembered() -> None:
    variables = Variables({"A": " x, y  z ", "B": "yes", "C": "7", "D": "70"})
    assert variables.words("A") == ["x", "y", "z"]
    assert variables.flag("B") is True
    assert (variables.number("C", 1), variables.number("D", 1, most=9), variables.text("E", "e")) == (7, 1, "e")
    assert (sorted(variables.known), variables.wrong) == (
        ["A", "B", "C", "D", "E"],
        ["D must be a whole number from 1 to 9."],
    )


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://cafe.example", "https://cafe.example"),
        ("HTTPS://Cafe.Example:443/", "https://cafe.example"),
        ("http://cafe.example:8000", "http://cafe.example:8000"),
        ("http://[2001:DB8::1]:80", "http://[2001:db8::1]"),
        ("https://café.example", "https://xn--caf-dma.example"),
    ],
)
def test_origins_are_written_as_browsers_write_them(address: str, origin: str) -> None:
    assert addresses.origin(address) == origin


@pytest.mark.parametrize(
    "address",
    ["", "cafe.example", "ftp://cafe.example", "https://", "https://a@b", "http://a:b", "https://[::1", "https://a..b"],
)
def test_what_is_no_origin_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"^(must be an address|has a port)"):
        addresses.origin(address)


@pytest.mark.parametrize("address", ["https://town.example/cafe", "https://town.example/cafe/", "http://a/?cafe"])
def test_a_path_of_another_site_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"^must end with the host"):
        addresses.origin(address)


def test_a_postgres_address_is_understood_whole() -> None:
    entry = database.parse("postgres://ada:p%40ss@db.example:5433/caf%C3%A9?sslmode=require", pool_size=9)
    where = [entry[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")]
    assert where == ["café", "ada", "p@ss", "db.example", "5433"]
    assert entry["OPTIONS"]["sslmode"] == "require"
    assert (entry["OPTIONS"]["pool"]["min_size"], entry["OPTIONS"]["pool"]["max_size"]) == (1, 9)
    assert entry["OPTIONS"]["pool"]["reconnect_timeout"] == entry["OPTIONS"]["pool"]["timeout"] == 2
    assert "statement_timeout=5000" in entry["OPTIONS"]["options"]
    assert "lock_timeout=2000" in entry["OPTIONS"]["options"]
    idle, every, times = (entry["OPTIONS"][f"keepalives_{name}"] for name in ("idle", "interval", "count"))
    assert entry["OPTIONS"]["tcp_user_timeout"] == 1_000 * (idle + every * times)  # or the smaller one alone counts


@pytest.mark.parametrize(
    "url", ["", "postgres://host", "mysql://h/x", "postgres://h:port/x", "sqlite://cafe.sqlite3", "sqlite://"]
)
def test_other_database_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(must|has)"):
        database.parse(url, pool_size=9)


def test_a_sqlite_file_may_stand_anywhere() -> None:
    assert database.parse("sqlite:////var/lib/cafe.sqlite3", pool_size=9)["NAME"] == "/var/lib/cafe.sqlite3"
    assert database.parse("sqlite:///cafe.sqlite3", pool_size=9)["NAME"] == "cafe.sqlite3"


def test_the_file_is_in_its_folder_whatever_that_is_called(tmp_path: Path) -> None:
    folder = tmp_path / "Café #1, 50%41 ?" / "var"
    entry: Any = settings_with(tmp_path, ["DATABASES"], VAR_DIR=str(folder))["DATABASES"]
    assert entry["default"]["NAME"] == str(folder / "zoomcafe.sqlite3")


def test_every_variable_has_its_line_in_the_readme() -> None:
    rows = re.findall(
        r"^\| `([A-Z_]+)` \| (?:`([^`]*)`)? ?\|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    places = {"VAR_DIR": "var/"}  # the default depends on where the sources are
    known = {name: places.get(name, default) for name, default in ENV.known.items()}
    assert dict(rows) == known


def test_every_setting_of_ours_is_used() -> None:
    sources = [path for package in ("sessions", "tables", "zoomcafe") for path in (ROOT / package).rglob("*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in sources if path.name != "settings.py")
    unused = {name for name in ENV.known if name.startswith(("LIMIT_", "LANES", "LIVE_")) and name not in text}
    assert unused == set()
