"""Web addresses as settings: origins, hosts, and which of them are secure."""

from urllib.parse import urlsplit


def origin(address: str) -> str:
    """`https://Cafe.example:443/` as browsers write it in `Origin`: `https://cafe.example`.

    Raises `ValueError` with a sentence fit to follow the variable's name.
    """
    try:
        parts = urlsplit(address)
        name = "" if parts.hostname is None or ":" in parts.hostname else parts.hostname.encode("idna").decode()
    except ValueError:
        raise ValueError("must be an address such as https://cafe.example") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise ValueError("must be an address such as https://cafe.example")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must end with the host or its port: the café needs one to itself, not a path of another site")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("has a port that is no number") from None
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{name or f'[{parts.hostname}]'}" + (f":{port}" if port and port != usual else "")


def host(of: str) -> str:
    """The host of an origin as `ALLOWED_HOSTS` wants it: IPv6 in brackets, no port."""
    name = urlsplit(of).hostname or ""
    return f"[{name}]" if ":" in name else name


def socket_origin(of: str) -> str:
    """The same place for WebSockets: some browsers do not count it as `'self'`."""
    return of.replace("http", "ws", 1)


def check_redis(url: str) -> None:
    """Raises `ValueError` with a sentence fit to follow the variable's name; none is fine."""
    if url and not url.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must start with redis:// or rediss://")
    try:
        _port = urlsplit(url).port
    except ValueError as problem:
        raise ValueError("has a port that is no number") from problem
