"""Codes people type and secrets machines keep."""

import hashlib
import re
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's 32 letters: 5 bits each
LENGTH = 8  # 40 bits
SESSION_KEY = re.compile(r"[a-z0-9]{32}")  # of a signed-in moderator, as Django makes them
LOOK_ALIKES = str.maketrans("OIL", "011")


def new_code() -> str:
    """A code of 40 random bits, such as `K7M2QXHB`."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def as_code(typed: str) -> str:
    """What was meant by `typed`: spaces, dashes, case and look-alikes forgiven."""
    return "".join(c for c in typed.upper() if c.isalnum()).translate(LOOK_ALIKES)


def new_secret() -> str:
    """A secret of 192 bits for a cookie or a one-time link."""
    return secrets.token_urlsafe(24)


def digest(secret: str) -> str:
    """What is stored of a secret (SHA-256, hex): enough for one that cannot be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def login_digest(key: str) -> str:
    """The same of the key of a sign-in, in the forty characters that Django has for it."""
    return digest(key)[:40]


class KeyConverter:
    """An event's permanent key in an address; what cannot be one leads nowhere."""

    regex = "[0-9A-Z]{1,8}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value
