"""What a database says when it cannot do its work: what that means for who waits, and whether the disk is full."""

import errno

from django.db import InterfaceError, OperationalError

DISK_FULL = frozenset({"53100"})  # codes of the SQL standard and PostgreSQL; messages are in the server's language
DEADLOCK = frozenset({"40P01", "40001"})
SAID_OF_FULL_DISKS = ("disk is full", "no space left", "could not extend")


def code_of(trouble: OperationalError | InterfaceError) -> str:
    """`storage_full` or `busy`: both may be tried again."""
    return "storage_full" if is_full(trouble) else "busy"


def is_full(trouble: BaseException) -> bool:
    cause = trouble.__cause__
    said = str(trouble).lower()
    known = getattr(cause, "sqlstate", None) in DISK_FULL or getattr(cause, "errno", None) == errno.ENOSPC
    return known or any(words in said for words in SAID_OF_FULL_DISKS)


def is_deadlock(trouble: OperationalError) -> bool:
    """Two transactions waited for each other, and the database ended this one."""
    return getattr(trouble.__cause__, "sqlstate", None) in DEADLOCK


class Storage:
    """Whether there was room the last time this process wrote an operation. Consoles say so."""

    full = False


storage = Storage()
