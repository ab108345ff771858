"""The two fillers say the same: every part template, many values, in Chromium, at first and on top of other values."""

import random
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import override
from playwright.sync_api import Page, Route, sync_playwright

from sessions.live.checks import part_templates
from sessions.live.marks import BRACES, part_template
from sessions.live.markup import Element, parse

SCRIPTS = settings.BASE_DIR / "static" / "js"
TEMPLATES = part_templates(settings.BASE_DIR / "templates")
ROUNDS = 25
ZONES = ("Europe/Berlin", "Asia/Kathmandu", "America/St_Johns")
TEXTS = (
    "Ben", "", "0", "a < b && c > \"d\" 'e'", "<img src=x onerror=alert(1)>", "two\nlines\r\nand\ttab", "\u00a0",
    "שלום", "👩🏽‍🚀", "https://talk.example/a?b=c&d", "javascript:alert(1)", "//evil.example", "/e/KEY/", "mint",
)  # fmt: skip
OTHERS = (None, True, False, 0, 1, 2, 41, 2.5, 1e3)

COMPARE = """async ([blank, turns, reader]) => {
  const { fillPart } = await import("/fill.js");
  const tree = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content.firstElementChild;
  };
  const flat = (node) => node.nodeType !== 1 ? node.textContent : [
    node.localName,
    [...node.attributes].map((a) => `${a.name}=${a.value}`).sort(),
    [...(node.content ?? node).childNodes].map(flat),
  ];
  const wrong = [];
  const kept = tree(blank);
  for (const [value, html] of turns) {
    const wanted = JSON.stringify(flat(tree(html)));
    for (const element of [tree(blank), kept]) {
      const got = JSON.stringify(flat(fillPart(element, value, reader)));
      if (got !== wanted) wrong.push({ value, wanted, got, again: element === kept });
    }
  }
  return wrong.slice(0, 3);
}"""


@pytest.fixture(scope="module")
def page(chromium: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page()
        page.route("**/*", serve)
        page.goto("http://cafe.test/")
        yield page
        browser.close()


def serve(route: Route) -> None:
    if route.request.url.endswith(".js"):
        name = route.request.url.rsplit("/", 1)[1]
        route.fulfill(body=(SCRIPTS / name).read_text(encoding="utf-8"), content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html><title>x</title>", content_type="text/html")


class Inventor:
    """Invents values for a template's fields: what fits a mark, and what might come all the same."""

    def __init__(self, seed: str) -> None:
        self.dice = random.Random(seed)
        self.inventions = {
            "data-each": self.each,
            "data-time": self.time,
            "data-n": self.number,
            "data-if": self.condition,
            "data-attr": self.attributes,
            "data-text": self.text,
        }

    def part(self, root: Element) -> dict[str, Any]:
        return {
            **self.values(root),
            "id": self.dice.choice(("now", "table:7", "note:0191-ab")),
            "seq": self.dice.randrange(99),
        }

    def values(self, element: Element) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for path, value in self.fields(element):
            *above, last = path.split(".")
            place = values
            for name in above:
                place = place.setdefault(name, {})
            if path != "." and isinstance(place, dict):
                place.setdefault(last, value)
        return values

    def fields(self, element: Element) -> Iterator[tuple[str, Any]]:
        for mark, of_mark in self.inventions.items():
            if mark in element.attrs:
                yield from of_mark(element, element.attrs[mark])
        if "data-each" not in element.attrs and element.tag != "template":
            for child in element.elements():
                yield from self.fields(child)

    def each(self, element: Element, path: str) -> Iterator[tuple[str, Any]]:
        item = element.elements()[0].elements()[0]
        plain = item.attrs.get("data-text") == "."
        items = [self.any() if plain else self.values(item) for _ in range(self.dice.randrange(4))]
        yield path, self.dice.choice([items, items, items, None])

    def time(self, _element: Element, path: str) -> Iterator[tuple[str, Any]]:
        yield path, self.dice.choice([None, 1_629_802_800_000, self.dice.randrange(2 * 10**12)])

    def number(self, _element: Element, path: str) -> Iterator[tuple[str, Any]]:
        yield path, self.dice.choice([0, 1, 2, 7, None])

    def condition(self, _element: Element, condition: str) -> Iterator[tuple[str, Any]]:
        path, equals, wanted = condition.removeprefix("!").partition("=")
        yield path, self.dice.choice([*wanted.split("|"), self.any()]) if equals else self.any()

    def attributes(self, _element: Element, pairs: str) -> Iterator[tuple[str, Any]]:
        for pair in pairs.split():
            expression = pair.partition(":")[2]
            yield from ((path, self.any()) for path in BRACES.findall(expression) or [expression])

    def text(self, _element: Element, path: str) -> Iterator[tuple[str, Any]]:
        yield path, self.any()

    def any(self) -> Any:
        return self.dice.choice(self.dice.choice((TEXTS, OTHERS)))


@pytest.mark.parametrize("name", TEMPLATES)
def test_server_and_browser_fill_a_part_alike(name: str, page: Page) -> None:
    for language, zone in zip(("en", "de", "en"), ZONES, strict=True):
        with override(language):
            template, root = part_template(name), parse(render_to_string(name))
        inventor = Inventor(f"{name} {language} {zone}")
        values = [inventor.part(root) for _ in range(ROUNDS)]
        turns = [(value, template.render(value, ZoneInfo(zone))) for value in values]
        assert page.evaluate(COMPARE, [template.blank, turns, {"zone": zone, "lang": language}]) == []
