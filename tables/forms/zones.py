"""Time zones to choose from, and local times in them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

AREAS = {
    "Africa": _("Africa"),
    "America": _("America"),
    "Antarctica": _("Antarctica"),
    "Asia": _("Asia"),
    "Atlantic": _("Atlantic"),
    "Australia": _("Australia"),
    "Europe": _("Europe"),
    "Indian": _("Indian Ocean"),
    "Pacific": _("Pacific"),
}
YEARS = (2000, 2100)
SHOWN = "%Y-%m-%dT%H:%M"
TYPED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?$", re.ASCII)


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Every zone of a place, older names too: browsers still say Asia/Katmandu."""
    return frozenset(name for name in available_timezones() if name.partition("/")[0] in AREAS) | {"UTC"}


def zone_choices() -> list[Any]:
    areas = groupby(sorted(zone_names() - {"UTC"}), key=lambda name: name.partition("/")[0])
    grouped = [(AREAS[area], [(name, _place(name)) for name in names]) for area, names in areas]
    return [("UTC", "UTC"), *grouped]


class ZoneSelect(forms.Select):
    """Writes its five hundred options at one go: a template for each takes longer than the rest of the page."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:  # noqa: ARG002
        found = self.build_attrs(self.attrs, {"name": name, **(attrs or {})})
        groups = ((area, self._options(zones, value)) for area, zones in self.choices if area != "UTC")
        utc = self._options([("UTC", "UTC")], value)
        return format_html(
            "<select{}>{}{}</select>",
            flatatt(found),
            utc,
            format_html_join("", '<optgroup label="{}">{}</optgroup>', groups),
        )

    def _options(self, zones: Any, value: Any) -> SafeString:
        rows = ((zone, mark_safe(" selected") if zone == value else "", place) for zone, place in zones)
        return format_html_join("", '<option value="{}"{}>{}</option>', rows)


def _place(name: str) -> str:
    return name.partition("/")[2].replace("_", " ").replace("/", ", ")


def shown_in(moment: datetime, zone: str) -> str:
    """As a `datetime-local` field has it."""
    return moment.astimezone(ZoneInfo(zone)).strftime(SHOWN)


class LocalTime(forms.Field):
    """A date and time without a zone, as a naive datetime; which moment it is depends on the zone beside it."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"})

    def clean(self, value: object) -> datetime:
        typed = str(value or "").strip()
        local = _local(typed) if TYPED.match(typed) else None
        if local is None or not YEARS[0] <= local.year < YEARS[1]:
            raise ValidationError(_("Please choose a date and a time, such as 2026-11-30 17:30."), code="invalid")
        return local


def _local(typed: str) -> datetime | None:
    try:
        return datetime.fromisoformat(typed).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        return None


def moment_of(local: datetime, zone: str) -> datetime:
    """The moment of a naive local time, the first one when the clock is put back over it.

    Raises `ValidationError` for a time that the clock is put forward over.
    """
    moment = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local:
        raise ValidationError(
            _("This time does not exist in %(zone)s: the clock is put forward. Please choose one an hour later."),
            code="no_such_time",
            params={"zone": _place(zone)},
        )
    return moment
