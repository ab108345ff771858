"""Form fields that clean what people type and say their bounds."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from sessions.links import MOST, LinkInvalid, clean_link
from sessions.live.ops import Refused
from sessions.names import MOST_CLUSTERS, clean_name
from sessions.text import can_be_seen, clean_text

DIGITS = re.compile(r"[0-9]{1,9}")


class Words(forms.CharField):
    """People's words in one line, or with `lines` in several. Too long is said, never cut."""

    def __init__(self, *, most: int, lines: int = 0, **kwargs: Any) -> None:
        self.lines = lines
        kwargs.setdefault("widget", forms.Textarea(attrs={"rows": lines}) if lines else forms.TextInput())
        super().__init__(max_length=most, **kwargs)

    def to_python(self, value: object) -> str:
        text = clean_text(str(value or ""))
        if not can_be_seen(text):
            return ""
        return text if self.lines else " ".join(text.split())

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Without `maxlength`: a browser would cut what is pasted without a word."""
        attrs = {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}
        return {"dir": "auto", **attrs}


class WholeNumber(forms.Field):
    """A whole number between two bounds, in plain digits; one sentence names the bounds, whatever was wrong."""

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        self.least, self.most = least, most
        widget = forms.NumberInput(attrs={"class": "figure", "inputmode": "numeric", "min": least, "max": most})
        super().__init__(widget=widget, **kwargs)

    def clean(self, value: object) -> int | None:
        typed = str(value or "").strip()
        if not typed and not self.required:
            return None
        if not DIGITS.fullmatch(typed) or not self.least <= int(typed) <= self.most:
            bounds = {"least": self.least, "most": self.most}
            raise ValidationError(
                _("Please enter a whole number from %(least)s to %(most)s."), code="bounds", params=bounds
            )
        return int(typed)


class HttpsLink(forms.CharField):
    """An optional link to where people talk."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.URLInput(attrs={"inputmode": "url", "autocomplete": "off", "placeholder": "https://"})
        super().__init__(required=False, widget=widget, **kwargs)

    def to_python(self, value: object) -> str:
        try:
            return clean_link(str(value or ""))
        except LinkInvalid:
            raise ValidationError(
                _("Only https links, such as https://meet.example.org/cafe, of at most %(most)s characters."),
                code="link_invalid",
                params={"most": MOST},
            ) from None


class TableName(Words):
    """What a table is called; empty for the default name."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(most=200, required=False, **kwargs)

    def to_python(self, value: object) -> str:
        name = super().to_python(value)
        try:
            return clean_name(name) if name else ""
        except Refused:
            raise ValidationError(
                _("A table's name has at most %(most)s characters."), code="too_long", params={"most": MOST_CLUSTERS}
            ) from None
