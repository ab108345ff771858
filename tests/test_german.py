"""German is complete: every text of the product has its translation, and what is shipped was made from it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils.translation.template import templatize

FOLDER = settings.BASE_DIR / "locale" / "de" / "LC_MESSAGES"
CALLS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext", "npgettext"}
IN_TEMPLATE = re.compile(r"""\b(?:n?gettext|_)\(\s*u?(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")


@pytest.fixture(scope="module")
def german() -> polib.POFile:
    return polib.pofile(str(FOLDER / "django.po"))


def in_python() -> Iterator[tuple[Path, str]]:
    for folder in ("zoomcafe", "sessions", "tables"):
        for path in (settings.BASE_DIR / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CALLS and node.args:
                    first = node.args[1 if "pgettext" in node.func.id else 0]  # type: ignore[attr-defined]
                    if isinstance(first, ast.Constant):
                        yield path, str(first.value)


def in_templates() -> Iterator[tuple[Path, str]]:
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        for found in IN_TEMPLATE.finditer(templatize(path.read_text(encoding="utf-8"))):
            yield path, ast.literal_eval(found["text"])


def test_every_text_of_the_product_is_in_the_catalogue(german: polib.POFile) -> None:
    known = {entry.msgid for entry in german}
    texts = [*in_python(), *in_templates()]
    assert len(texts) > 500
    assert sorted({(path.name, text) for path, text in texts if text not in known}) == []


def test_every_text_has_its_german(german: polib.POFile) -> None:
    assert [entry.msgid for entry in german.untranslated_entries()] == []
    assert [entry.msgid for entry in german.fuzzy_entries()] == []
    assert [entry.msgid for entry in german.obsolete_entries()] == []


def test_placeholders_and_marks_are_the_same_in_german(german: polib.POFile) -> None:
    def held(text: str) -> list[str]:
        return sorted(set(re.findall(r"%\(\w+\)s|\{\w+\}|data-text=\"\w+\"", text)))

    wrong = [
        entry.msgid
        for entry in german
        for text in ([entry.msgstr] if entry.msgstr else [entry.msgstr_plural[1]])
        if held(text) != held(entry.msgid_plural or entry.msgid)
    ]
    assert wrong == []


def test_what_is_shipped_was_made_from_the_catalogue(german: polib.POFile, tmp_path: Path) -> None:
    german.save_as_mofile(str(tmp_path / "fresh.mo"))
    assert (tmp_path / "fresh.mo").read_bytes() == (FOLDER / "django.mo").read_bytes()


@pytest.mark.parametrize("word", ["Teilnehmer ", "Moderator ", "Workshop", "Meeting", "Breakout", "Raum "])
def test_german_keeps_to_our_words(german: polib.POFile, word: str) -> None:
    assert [entry.msgid for entry in german if word in f"{entry.msgstr} "] == []
