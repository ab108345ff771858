"""Where a page may send a person next."""

from urllib.parse import urlsplit

from django.utils.http import url_has_allowed_host_and_scheme

from sessions.http import HttpRequest


def local_address(request: HttpRequest, wish: object, *, default: str) -> str:
    """The wished address when it lies in this house, else `default`."""
    if not isinstance(wish, str) or not wish.startswith("/") or any(ord(c) < 32 for c in wish):
        return default
    if not url_has_allowed_host_and_scheme(wish, allowed_hosts=None, require_https=request.is_secure()):
        return default
    return wish if not urlsplit(wish).netloc else default
