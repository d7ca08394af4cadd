"""Macros that call: the front end reads ``NAME(..)`` as a call, so what NAME expands to is looked up in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

import msgspec

from tlblint.calls.program import arch_of

_DEFINE = re.compile(rb"^[ \t]*+#[ \t]*+define[ \t]++([A-Za-z_]\w*+)(\([^()\n]{0,400}\))?+[ \t]*+((?:[^\n\\]|\\\r?\n|\\.){0,8000}+)", re.M)
_COMMENT = re.compile(rb"/\*.*?\*/|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"", re.S)
_CALL = re.compile(rb"(?<![\w.>])([A-Za-z_]\w*+)\s*+\(")
_NAME = re.compile(rb"[A-Za-z_]\w*+")
_ALIAS = re.compile(rb"\s*+([A-Za-z_]\w*+)\s*+$")
_WORDS = frozenset(b"if for while switch return sizeof typeof __typeof__ defined do else".split())
DEPTH = 4
"""Macros within macros are followed so far."""


class Macros(msgspec.Struct, frozen=True, dict=True):
    """The macros of some files. ``sources``: path -> bytes."""

    sources: Mapping[str, bytes]
    _calls: dict[tuple[str, str], tuple[tuple[str, int], ...]] = msgspec.field(default_factory=dict)

    @cached_property
    def _where(self) -> Mapping[str, tuple[tuple[str, bytes], ...]]:
        found: dict[str, list[tuple[str, bytes]]] = {}
        for path in sorted(self.sources):
            raw = self.sources[path]
            if b"define" not in raw:
                continue
            for match in _DEFINE.finditer(raw):
                if match[2] is not None or _ALIAS.match(match[3]):
                    found.setdefault(match[1].decode(), []).append((path, match[3]))
        return {name: tuple(bodies) for name, bodies in found.items()}

    def calls(self, name: str, path: str) -> tuple[tuple[str, int], ...]:
        """What ``name(..)`` in file ``path`` expands to: (called name, number of arguments), other macros followed; () for no macro."""
        known = self._calls.get((name, path))
        if known is None:
            out: dict[tuple[str, int], None] = {}
            self._follow(name, path, DEPTH, {name}, out)
            known = self._calls[(name, path)] = tuple(out)
        return known

    def _follow(self, name: str, path: str, depth: int, seen: set[str], out: dict[tuple[str, int], None]) -> None:
        for body in self._bodies(name, path):
            text = _COMMENT.sub(b" ", body).replace(b"\\\n", b"  ").replace(b"\\\r\n", b"   ")
            alias = _ALIAS.match(text)
            called = [(alias[1], -1)] if alias else [(m[1], _arguments(text, m.end())) for m in _CALL.finditer(text) if m[1] not in _WORDS]
            for word, count in called:
                inner = word.decode()
                if inner in seen:
                    continue
                if depth and inner in self._where and self._bodies(inner, path):
                    seen.add(inner)
                    out[(inner, count)] = None
                    self._follow(inner, path, depth - 1, seen, out)
                else:
                    out[(inner, count)] = None

    def _bodies(self, name: str, path: str) -> list[bytes]:
        """The definitions that a use in ``path`` can mean: of the file itself, else of headers of its architecture, else generic ones."""
        found = self._where.get(name, ())
        own = [body for where, body in found if where == path]
        home = [body for where, body in found if where.endswith(".h") and arch_of(where) == arch_of(path)]
        return own or home or [body for where, body in found if where.endswith(".h") and not arch_of(where)]


def naming(raw: bytes, names: frozenset[bytes]) -> Iterator[tuple[str, str]]:
    """The macros of a file that expand to one of ``names``, as (macro, name)."""
    if b"define" not in raw:
        return
    for match in _DEFINE.finditer(raw):
        if names.isdisjoint(_NAME.findall(match[3])) or (match[2] is None and not _ALIAS.match(match[3])):
            continue
        used = set(_NAME.findall(_COMMENT.sub(b" ", match[3]))) & names - {match[1]}
        yield from ((match[1].decode(), name.decode()) for name in sorted(used))


def _arguments(text: bytes, at: int) -> int:
    """How many arguments stand in the parentheses that open before ``at``."""
    depth, count, filled = 0, 0, False
    for byte in text[at:]:
        char = chr(byte)
        if char in "([{":
            depth += 1
        elif char in ")]}":
            if not depth:
                break
            depth -= 1
        elif char == "," and not depth:
            count += 1
        filled = filled or not char.isspace()
    return count + 1 if filled else 0
