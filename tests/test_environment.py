"""manage.py makes its own environment; here with one tiny package instead of forty, and the real lock files read."""

from __future__ import annotations

import ast
import base64
import hashlib
import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from zoomcafe import environment, settings

ROOT = Path(environment.HOME)
PYTHON = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info[1]}"
TINY = """
import sys
print(sys.prefix)
if sys.argv[1:] == ["wait"]:
    sys.stdout.flush()
    sys.stdin.read()
"""


class Clone:
    """A clean clone with an empty home, whose lock files name one package, `tiny`, on a shelf beside it."""

    def __init__(self, place: Path) -> None:
        self.place, self.home, self.shelf = place / "clone", place / "home", place / "shelf"
        self.var = self.place / "var"
        for folder in (self.place / "zoomcafe", self.home, self.shelf):
            folder.mkdir(parents=True)
        for name in ("manage.py", "zoomcafe/__init__.py", "zoomcafe/environment.py", "zoomcafe/reach.py"):
            (self.place / name).write_bytes((ROOT / name).read_bytes())
        self.env = {
            "HOME": str(self.home),
            "PATH": "/usr/bin:/bin",  # without uv, mostly
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_FIND_LINKS": str(self.shelf),
            "PIP_NO_INDEX": "1",
            "PYTHONNOUSERSITE": "1",
        }
        self.lock(self.wheel("1.0"))

    def wheel(self, version: str) -> str:
        """Puts the package on the shelf; returns its line for a lock file."""
        path = self.shelf / f"tiny-{version}-py3-none-any.whl"
        about = f"tiny-{version}.dist-info"
        files = {
            "tiny.py": TINY,
            f"{about}/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
            f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(f"{name},sha256={self.digest(text)},{len(text)}\n" for name, text in files.items())
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in {**files, f"{about}/RECORD": f"{record}{about}/RECORD,,\n"}.items():
                archive.writestr(name, text)
        return f"tiny=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"

    @staticmethod
    def digest(text: str) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()

    def lock(self, line: str) -> None:
        for name in ("requirements.lock", "requirements-test.lock"):
            (self.place / name).write_text(line.replace(" --hash", " \\\n    --hash"), encoding="utf-8")

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [PYTHON, *arguments],
            cwd=self.place,
            env=self.env | env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **env: str) -> tuple[int, str, str]:
        with self.start(*arguments, **env) as process:
            said, complained = process.communicate(timeout=120)
        return process.returncode, said, complained

    def tiny(self, **env: str) -> tuple[int, str, str]:
        return self.run("manage.py", "tool", "tiny", **env)

    def environments(self) -> list[str]:
        return sorted(path.name for path in (self.var / "environments").glob("test-*") if path.is_dir())


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def assert_one_sentence(result: tuple[int, str, str], *words: str) -> None:
    status, said, complained = result
    last = complained.strip().splitlines()[-1]
    assert (status, said) == (1, "")
    assert "Traceback" not in complained
    assert [word for word in words if word not in last] == [], last


def test_the_first_start_builds_the_second_reuses_and_a_broken_one_is_made_good(clone: Clone) -> None:
    status, prefix, complained = clone.tiny()
    assert (status, complained.count("sets itself up")) == (0, 1), complained
    home = Path(prefix.strip())
    assert home.parent == clone.var / "environments"
    assert clone.tiny() == (0, prefix, "")
    (home / "bin" / "python").unlink()
    status, again, complained = clone.tiny()
    assert (status, again, complained.count("sets itself up")) == (0, prefix, 1)


def test_everything_a_start_writes_is_in_the_var_dir(clone: Clone) -> None:
    before = outside(clone)
    assert clone.tiny()[0] == 0
    assert outside(clone) == before
    assert list(clone.home.iterdir()) == []


def outside(clone: Clone) -> list[Path]:
    return sorted(path for path in clone.place.rglob("*") if clone.var not in (path, *path.parents))


def test_two_starts_at_once_build_once(clone: Clone) -> None:
    both = [clone.start("manage.py", "tool", "tiny") for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0][0] == said[1][0]
    assert "".join(complained for _, complained in said).count("Ready after") == 1


def test_a_tool_named_python_is_the_interpreter_itself(clone: Clone) -> None:
    status, said, complained = clone.run("manage.py", "tool", "python", "-c", "import sys, tiny; print(sys.prefix)")
    assert (status, Path(said.split()[-1]).parent) == (0, clone.var / "environments"), complained


