"""Puts a page's ES modules into one file when they are collected: two requests instead of twenty-five.

Each module becomes a function of its own around its unchanged lines, which gives its exports their names for all, so
nothing is renamed and no two modules of a page may export the same name. One whose names nobody else says, but who
imports them, stands there without a function. While developing and in tests the modules are served as they are written.
"""

import re
from collections.abc import Callable, Iterator, Mapping

IMPORT = re.compile(r'^import \{((?:(?! as )[^}])*)\} from "\./([\w-]+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let) ([\w$]+))", re.MULTILINE)
NAME = re.compile(r"[\w$]+")
UNKNOWN = re.compile(r"^(?:export|import(?!\s*\())\b.*$", re.MULTILINE)
DECLARED = re.compile(r"^(?:export )?(?:async )?(?:function\*?|class|const|let) ([\w$]+)", re.MULTILINE)
SEVERAL = re.compile(r"^(?:export )?(?:const|let) [\[{]", re.MULTILINE)  # are declared at once
SAID = re.compile(r"(?<![\w$.#])[A-Za-z_$][\w$]*")
PAGE = re.compile(r"^if \(typeof (?:document|window)", re.MULTILINE)


class NotPlainError(ValueError):
    """A module is written in a way that cannot be put together with others."""


def is_page(source: str) -> bool:
    """Whether a module does something when it is loaded: a page's own, or the one of all pages."""
    return bool(PAGE.search(source))


def whole_module(name: str, read: Callable[[str], str]) -> str:
    """The page module `name` (without ending) with all it imports; other pages' modules stay imports."""
    whole = _Whole(read)
    page = whole.body(name, ())
    return "".join([*whole.imports(), *whole.pieces({**whole.bodies, name: page}), page])


class _Whole:
    def __init__(self, read: Callable[[str], str]) -> None:
        self.read = read
        self.kept: dict[str, dict[str, None]] = {}
        self.bodies: dict[str, str] = {}
        self.wanted: dict[str, str] = {}  # the module each imported name is from
        self.takes: dict[str, set[str]] = {}  # the names that each module imports

    def imports(self) -> list[str]:
        return [f'import {{ {", ".join(names)} }} from "./{module}.js";\n' for module, names in self.kept.items()]

    def body(self, module: str, above: tuple[str, ...]) -> str:
        """The module's own lines, below what stands for its imports."""
        if module in above:
            raise NotPlainError(f"{' → '.join((*above, module))} is a circle.")
        source = self.read(module)
        for names, wanted in IMPORT.findall(source):
            self.takes.setdefault(module, set()).update(NAME.findall(names))
            self.bring(names, wanted, (*above, module))
        own = IMPORT.sub("", source)
        if strange := UNKNOWN.search(EXPORT.sub("", own)):
            raise NotPlainError(f"{module}.js: {strange[0]}")
        return own

    def bring(self, names: str, module: str, above: tuple[str, ...]) -> None:
        if is_page(self.read(module)):
            self.kept.setdefault(module, {}).update((one.strip(), None) for one in names.split(",") if one.strip())
            return
        if module not in self.bodies:
            self.bodies[module] = self.body(module, above)
        for name in NAME.findall(names):
            if self.wanted.setdefault(name, module) != module:
                raise NotPlainError(f"{self.wanted[name]}.js and {module}.js both export {name}.")

    def pieces(self, together: Mapping[str, str]) -> Iterator[str]:
        """Each module as a function that gives what the others take of it, where that makes a difference."""
        said = {module: set(SAID.findall(body)) - self.takes.get(module, set()) for module, body in together.items()}
        said |= {module: set(names) for module, names in self.kept.items()}
        for module, body in self.bodies.items():
            own = set(DECLARED.findall(body))
            if not SEVERAL.search(body) and not any(own & names for other, names in said.items() if other != module):
                yield f"{EXPORT.sub('', body)}\n"
                continue
            given = ", ".join(name for name in EXPORT.findall(body) if self.wanted.get(name) == module)
            yield f"const {{{given}}} = (() => {{\n{EXPORT.sub('', body)}\nreturn {{{given}}};\n}})();\n"
