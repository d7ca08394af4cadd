"""Small edits of expanded tokens that let a C grammar read what only GNU C with macros means."""

from __future__ import annotations

from collections.abc import Sequence

from tlblint.names.tokens import Token

TYPE_ARGUMENTS = {
    "container_of": 1, "list_entry": 1, "min_t": 0, "max_t": 0, "clamp_t": 0, "offsetof": 0, "__builtin_offsetof": 0, "typecheck": 0, "rcu_container_of": 1,
    "container_of_const": 1, "__builtin_types_compatible_p": 0,
}  # fmt: skip
"""Which argument of a modelled name is a type: it becomes a cast of 0, which is an expression."""
AUTO = "__auto"
"""Stands for ``typeof(...)``: whatever type the value has."""
CONFIG = frozenset(("IS_ENABLED", "IS_BUILTIN", "IS_REACHABLE"))
_TYPEOF = frozenset(("typeof", "__typeof__", "__typeof", "typeof_unqual", "__typeof_unqual__"))
_DROPPED = frozenset(
    ("__extension__", "__inline__", "__inline", "__always_inline", "__maybe_unused", "__user", "__iomem", "__percpu", "__rcu", "__force", "__must_check")
)
_WITH_ARGUMENTS = frozenset(("__attribute__", "__attribute", "__aligned", "static_assert", "_Static_assert", "__alignof__"))


def readable(source: Sequence[Token]) -> list[Token]:
    """The tokens without attributes, with ``typeof`` and type arguments replaced."""
    out: list[Token] = []
    index = 0
    while index < len(source):
        token = source[index]
        follows = source[index + 1].text if index + 1 < len(source) else ""
        if token.text in _DROPPED:
            index += 1
        elif token.text in _WITH_ARGUMENTS and follows == "(":
            index = _end(source, index + 1)
            if token.text.endswith("tatic_assert"):
                out.append(Token("0", token.at))
        elif token.text in _TYPEOF and follows == "(":
            index = _end(source, index + 1)
            out.append(Token(AUTO, token.at))
        elif token.text == "__auto_type":
            out.append(Token(AUTO, token.at))
            index += 1
        elif token.text in TYPE_ARGUMENTS and follows == "(":
            end = _end(source, index + 1)
            out += [token, source[index + 1], *_typed(source[index + 2 : end - 1], TYPE_ARGUMENTS[token.text]), *source[end - 1 : end]]
            index = end
        elif token.text == "(" and follows == ")" and out and out[-1].text in ("asm", "__asm__"):
            index += 1
        else:
            out.append(token)
            index += 1
    return out


def configured(source: Sequence[Token]) -> list[Token]:
    """``IS_ENABLED(x)`` of an expanded x becomes 1 or 0: what is not set was left as a name."""
    out: list[Token] = []
    index = 0
    while index < len(source):
        token = source[index]
        if token.text in CONFIG and index + 3 < len(source) and source[index + 1].text == "(" and source[index + 3].text == ")":
            out.append(Token(str(int(source[index + 2].text == "1")), token.at))
            index += 4
        else:
            out.append(token)
            index += 1
    return out


def _end(source: Sequence[Token], opening: int) -> int:
    """The index behind the bracket that closes the one at ``opening``."""
    depth = 0
    for index in range(opening, len(source)):
        depth += (source[index].text == "(") - (source[index].text == ")")
        if not depth:
            return index + 1
    return len(source)


def _typed(inside: Sequence[Token], which: int) -> list[Token]:
    groups: list[list[Token]] = [[]]
    depth = 0
    for token in inside:
        depth += (token.text in "([{") - (token.text in ")]}")
        if token.text == "," and not depth:
            groups.append([])
        else:
            groups[-1].append(token)
    out: list[Token] = []
    for index, group in enumerate(groups):
        group = readable(group)
        if index == which and group:
            at = group[0].at
            star = [] if group[0].text not in ("struct", "union") or group[-1].text == "*" else [Token("*", at)]
            group = [Token("(", at), *group, *star, Token(")", at), Token("0", at)]
        out += ([Token(",", inside[0].at)] if index else []) + group
    return out
