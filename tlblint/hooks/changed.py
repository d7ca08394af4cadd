"""What a change of a file does to names: which it defines otherwise than before, and which it newly uses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from tlblint.names.view import View

_TOKEN = re.compile(r"""[A-Za-z_]\w*|->|[{}();.\[\]]|=|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\n|[^\s\w]""")
_WORD = re.compile(r"[A-Za-z_]\w*")
_CALLED = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\s*\(")
_OPENING = frozenset(("if", "ifdef", "ifndef"))
_TURNING = frozenset(("elif", "else", "elifdef", "elifndef"))
_KEYWORDS = frozenset(
    (
        "if", "while", "for", "switch", "return", "sizeof", "typeof", "__typeof__", "do", "else", "defined", "__attribute__", "__aligned", "__section",
        "likely", "unlikely", "BUILD_BUG_ON", "BUILD_BUG", "WARN_ON", "BUG_ON", "asm", "__asm__", "volatile", "case", "__acquires", "__releases",
        "__printf", "EXPORT_SYMBOL", "EXPORT_SYMBOL_GPL", "__diag_ignore", "min", "max", "static_assert", "_Static_assert", "int", "void", "long", "char",
    )
)  # fmt: skip


class Outline(msgspec.Struct, frozen=True):
    """``defined``: (name, what it is, under which conditions) of macros, functions and prototypes, with how often; ``used``: names that are
    called, or stand alone in capitals; ``tested``: macros of conditions that ask for something to be there; ``configs``: CONFIG_ names."""

    defined: Counter[tuple[str, str, tuple[str, ...]]]
    used: Counter[str]
    tested: frozenset[str]
    configs: frozenset[str]


def outline(view: View) -> Outline:
    """Look through one file version."""
    defined: Counter[tuple[str, str, tuple[str, ...]]] = Counter()
    used: Counter[str] = Counter()
    tested: set[str] = set()
    configs: set[str] = set()
    stack: list[str] = []
    depth = 0
    for part in view.parts:
        if part.word in _OPENING or part.word in _TURNING:
            _turn(stack, part.word, " ".join(part.text.split()))
            tested |= _asked(part.word, part.text)
            configs.update(word for word in _WORD.findall(part.text) if word.startswith("CONFIG_"))
        elif part.word == "endif":
            del stack[-1:]
        elif part.word == "define":
            words = _WORD.findall(part.text)
            if words:
                defined[words[0], "macro", tuple(stack)] += 1
                used.update(_calls(part.text[part.text.index(words[0]) + len(words[0]) :]))
        elif not part.word:
            depth = _text(part.text, depth, tuple(stack), defined, used)
            configs.update(re.findall(r"\bCONFIG_\w+", part.text))
    return Outline(defined, used, frozenset(tested), frozenset(configs))


def _turn(stack: list[str], word: str, text: str) -> None:
    if word in _OPENING:
        stack.append(f"{word} {text}")
    elif stack:
        stack[-1] = f"{stack[-1]} {word} {text}"


def _asked(word: str, text: str) -> set[str]:
    """Macros whose presence a condition asks for."""
    if word in ("ifdef", "elifdef"):
        return set(_WORD.findall(text)[:1])
    if word not in ("if", "elif"):
        return set()
    return {found[2] for found in re.finditer(r"(!\s*)?\bdefined\s*\(?\s*([A-Za-z_]\w*)", text) if not found[1]}


def _calls(text: str) -> Iterator[str]:
    for name in _CALLED.findall(text):
        if name not in _KEYWORDS:
            yield name
    for name in _WORD.findall(text):
        if name.isupper() and len(name) > 5:
            yield name


def _text(text: str, depth: int, guards: tuple[str, ...], defined: Counter[tuple[str, str, tuple[str, ...]]], used: Counter[str]) -> int:
    """Heads of functions and prototypes outside of braces, calls inside. The depth of braces at the end."""
    start = 0
    inside = depth > 0
    for found in re.finditer(r"""[{}]|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", text):
        if found[0] == "{":
            if not depth:
                _heads(text[start : found.start()], True, guards, defined)
                start = found.end()
            depth += 1
        elif found[0] == "}":
            if depth == 1:
                used.update(_calls(text[start : found.start()]))
                start = found.end()
            depth = max(depth - 1, 0)
    if depth or (inside and not start):
        used.update(_calls(text[start:]))
    else:
        _heads(text[start:], False, guards, defined)
    return depth


def _heads(text: str, body: bool, guards: tuple[str, ...], defined: Counter[tuple[str, str, tuple[str, ...]]]) -> None:
    """What is declared in text outside of braces; its last part has a ``body``."""
    parts = text.split(";")
    for index, part in enumerate(parts):
        found = next((one for one in _CALLED.finditer(part) if one[1] not in _KEYWORDS), None)
        if found is not None and "=" not in part[: found.start()]:
            what = "function" if body and index == len(parts) - 1 else "prototype"
            defined[found[1], f"{what} {' '.join(part.split())}", guards] += 1
        elif found is None and part.split()[:1] == ["extern"]:
            names = _WORD.findall(part.split("[", 1)[0])
            defined[names[-1], f"variable {' '.join(part.split())}", guards] += 1


def names(before: Outline | None, after: Outline | None) -> tuple[set[str], set[str]]:
    """(names that are defined otherwise, names that are used more often) after a change than before it."""
    nothing: Counter[tuple[str, str, tuple[str, ...]]] = Counter()
    old, new = (one.defined if one is not None else nothing for one in (before, after))
    differ = {name for name, _, _ in ((old - new) + (new - old))}
    more = after.used - (before.used if before is not None else Counter()) if after is not None else Counter()
    return differ, set(more)


def functions(one: Outline | None, names: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """(function or prototype, its head) of some names."""
    out: dict[str, list[tuple[str, str]]] = {}
    wanted = set(names)
    for name, what, _ in one.defined if one is not None else ():
        kind, _, head = what.partition(" ")
        if name in wanted and kind in ("function", "prototype"):
            out.setdefault(name, []).append((kind, head))
    return out
