"""What a new event can start from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from sessions.models import Event
from tables import samples
from tables.plan.model import Plan, PlanSession, PlanTable, asked, laid

CLASSIC, TOPICS, SAMPLE = "classic", "topics", "sample"
NAMES: dict[str, tuple[str | Promise, str | Promise]] = {
    CLASSIC: (gettext_lazy("World Café, classic"), gettext_lazy("Two sessions, the same questions at every table.")),
    TOPICS: (gettext_lazy("Topic tables"), gettext_lazy("A question for each table, three short sessions.")),
    SAMPLE: (
        gettext_lazy("World Café: Smart City"),
        gettext_lazy("Our sample, a real evening: as it was prepared, to make it yours."),
    ),
}


def plan_from(template: str, *, language: str, time_zone: str) -> Plan:
    """A new plan from the template of that name (the classic one for any other), in a week, in that language."""
    with override(language):
        plan = PLANS.get(template, _classic)(language)
    return replace(plan, language=language, time_zone=time_zone, starts_at=next_week(time_zone))


def next_week(time_zone: str) -> datetime:
    """Half past five, in seven days."""
    day = timezone.now().astimezone(ZoneInfo(time_zone)) + timedelta(days=7)
    return day.replace(hour=17, minute=30, second=0, microsecond=0)


def _classic(language: str) -> Plan:
    return Plan(
        title="",
        language=language,
        starts_at=timezone.now(),
        sessions=(
            PlanSession(
                title=_("What we bring along"),
                questions=asked(
                    _("What has worked well for us so far, and what made it work?"),
                    _("What keeps holding us back?"),
                ),
            ),
            PlanSession(
                title=_("Where we want to go"),
                questions=asked(
                    _("What can I contribute myself, so that it succeeds?"),
                    _("What has to change around us, and how can we bring that about?"),
                ),
            ),
        ),
        tables=laid(8),
    )


def _topics(language: str) -> Plan:
    topics = (
        (_("Beginnings"), _("How do people find their way to us, and what makes them stay?")),
        (_("Everyday life"), _("What takes more strength every day than it should?")),
        (_("Together"), _("With whom could we do it better than alone?")),
        (_("Courage"), _("What would we try if nothing could go wrong?")),
        (_("Means"), _("What do we really need for it, and what can we do without?")),
        (_("In ten years"), _("What shall be a matter of course in ten years?")),
    )
    return Plan(
        title="",
        language=language,
        starts_at=timezone.now(),
        table_model=Event.TableModel.OWN,
        sessions=(
            PlanSession((), title=_("Arrive and collect"), minutes=15),
            PlanSession((), title=_("Go on with what the others left"), minutes=15),
            PlanSession((), title=_("Gather what matters"), minutes=15),
        ),
        tables=tuple(PlanTable(name=name, question=question) for name, question in topics),
    )


PLANS: dict[str, Callable[[str], Plan]] = {CLASSIC: _classic, TOPICS: _topics, SAMPLE: samples.plan}
