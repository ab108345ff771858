"""The forms of a page as a browser reads them, and what can be sent with each."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

TYPED = frozenset({"text", "email", "number", "search", "url", "datetime-local", "textarea", ""})


@dataclass
class Field:
    name: str
    kind: str  # of an input; "textarea", "select", "button"
    value: str = ""
    choices: list[str] = field(default_factory=list)

    @property
    def is_typed(self) -> bool:
        return self.kind in TYPED


@dataclass
class Form:
    action: str  # empty: the address of the page
    fields: list[Field] = field(default_factory=list)

    def typed(self) -> dict[str, str]:
        """What stands in the fields that people type into."""
        return {found.name: found.value for found in self.fields if found.is_typed}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, Form] = {}  # by their id, for fields that stand elsewhere
        self.found: list[Form] = []
        self.form: Form | None = None
        self.open: Field | None = None  # a textarea or select

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form(given)
        elif tag in {"input", "textarea", "select", "button"} and given.get("name"):
            self._field(tag, given)
        elif tag == "option" and self.open is not None:
            self.open.choices.append(given.get("value", ""))
            if "selected" in given or len(self.open.choices) == 1:
                self.open.value = given.get("value", "")

    def _form(self, given: dict[str, str]) -> None:
        self.form = Form(given.get("action", ""))
        if given.get("method", "").lower() == "post":
            self.found.append(self.form)
        self.forms[given.get("id", "")] = self.form

    def _field(self, tag: str, given: dict[str, str]) -> None:
        form = self.forms.get(given["form"]) if "form" in given else self.form
        if form is None:
            return
        kind = given.get("type", "") if tag == "input" else tag
        kind = "hidden" if given.keys() & {"hidden", "readonly"} else kind
        made = Field(given["name"], kind, given.get("value", "on" if kind == "checkbox" else ""))
        form.fields.append(made)
        self.open = made if tag in {"textarea", "select"} else None

    def handle_data(self, data: str) -> None:
        if self.open is not None and self.open.kind == "textarea":
            self.open.value += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.open is not None:
            self.open.value = self.open.value.removeprefix("\n")  # as browsers do
        if tag in {"textarea", "select"}:
            self.open = None
        if tag == "form":
            self.form = None


def forms_in(html: str) -> list[Form]:
    """Those that send by POST."""
    reader = _Reader()
    reader.feed(html)
    return reader.found
