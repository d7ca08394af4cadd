"""What can be said of a change without a configuration: conditions that never hold, overrides that nobody asks for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from tlblint.hooks.judge import Fault
from tlblint.hooks.symbols import EXPRESSIONS
from tlblint.names.kconfig import statements
from tlblint.names.view import View

_PREFIXED = re.compile(r"\bCONFIG_(\w+)")
_QUOTED = re.compile(r'"[^"\n]*"')
_IS_DEFINED = re.compile(r"\b__is_defined\s*\(\s*([A-Za-z_]\w*)\s*\)")
_HOOK = re.compile(r"_*(?:HAVE|ARCH)_\w+|[a-z]\w*_\w+")
_BUILTIN = re.compile(r"__\w+__|_?_?linux_?_?|MODULE|KBUILD_\w+")


def kconfig(path: str, raw: bytes) -> list[Fault]:
    """Symbols that an expression names with a prefix that no symbol has: such a symbol is never set, and with ``!`` always right."""
    out: list[Fault] = []
    if b"CONFIG_" not in raw:
        return out
    for line, word, rest in statements(raw.decode("latin-1").replace("\r", "")):
        if word in EXPRESSIONS:
            text = f"{word} {rest}".split(" #", 1)[0]
            named = _QUOTED.sub("", text)
            for found in _PREFIXED.finditer(named):
                always = "always" if named[: found.start()].endswith("!") else "never"
                message = f"Symbols have no prefix in Kconfig: there is no {found[0]}, and '{text}' {always} holds. {found[1]} is meant."
                out.append(Fault("kconfig", f"{word} {found[0]}", path, line, message))
    return out


def never(path: str, view: View, made: Mapping[str, set[str]]) -> list[Fault]:
    """Tests with __is_defined() that no definition makes true. ``made``: macro -> the bodies that it has anywhere."""
    out = []
    for part in view.parts:
        if part.word in ("include", "include_next"):
            continue
        for found in _IS_DEFINED.finditer(part.text):
            bodies = made.get(found[1])
            if bodies and "1" not in bodies:
                line = part.line + part.text.count("\n", 0, found.start())
                message = f"__is_defined({found[1]}) asks whether {found[1]} is 1, and no definition makes it that: it never holds. defined() is meant."
                out.append(Fault("never", found[1], path, line, message))
    return out


def bodies(views: Iterable[View], names: Collection[str]) -> dict[str, set[str]]:
    """Macro -> its bodies, in all files."""
    out: dict[str, set[str]] = {}
    for view in views:
        if view.words.isdisjoint(names):
            continue
        for part in view.parts:
            if part.word == "define":
                found = re.match(r"\s*([A-Za-z_]\w*)(.*)", part.text, re.DOTALL)
                if found is not None and found[1] in names:
                    out.setdefault(found[1], set()).add(found[2].strip())
    return out


def asked(view: View) -> set[str]:
    """Names in __is_defined() anywhere in a file."""
    return {name for part in view.parts for name in _IS_DEFINED.findall(part.text)} if "__is_defined" in view.words else set()


def hook_like(name: str) -> bool:
    """Whether a macro that is tested looks like one that an architecture would define, not like a compiler's."""
    return bool(_HOOK.fullmatch(name)) and not _BUILTIN.fullmatch(name)


def untested(path: str, view: View, name: str) -> Fault:
    """The fault of a condition on a macro that nothing defines."""
    line = next((part.line for part in view.parts if part.word in ("if", "ifdef", "elif") and re.search(rf"\b{re.escape(name)}\b", part.text)), 1)
    message = f"This asks whether {name} is defined, and nothing in the tree defines it: what is below is never compiled."
    return Fault("never", name, path, line, message)


def orphan(arch: str, path: str, line: int, name: str, like: str) -> Fault:
    """The fault of an override that generic code asked for and does not any more."""
    hint = f" {like} has come in its place." if like else ""
    message = f"{arch} defines {name} here for generic code, which does not ask for it any more: the generic one is used.{hint}"
    return Fault("orphan", name, path, line, message, frozenset((arch,)))
