"""Says at the start what is wrong with the settings."""

import sqlite3
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Advice

OLDEST_SQLITE = (3, 33)


@register()
def values(**_: Any) -> list[CheckMessage]:
    """Every variable that was not understood."""
    return [
        Error(sentence, hint="README.md lists every variable with what it may be.", id="zoomcafe.E001")
        for sentence in settings.ENV.wrong
    ]


@register()
def threads_fit_the_pool(**_: Any) -> list[CheckMessage]:
    wanted = settings.LANES + settings.LIVE_THREADS
    if wanted <= settings.POOL_SIZE:
        return []
    return [
        Error(
            f"LANES ({settings.LANES}) and LIVE_THREADS ({settings.LIVE_THREADS}) together need {wanted} connections,"
            f" but POOL_SIZE is {settings.POOL_SIZE}.",
            hint="Raise POOL_SIZE or lower the others.",
            id="zoomcafe.E002",
        )
    ]


@register()
def sqlite_is_new_enough(**_: Any) -> list[CheckMessage]:
    """`UPDATE … FROM`, by which the live engine writes, came with 3.33 (August 2020)."""
    if settings.DATABASES["default"]["ENGINE"] != "zoomcafe.sqlite" or sqlite3.sqlite_version_info >= OLDEST_SQLITE:
        return []
    needed = ".".join(map(str, OLDEST_SQLITE))
    return [
        Error(
            f"This Python comes with SQLite {sqlite3.sqlite_version}; ZoomCafé needs {needed} or newer.",
            hint="Use a newer Python, or PostgreSQL (DATABASE_URL).",
            id="zoomcafe.E003",
        )
    ]


@register(Tags.security, deploy=True)
def proxy_is_known(**_: Any) -> list[CheckMessage]:
    if not settings.SECURE or settings.TRUSTED_PROXIES:
        return []
    return [
        Advice(
            "BASE_URL is https, but no proxy is trusted: every request would look like plain http and be sent away.",
            hint="Set TRUSTED_PROXIES to the number of proxies in front of this server.",
            id="zoomcafe.W001",
        )
    ]
