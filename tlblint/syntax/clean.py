"""Steps 1 and 2 of normalisation: comments, literals and directives become blanks; one arm of every #if group stays.

All edits happen in place on a bytearray and never change a length or a newline.
"""

from __future__ import annotations

import re

import msgspec

from tlblint.names.conditions import evaluate, names_in
from tlblint.syntax.config import Config
from tlblint.syntax.patterns import BLANK, blank

NOT_CODE = re.compile(
    rb"/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?+"
    rb"|//(?:[^\n\\]++|\\[\s\S])*+"
    rb'|"(?:[^"\\\n]++|\\[\s\S])*+"?+'
    rb"|'(?:[^'\\\n]++|\\[\s\S])*+'?+"
    rb"|\#(?:[^\n\\/]++|\\\r?\n|\\|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?+|/)*+"
)
_DIRECTIVE = re.compile(rb"#\s*([a-z]+)(.*)", re.S)
_REMARK = re.compile(rb"/\*.*?(?:\*/|\Z)|//.*|\\\r?\n", re.S)
_OPENERS = frozenset((b"if", b"ifdef", b"ifndef"))
_MIDDLES = frozenset((b"elif", b"else", b"elifdef", b"elifndef"))
_GROUP_WORDS = _OPENERS | _MIDDLES | {b"endif"}
# Carriage returns, form feeds, NULs and bytes outside ASCII mean nothing in code but upset the parser.
_PLAIN = bytes(c if c in (9, 10) or 32 <= c < 127 else 32 for c in range(256))
_LETTERS = re.compile(rb"\w*+(?:[\xc3-\xf4][\x80-\xbf]{1,3}+\w*+)++")


class Arm(msgspec.Struct):
    """One arm of an #if group: the condition that opens it and the extent of its text."""

    kind: bytes
    condition: bytes
    start: int
    end: int


class Directive(msgspec.Struct, frozen=True):
    """A conditional directive: its word, the rest of its line and its extent."""

    kind: bytes
    rest: bytes
    start: int
    end: int


Group = list[Arm]


def strip(buf: bytearray, start: int, end: int) -> list[Directive]:
    """Blank comments, directives and the contents of literals in ``buf[start:end]``; return the conditional directives."""
    found: list[Directive] = []
    for match in NOT_CODE.finditer(buf, start, end):
        low, high = match.span()
        first = buf[low]
        if first == 35:
            _directive(match.group(), low, high, found)
        elif first != 47 and high - low > 1 and buf[high - 1] == first and buf.find(b"\n", low, high) < 0:
            buf[low + 1 : high - 1] = b"_" * (high - low - 2)
            continue
        elif first == 34 and high - low > 1 and buf[high - 1] == 34:
            buf[low:high] = b'""' + bytes(buf[low + 2 : high]).translate(BLANK)  # a literal continued on the next line
            if buf[low + 1] == 34 and match.group()[1:2] == b"\n":
                buf[low + 1] = 10
            continue
        blank(buf, low, high)
    text = bytes(buf[start:end])
    if not text.isascii():
        text = _LETTERS.sub(_underscores, text)
    buf[start:end] = text.translate(_PLAIN)
    return found


def _underscores(match: re.Match[bytes]) -> bytes:
    """An identifier in UTF-8 stays one identifier, letter bytes outside ASCII as underscores; anything else is as it was."""
    try:
        known = match.group().decode().isidentifier()
    except UnicodeDecodeError:
        return match.group()
    return bytes(c if c < 128 else 95 for c in match.group()) if known else match.group()


def _directive(text: bytes, start: int, end: int, found: list[Directive]) -> None:
    parts = _DIRECTIVE.match(text)
    if parts and parts.group(1) in _GROUP_WORDS:
        found.append(Directive(parts.group(1), _REMARK.sub(b" ", parts.group(2)).strip(), start, end))


def pair(directives: list[Directive]) -> tuple[list[Group], bool]:
    """Join directives to groups, outer before inner by start. The flag is False when one has no partner here."""
    groups: list[Group] = []
    stack: list[Group] = []
    matched = True
    for item in directives:
        if item.kind in _OPENERS:
            stack.append([Arm(item.kind, item.rest, item.end, item.end)])
            groups.append(stack[-1])
        elif not stack:
            matched = False
        else:
            stack[-1][-1].end = item.start
            if item.kind == b"endif":
                stack.pop()
            else:
                stack[-1].append(Arm(item.kind, item.rest, item.end, item.end))
    return groups, matched and not stack


def choose(group: Group, config: Config) -> tuple[int, bool]:
    """Index of the arm that ``config`` takes (len(group): none) and whether only constants decided it.

    An undecided condition counts as true if the macros that it mentions, taken as defined to 1, make it so.
    """
    constant = True
    for at, arm in enumerate(group):
        if arm.kind == b"else":
            return at, constant
        kind, condition = arm.kind.decode(), arm.condition.decode("latin-1")
        names = names_in(condition)
        constant = constant and not names
        value = evaluate(kind, condition, config)
        if value is None:
            unknown = frozenset(n for n in names if config.defined(n) is None)
            value = evaluate(kind, condition, Config(config.on | unknown, config.off))
        if value is not False:
            return at, constant
    return len(group), constant


def other(group: Group, taken: int) -> int:
    """The arm to look at when the taken one is left out: the first, or else the last (maybe none)."""
    if taken:
        return 0
    return len(group) - 1 if group[-1].kind == b"else" else len(group)


def keep(buf: bytearray, group: Group, taken: int) -> None:
    """Blank all arms of ``group`` in ``buf`` but the one at index ``taken``."""
    for at, arm in enumerate(group):
        if at != taken:
            blank(buf, arm.start, arm.end)


def label(group: Group, taken: int) -> str:
    """What taking that arm assumes, as a short text: CONFIG_X, !CONFIG_X, CONFIG_A && CONFIG_B."""
    if taken < len(group) and group[taken].kind != b"else":
        return _phrase(group[taken], True)
    return " && ".join(_phrase(arm, False) for arm in group if arm.kind != b"else")


def _phrase(arm: Arm, holds: bool) -> str:
    text = " ".join(arm.condition.decode("latin-1").split())
    if arm.kind in (b"ifdef", b"ifndef", b"elifdef", b"elifndef"):
        return text if holds == (not arm.kind.endswith(b"ndef")) else f"!{text}"
    text = _SIMPLE.sub(r"\1", text)
    if holds:
        return text
    return text[1:] if _NEGATED.fullmatch(text) else f"!{text}" if _WORD.fullmatch(text) else f"!({text})"


_SIMPLE = re.compile(r"(?:defined|IS_ENABLED)\s*\(?\s*(\w+)\s*\)?(?![\w(])")
_WORD = re.compile(r"\w+")
_NEGATED = re.compile(r"!\w+")
