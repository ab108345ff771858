"""What people can read on a page: its text without hidden elements, dialogs, templates and scripts."""

from html.parser import HTMLParser

VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "source", "wbr"})
UNREAD = frozenset({"dialog", "head", "noscript", "script", "template"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[bool] = []
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag in UNREAD or "hidden" in dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.open):
            self.said.append(data)


def words(html: str) -> str:
    reader = _Reader()
    reader.feed(html)
    return " ".join("".join(reader.said).split())


def reads(html: str, text: str) -> bool:
    """Whether `text` can be read there, however the elements around its words break it up."""
    return text.replace(" ", "") in words(html).replace(" ", "")
