#!/usr/bin/env python3
"""Sets itself up on first use, then is plain Django. Parses on old Pythons, so that they get a sentence too."""

import os
import sys

if os.name == "nt":
    sys.exit(
        "ZoomCafe runs on Linux and macOS; on Windows start it inside WSL (wsl --install, then this same command)."
    )
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        "ZoomCafe needs Python 3.11 or newer and this is Python %d.%d: install a newer one"  # noqa: UP031
        " and start again with it, for example: python3.12 manage.py demo" % sys.version_info[:2]
    )

# The check may run beside the sources of others; bytecode is written only once the environment is known.
keeps_bytecode = sys.dont_write_bytecode
sys.dont_write_bytecode = True
from zoomcafe import environment, reach  # noqa: E402

sys.dont_write_bytecode = keeps_bytecode

if __name__ == "__main__":
    environment.enter(sys.argv)
    if sys.argv[1:2] == ["demo"]:
        reach.settle(sys.argv[2:])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zoomcafe.settings")
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)
