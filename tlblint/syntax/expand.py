"""Function-like macros of a file, written out where it uses them, as the preprocessor would.

A macro that takes a lock, leaves a function or changes entries is no call: its arguments are names, not values. What
it stands for is read in its place. Positions in the result lead back to the use.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping

import msgspec

from tlblint.syntax.clean import NOT_CODE

_DEFINE = re.compile(rb"#[ \t]*+define[ \t]++([A-Za-z_]\w*+)\(([\w \t,]*+)\)((?:[^\n\\]|\\\r?\n|\\.)*+)")  # possessive: no back-tracking
_LINE = re.compile(rb"#[ \t]*+(define|undef|if|endif)(?:n?def)?[ \t]*+(\w*+)")
_CONTROL = frozenset({b"goto", b"return", b"break", b"continue"})
_NAME = re.compile(rb"[A-Za-z_]\w*+")
_HEADER = re.compile(rb"\n([A-Za-z_][\w \t*]*+)\(")
_OPEN = re.compile(rb"[ \t\r\n]*+\(")
_PARTS = re.compile(rb'[()\[\]{},]|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?+|//[^\n]*+|"(?:[^"\\\n]++|\\.)*+"?+|\'(?:[^\'\\\n]++|\\.)*+\'?+')
_JOINT = re.compile(rb"\\\r?\n")
_CLOSES = {b"(": b")", b"[": b"]", b"{": b"}"}
_LITERAL = (34, 39)
_NO_USE = b"/\"'#"
_DEPTH = 8
_LARGEST = 20_000
"""Bytes that one use may become; what is longer stays as it is written."""
_MOST = 2_000_000
"""Bytes that are looked at for a file; where that is not enough all of it stays as it is written."""

Macros = Mapping[bytes, tuple[tuple[bytes, ...], bytes]]
"""By name the parameters and the body."""


class Expansion(msgspec.Struct, frozen=True):
    """A file with its macros written out. ``cuts``: (start in the new text, end there, start in the old one), in order."""

    text: bytes
    cuts: tuple[tuple[int, int, int], ...]
    ends: tuple[int, ...]
    """Where each use ended in the old text."""

    def origin(self, pos: int) -> int:
        """The offset in the file as it is written: inside of an expansion that of the use."""
        at = bisect_right(self.cuts, pos, key=lambda cut: cut[0]) - 1
        if at < 0:
            return pos
        _, end, old = self.cuts[at]
        return old if pos < end else self.ends[at] + pos - end


def macros_of(raw: bytes, relevant: frozenset[bytes]) -> Macros:
    """The function-like macros that a file defines once and for all configurations, with a word of interest in what they stand for, however
    deep: control flow, a name of ``relevant``, a function of the file. Those that paste, make strings or take any number of arguments are
    left out, those named in ``relevant``, and those that are a function's twin."""
    if not (found := _DEFINE.findall(raw)):
        return {}
    bodies = {name: (params, body, frozenset(_NAME.findall(body))) for name, params, body in found if name not in relevant}
    defined = _defined(raw)
    told = _telling({name: words for name, (_, _, words) in bodies.items()}, relevant, defined)
    once = _always(raw) if told else frozenset()
    out: dict[bytes, tuple[tuple[bytes, ...], bytes]] = {}
    for name in told & once:
        params, body, _ = bodies[name]
        plain = b" ".join(NOT_CODE.sub(_code, _JOINT.sub(b" ", body)).split())
        if plain and b"#" not in plain and len(plain) <= _LARGEST and name not in defined:
            out[name] = (tuple(word.strip() for word in params.split(b",")) if params.strip() else (), plain)
    return out


def _telling(macros: Mapping[bytes, frozenset[bytes]], relevant: frozenset[bytes], defined: frozenset[bytes]) -> frozenset[bytes]:
    """Of macros and the words of their bodies, those that lead to a word of interest. ``defined``: names of functions of the file."""
    first = relevant | _CONTROL | (defined - macros.keys())
    told = {name for name, words in macros.items() if not words.isdisjoint(first)}
    while more := {name for name, words in macros.items() if name not in told and not words.isdisjoint(told)}:
        told |= more
    return frozenset(told)


def _always(raw: bytes) -> frozenset[bytes]:
    """The names that are defined once, never undefined, and in no #if group."""
    depth = 0
    seen: dict[bytes, bool] = {}
    for word, name in _LINE.findall(raw):
        if word == b"if":
            depth += 1
        elif word == b"endif":
            depth -= 1
        else:
            seen[name] = name not in seen and not depth
    return frozenset(name for name, good in seen.items() if good)


