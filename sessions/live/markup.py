"""Reads the HTML of a part template into a small tree and refuses what has no place in a part."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"area", "br", "col", "hr", "img", "source", "track", "wbr"})
TYPED_INTO = frozenset({"input", "textarea", "select"})
REFUSED = TYPED_INTO | {
    "script",
    "style",
    "pre",
    "iframe",
    "object",
    "embed",
    "link",
    "meta",
    "base",
    "form",
    "noscript",
}
MARKS = frozenset({"data-text", "data-attr", "data-if", "data-each", "data-n", "data-form", "data-time"})


class MarksError(ValueError):
    """A part template uses something the fillers do not know."""


@dataclass(slots=True)
class Element:
    tag: str
    attrs: dict[str, str]
    children: "list[Element | str]" = field(default_factory=list)

    def elements(self) -> "list[Element]":
        return [child for child in self.children if isinstance(child, Element)]


def parse(html: str) -> Element:
    """The one root element of `html`; runs of white space become one space."""
    builder = _TreeBuilder()
    builder.feed(html.strip())
    builder.close()
    children = builder.root.children
    if len(builder.open) != 1 or len(children) != 1 or not isinstance(children[0], Element):
        raise MarksError("A part template has exactly one root element, and it is closed.")
    return children[0]


def plain(node: Element | str) -> Iterator[str]:
    """The HTML of `node` with its marks, unfilled."""
    if isinstance(node, str):
        yield escape(node)
        return
    yield start_tag(node.tag, node.attrs.items())
    for child in node.elements() if "data-each" in node.attrs else node.children:
        yield from plain(child)
    yield end_tag(node.tag)


def start_tag(tag: str, attrs: Iterable[tuple[str, str]]) -> str:
    return f"<{tag}" + "".join([f' {name}="{escape(text)}"' for name, text in attrs]) + ">"


def end_tag(tag: str) -> str:
    return "" if tag in VOID else f"</{tag}>"


def escape(text: str) -> str:
    """For text and attribute values alike; a bare CR would come back from the parser as LF."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("\r", "&#13;")


def is_settable(name: str) -> bool:
    return not (name.startswith("on") or name in {"style", "srcdoc"})


class _TreeBuilder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        if tag in REFUSED or not all(map(is_settable, element.attrs)):
            raise MarksError(f"{self.get_starttag_text()} cannot stand in a part.")
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if self.open[-1].tag != tag:
            raise MarksError(f"</{tag}> closes <{self.open[-1].tag}>.")
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(re.sub(r"\s+", " ", data))
