"""Fills part templates on the server; `static/js/fill.js` is its twin in the browser.

A part template is HTML with `data-` marks: text, attr, if, each, n (with form), time. It is read once per language into
pieces: strings as they are, and functions of the part's values.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache, partial
from itertools import groupby

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, override

from sessions.live.compact import compact
from sessions.live.markup import MARKS, Element, MarksError, end_tag, escape, is_settable, parse, plain, start_tag
from sessions.live.shown import Shown

MOST_KEPT, LONGEST_KEPT = 4_096, 1_500  # parts, and characters of what they say: some 20 MB at the most
ADDRESSES = frozenset({"href", "src", "action", "formaction", "xlink:href"})
SAFE_ADDRESS = re.compile(r"https?://|[/#?](?!/)", re.IGNORECASE)
BRACES = re.compile(r"\{([^{}]+)\}")

Value = object
Setting = Callable[[Value], tuple[str, str | None]]
Piece = str | Callable[[Value, tzinfo], str]


@dataclass(frozen=True, slots=True, eq=False)
class PartTemplate:
    blank: SafeString
    filled: tuple[Piece, ...]

    def render(self, value: Mapping[str, Value], zone: tzinfo) -> SafeString:
        """The same value gives the same markup, so what was filled lately is not filled again for the next visitor."""
        if isinstance(value, Shown):
            return value.once((self, zone), lambda: mark_safe(_join(self.filled, value, zone)))  # noqa: S308  as below
        said = compact(value)
        return _rendered(self, said, zone) if len(said) <= LONGEST_KEPT else _rendered.__wrapped__(self, said, zone)


@lru_cache(maxsize=MOST_KEPT)
def _rendered(template: PartTemplate, value: str, zone: tzinfo) -> SafeString:
    return mark_safe(_join(template.filled, json.loads(value), zone))  # noqa: S308  every value went through escape


@lru_cache(maxsize=256)
def _part_template(name: str, language: str, prefix: str) -> PartTemplate:
    with override(language):
        return read(render_to_string(name), prefix)


def part_template(name: str, *, prefix: str = "") -> PartTemplate:
    """The template `name` in the language of the moment. `prefix` keeps ids apart where a part stands twice."""
    return _part_template(name, get_language() or "en", prefix)


def read(html: str, prefix: str = "") -> PartTemplate:
    root = parse(html)
    identity: list[Setting] = [
        lambda value: ("id", prefix + _text(_look(value, "id")).replace(":", "-")),
        lambda value: ("data-part", _text(_look(value, "id"))),
        lambda value: ("data-seq", _text(_look(value, "seq"))),
    ]
    blank = mark_safe("".join(plain(root)))  # noqa: S308  our own template, escaped again
    return PartTemplate(blank, _merge(_fill(root, identity)))


def _merge(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """Neighbouring strings become one."""
    merged: list[Piece] = []
    for is_string, group in groupby(pieces, key=lambda piece: isinstance(piece, str)):
        run = list(group)
        merged.extend(["".join(map(str, run))] if is_string else run)
    return tuple(merged)


def _join(pieces: Iterable[Piece], value: Value, zone: tzinfo) -> str:
    return "".join([piece if isinstance(piece, str) else piece(value, zone) for piece in pieces])


def _fill(node: Element | str, settings: Iterable[Setting] = ()) -> Iterator[Piece]:
    if isinstance(node, str) or node.tag == "template":
        yield from plain(node)
        return
    settings = [*settings, *_settings(node.attrs)]
    attrs = list(node.attrs.items())
    yield partial(_filled_start, node.tag, attrs, settings) if settings else start_tag(node.tag, attrs)
    yield from _content(node)
    yield end_tag(node.tag)


def _content(node: Element) -> Iterator[Piece]:
    marks = node.attrs
    if "data-text" in marks:
        yield lambda value, _: escape(_text(_look(value, marks["data-text"])))
    elif "data-time" in marks:
        yield lambda value, zone: _clock_time(_look(value, marks["data-time"]), zone)
    elif "data-each" in marks:
        yield from _each(node)
    else:
        for child in node.children:
            yield from _fill(child, _form(node, child))


def _each(node: Element) -> Iterator[Piece]:
    elements = node.elements()
    if len(elements) != 1 or elements[0].tag != "template" or len(elements[0].elements()) != 1:
        raise MarksError("data-each holds one <template> with one root element.")
    yield from plain(elements[0])
    item = _merge(_fill(elements[0].elements()[0]))
    yield lambda value, zone: "".join([_join(item, one, zone) for one in _list(_look(value, node.attrs["data-each"]))])


def _form(node: Element, child: Element | str) -> list[Setting]:
    if isinstance(child, str) or "data-form" not in child.attrs:
        return []
    if "data-n" not in node.attrs or "data-if" in child.attrs:
        raise MarksError("data-form stands directly inside data-n, without data-if.")
    forms = {element.attrs.get("data-form", "") for element in node.elements()}
    path, own = node.attrs["data-n"], child.attrs["data-form"]
    return [lambda value: ("hidden", None if _plural(_look(value, path), forms) == own else "")]


def _plural(number: Value, forms: set[str]) -> str:
    """The plural rule of German and English."""
    if "zero" in forms and number in (None, False, 0, ""):
        return "zero"
    return "one" if number == 1 and number is not True and "one" in forms else "other"


def _settings(attrs: Mapping[str, str]) -> Iterator[Setting]:
    for pair in attrs.get("data-attr", "").split():
        name, colon, expression = pair.partition(":")
        if not (colon and expression and is_settable(name)) or name in MARKS:
            raise MarksError(f"data-attr cannot set {pair!r}.")
        yield partial(_attribute, name, expression)
    if "data-if" in attrs:
        yield lambda value: ("hidden", None if holds(attrs["data-if"], value) else "")
    if "data-time" in attrs:
        yield lambda value: ("datetime", _iso(_look(value, attrs["data-time"])))


def _attribute(name: str, expression: str, value: Value) -> tuple[str, str | None]:
    if "{" in expression:
        found = [_look(value, path) for path in BRACES.findall(expression)]
        filled = BRACES.sub(lambda match: _text(_look(value, match[1])), expression)
        return name, None if None in found else _address(name, filled)
    found_one = _look(value, expression)
    if isinstance(found_one, bool) and not name.startswith("aria-"):
        return name, _address(name, "") if found_one else None
    return name, None if found_one is None else _address(name, _text(found_one))


def _address(name: str, text: str) -> str | None:
    return None if name in ADDRESSES and not SAFE_ADDRESS.match(text) else text


def holds(condition: str, value: Value) -> bool:
    """`field`, `!field`, `field=a|b`, `!field=a|b`."""
    path, equals, wanted = condition.removeprefix("!").partition("=")
    found = _look(value, path)
    true = _text(found) in wanted.split("|") if equals else found not in (None, False, 0, "", [])
    return true is not condition.startswith("!")


def _look(value: Value, path: str) -> Value:
    if path == ".":
        return value
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _list(value: Value) -> "list[Value] | tuple[Value, ...]":
    return value if isinstance(value, list | tuple) else []


def _text(value: Value) -> str:
    """As JavaScript writes it: no text for what has no one-line form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) else ""


def _moment(value: Value) -> datetime | None:
    return datetime.fromtimestamp(value / 1000, tz=UTC) if isinstance(value, int | float) else None


def _iso(value: Value) -> str | None:
    moment = _moment(value)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _clock_time(value: Value, zone: tzinfo) -> str:
    moment = _moment(value)
    return f"{moment.astimezone(zone):%H:%M}" if moment else ""


def _filled_start(tag: str, attrs: list[tuple[str, str]], settings: list[Setting], value: Value, _zone: tzinfo) -> str:
    changed = dict([setting(value) for setting in settings])
    kept = [pair for pair in attrs if pair[0] not in changed]
    return start_tag(tag, kept + [(name, text) for name, text in changed.items() if text is not None])
