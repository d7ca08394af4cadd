"""What one file declares at its outermost level: macros, functions and prototypes, each with its parameters and the conditions around it.

Reads the kernel's layout and nothing else: a declaration begins in the first column. The names of a file are found at once; what stands behind
one is only looked at when somebody asks for it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Container, Iterator, Sequence
from itertools import islice

import msgspec

from tlblint.names.conditions import Meaning, evaluate

_DEFINE = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_CALLING = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+([A-Za-z_]\w*)(?:\([^()\n]*\))?(?:[ \t(]|\\\r?\n)+([A-Za-z_]\w*)", re.MULTILINE)
_OUTER = re.compile(rb"^(?:[A-Za-z_][\w \t*]*[ \t*])?([A-Za-z_]\w*)[ \t]*\(", re.MULTILINE)
_DEFINING = re.compile(rb"[ \t]*#[ \t]*define[ \t]+")
_RETURNING = re.compile(rb"(?:[A-Za-z_][\w \t*]*[ \t*])?")
_OPENING = re.compile(rb"[ \t]*\(")
_AFTER = frozenset((b" ", b"\t", b"(", b"\n", b"\r", b"\\", b""))
_CONDITION = re.compile(rb"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|elifdef|elifndef|else|endif)\b((?:\\\r?\n|[^\n])*)", re.MULTILINE)
_ASIDE = re.compile(rb'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
_BEHIND = re.compile(rb"(?:[\s\w]|\([^()]{0,200}\)|\"[^\"\n]*\"){0,400}?([;{=,]|\Z)")
_NOT_BEFORE = frozenset((b"return", b"else", b"typedef", b"case", b"goto"))
_LONGEST = 8000
_LINES = 60
_DEEPEST = 60
_MOST = 40
"""Declarations of one name in a file."""


class Guard(msgspec.Struct, frozen=True):
    """A condition around a place: the word and text of the directive, and whether it has to hold or not to."""

    word: str
    text: str
    holds: bool = True


class Head(msgspec.Struct, frozen=True):
    """A declaration. ``kind``: "macro", "function" (with a body) or "prototype". ``params``: names for a macro, declarations as they are written
    for the others; None for a macro without. ``text``: what a macro stands for; ``returns``: what stands before the name. ``at``: the offset of the
    line on which it begins."""

    name: str
    kind: str
    at: int
    params: tuple[str, ...] | None
    returns: str = ""
    text: str = ""
    rest: bool = False
    """Whether it takes more arguments than it names."""

    @property
    def arity(self) -> int | None:
        """How many arguments it takes; None for any, and for a macro without brackets."""
        return None if self.params is None or self.rest else len(self.params)


class Heads:
    """The declarations of a file."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._names: frozenset[str] | None = None
        self._found: dict[str, tuple[Head, ...]] = {}
        self._around: tuple[list[int], list[tuple[Guard, ...]]] | None = None
        self._first: list[tuple[str, str]] | None = None

    @property
    def names(self) -> frozenset[str]:
        """What may be declared: what stands where a declaration has its name."""
        if self._names is None:
            self._names = frozenset(name.decode() for pattern in (_DEFINE, _OUTER) for name in set(pattern.findall(self.raw)))
        return self._names

    def of(self, name: str) -> tuple[Head, ...]:
        """The declarations of a name, in their order."""
        if name not in self._found:
            heads = (_head(self.raw, name, at) for at in _places(self.raw, name.encode()))
            self._found[name] = tuple(islice((head for head in heads if head is not None), _MOST))
        return self._found[name]

    def line(self, head: Head) -> int:
        """The line on which a declaration begins, counted from 1."""
        return self.raw.count(b"\n", 0, head.at) + 1

    def around(self, head: Head) -> tuple[Guard, ...]:
        """The conditions around a declaration."""
        if self._around is None:
            self._around = conditions(self.raw)
        offsets, guards = self._around
        return guards[bisect_right(offsets, head.at) - 1]

    def there(self, head: Head, names: Meaning) -> bool | None:
        """Whether a declaration is in a configuration; None: not known."""
        return holding(self.around(head), names)

    def calling(self, names: Container[str]) -> set[str]:
        """The macros whose text begins with one of ``names``."""
        if self._first is None:
            self._first = [(name.decode(), word.decode()) for name, word in _CALLING.findall(self.raw)]
        return {name for name, word in self._first if word in names}

    def like(self, pattern: re.Pattern[str]) -> tuple[Head, ...]:
        """The declarations of all names that match in full."""
        return tuple(head for name in sorted(self.names) if pattern.fullmatch(name) for head in self.of(name))


