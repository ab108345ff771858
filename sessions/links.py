"""Links people give to a place outside, such as a video meeting. They are shown, never fetched."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

import idna

MOST = 500
PLAIN = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\\]+")
LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


class LinkInvalid(ValueError):  # noqa: N818 - an answer, not an error
    """Not an https link that is what it seems to be. Answered as `link_invalid`."""


def clean_link(typed: str) -> str:
    """The link with its host in ASCII, as it will be shown and opened; raises `LinkInvalid`. Nothing stays nothing."""
    link = typed.strip(" \t\r\n")
    if not link:
        return ""
    if not PLAIN.fullmatch(link) or not link.lower().startswith("https://"):
        raise LinkInvalid
    clean = urlunsplit(_clean_parts(link))
    if len(clean) > MOST:
        raise LinkInvalid
    return clean


def host_of(link: str) -> str:
    """The host of a clean link, in ASCII, for showing beside its button."""
    return urlsplit(link).hostname or ""


def _clean_parts(link: str) -> SplitResult:
    try:
        parts = urlsplit(link)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise LinkInvalid from None
    if "@" in parts.netloc:
        raise LinkInvalid
    netloc = ascii_host(host) + (f":{port}" if port else "")
    return parts._replace(scheme="https", netloc=netloc)


def ascii_host(host: str) -> str:
    """As browsers resolve it (UTS 46); raises `LinkInvalid` for what is no host."""
    try:
        return _address(host)
    except ValueError:
        pass
    try:
        name = idna.encode(host.rstrip("."), uts46=True).decode()
    except idna.IDNAError:
        raise LinkInvalid from None
    labels = name.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or not all(map(LABEL.fullmatch, labels)):
        raise LinkInvalid
    return name


def _address(host: str) -> str:
    address = ip_address(host)
    return f"[{address}]" if address.version == 6 else str(address)
