"""The page on which an event is prepared, read and sent as a browser does."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from sessions.models import Moderator
from tests.cast import browser_of
from tests.pages import words

NEW = "/events/new/"


class Fields(HTMLParser):
    """What a browser would send of the form `plan` as it stands, in the order of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.values: list[tuple[str, str]] = []
        self.aside = 0  # depth of <template>
        self.select = self.textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name, kind = found.get("name"), found.get("type")
        self.aside += tag == "template"
        if self.aside:
            return
        if tag == "input" and name and (kind not in {"radio", "checkbox"} or "checked" in found):
            self.values.append((name, found.get("value") or ("on" if kind == "checkbox" else "")))
        elif tag == "textarea":
            self.textarea = name or ""
            self.values.append((self.textarea, ""))
        elif tag == "select":
            self.select = name or ""
        elif tag == "option" and self.select and "selected" in found:
            self.values.append((self.select, found.get("value") or ""))

    def handle_data(self, data: str) -> None:
        if self.textarea:
            name, before = self.values.pop()
            self.values.append((name, before + data))

    def handle_endtag(self, tag: str) -> None:
        self.aside -= tag == "template"
        self.textarea = "" if tag == "textarea" else self.textarea
        self.select = "" if tag == "select" else self.select


def sent_from(html: str) -> dict[str, list[str]]:
    reader = Fields()
    reader.feed(html[html.index('id="plan"') :])
    sent: dict[str, list[str]] = {}
    for name, value in reader.values:
        sent.setdefault(name, []).append(value.removeprefix("\n"))
    return sent


def typed(page: Any, **changes: str) -> dict[str, list[str]]:
    """The form of the page with something else typed into some fields (`__` stands for a hyphen)."""
    values = {name.replace("__", "-"): [value] for name, value in changes.items()}
    return sent_from(page.content.decode()) | values


def new_page(ada: Moderator, **query: str) -> Any:
    return browser_of(ada).get(NEW, query)


def errors(page: Any) -> list[str]:
    return [words(text) for text in re.findall(r'<div class="wrong".*?</div>', page.content.decode(), re.DOTALL)]


def questions_in(sent: dict[str, list[str]]) -> Iterator[list[str]]:
    for token in sent["session"]:
        yield [sent[f"s{token}-q{question}-text"][0] for question in sent[f"s{token}-question"]]
