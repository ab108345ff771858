"""At which addresses `demo` can be reached; decided before Django reads its settings from the environment."""

from __future__ import annotations

import argparse
import os
import socket
from dataclasses import dataclass

ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Reach:
    """Where to listen, and the addresses under which others find it, the main one first."""

    host: str
    port: int
    addresses: tuple[str, ...]

    @property
    def for_phones(self) -> bool:
        return self.host not in LOOPBACK


class NoNetworkError(Exception):
    """This computer has no address that phones could reach."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_place(parser)
    parser.add_argument("--lan", action="store_true", help="let phones in the same network take part")


def add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port_number, default=8000)


def port_number(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65_536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a port: take a number from 1 to 65535")


def settle(arguments: list[str]) -> None:
    """Puts the addresses into the environment, unless the operator has; Django explains wrong arguments later."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    add_arguments(parser)
    try:
        known, _rest = parser.parse_known_args(arguments)
        main, *others = reach(known.host, known.port, lan=known.lan).addresses
    except (argparse.ArgumentError, NoNetworkError):
        return
    if not os.environ.get("BASE_URL"):
        os.environ["BASE_URL"] = main
        os.environ["TRUSTED_ORIGINS"] = " ".join([os.environ.get("TRUSTED_ORIGINS", ""), *others]).strip()


def reach(host: str, port: int, *, lan: bool) -> Reach:
    """Raises `NoNetworkError` when the network's address is asked for and there is none."""
    names: tuple[str, ...]
    if lan or host in ANYWHERE:
        names = (network_address(), "127.0.0.1")
        host = host if host in ANYWHERE else "0.0.0.0"  # noqa: S104
    elif host in LOOPBACK:
        names = (host, "localhost" if host == "127.0.0.1" else "127.0.0.1")
    else:
        names = (host,)
    return Reach(host, port, tuple(address(name, port) for name in names))


def address(name: str, port: int) -> str:
    bracketed = f"[{name}]" if ":" in name else name
    return f"http://{bracketed}" + ("" if port == 80 else f":{port}")


def network_address() -> str:
    """The address from which this computer would write to the internet; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            raise NoNetworkError from None
        name: str = probe.getsockname()[0]
    if name in LOOPBACK or name in ANYWHERE:
        raise NoNetworkError
    return name
