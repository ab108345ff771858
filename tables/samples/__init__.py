"""The sample event: two evenings of Smart City, in German and in English. Shown by `demo`, offered as a template."""

from tables.samples.content import content
from tables.samples.loading import FINISHED, LIVE, Brought, bring, load_finished, load_live, plan

__all__ = ["FINISHED", "LIVE", "Brought", "bring", "content", "load_finished", "load_live", "plan"]