def holding(guards: Sequence[Guard], names: Meaning) -> bool | None:
    """Whether all conditions are as they have to be; None: not known."""
    known = True
    for guard in guards:
        state = evaluate(guard.word, guard.text, names)
        if state is not None and state != guard.holds:
            return False
        known = known and state is not None
    return True if known else None


def _places(raw: bytes, word: bytes) -> Iterator[int]:
    """Where a word may have its declaration: it ends there."""
    at = raw.find(word)
    while at >= 0:
        if raw[at + len(word) : at + len(word) + 1] in _AFTER:
            yield at
        at = raw.find(word, at + len(word))


def _head(raw: bytes, name: str, at: int) -> Head | None:
    """The declaration whose name stands at an offset, if it is one."""
    start = raw.rfind(b"\n", 0, at) + 1
    before = raw[start:at]
    if _DEFINING.fullmatch(before):
        return None if in_comment(raw, at) else _macro(raw, name, at, start)
    if _RETURNING.fullmatch(before) and _OPENING.match(raw, at + len(name)) and not in_comment(raw, at):
        return _function(raw, name, at, start)
    return None


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
    if text[:1] != "(":
        return Head(name, "macro", start, None, "", text.strip())
    inner, closed, body = text[1:].partition(")")
    params = _params(inner)
    rest = params[-1:] != () and params[-1].endswith("...")
    return Head(name, "macro", start, params[:-1] if rest else params, "", body.strip(), rest) if closed else None


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
    return Head(name, kind, start, params[:-1] if rest else params, " ".join(_text(before).split()), "", rest)


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
    plain = tuple(" ".join(part.split()) for part in (_split(text) if "(" in text or "[" in text else text.split(",")))
    return () if plain in (("",), ("void",)) else plain


def _split(text: str) -> list[str]:
    out, depth, last = [], 0, 0
    for found in re.finditer(r"[(),\[\]]", text):
        depth += (found[0] in "([") - (found[0] in ")]")
        if found[0] == "," and not depth:
            out.append(text[last : found.start()])
            last = found.end()
    return [*out, text[last:]]


def conditions(raw: bytes) -> tuple[list[int], list[tuple[Guard, ...]]]:
    """Offsets, and the conditions around what stands behind each of them, the outermost first. An arm that is not the first one has those before
    it as conditions that do not hold."""
    offsets, around = [0], [()]  # type: tuple[list[int], list[tuple[Guard, ...]]]
    stack: list[tuple[Guard, ...]] = []
    for found in _CONDITION.finditer(raw):
        word = found[1].decode()
        if word == "endif":
            del stack[-1:]
        elif word == "else":
            stack[-1:] = [_turned(stack[-1])] if stack else []
        else:
            text = _condition(found[2])
            before = () if word.startswith("if") else _turned(stack.pop()) if stack else ()
            stack.append((*before, Guard(word, text)))
        offsets.append(found.end())
        around.append(tuple(guard for arms in stack[-_DEEPEST:] for guard in arms[-_DEEPEST:]))
    return offsets, around


def _condition(raw: bytes) -> str:
    plain = _text(raw.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")) if b"\\" in raw or b"/" in raw else raw.decode("latin-1")
    return " ".join(plain.split())


def _turned(arms: tuple[Guard, ...]) -> tuple[Guard, ...]:
    return (*arms[:-1], Guard(arms[-1].word, arms[-1].text, False)) if arms else ()
