"""The pieces of the planning form: the event itself, one session, one question, one table."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from sessions.models import MINUTES, Event
from tables.forms.fields import HttpsLink, TableName, WholeNumber, Words
from tables.forms.zones import LocalTime, ZoneSelect, moment_of, zone_choices
from tables.models import MOST_TABLES, SEATS


class EventForm(forms.Form):
    title = Words(most=200, label=_("Title"))
    purpose = Words(
        most=2000,
        lines=2,
        required=False,
        label=_("Purpose"),
        help_text=_("Guests read it when they come in."),
    )
    starts = LocalTime(label=_("Starts"))
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices, widget=ZoneSelect)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    table_model = forms.ChoiceField(
        label=_("Who talks about what?"), choices=Event.TableModel.choices, widget=forms.RadioSelect
    )
    tables = WholeNumber(least=1, most=MOST_TABLES, label=_("Number of tables"))
    seats = WholeNumber(least=SEATS[0], most=SEATS[1], label=_("Seats per table"))
    talk_link = HttpsLink(
        label=_("Where we talk"),
        help_text=_(
            "A video meeting, for example: guests see a button with its host. Empty if you all meet in one place."
        ),
    )
    by_hand = forms.BooleanField(
        required=False,
        label=_("I open the gallery walk myself"),
        widget=forms.CheckboxInput(attrs={"aria-labelledby": "by_hand_label", "aria-describedby": "by_hand_help"}),
    )

    def clean(self) -> dict[str, Any]:
        found = self.cleaned_data
        if "starts" in found and "time_zone" in found:
            try:
                found["starts_at"] = moment_of(found["starts"], found["time_zone"])
            except forms.ValidationError as problem:
                self.add_error("starts", problem)
        return found


class SessionForm(forms.Form):
    title = Words(most=200, required=False, label=_("Heading"))
    minutes = WholeNumber(least=MINUTES[0], most=MINUTES[1], label=_("Minutes"))


class QuestionForm(forms.Form):
    text = Words(most=500, required=False, lines=2)


class TableForm(forms.Form):
    """One table of its own; what is left empty is as at most tables."""

    name = TableName(label=_("Name"))
    seats = WholeNumber(least=SEATS[0], most=SEATS[1], required=False, label=_("Seats"))
    question = Words(most=500, required=False, lines=2, label=_("Question"))
    talk_link = HttpsLink(label=_("Link"))
    closed = forms.BooleanField(required=False, label=_("Closed"))


def labelled(form: QuestionForm, number: int) -> QuestionForm:
    form.fields["text"].label = gettext("Question {n}").replace("{n}", str(number))
    return form
