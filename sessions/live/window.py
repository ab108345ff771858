"""What is on its way to one socket and not yet confirmed: the only backpressure there is."""

from collections import deque

from django.conf import settings


class Window:
    """Frames sent and frames the browser said it has `seen`."""

    __slots__ = ("full", "full_since", "most_bytes", "most_frames", "seen", "sent", "sizes", "unconfirmed")

    def __init__(self) -> None:
        self.sent = 0
        self.seen = 0
        self.sizes: deque[int] = deque()
        self.unconfirmed = 0
        self.most_frames: int = settings.LIMIT_WINDOW_FRAMES
        self.most_bytes: int = settings.LIMIT_WINDOW_BYTES
        self.full = False
        self.full_since: float | None = None  # seconds, loop clock

    def add(self, size: int, now: float) -> None:
        self.sent += 1
        sizes = self.sizes
        sizes.append(size)
        self.unconfirmed = unconfirmed = self.unconfirmed + size
        if (len(sizes) >= self.most_frames or unconfirmed >= self.most_bytes) and not self.full:
            self.full, self.full_since = True, now

    def confirm(self, n: int) -> bool:
        """Takes the browser's word that it handled `n` frames in all; whether that made room again."""
        take, count = self.sizes.popleft, max(0, min(n, self.sent) - self.seen)
        self.unconfirmed -= sum([take() for _ in range(count)])
        self.seen += count
        if not self.full or len(self.sizes) >= self.most_frames or self.unconfirmed >= self.most_bytes:
            return False
        self.full, self.full_since = False, None
        return True
