"""What `demo` and `serve` share: Daphne as the café needs it."""

from zoomcafe.serving.connections import Limits
from zoomcafe.serving.server import CafeServer, listening_socket

__all__ = ["CafeServer", "Limits", "listening_socket"]
