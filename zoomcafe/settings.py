"""Every setting, from the environment, in one place. README.md has a line for each."""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("VAR_DIR", BASE_DIR / "var")).resolve()

SECRET_KEY = os.environ.get("SECRET_KEY", "for now")
DEBUG = False
ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = [
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django_htmx",
    "zoomcafe",
    "sessions.apps.SessionsConfig",
    "tables.apps.TablesConfig",
]
AUTH_USER_MODEL = "cafe.Moderator"
ROOT_URLCONF = "zoomcafe.urls"
ASGI_APPLICATION = "zoomcafe.asgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": VAR_DIR / "zoomcafe.sqlite3"}}
USE_TZ = True
LANGUAGE_CODE = "en"
LANGUAGES = [("de", "Deutsch"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
STATIC_URL = "/static/"
