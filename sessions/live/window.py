"""What is on its way to one socket and not yet confirmed: the only backpressure there is."""

from collections import deque

from django.conf import settings


class Window:
    """Frames sent and frames the browser said it has `seen`."""

    def __init__(self) -> None:
        self.sent = 0
        self.seen = 0
        self.sizes: deque[int] = deque()
        self.unconfirmed = 0
        self.full_since: float | None = None  # seconds, loop clock

    def add(self, size: int, now: float) -> None:
        self.sent += 1
        self.sizes.append(size)
        self.unconfirmed += size
        if self.full and self.full_since is None:
            self.full_since = now

    def confirm(self, n: int) -> bool:
        """Takes the browser's word that it handled `n` frames in all; whether that made room again."""
        was_full = self.full
        for _ in range(min(n, self.sent) - self.seen):
            self.unconfirmed -= self.sizes.popleft()
            self.seen += 1
        if not self.full:
            self.full_since = None
        return was_full and not self.full

    @property
    def full(self) -> bool:
        return len(self.sizes) >= settings.LIMIT_WINDOW_FRAMES or self.unconfirmed >= settings.LIMIT_WINDOW_BYTES
