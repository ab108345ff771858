"""The Python environment ZoomCafé runs in, made from the lock files on first use. Standard library only."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NoReturn

HOME = Path(__file__).resolve().parent.parent
HARNESSES = ("bench", "chaos")  # programs of the tests with a name of their own
LOCKS = {"run": HOME / "requirements.lock", "test": HOME / "requirements-test.lock"}
PIN = re.compile(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;]+)(?:\s*;\s*(.+?))?\s*\\?$", re.MULTILINE)
MARK = re.compile(r"^(\w+) (==|!=) '([^']*)'$")
OLDER = re.compile(r"^python_full_version < '(\d+)\.(\d+)\.(\d+)'$")
REASONS = {
    r"No space left": "the disk is full; make room (about 300 MB) and start again",
    r"CERTIFICATE_VERIFY_FAILED|UnknownIssuer|invalid peer certificate": (
        "the package server's certificate cannot be verified; set PIP_CERT or SSL_CERT_FILE to your organisation's"
        " certificate file and start again"
    ),
    r"DO NOT MATCH THE HASHES|[Hh]ash mismatch": (
        "a package differs from what {lock} promises, so nothing was installed; check what your proxy or mirror serves"
    ),
    r"esolution|resolve|dns error|NewConnection|Timeout|timed out|[Cc]onnection (refused|broken|reset)|unreachable"
    r"|error sending request|Cannot connect to proxy": (
        "the packages cannot be downloaded; connect this computer to the internet (or set HTTPS_PROXY or PIP_INDEX_URL)"
        " and start again, later starts need no network"
    ),
    r"No matching distribution|Could not find a version|no usable wheels|no wheels|has no .*wheel": (
        "there is no ready-made package for {python} on this machine; take Python 3.11 to 3.14 and start again"
    ),
}


class SetupError(Exception):
    """Says in one sentence what is in the way and what to do."""


def var_dir() -> Path:
    """Where everything a running instance writes lives."""
    return Path(os.environ.get("VAR_DIR") or HOME / "var").resolve()


def enter(argv: list[str]) -> None:
    """Goes on in the present interpreter when it has what the lock file names, else in one that has; builds that first.

    `test` leaves for pytest in either case: it starts before Django is loaded. So does `chaos` for the harness that
    breaks things, `bench` for the one that measures, and `tool NAME …` for a tool beside it, such as `tool ruff check`,
    or `tool python …` for the interpreter itself.
    """
    try:
        if argv[1:3] == ["tool", "python"]:
            replace_process(interpreter("test"), argv[3:])
        elif argv[1:2] == ["tool"] and argv[2:]:
            run_module(argv[2], argv[3:])
        elif argv[1:2] == ["test"]:
            run_module("pytest", ["-o", f"cache_dir={var_dir() / 'cache' / 'pytest'}", *argv[2:]])
        elif argv[1:2] and argv[1] in HARNESSES:
            os.chdir(HOME)
            run_module(f"tests.{argv[1]}", argv[2:])
        elif (python := interpreter("run")) != Path(sys.executable):
            os.environ |= drafts()
            replace_process(python, argv)
    except SetupError as problem:
        sys.exit(f"ZoomCafé: {problem}.")
    except KeyboardInterrupt:
        sys.exit(130)


def run_module(name: str, arguments: list[str]) -> NoReturn:
    replace_process(interpreter("test"), ["-m", name, *arguments])


def interpreter(kind: str) -> Path:
    """The interpreter with the packages of that lock file: the present one if it fits, else that of our environment."""
    home = var_dir() / "environments" / f"{kind}-{fingerprint(LOCKS[kind])}"
    present = Path(sys.executable)
    if (Path(sys.prefix).resolve() == home and is_ready(home)) or fits(LOCKS[kind]):
        return present
    if not is_ready(home):
        build(home, LOCKS[kind])
    hold(home)
    return home / "bin" / "python"


def fits(lock: Path) -> bool:
    """Whether the present interpreter has every package of the lock file in its version."""
    if importlib.util.find_spec("django") is None:
        return False
    try:
        return all(metadata.version(name) == version for name, version in pins(lock.read_text(encoding="utf-8")))
    except metadata.PackageNotFoundError:
        return False


def pins(text: str) -> Iterator[tuple[str, str]]:
    """Name and version of each package the lock file wants on this platform."""
    for name, version, condition in PIN.findall(text):
        if holds(condition):
            yield name, version


def holds(condition: str) -> bool:
    """Judges the marks in our lock files: equal or not, older Pythons; what it cannot judge it does not ask for."""
    here = {
        "implementation_name": sys.implementation.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_system": platform.system(),
        "sys_platform": sys.platform,
    }
    if not condition:
        return True
    if older := OLDER.match(condition):
        return sys.version_info[:3] < tuple(map(int, older.groups()))
    mark = MARK.match(condition)
    if mark is None or mark[1] not in here:
        return False
    return (here[mark[1]] == mark[3]) is (mark[2] == "==")


def fingerprint(lock: Path) -> str:
    """Changes with the lock file and with the Python below the environment."""
    facts = (sys.version, sys.base_prefix, platform.machine())
    return hashlib.sha256(lock.read_bytes() + repr(facts).encode()).hexdigest()[:16]


def marker(home: Path) -> Path:
    return home.with_suffix(".ready")


def is_ready(home: Path) -> bool:
    return marker(home).exists() and (home / "bin" / "python").exists()


def build(home: Path, lock: Path) -> None:
    with writing_var_dir(), alone(home.parent / "building.lock"):
        if is_ready(home):
            return
        started = time.monotonic()
        count = sum(1 for _ in pins(lock.read_text(encoding="utf-8")))
        say(f"ZoomCafé sets itself up in {home.parent.parent}: {count} packages, this first time only …")
        install(home, lock)
        marker(home).touch()
        discard_replaced(home)
        say(f"Ready after {time.monotonic() - started:.0f} s.")


@contextlib.contextmanager
def writing_var_dir() -> Iterator[None]:
    """Turns a folder that cannot be written into a sentence."""
    var = var_dir()
    try:
        for name in ("environments", "logs"):
            (var / name).mkdir(parents=True, exist_ok=True)
        yield
    except OSError as problem:
        raise SetupError(
            f"cannot write to {var} ({problem.strerror}); make it writable or set VAR_DIR to a folder of your own"
        ) from None


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Holds a file lock; the system frees it however the process ends."""
    with path.open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another start is setting ZoomCafé up; waiting for it …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def install(home: Path, lock: Path) -> None:
    """By uv where it is there, by venv and pip where it is not or does not get through."""
    ways = [way for way in (by_uv(home, lock), by_pip(home, lock)) if way]
    if not ways:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise SetupError(
            "this Python lacks its venv module; install it (Debian and Ubuntu:"
            f" sudo apt install python{version}-venv) or uv, and start again"
        )
    for way in ways:
        discard(home)
        failed = next((output for command in way if (output := call(command)) is not None), None)
        if failed is None:
            return
    raise SetupError(reason(failed or "", lock) or f"setting up failed; {setup_log()} says why")


