"""Field by field: what an operation may carry. Values are checked strictly here and nowhere else."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, SafeUUID

from sessions.live.limits import limits
from sessions.live.ops import Refused
from sessions.text import LEFT_ALONE, can_be_seen, clean_text

MOST_ID = 2**63 - 1
MOST_ORDERS = 16
UNKNOWN = SafeUUID.unknown
CANONICAL = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
Check = Callable[[Any], Any]


class Fields:
    """The fields of one operation. `optional` ones may be absent; unknown ones are refused."""

    def __init__(
        self, required: Mapping[str, Check] | None = None, optional: Mapping[str, Check] | None = None
    ) -> None:
        self.required = dict(required or {})
        self.checks = {**self.required, **(optional or {})}
        self.good: set[tuple[str, ...]] = set()  # names that were all right together, in the order they came

    def clean(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The checked values; raises `Refused`."""
        names = tuple(data)
        if names not in self.good:
            if not self.required.keys() <= data.keys() <= self.checks.keys():
                raise Refused("bad_field")
            if len(self.good) < MOST_ORDERS:
                self.good.add(names)
        checks = self.checks
        return {name: checks[name](value) for name, value in data.items()}

    def from_form(self, data: Mapping[str, str]) -> dict[str, Any]:
        """The values of a plain form, as JSON would have brought them."""
        return {name: getattr(self.checks.get(name), "typed", str)(value) for name, value in data.items()}


class Id:
    """A number that names a row; `nullable` where "none" has a meaning."""

    def __init__(self, *, nullable: bool = False) -> None:
        self.nullable = nullable

    def __call__(self, value: Any) -> int | None:
        if value is None and self.nullable:
            return None
        if type(value) is not int or not 0 < value <= MOST_ID:
            raise Refused("bad_field")
        return value

    def typed(self, value: str) -> int | str | None:
        if not value and self.nullable:
            return None
        return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else value


class Number:
    """A whole number between two bounds, both included."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def __call__(self, value: Any) -> int:
        if type(value) is not int or not self.least <= value <= self.most:
            raise Refused("bad_field")
        return value

    def typed(self, value: str) -> int | str:
        digits = value.removeprefix("-")
        return int(value) if digits.isascii() and digits.isdigit() and len(digits) < 10 else value


class Text:
    """People's words: at most `most` characters after cleaning."""

    def __init__(self, most: int, *, empty: bool = False) -> None:
        self.most, self.empty = most, empty

    def __call__(self, value: Any) -> str:
        if type(value) is not str:
            raise Refused("bad_field")
        if len(value) <= self.most and LEFT_ALONE.fullmatch(value):
            text: str = value.strip()
            if text[:1].isalnum():
                return text
        return self._cleaned(value)

    def _cleaned(self, value: str) -> str:
        if len(value) > limits.LIMIT_FRAME_BYTES:  # by a form; cleaning it would hold up everybody
            raise Refused("too_long")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Refused("bad_text") from None
        text = clean_text(value)
        if not can_be_seen(text):
            text = ""
        if not text and not self.empty:
            raise Refused("empty")
        if len(text) > self.most:
            raise Refused("too_long")
        return text


class OneOf:
    def __init__(self, *choices: str) -> None:
        self.choices = frozenset(choices)

    def __call__(self, value: Any) -> str:
        if type(value) is not str or value not in self.choices:
            raise Refused("bad_field")
        return value


class WrittenUUID(UUID):
    """With its text, which is asked for again and again."""

    __slots__ = ("hex", "text")
    text: str
    hex: str  # which `UUID` works out whenever it is asked for

    def __init__(self, text: str) -> None:
        """`text` is canonical, and lower case."""
        put = object.__setattr__  # it is never changed
        digits = text.replace("-", "")
        put(self, "int", int(digits, 16))
        put(self, "is_safe", UNKNOWN)
        put(self, "hex", digits)
        put(self, "text", text)

    def __reduce__(self) -> Any:
        return UUID, (self.text,)

    def __str__(self) -> str:
        return self.text


def uuid(value: Any) -> UUID:
    """A UUID in its canonical form."""
    if type(value) is not str or CANONICAL.fullmatch(value) is None:
        raise Refused("bad_field")
    return WrittenUUID(value.lower())


def uuid_or_null(value: Any) -> UUID | None:
    return None if value is None or value == "" else uuid(value)


class Truth:
    def __call__(self, value: Any) -> bool:
        if type(value) is not bool:
            raise Refused("bad_field")
        return value

    def typed(self, value: str) -> bool | str:
        return {"true": True, "1": True, "false": False, "0": False}.get(value, value)
