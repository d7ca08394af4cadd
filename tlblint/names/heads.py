"""What one file declares at its outermost level: macros, functions and prototypes, each with its parameters and the conditions around it.

Reads the kernel's layout and nothing else: a declaration begins in the first column. The names of a file are found at once; what stands behind
one is only looked at when somebody asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from tlblint.names.conditions import Meaning, evaluate

_DEFINE = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_OUTER = re.compile(rb"^(?:[A-Za-z_][\w \t*]*[ \t*])?([A-Za-z_]\w*)[ \t]*\(", re.MULTILINE)
_CONDITION = re.compile(rb"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|elifdef|elifndef|else|endif)\b((?:\\\r?\n|[^\n])*)", re.MULTILINE)
_ASIDE = re.compile(rb'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
_BEHIND = re.compile(rb"(?:[\s\w]|\([^()]{0,200}\)|\"[^\"\n]*\"){0,400}?([;{=,]|\Z)")
_NOT_BEFORE = frozenset((b"return", b"else", b"typedef", b"case", b"goto"))
_LONGEST = 8000
_LINES = 60
_MOST = 40
"""Declarations of one name in a file."""


class Guard(msgspec.Struct, frozen=True):
    """A condition around a place: the word and text of the directive, and whether it has to hold or not to."""

    word: str
    text: str
    holds: bool = True


class Head(msgspec.Struct, frozen=True):
    """A declaration. ``kind``: "macro", "function" (with a body) or "prototype". ``params``: names for a macro, declarations as they are written
    for the others; None for a macro without. ``text``: what a macro stands for; ``returns``: what stands before the name. ``line``: where it begins."""

    name: str
    kind: str
    line: int
    params: tuple[str, ...] | None
    returns: str = ""
    text: str = ""
    rest: bool = False
    """Whether it takes more arguments than it names."""
    guards: tuple[Guard, ...] = ()

    @property
    def arity(self) -> int | None:
        """How many arguments it takes; None for any, and for a macro without brackets."""
        return None if self.params is None or self.rest else len(self.params)

    def there(self, names: Meaning) -> bool | None:
        """Whether it is in a configuration; None: not known."""
        return holding(self.guards, names)


class Heads:
    """The declarations of a file. ``places``: name -> the offsets at which it may be declared."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.places: dict[str, list[int]] = {}
        self._found: dict[str, tuple[Head, ...]] = {}
        for pattern in (_DEFINE, _OUTER):
            for found in pattern.finditer(raw):
                self.places.setdefault(found[1].decode(), []).append(found.start(1))

    def of(self, name: str) -> tuple[Head, ...]:
        """The declarations of a name, in their order."""
        if name not in self._found:
            heads = (_head(self.raw, name, at) for at in sorted(self.places.get(name, ()))[:_MOST])
            self._found[name] = tuple(head for head in heads if head is not None)
        return self._found[name]

    def like(self, pattern: re.Pattern[str]) -> tuple[Head, ...]:
        """The declarations of all names that match in full."""
        return tuple(head for name in self.places if pattern.fullmatch(name) for head in self.of(name))


def holding(guards: Sequence[Guard], names: Meaning) -> bool | None:
    """Whether all conditions are as they have to be; None: not known."""
    known = True
    for guard in guards:
        state = evaluate(guard.word, guard.text, names)
        if state is not None and state != guard.holds:
            return False
        known = known and state is not None
    return True if known else None


def _head(raw: bytes, name: str, at: int) -> Head | None:
    start = raw.rfind(b"\n", 0, at) + 1
    before = raw[start:at]
    if b"//" in before or b"/*" in before or in_comment(raw, at):
        return None
    if before.lstrip().startswith(b"#"):
        return _macro(raw, name, at, start)
    return _function(raw, name, at, start)


def in_comment(raw: bytes, at: int) -> bool:
    """Whether an offset lies in a comment that began on an earlier line."""
    opened = raw.rfind(b"/*", 0, at)
    return opened >= 0 and raw.find(b"*/", opened + 2, at) < 0


def _macro(raw: bytes, name: str, at: int, start: int) -> Head | None:
    end = at
    for _ in range(_LINES):
        end = raw.find(b"\n", end + 1)
        if end < 0 or not raw[end - 2 : end].rstrip(b"\r").endswith(b"\\"):
            break
    text = _text(raw[at + len(name) : end if end >= 0 else len(raw)].replace(b"\\\r\n", b" ").replace(b"\\\n", b" "))
    line, around = _line(raw, start), guards(raw, start)
    if text[:1] != "(":
        return Head(name, "macro", line, None, "", text.strip(), False, around)
    inner, closed, body = text[1:].partition(")")
    params = _params(inner)
    rest = params[-1:] != () and params[-1].endswith("...")
    return Head(name, "macro", line, params[:-1] if rest else params, "", body.strip(), rest, around) if closed else None


def _function(raw: bytes, name: str, at: int, start: int) -> Head | None:
    before = raw[start:at]
    if not before.strip():  # what it returns stands on the line before
        above = raw.rfind(b"\n", 0, max(start - 1, 0)) + 1
        before = raw[above:start]
        if not re.match(rb"[A-Za-z_][\w \t*]*\r?\n", before):
            return None
        start = above
    if not _NOT_BEFORE.isdisjoint(before.split()):
        return None
    opening = raw.index(b"(", at)
    end = _closing(raw, opening)
    found = _BEHIND.match(raw, end + 1) if end else None
    if found is None or found[1] in (b"=", b","):
        return None
    params = _params(_text(raw[opening + 1 : end]))
    kind = "function" if found[1] == b"{" else "prototype"
    rest = params[-1:] == ("...",)
    return Head(name, kind, _line(raw, start), params[:-1] if rest else params, " ".join(_text(before).split()), "", rest, guards(raw, start))


def _text(raw: bytes) -> str:
    return _ASIDE.sub(lambda found: found[0] if found[0][:1] == b'"' else b" ", raw).decode("latin-1")


def _closing(raw: bytes, opening: int) -> int:
    """The offset of the bracket that closes one; 0 when there is none near."""
    depth = 0
    for found in re.finditer(rb"[()]", raw[opening : opening + _LONGEST]):
        depth += 1 if found[0] == b"(" else -1
        if not depth:
            return opening + found.start()
    return 0


def _params(text: str) -> tuple[str, ...]:
    """Parameters, split at the outermost commas; () for void."""
    out, depth, last = [], 0, 0
    for at, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if c == "," and not depth:
            out.append(text[last:at])
            last = at + 1
    plain = tuple(" ".join(part.split()) for part in [*out, text[last:]])
    return () if plain in (("",), ("void",)) else plain


def _line(raw: bytes, at: int) -> int:
    return raw.count(b"\n", 0, at) + 1


def guards(raw: bytes, at: int) -> tuple[Guard, ...]:
    """The conditions around an offset, the outermost first. An arm that is not the first one has those before it as conditions that do not hold."""
    stack: list[list[Guard]] = []
    for found in _CONDITION.finditer(raw, 0, at):
        word, text = found[1].decode(), " ".join(_text(found[2].replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")).split())
        if word.startswith("if"):
            stack.append([Guard(word, text)])
        elif word == "endif":
            del stack[-1:]
        elif stack:
            arms = stack[-1]
            if arms[-1].holds:
                arms[-1] = Guard(arms[-1].word, arms[-1].text, False)
            if word != "else":
                arms.append(Guard(word, text))
    return tuple(guard for arms in stack for guard in arms)