def by_uv(home: Path, lock: Path) -> list[list[str]]:
    uv = shutil.which("uv")
    if uv is None:
        return []
    return [
        [uv, "venv", "--no-project", "--python", sys.executable, str(home)],
        [uv, "pip", "install", "--python", str(home / "bin" / "python"), *strict(lock)],
    ]


def by_pip(home: Path, lock: Path) -> list[list[str]]:
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        return []
    quick = ["--no-compile", "--no-input", "--disable-pip-version-check", "--retries", "2", "--timeout", "15"]
    return [
        [sys.executable, "-m", "venv", str(home)],
        [str(home / "bin" / "python"), "-m", "pip", "install", *quick, *strict(lock)],
    ]


def strict(lock: Path) -> list[str]:
    return ["--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", str(lock)]


def call(command: list[str]) -> str | None:
    """None when it went well, else what the command said."""
    done = subprocess.run(  # noqa: S603
        command,
        env=os.environ
        | places()
        | drafts()
        | {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "1", "PIP_USER": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    with setup_log().open("a", encoding="utf-8") as file:
        file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} $ {' '.join(command)}\n{done.stdout}")
    return done.stdout if done.returncode else None


def setup_log() -> Path:
    return var_dir() / "logs" / "setup.log"


def reason(output: str, lock: Path) -> str | None:
    """What to tell a person about the output of pip or uv; None when we do not know it."""
    for pattern, sentence in REASONS.items():
        if re.search(pattern, output):
            return sentence.format(lock=lock.name, python=f"Python {platform.python_version()}")
    return None


def places() -> dict[str, str]:
    """Sends everything tools like to write beside themselves, or at home, into the VAR_DIR."""
    cache = var_dir() / "cache"
    return {
        "HYPOTHESIS_STORAGE_DIRECTORY": str(cache / "hypothesis"),
        "MYPY_CACHE_DIR": str(cache / "mypy"),
        "PIP_CACHE_DIR": str(cache / "pip"),
        "PYTHONPYCACHEPREFIX": str(cache / "bytecode"),
        "RUFF_CACHE_DIR": str(cache / "ruff"),
        "UV_CACHE_DIR": str(cache / "uv"),
    }


def drafts() -> dict[str, str]:
    """A folder for temporary files that exists. Tests keep the system's: sockets need a short path."""
    folder = var_dir() / "cache" / "tmp"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return {"TMPDIR": str(folder)}


def hold(home: Path) -> None:
    """Marks the environment as in use until this process, whatever it becomes, ends."""
    with contextlib.suppress(OSError):
        file = os.open(marker(home), os.O_RDONLY)
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        os.set_inheritable(file, True)


def discard_replaced(home: Path) -> None:
    """Removes older environments of the same kind and Python, but none that a running process holds."""
    kind = home.name.split("-")[0]
    python = (home / "bin" / "python").resolve()
    for other in home.parent.glob(f"{kind}-*.ready"):
        old = other.with_suffix("")
        if old == home or (old / "bin" / "python").resolve() != python:
            continue
        with other.open(encoding="utf-8") as file, contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            discard(old)


def discard(home: Path) -> None:
    marker(home).unlink(missing_ok=True)
    shutil.rmtree(home, ignore_errors=True)


def replace_process(python: Path, arguments: list[str]) -> NoReturn:
    """Becomes the other interpreter. Bytecode goes to the VAR_DIR: whoever wants none beside the sources has that."""
    for name, value in places().items():
        os.environ.setdefault(name, value)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.stdout.flush()
    os.execv(python, [str(python), *arguments])  # noqa: S606


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
