"""zoomcafe → tables → sessions → Django, Channels: every import statement is read, wherever it stands."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "sessions": {"sessions"},
    "tables": {"sessions", "tables"},
    "zoomcafe": {"sessions", "tables", "zoomcafe"},
}
KNOW_CHANNELS = {"sessions/live/socket.py", "zoomcafe/asgi.py"}
FORBIDDEN_NAMES = {"utils", "helpers", "services", "signals", "misc", "common"}


def modules(package: str) -> Iterator[Path]:
    return (ROOT / package).rglob("*.py")


def imported(path: Path) -> Iterator[str]:
    """Full names of what a module imports, relative ones resolved, also inside functions and `TYPE_CHECKING`."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif is_import_call(node):
            assert isinstance(node, ast.Call)
            yield from (a.value for a in node.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str))


def is_import_call(node: ast.AST) -> bool:
    """`import_module("…")`, `__import__("…")`, `import_string("…")`."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in {"import_module", "__import__", "import_string"}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_run_one_way(package: str) -> None:
    ours = set(MAY_IMPORT)
    back = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imported(path)
        if (top := name.partition(".")[0]) in ours and top not in MAY_IMPORT[package]
    ]
    assert back == []


def test_only_the_two_ends_know_channels() -> None:
    knowing = {
        str(path.relative_to(ROOT))
        for package in MAY_IMPORT
        for path in modules(package)
        if any(name.partition(".")[0] == "channels" for name in imported(path))
    }
    assert knowing <= KNOW_CHANNELS


def test_nothing_of_the_product_imports_its_tests() -> None:
    found = [(path, name) for package in MAY_IMPORT for path in modules(package) for name in imported(path)]
    assert [str(path) for path, name in found if name.partition(".")[0] == "tests"] == []


def test_no_module_is_named_for_being_useful() -> None:
    paths = [path.relative_to(ROOT) for package in MAY_IMPORT for path in modules(package)]
    assert [str(path) for path in paths if FORBIDDEN_NAMES & {path.stem, path.parent.name}] == []


def test_a_back_edge_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "sessions" / "live"
    package.mkdir(parents=True)
    text = (
        "def f():\n    from tables.models import Note\n    from .. import phases\n    import_module('zoomcafe.urls')\n"
    )
    (package / "hub.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr("tests.test_imports.ROOT", tmp_path)
    assert sorted(imported(package / "hub.py")) == ["sessions.phases", "tables.models.Note", "zoomcafe.urls"]
