"""The short way between a socket and the server that holds it, where a server offers one in its scope.

By ASGI each message is a dict, put into a queue, taken out by a task that is woken for it. On the short way the server
calls for each text, and is called for each; what is said either way keeps its order. `zoomcafe/serving/` offers it;
with any other server everything goes the way of ASGI.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, cast

NAME = "zoomcafe.line"  # among the extensions of a scope


class Line(Protocol):
    def say(self, text: str) -> None:
        """Sends a text; nothing when the socket is not open any more. Never waits, never fails."""

    def say_all(self, those: Sequence[tuple[str, Sequence["Line"]]]) -> None:
        """`say` each text to its lines, of this server, in this order: for less than one after the other."""

    def hold(self, text: str) -> None:
        """Sends a text together with the next one, or by itself a moment later if there is none."""

    def listen(self, take: Callable[[Any], bool], prepare: Callable[[Sequence[str]], Sequence[Any]]) -> None:
        """From now on `take` is given each text before which nothing waits; what it declines is received as ever.

        It is given what `prepare` makes of the text, never null; that is given texts of other sockets too, and must
        neither fail nor do anything.
        """


def line_of(scope: Mapping[str, Any]) -> Line | None:
    return cast("Line | None", scope.get("extensions", {}).get(NAME))
