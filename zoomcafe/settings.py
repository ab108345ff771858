"""Every setting, from the environment, in one place. README.md has a line for each variable."""

import os
import secrets
from pathlib import Path

from csp.constants import NONCE, NONE, SELF

from zoomcafe import addresses, database, logs
from zoomcafe.secret import secret_in
from zoomcafe.variables import Variables

env = ENV = Variables(os.environ)

# ── Places ──
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var"))).resolve()

try:
    SECRET_KEY = env.text("SECRET_KEY") or secret_in(VAR_DIR)
except OSError as problem:
    env.complain("VAR_DIR", f"must be a folder that can be written ({problem.strerror}: {problem.filename})")
    SECRET_KEY = secrets.token_urlsafe(48)  # the system check ends the start; nothing is ever signed with this
if len(SECRET_KEY) < 32:
    env.complain("SECRET_KEY", "must have at least 32 characters")

DEBUG = env.flag("DEBUG")


# ── Who may ask, and through what ──
def origins(name: str, default: str = "") -> list[str]:
    found = []
    for address in env.words(name, default):
        try:
            found.append(addresses.origin(address))
        except ValueError as problem:
            env.complain(name, str(problem))
    return found


BASE_URL = next(iter(origins("BASE_URL", "http://localhost:8000")), "http://localhost:8000")
ORIGINS = [BASE_URL, *(o for o in origins("TRUSTED_ORIGINS") if o != BASE_URL)]  # sockets and forms come from here only
SECURE = BASE_URL.startswith("https://")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or [addresses.host(o) for o in ORIGINS]
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 1 if SECURE else 0, least=0, most=9)  # hops in front of this server

SOURCE_URL = env.text("SOURCE_URL")
if SOURCE_URL and not SOURCE_URL.startswith("https://"):
    env.complain("SOURCE_URL", "must be an https:// address")

# ── Database and threads ──
REDIS_URL = env.text("REDIS_URL")
try:
    addresses.check_redis(REDIS_URL)
except ValueError as problem:
    env.complain("REDIS_URL", str(problem))
POOL_SIZE = env.number("POOL_SIZE", 16, least=3, most=200)
LANES = env.number("LANES", 8, most=100)
LIVE_THREADS = env.number("LIVE_THREADS", 4, most=100)
try:
    address = env.text("DATABASE_URL")
    main = database.parse(address, pool_size=POOL_SIZE) if address else database.sqlite(VAR_DIR / database.FILE)
except ValueError as problem:
    env.complain("DATABASE_URL", str(problem))
    main = database.sqlite(VAR_DIR / database.FILE)
DATABASES = {"default": main}

# ── Copies of the SQLite file, and what they must not bring back (in VAR_DIR) ──
BACKUP_MINUTES = env.number("BACKUP_MINUTES", 5, least=0, most=1_440)
BACKUPS_RECENT = env.number("BACKUPS_RECENT", 12, most=10_000)
BACKUPS_DAILY = env.number("BACKUPS_DAILY", 7, least=0, most=3_650)

