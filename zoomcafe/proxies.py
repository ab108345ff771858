"""Who really asks, and how: what trusted proxies in front of us say, and nothing anybody else claims."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.conf import settings

Scope = dict[str, Any]


def seen_through(scope: Scope) -> Scope:
    """The scope with the client's own address and scheme. A root path from a request header is nobody's business."""
    seen = {**scope, "root_path": ""}
    hops = settings.TRUSTED_PROXIES
    if not hops:
        return seen
    if (client := hop(scope, b"x-forwarded-for", hops)) and (address := plain_address(client)):
        seen["client"] = [address, 0]
    if (proto := hop(scope, b"x-forwarded-proto", hops)) in {"http", "https"}:
        socket = scope["type"] == "websocket"
        seen["scheme"] = {"http": "ws", "https": "wss"}[proto] if socket else proto
    return seen


def hop(scope: Scope, name: bytes, hops: int) -> str | None:
    """The entry of the outermost trusted proxy: so many from the right. Further left stands what anyone may claim."""
    lines = [value.decode("latin-1") for header, value in scope["headers"] if header == name]
    entries = [entry.strip() for entry in ",".join(lines).split(",") if entry.strip()]
    return entries[-min(hops, len(entries))] if entries else None


def plain_address(entry: str) -> str | None:
    """`203.0.113.7:1234`, `[2001:db8::1]:80` and bare addresses as an address; null for anything else."""
    bare = entry.partition("]")[0].removeprefix("[") if entry.startswith("[") else entry
    bare = bare.partition(":")[0] if bare.count(":") == 1 else bare
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None
