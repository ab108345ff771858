"""The product's settings with a VAR_DIR that is thrown away, and what makes tests quick.

`TEST_DATABASE_URL=postgres://…` runs all tests on PostgreSQL; without it they run on SQLite.
"""

import atexit
import os
import shutil
import tempfile

VARIABLES = {
    "ALLOWED_HOSTS": "testserver localhost 127.0.0.1",
    "BASE_URL": "http://testserver",
    "DATABASE_URL": os.environ.get("TEST_DATABASE_URL", ""),
    "DEBUG": "0",
    "LOG_FORMAT": "text",
    "REDIS_URL": "",
    "SECRET_KEY": "",
    "TRUSTED_ORIGINS": "",
    "TRUSTED_PROXIES": "0",
    "VAR_DIR": tempfile.mkdtemp(prefix="zoomcafe-tests-"),
}
outside = {name: os.environ.get(name) for name in VARIABLES}
os.environ.update(VARIABLES)

from zoomcafe.settings import *  # noqa: E402, F403
from zoomcafe.settings import DATABASES, VAR_DIR  # noqa: E402

for name, value in outside.items():  # servers that tests start are given their own
    if value is None:
        del os.environ[name]
    else:
        os.environ[name] = value
atexit.register(shutil.rmtree, VAR_DIR, ignore_errors=True)

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if DATABASES["default"]["ENGINE"] == "zoomcafe.sqlite":
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
