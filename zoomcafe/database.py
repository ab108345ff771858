"""`DATABASE_URL` as Django's `DATABASES` entry."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

FILE = "zoomcafe.sqlite3"  # in `VAR_DIR`
STATEMENT_TIMEOUT_MS = 5_000
LOCK_TIMEOUT_MS = 2_000
WAIT_S = 5  # for another writer of the SQLite file
POOL_WAIT_S = 2
SILENT = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
APPLICATION_NAME = "zoomcafe"  # what the database lists our connections as


def sqlite(path: Path | str) -> dict[str, Any]:
    """See `zoomcafe.sqlite` for what the backend adds. Connections stay open: one per lane."""
    return {
        "ENGINE": "zoomcafe.sqlite",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": WAIT_S,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000;",
        },
    }


def postgres(url: str, *, pool_size: int) -> dict[str, Any]:
    """A lane borrows a connection of the pool for one request; each is tried before it is lent, so restarts heal."""
    parts = urlsplit(url)
    settings = {
        "statement_timeout": STATEMENT_TIMEOUT_MS,
        "lock_timeout": LOCK_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": 2 * STATEMENT_TIMEOUT_MS,
        "jit": "off",  # it compiles for longer than any statement of ours takes
    }
    return {
        "ENGINE": "zoomcafe.postgres",
        "NAME": unquote(parts.path.removeprefix("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
            "connect_timeout": POOL_WAIT_S,
            **SILENT,  # of a machine that goes without a word the system would tell after two hours
            "application_name": APPLICATION_NAME,
            "pool": {
                "name": "zoomcafe",
                "min_size": 1,
                "max_size": pool_size,
                "timeout": POOL_WAIT_S,
                "reconnect_timeout": POOL_WAIT_S,  # or its pauses grow to what the database was away
            },
            **dict(parse_qsl(parts.query)),
        },
    }


def parse(url: str, *, pool_size: int) -> dict[str, Any]:
    """Raises `ValueError` with a sentence fit to follow the variable's name."""
    scheme = urlsplit(url).scheme
    if "#" in url:
        raise ValueError("has a #, behind which an address ends: write %23 for it")
    if scheme == "sqlite":
        return sqlite(sqlite_path(url))
    if scheme not in {"postgres", "postgresql"}:
        raise ValueError("must start with postgres:// or sqlite:///")
    if not urlsplit(url).path.removeprefix("/"):
        raise ValueError("must name a database: postgres://user:password@host/name")
    try:
        return postgres(url, pool_size=pool_size)
    except ValueError as problem:
        raise ValueError("has a port that is no number") from problem


def sqlite_path(url: str) -> Path:
    """`sqlite:///relative` or `sqlite:////absolute`."""
    path = unquote(urlsplit(url).path.removeprefix("/"))
    if urlsplit(url).netloc or not path:
        raise ValueError("must name a file: sqlite:////folder/zoomcafe.sqlite3")
    return Path(path)
