"""Our JavaScript: its own tests by Node's runner, its size, and what must not stand in it."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from zoomcafe.slim import slim
from zoomcafe.storage import squeeze_brotli, whole_script
from zoomcafe.whole import NotPlainError, whole_module

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


def test_comments_go_where_nothing_else_can_be_meant() -> None:
    source = (
        '// top\nconst a = "// no";  // stays\n/** doc\n * more */\nexport function f() {\n  return /\\/\\*x/;\n}\n'
    )
    assert slim(source) == 'const a = "// no";  // stays\nexport function f() {\nreturn /\\/\\*x/;\n}\n'
    assert (
        slim('const a = 10_000;\nf("1_000", 1_000_000);\nf("1_000")\n')
        == 'const a = 10000;\nf("1_000", 1000000);\nf("1_000")\n'
    )
    assert slim("const a = 5; // why\nf({ // a 'b'\n});\n") == "const a = 5;\nf({\n});\n"
    for stays in (
        'const a = "b"; // c\n',
        "f(/a\\//); // c\n",
        "f(`a`); // c\n",
        "a(b // c\n);\n",
        "const a = 'http; //b';\n",
    ):
        assert slim(stays) == stays
    assert slim("const t = `\n  // text\n`;\n") == "const t = `\n  // text\n`;\n"


def source(name: str) -> str:
    return (SCRIPTS[0].parent / f"{name}.js").read_text(encoding="utf-8")


def test_pages_joined_with_their_modules_are_whole(node: str, tmp_path: Path) -> None:
    """What is collected offers the same names, and leaves only the module of all pages to be fetched."""
    (tmp_path / "package.json").write_text('{"type": "module"}')
    for script in SCRIPTS:
        (tmp_path / script.name).write_text(whole_script(script.stem, source(script.stem)), encoding="utf-8")
    assert import_all(node, tmp_path) == import_all(node, SCRIPTS[0].parent)
    for page in ("lobby", "table", "gallery", "console", "screen"):
        assert set(IMPORT.findall((tmp_path / f"{page}.js").read_text(encoding="utf-8"))) <= {"base.js"}


def test_only_plain_modules_are_joined() -> None:
    page = 'import { a } from "./a.js";\nif (typeof document !== "undefined") a();\n'
    assert whole_module("page", {"page": page, "a": "export function a() {}\n"}.__getitem__).startswith(
        "function a() {}\n"
    )
    for strange in (
        'import * as b from "./b.js";',
        "export default 1;",
        "export { a };",
        'import { a } from "./a.js";',
        'import { b as c } from "./b.js";',
        'export const a = 1;\nimport { a } from "./b.js";',
    ):
        with pytest.raises(NotPlainError):
            whole_module("page", {"page": page, "a": f"{strange}\n", "b": "export const a = 1;\n"}.__getitem__)


@pytest.mark.parametrize(
    "other",
    [
        "const own = 1;\nexport const b = own;\n",
        "export const b = (own) => own;\n",
        "export const b = () => `${own}`;\n",
        'import { own } from "./base.js";\nexport const b = 1;\n',
    ],
)
def test_a_module_whose_names_another_says_keeps_them_to_itself(other: str) -> None:
    page = 'import { a } from "./a.js";\nimport { b } from "./b.js";\nif (typeof document !== "undefined") a(b);\n'
    sources = {"page": page, "a": "const own = 2;\nexport const a = () => own;\n", "base": 'if (typeof window) "";\n'}
    joined = whole_module("page", {**sources, "b": other}.__getitem__)
    assert "const {a} = (() => {\nconst own = 2;\n" in joined
    alone = whole_module("page", {**sources, "b": "export const b = 1;\n"}.__getitem__)
    assert "const own = 2;\nconst a = () => own;\n\nconst b = 1;\n" in alone


@pytest.mark.parametrize("page", ["lobby", "table", "gallery"])
def test_a_guests_page_has_at_most_25_kilobytes_of_our_javascript(page: str) -> None:
    sent = [squeeze_brotli(whole_script(name, source(name)).encode()) for name in (page, "base")]
    assert sum(map(len, sent)) <= MOST_BYTES
