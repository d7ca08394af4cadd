"""Whether prototypes and definitions of a function say the same."""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r"[A-Za-z_]\w*|\.\.\.|\*|[(),\[\]]|[^\s\w]|\d\w*")
_QUALIFIERS = frozenset(("const", "volatile", "restrict", "__restrict"))
_SPECIFIERS = frozenset(
    (
        "extern", "static", "inline", "__inline", "__inline__", "__always_inline", "noinline", "asmlinkage", "register", "notrace", "noinstr", "__init",
        "__meminit", "__visible",
    )
)  # fmt: skip
_BASE = frozenset(("void", "char", "short", "int", "long", "float", "double", "signed", "unsigned", "bool", "_Bool"))
_TAGS = frozenset(("struct", "union", "enum"))
_SAME = {"_Bool": "bool", "cpumask_t": "struct cpumask", "pgprot_t": "pgprot_t"}
Signature = tuple[str, ...]


def parameters(head: str, name: str) -> Signature | None:
    """The types of a function's parameters, names and attributes left out; None when they cannot be told."""
    found = re.search(rf"(?<!\w){re.escape(name)}\s*\(", head)
    if found is None:
        return None
    tokens = _TOKEN.findall(head[found.end() :])
    groups: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        if token == ")" and not depth:
            break
        depth += (token in "([") - (token in ")]")
        if token == "," and not depth:
            groups.append([])
        else:
            groups[-1].append(token)
    else:
        return None
    if groups in ([[]], [["void"]]):
        return ()
    types = tuple(_type(group) for group in groups)
    return None if "" in types else types


@lru_cache(maxsize=4096)
def type_of(text: str) -> str:
    """The type of one parameter as it is written; "" when it is not a plain one."""
    return _type(_TOKEN.findall(text))


def _type(tokens: list[str]) -> str:
    """One parameter's type; "" when it is not a plain one."""
    if tokens == ["..."]:
        return "..."
    if "(" in tokens or not tokens:
        return "function" if "*" in tokens else ""
    array = "[" in tokens
    if array:
        tokens = tokens[: tokens.index("[")]
    words = [token for token in tokens if token not in _SPECIFIERS and not (token.startswith("__") and token not in _SAME)]
    words = _unnamed(words)
    pointed = "*" in words or array
    base = [word for word in words if word != "*" and (word not in _QUALIFIERS or pointed)]
    plain = [word for word in base if word not in _QUALIFIERS]
    if not plain:
        return ""
    quals = sorted({word for word in base if word in _QUALIFIERS})
    if pointed:  # what stands behind the last star belongs to the pointer itself
        last = len(words) - 1 - words[::-1].index("*") if "*" in words else len(words)
        quals = sorted({word for word in words[:last] if word in _QUALIFIERS})
    return " ".join([*quals, _canonical(plain)]) + "*" * (words.count("*") + array)


def _unnamed(words: list[str]) -> list[str]:
    """Without the name of the parameter."""
    if not words or words[-1] == "*" or words[-1] in _BASE or words[-1] in _QUALIFIERS:
        return words
    before = [word for word in words[:-1] if word != "*" and word not in _QUALIFIERS]
    named = bool(before) and (before[-1] not in _TAGS or "*" in words[:-1][words.index(before[-1]) :])
    return words[:-1] if named else words


def _canonical(words: list[str]) -> str:
    if set(words) <= _BASE and words != ["bool"] and words != ["_Bool"]:
        rest = sorted(word for word in words if word not in ("int", "signed"))
        return " ".join(rest) if rest else "int"
    return _SAME.get(" ".join(words), " ".join(words))


def disagree(one: Signature | None, other: Signature | None) -> bool:
    """Whether two signatures are both known and differ."""
    return one is not None and other is not None and one != other
