"""Words and signs of a step line."""

from __future__ import annotations

import re
from typing import NamedTuple

from tlblint.sim.errors import ScenarioError


class Token(NamedTuple):
    kind: str
    """number, name, text, cite, sign or end."""
    text: str
    column: int
    """1-based."""


_TOKEN = re.compile(
    r"""[ \t]*(?:(?P<comment>\#.*)|(?P<number>0[xX][0-9a-fA-F]+|[0-9]+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|"(?P<text>[^"]*)"|@(?P<cite>[^\s"#]+)"""
    r"""|(?P<sign>==|!=|<=|>=|[-+|&~<>=()\[\],.:;])|(?P<end>$))"""
)


MOST = 300
"""Tokens of the longest line: expressions nest no deeper than that."""
LONGEST_NAME = 60
"""Characters: a name is the head of a column."""


def tokens(text: str, column: int = 1) -> list[Token]:
    """The tokens of ``text``, which starts at ``column``; the last is of kind "end". Raises ScenarioError, line 0."""
    found = []
    at = 0
    while True:
        match = _TOKEN.match(text, at)
        if match is None:
            rest = text[at:].lstrip(" \t")
            start = len(text) - len(rest)
            raise ScenarioError(f"{_shown(rest)} is nothing that a step can hold", 0, column + start)
        kind = match.lastgroup or "end"
        if kind in ("comment", "end"):
            found.append(Token("end", "", column + len(text[: match.end()].rstrip() if kind == "end" else text[: match.start(kind)].rstrip())))
            return found
        if kind == "name" and len(match[kind]) > LONGEST_NAME:
            raise ScenarioError(f"a name of {len(match[kind])} characters: expected {LONGEST_NAME} at most", 0, column + match.start(kind))
        if len(found) == MOST:
            raise ScenarioError(f"a line of more than {MOST} words and signs", 0, column + at)
        start = match.start(kind) - (1 if kind in ("text", "cite") else 0)
        found.append(Token(kind, match[kind], column + start))
        at = match.end()


def _shown(rest: str) -> str:
    if rest.startswith('"'):
        return "a quotation that does not end"
    return ascii(rest[0])
