"""Settings that are asked for at every note, without the layer that Django puts in front of them."""

from typing import Any

from django.conf import settings
from django.core.signals import setting_changed


class Limits:
    """`limits.LIMIT_FRAME_BYTES` is `settings.LIMIT_FRAME_BYTES`, read once, and again where a test changes it."""

    def __getattr__(self, name: str) -> Any:
        value = self.__dict__[name] = getattr(settings, name)
        return value

    def forget(self, *, setting: str, **_signal: object) -> None:
        self.__dict__.pop(setting, None)


limits = Limits()
setting_changed.connect(limits.forget)
