"""The moderator's preparation: what an event is to be, before and while it runs."""

from tables.plan.changing import Overtaken, TakenAway, add_table, change
from tables.plan.held import Held, held_in
from tables.plan.model import Plan, PlanQuestion, PlanSession, PlanTable, asked, default_name, laid
from tables.plan.reading import plan_of
from tables.plan.saying import digest
from tables.plan.writing import build

__all__ = [
    "Held",
    "Overtaken",
    "Plan",
    "PlanQuestion",
    "PlanSession",
    "PlanTable",
    "TakenAway",
    "add_table",
    "asked",
    "build",
    "change",
    "default_name",
    "digest",
    "held_in",
    "laid",
    "plan_of",
]
