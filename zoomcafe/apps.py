from django.apps import AppConfig


class ZoomCafeConfig(AppConfig):
    name = "zoomcafe"
    verbose_name = "ZoomCafé"

    def ready(self) -> None:
        from zoomcafe import checks  # noqa: F401 - registers them
