from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _


class SessionsConfig(AppConfig):
    """Before sitting down. The label keeps clear of `django.contrib.sessions`."""

    name = "sessions"
    label = "cafe"
    verbose_name = _("Café")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from sessions.live import kinds
        from sessions.live.checks import check_parts
        from sessions.live.stage import StageKind

        register(check_parts)
        kinds.register(StageKind())