# ── Limits of the live protocol (counted per process) and of HTTP ──
LIMIT_FRAME_BYTES = env.number("LIMIT_FRAME_BYTES", 16 * 1024, least=1024, most=16 * 1024)
LIMIT_NOTE_CHARACTERS = env.number("LIMIT_NOTE_CHARACTERS", 1_000, most=4_000)
LIMIT_NAME_CLUSTERS = env.number("LIMIT_NAME_CLUSTERS", 40, most=40)
LIMIT_NAME_BYTES = env.number("LIMIT_NAME_BYTES", 200, most=200)
LIMIT_OPS_PER_SECOND = env.number("LIMIT_OPS_PER_SECOND", 10)
LIMIT_OPS_BURST = env.number("LIMIT_OPS_BURST", 20)
LIMIT_POLLS_PER_SECOND = env.number("LIMIT_POLLS_PER_SECOND", 10)
LIMIT_POLLS_BURST = env.number("LIMIT_POLLS_BURST", 40)
LIMIT_HELLOS_PER_SECOND = env.number("LIMIT_HELLOS_PER_SECOND", 1)
LIMIT_HELLOS_BURST = env.number("LIMIT_HELLOS_BURST", 20)
LIMIT_STRANGERS_PER_SECOND = env.number("LIMIT_STRANGERS_PER_SECOND", 20)
LIMIT_STRANGERS_BURST = env.number("LIMIT_STRANGERS_BURST", 200)
LIMIT_JUDGED_SECONDS = env.number("LIMIT_JUDGED_SECONDS", 5)
LIMIT_WINDOW_BYTES = env.number("LIMIT_WINDOW_BYTES", 512 * 1024, least=64 * 1024, most=512 * 1024)
LIMIT_WINDOW_FRAMES = env.number("LIMIT_WINDOW_FRAMES", 256)
LIMIT_WINDOW_SECONDS = env.number("LIMIT_WINDOW_SECONDS", 60)
LIMIT_SOCKETS = env.number("LIMIT_SOCKETS", 2_000, most=4_000)
LIMIT_SOCKETS_PER_PERSON = env.number("LIMIT_SOCKETS_PER_PERSON", 5)
LIMIT_SOCKETS_BEFORE_HELLO = env.number("LIMIT_SOCKETS_BEFORE_HELLO", 200)
LIMIT_HELLO_SECONDS = env.number("LIMIT_HELLO_SECONDS", 5)
LIMIT_NOTES_PER_PERSON = env.number("LIMIT_NOTES_PER_PERSON", 200)
LIMIT_NOTES_PER_BOARD = env.number("LIMIT_NOTES_PER_BOARD", 1_000)
LIMIT_BODY_BYTES = env.number("LIMIT_BODY_BYTES", 1024 * 1024, least=64 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = LIMIT_BODY_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4_000  # 400 tables with every field of theirs

# ── Logs ──
LOG_FORMAT = env.choice("LOG_FORMAT", "text", among=("text", "json"))
LOG_LEVEL = env.choice("LOG_LEVEL", "info", among=("debug", "info", "warning", "error"))
LOGGING = logs.config(LOG_FORMAT, LOG_LEVEL.upper())

# ── What is installed ──
INSTALLED_APPS = [
    "daphne",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "csp",
    "django_htmx",
    "zoomcafe",
    "sessions.apps.SessionsConfig",
    "tables.apps.TablesConfig",
]
MIDDLEWARE = [
    "zoomcafe.middleware.RequestIds",
    "zoomcafe.middleware.Headers",
    "csp.middleware.CSPMiddleware",
    "zoomcafe.middleware.Compression",
    "zoomcafe.middleware.StaticFiles",
    "zoomcafe.middleware.Languages",
    "zoomcafe.middleware.Methods",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "zoomcafe.middleware.Hosts",
    "zoomcafe.middleware.Sessions",
    "zoomcafe.middleware.SameSite",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "zoomcafe.middleware.Troubles",
    "sessions.middleware.IdentityMiddleware",
]
ROOT_URLCONF = "zoomcafe.urls"
ASGI_APPLICATION = "zoomcafe.asgi.application"
AUTH_USER_MODEL = "cafe.Moderator"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "events"
LOGOUT_REDIRECT_URL = "home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
            ],
            "builtins": ["zoomcafe.templatetags.house"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# ── Languages and time ──
LANGUAGE_CODE = "en"
LANGUAGES = [("de", "Deutsch"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = SECURE
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# ── Static files ──
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing is ever uploaded
    "staticfiles": {"BACKEND": "zoomcafe.storage.ModuleStorage"},
}

# ── Cookies, forms and headers ──
SESSION_COOKIE_NAME = "__Host-zoomcafe" if SECURE else "zoomcafe"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True  # modules read the token from the page
SESSION_ENGINE = "sessions.logins"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_TRUSTED_ORIGINS = ORIGINS
CSRF_FAILURE_VIEW = "zoomcafe.errors.csrf_failure"
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # probes come from inside
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = None  # see `zoomcafe.headers`: browsers complain about it on plain http
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [NONCE],  # imports inherit it; no 'self', so that nothing we serve can become a script by mistake
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF, *(addresses.socket_origin(o) for o in ORIGINS)],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "upgrade-insecure-requests": SECURE,
    }
}

# The subdomains and the preload list belong to whoever owns the domain, not to one application on it.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