def test_another_lock_replaces_the_environment_unless_it_is_in_use(clone: Clone) -> None:
    with clone.start("manage.py", "tool", "tiny", "wait") as old:
        assert old.stdout is not None
        first = Path(old.stdout.readline().strip()).name
        clone.lock(clone.wheel("2.0"))
        second = Path(clone.tiny()[1].strip()).name
        assert clone.environments() == sorted([first, second])
        old.communicate("", timeout=20)
    clone.lock(clone.wheel("3.0"))
    third = Path(clone.tiny()[1].strip()).name
    assert clone.environments() == [third]


def test_a_package_with_another_hash_is_not_installed(clone: Clone) -> None:
    clone.lock("tiny==1.0 --hash=sha256:" + "0" * 64 + "\n")
    assert_one_sentence(clone.tiny(), "differs from what requirements-test.lock promises")
    assert list((clone.var / "environments").glob("*.ready")) == []


def test_no_network_is_said_in_a_sentence(clone: Clone) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_NO_INDEX": "", "PIP_FIND_LINKS": ""}
    clone.env = {name: value for name, value in (clone.env | nowhere).items() if value}
    assert_one_sentence(clone.run("manage.py", "demo"), "cannot be downloaded", "connect this computer to the internet")


def test_a_python_without_venv_is_told_what_to_install(clone: Clone) -> None:
    (clone.home / "sitecustomize.py").write_text("import sys\nsys.modules['ensurepip'] = None\n", encoding="utf-8")
    assert_one_sentence(clone.run("manage.py", "demo", PYTHONPATH=str(clone.home)), "lacks its venv module", "-venv")


def test_a_folder_that_cannot_be_written_is_named(clone: Clone) -> None:
    place = clone.home / "a file"
    place.touch()
    assert_one_sentence(clone.run("manage.py", "demo", VAR_DIR=str(place)), f"cannot write to {place}", "set VAR_DIR")


def test_ctrl_c_while_setting_up_ends_quietly(clone: Clone) -> None:
    with clone.start("manage.py", "tool", "tiny") as process:
        assert process.stderr is not None
        assert "sets itself up" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _said, complained = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in complained


@pytest.mark.parametrize(
    ("pretence", "words"),
    [("sys.version_info = (3, 9, 2)", "needs Python 3.11 or newer"), ("os.name = 'nt'", "inside WSL")],
    ids=["an old Python", "Windows"],
)
def test_where_it_cannot_run_it_says_so(pretence: str, words: str) -> None:
    code = f"import os, sys; source = open('manage.py').read(); {pretence}; exec(source)"
    done = subprocess.run([PYTHON, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert words in done.stderr


def test_old_pythons_can_read_manage_py() -> None:
    tree = ast.parse((ROOT / "manage.py").read_text(encoding="utf-8"), feature_version=(3, 4))
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.AsyncFunctionDef, ast.arg)
    assert [type(node).__name__ for node in ast.walk(tree) if isinstance(node, newer)] == []
    (ROOT / "manage.py").read_text(encoding="ascii")


def test_this_interpreter_fits_the_lock_it_was_made_from() -> None:
    assert environment.fits(environment.LOCKS["run"])


def test_an_interpreter_with_another_version_does_not_fit(tmp_path: Path) -> None:
    real = environment.LOCKS["run"].read_text(encoding="utf-8")
    other = tmp_path / "requirements.lock"
    other.write_text(re.sub(r"^django==[\d.]+", "django==1.0", real, flags=re.MULTILINE), encoding="utf-8")
    assert not environment.fits(other)


def test_pins_for_other_platforms_and_older_pythons_are_left_out() -> None:
    text = (
        "one==1.0 \\\n    --hash=sha256:ab\n"
        "two==2.0 ; sys_platform == 'plan9' \\\n    --hash=sha256:cd\n"
        "three[extra]==3.0 ; sys_platform != 'plan9' \\\n    --hash=sha256:ef\n"
        "four==4.0 ; python_full_version < '3.11.0' \\\n    --hash=sha256:01\n"
        "five==5.0 ; python_full_version < '99.0.0' \\\n    --hash=sha256:23\n"
    )
    assert list(environment.pins(text)) == [("one", "1.0"), ("three", "3.0"), ("five", "5.0")]


def test_both_locks_hash_every_package_and_agree() -> None:
    run, test = (lock.read_text(encoding="utf-8") for lock in environment.LOCKS.values())
    for text in (run, test):
        blocks = re.split(r"\n(?=\S)", text.strip())
        assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert set(environment.PIN.findall(run)) - set(environment.PIN.findall(test)) == set()


def test_the_readme_lists_every_setting_with_its_default() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`)? ?\| (.+) \|$", readme, re.MULTILINE)
    known = settings.env.known | {"VAR_DIR": "var/"}
    assert {name: default for name, default, _meaning in rows} == known
    assert len(rows) == len(known)
