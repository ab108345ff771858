"""Our JavaScript: its own tests by Node's runner, its size, and what must not stand in it."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from zoomcafe.slim import slim
from zoomcafe.storage import squeeze_brotli

SCRIPTS = sorted((settings.BASE_DIR / "static" / "js").glob("*.js"))
TESTS = settings.BASE_DIR / "tests" / "js"
MOST_LINES = 150
MOST_BYTES = 25 * 1024
FORBIDDEN = (
    r"(\.(?:inner|outer)HTML|insertAdjacentHTML|\beval|document\.write|setHTMLUnsafe|createContextualFragment)\b"
)
IMPORT = re.compile(r'^(?:import|export)\s[^;]*?"\./([\w-]+\.js)"', re.MULTILINE | re.DOTALL)


def ids(path: Path) -> str:
    return path.name


def test_the_javascript_tests_pass(node: str) -> None:
    done = subprocess.run([node, "--test", f"{TESTS}/"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


@pytest.mark.parametrize("script", SCRIPTS, ids=ids)
def test_a_module_is_short_and_makes_no_markup(script: Path) -> None:
    source = script.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MOST_LINES
    assert re.findall(FORBIDDEN, source) == []


def test_every_module_can_be_imported_where_there_is_no_document(node: str) -> None:
    import_all(node, SCRIPTS[0].parent)


def test_modules_are_the_same_without_their_comments(node: str, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}')
    for script in SCRIPTS:
        slimmed = slim(script.read_text(encoding="utf-8"))
        assert not re.search(r"^\s|^//|^/\*", slimmed, re.MULTILINE)
        (tmp_path / script.name).write_text(slimmed, encoding="utf-8")
    assert import_all(node, tmp_path) == import_all(node, SCRIPTS[0].parent)


def import_all(node: str, folder: Path) -> dict[str, list[str]]:
    """The names every module there exports; one process, no browser."""
    files = json.dumps([(folder / script.name).as_uri() for script in SCRIPTS])
    program = f"""
        const names = {{}};
        for (const file of {files}) names[file.split("/").pop()] = Object.keys(await import(file));
        console.log(JSON.stringify(names));
    """
    command = [node, "--input-type=module", "-e", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    names: dict[str, list[str]] = json.loads(done.stdout)
    return names


def test_only_whole_lines_of_comment_go() -> None:
    source = (
        '// top\nconst a = "// no";  // stays\n/** doc\n * more */\nexport function f() {\n  return /\\/\\*x/;\n}\n'
    )
    assert slim(source) == 'const a = "// no";  // stays\nexport function f() {\nreturn /\\/\\*x/;\n}\n'
    assert slim("const t = `\n  // text\n`;\n") == "const t = `\n  // text\n`;\n"


def modules_of(entry: str) -> set[str]:
    """The module and everything it imports."""
    found: set[str] = set()
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += IMPORT.findall((settings.BASE_DIR / "static" / "js" / name).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("entry", ["lobby.js", "table.js", "gallery.js"])
def test_a_guests_page_has_at_most_25_kilobytes_of_our_javascript(entry: str) -> None:
    sources = [
        (settings.BASE_DIR / "static" / "js" / name).read_text("utf-8") for name in modules_of(entry) | {"base.js"}
    ]
    assert sum(len(squeeze_brotli(slim(one).encode())) for one in sources) <= MOST_BYTES
