"""The system check of part templates: marks only, the same in every language, nothing Django fills in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage, Error
from django.template import TemplateSyntaxError, engines
from django.template.base import Lexer, Token, TokenType
from django.template.loader import render_to_string
from django.utils.translation import override

from sessions.live.marks import read
from sessions.live.markup import MARKS, Element, MarksError, parse

TAGS = frozenset(
    {"load", "translate", "blocktranslate", "endblocktranslate", "include", "comment", "endcomment", "icon"}
)
RIVALS = ({"data-text", "data-time", "data-each", "data-n"}, {"data-if", "data-form", "data-for"})
READ_BY_PAGES = frozenset({"data-for", "data-act", "data-sit", "data-paper"})


def check_parts(**_kwargs: Any) -> list[CheckMessage]:
    """Registered for `manage.py check`."""
    return [
        Error(problem, obj=name, id="cafe.E001")
        for folder in _folders()
        for name in part_templates(folder)
        for problem in problems(folder, name)
    ]


def part_templates(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/parts/*.html"))


def problems(folder: Path, name: str) -> Iterator[str]:
    """What keeps this template from being filled alike here and in the browser."""
    yield from _foreign(folder, name)
    try:
        with override("en"):
            html = render_to_string(name)
        read(html)
        yield from _unfit(parse(html))
    except (MarksError, TemplateSyntaxError) as error:
        yield str(error)


def _folders() -> list[Path]:
    return [Path(folder) for engine in engines.all() for folder in engine.template_dirs]


def _foreign(folder: Path, name: str) -> Iterator[str]:
    for token in Lexer((folder / name).read_text(encoding="utf-8")).tokenize():
        if token.token_type is TokenType.VAR:
            yield f"{name}: {{{{ {token.contents} }}}} is filled by Django only; use data-text."
        if token.token_type is TokenType.BLOCK:
            yield from _foreign_tag(folder, token)


def _foreign_tag(folder: Path, token: Token) -> Iterator[str]:
    tag, *rest = token.split_contents()
    if tag not in TAGS or (tag == "blocktranslate" and set(rest) - {"trimmed", "context"} - _strings(rest)):
        yield f"{{% {token.contents} %}} is not known to the browser."
    elif tag == "include" and "with" not in rest:
        yield from _foreign(folder, rest[0].strip("\"'"))


def _strings(words: list[str]) -> set[str]:
    return {word for word in words if word[0] in "\"'"}


def _unfit(element: Element) -> Iterator[str]:
    names = {name for name in element.attrs if name.startswith("data-")}
    for rivals in RIVALS:
        if len(names & rivals) > 1:
            yield f"{' and '.join(sorted(names & rivals))} cannot stand on one element."
    for name in sorted(names - MARKS - READ_BY_PAGES):
        yield f"{name} is no mark. (What pages read as it stands: READ_BY_PAGES in sessions/live/checks.py.)"
    for child in element.elements():
        yield from _unfit(child)
