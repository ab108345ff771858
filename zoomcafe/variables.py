"""Reads settings from the environment; remembers which there are and what is wrong with them."""

from collections.abc import Mapping


class Variables:
    """`known` maps each name that was asked for to its default as text; `wrong` holds a sentence per bad value.

    A bad value is replaced by the default so that the system check can say everything that is wrong at once.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.known: dict[str, str] = {}
        self.wrong: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        self.known[name] = default
        return self._environ.get(name, "").strip() or default

    def words(self, name: str, default: str = "") -> list[str]:
        """A list, separated by commas or blanks."""
        return self.text(name, default).replace(",", " ").split()

    def choice(self, name: str, default: str, *, among: tuple[str, ...]) -> str:
        value = self.text(name, default).lower()
        if value in among:
            return value
        self.complain(name, f"must be one of {', '.join(among)}")
        return default

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.choice(name, "1" if default else "0", among=("1", "0", "true", "false", "yes", "no", "on", "off"))
        return value in {"1", "true", "yes", "on"}

    def number(self, name: str, default: int, *, least: int = 1, most: int = 2**31 - 1) -> int:
        value = self.text(name, str(default))
        if value.isascii() and value.isdigit() and least <= int(value[:12]) <= most:
            return int(value)
        self.complain(name, f"must be a whole number from {least} to {most}")
        return default

    def complain(self, name: str, sentence: str) -> None:
        """The value itself is not repeated: it may be a secret."""
        self.wrong.append(f"{name} {sentence}.")
