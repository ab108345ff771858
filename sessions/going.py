"""Where a page may send a person next, and where it is read again: `page_at` of the templates, for another language."""

from urllib.parse import urlsplit

from django import http
from django.utils.http import url_has_allowed_host_and_scheme

from sessions.http import HttpRequest

NOWHERE = ""


def local_address(request: HttpRequest, wish: object, *, default: str) -> str:
    """The wished address when it lies in this house, else `default`."""
    if not isinstance(wish, str) or not wish.startswith("/") or any(ord(c) < 32 for c in wish):
        return default
    if not url_has_allowed_host_and_scheme(wish, allowed_hosts=None, require_https=request.is_secure()):
        return default
    return wish if not urlsplit(wish).netloc else default


def page_at(request: http.HttpRequest) -> str | None:
    """Of a page that stands wherever something went wrong: the address asked for (null), or `NOWHERE` when it answers
    a POST. There a GET may find nothing, and what was typed is on this page alone.
    """
    return None if request.method in {"GET", "HEAD"} else NOWHERE