def _defined(raw: bytes) -> frozenset[bytes]:
    """The names before the parenthesis in lines that start as the header of a function does."""
    found = set()
    for line in _HEADER.findall(b"\n" + raw):
        at = max(map(line.rfind, (b" ", b"\t", b"*"))) + 1
        if not at or line[:1] != b"_":
            found.add(line[at:])
    return frozenset(found)


def _code(match: re.Match[bytes]) -> bytes:
    """Literals stay and comments become a blank; a ``#`` stays, as a mark of what is not followed."""
    text = match.group()
    return text if text[0] in _LITERAL else b"#" if text[0] == 35 else b" "


def expanded(raw: bytes, relevant: frozenset[bytes]) -> Expansion | None:
    """The file with its own macros written out where they matter for ``relevant``, which are names with a meaning of their own; None when
    it uses none, or too much for the bounds."""
    if not (macros := macros_of(raw, relevant)):
        return None
    pieces: list[bytes] = []
    cuts: list[tuple[int, int, int]] = []
    ends: list[int] = []
    last = size = 0
    try:
        for start, end, text in _uses(raw, _Writer(macros)):
            pieces += (raw[last:start], text)
            size += start - last
            cuts.append((size, size + len(text), start))
            ends.append(end)
            size += len(text)
            last = end
    except _TooMuch:
        return None
    return Expansion(b"".join((*pieces, raw[last:])), tuple(cuts), tuple(ends)) if cuts else None


class _TooMuch(Exception):
    """The macros of a file make more text than anybody would write."""


class _Writer(msgspec.Struct):
    """Writes macros out, until it has looked at ``left`` bytes in all."""

    macros: Macros
    left: int = _MOST

    def use(self, text: bytes, at: int, name: bytes, inside: frozenset[bytes]) -> tuple[bytes, int] | None:
        """(what a use stands for, where it ends); None when it is no use after all. ``at``: behind the name."""
        params, body = self.macros[name]
        taken = arguments(text, at)
        self.left -= len(body) + (taken[1] if taken else min(len(text), at + _LARGEST)) - at
        if self.left < 0:
            raise _TooMuch
        if taken is None or (len(taken[0]) != len(params) and (params or taken[0] != (b"",))):
            return None
        given = dict(zip(params, taken[0], strict=False))
        out = _NAME.sub(lambda m: given.get(m.group(), m.group()), body)
        if len(out) <= _LARGEST and len(inside) < _DEPTH:
            out = self._again(out, inside | {name})
        return (out, taken[1]) if len(out) <= _LARGEST else None

    def _again(self, text: bytes, inside: frozenset[bytes]) -> bytes:
        """The text of a macro with the macros in it written out, those excepted that it is made by."""
        out = bytearray()
        last = 0
        for match in _NAME.finditer(text):
            if match.start() < last or match.group() not in self.macros or match.group() in inside:
                continue
            if (found := self.use(text, match.end(), match.group(), inside)) is not None:
                out += text[last : match.start()] + found[0]
                last = found[1]
        return bytes(out) + text[last:] if last else text


def _uses(raw: bytes, writer: _Writer) -> Iterator[tuple[int, int, bytes]]:
    """(start, end, what stands for it) of each use that is neither in a directive, comment or literal nor at the start of a line, where
    what a macro makes is a definition."""
    names = b"|".join(map(re.escape, writer.macros))
    finder = re.compile(NOT_CODE.pattern + rb"|(?<![\w.>])(?:" + names + rb")(?=[ \t]*+\()", re.S)
    reach = 0
    for match in finder.finditer(raw):
        start = match.start()
        if start < reach or raw[start] in _NO_USE or start == 0 or raw[start - 1] == 10:
            continue
        if (found := writer.use(raw, match.end(), match.group(), frozenset())) is not None:
            reach = found[1]
            yield start, reach, found[0]


def arguments(text: bytes, at: int) -> tuple[tuple[bytes, ...], int] | None:
    """The arguments in the parenthesis that follows, without comments and on one line, and where it ends; None when there is none."""
    opened = _OPEN.match(text, at)
    if opened is None:
        return None
    first, open_, out = opened.end(), [b")"], list[bytes]()
    for match in _PARTS.finditer(text, first, first + _LARGEST):
        char = match.group()
        if char in _CLOSES:
            open_.append(_CLOSES[char])
        elif char in (b")", b"]", b"}"):
            if open_.pop() != char:
                return None
            if not open_:
                return (*out, _line(text[first : match.start()])), match.end()
        elif char == b"," and len(open_) == 1:
            out.append(_line(text[first : match.start()]))
            first = match.end()
    return None


def _line(text: bytes) -> bytes:
    return b" ".join(NOT_CODE.sub(_code, _JOINT.sub(b" ", text)).split())
