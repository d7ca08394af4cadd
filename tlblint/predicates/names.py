"""What a name of a unit is: a function with a body, a type, an enumeration constant, or at least something that is declared."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from copy import copy

import msgspec
from tree_sitter import Node

from tlblint.names.tokens import Expander, Macro, Token, joined, tokens
from tlblint.names.unit import Unit
from tlblint.predicates.ctypes import AUTO, FIXED, POINTER, PRIMITIVE, CType, primitive
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.rewrite import configured, readable

_QUALIFIERS = frozenset(
    (
        "const", "volatile", "static", "inline", "extern", "register", "__inline", "__inline__", "__always_inline", "noinline", "notrace", "restrict",
        "__restrict", "__iomem", "__user", "__percpu", "__rcu", "__force", "__init", "__must_check", "__maybe_unused", "__always_unused", "__pure",
        "__attribute_const__", "noinstr", "__visible", "asmlinkage", "__ref", "__private", "__sched", "__cold", "inline_notrace", "__const", "__kprobes",
        "__flatten", "__no_sanitize_address", "__noreturn", "__bitwise", "__nocfi", "__signed__", "__refdata", "__read_mostly", "__ro_after_init",
    )
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z_]\w*")
_AFTER = re.compile(r"(?:\s++|__\w++\s*+\([^()]*+\)|__\w++)*+\{")
_ENUM = re.compile(r"\benum\b\s*(?:\w+\s*)?(?::\s*\w+\s*)?\{")
_CALL = re.compile(r"([A-Za-z_]\w*)\s*\(")
_LONGEST = 40_000
_MENTIONS = 3000


class Function(msgspec.Struct, frozen=True):
    """A definition. ``params`` are (type, name); ``body`` is the text from { to }, expanded; ``origins`` give unit offsets of its tokens."""

    name: str
    returns: CType
    params: tuple[tuple[CType, str], ...]
    body: str
    offsets: tuple[int, ...]
    origins: tuple[int, ...]
    at: int
    head: str
    tokens: tuple[str, ...] = ()


def closing(text: str, at: int, limit: int = _LONGEST) -> int:
    """Offset of the bracket that closes the one at ``at``; -1 when there is none within ``limit``."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    opening, ending = text[at], pairs[text[at]]
    depth, end = 0, min(len(text), at + limit)
    index = at
    while index < end:
        c = text[index]
        if c == opening:
            depth += 1
        elif c == ending:
            depth -= 1
            if not depth:
                return index
        elif c in "\"'":
            index = _quoted(text, index, end)
        index += 1
    return -1


def _quoted(text: str, at: int, end: int) -> int:
    quote, index = text[at], at + 1
    while index < end and text[index] != quote and text[index] != "\n":
        index += 2 if text[index] == "\\" else 1
    return index


class Names:
    """Looks names up in a unit; everything found is kept."""

    def __init__(self, unit: Unit, keep: Container[str], long_bits: int = 64) -> None:
        self.unit = unit
        self.keep = keep
        self.long_bits = long_bits
        self._functions: dict[str, Function | None] = {}
        self._types: dict[str, CType | None] = {}
        self._enums: dict[str, tuple[str, int] | None] = {}
        self._wrappers: dict[str, str] = {}
        self._spelled: dict[str, tuple[str, int]] | None = None
        self.bodies: dict[str, tuple[Node, bytes, int]] = {}
        """Parsed bodies by function: (compound statement, the text it is in, where its first token stands)."""
        self.within: dict[str, dict[int, bool]] = {}
        """Function -> node of its body -> whether it stands in a block that is an expression."""

    # text

    def expanded(self, text: str, at: int) -> list[Token]:
        """Tokens of text that stands at offset ``at``, macros expanded but for the names that are modelled."""
        return configured(Expander(lambda name: self.unit.macro_at(name, at), self.keep).expand(tokens(text, at)))

    def spellings(self, name: str) -> Iterator[int]:
        """Offsets where ``name`` stands as a word of its own."""
        text, at, left = self.unit.text, -1, _MENTIONS
        while left and (at := text.find(name, at + 1)) >= 0:
            before, after = text[at - 1 : at], text[at + len(name) : at + len(name) + 1]
            if not (before.isalnum() or before == "_" or after.isalnum() or after == "_"):
                left -= 1
                yield at

    # functions

    def function(self, name: str) -> Function | None:
        """The definition of a function, or None. Raises Inconclusive when its macros are too many."""
        if name not in self._functions:
            self._functions[name] = None
            for at in self.spellings(name):
                found = self._definition(name, at)
                if found is not None:
                    self._functions[name] = found
                    break
        return self._functions[name]

    def with_function(self, function: Function) -> Names:
        """The same names, but for this function."""
        out = copy(self)
        out._functions = {**self._functions, function.name: function}
        out.bodies, out.within = {}, {}
        return out

    def with_macro(self, macro: Macro) -> Names:
        """The same names, but for this macro, which is so everywhere. Functions whose text has been expanded before stay as they are."""
        out = copy(self)
        out.unit = self.unit.with_macro(macro)
        return out

    def _definition(self, name: str, at: int) -> Function | None:
        text = self.unit.text
        opening = at + len(name)
        while opening < len(text) and text[opening] in " \t\n":
            opening += 1
        if text[opening : opening + 1] != "(":
            return None
        end = closing(text, opening, 4000)
        brace = _AFTER.match(text, end + 1, end + 400) if end > 0 else None
        if brace is None:
            return None
        start = max(text.rfind(c, 0, at) for c in ";}")
        head = text[start + 1 : at]
        if not _NAME.search(head) or any(c in head for c in "=("):
            head = head[head.rfind(")") + 1 :]
            if not _NAME.search(head) or "=" in head:
                return None
        last = closing(text, brace.end() - 1)
        if last < 0:
            return None
        raw = self.expanded(text[brace.end() - 1 : last + 1], brace.end() - 1)
        body = readable(raw)
        params = self._params(self.expanded(text[opening + 1 : end], opening + 1))
        offsets, size = [], 0
        for token in body:
            offsets.append(size)
            size += len(token.text) + 1
        returns = self.typed(self.expanded(head, start + 1))
        return Function(name, returns, params, joined(body), tuple(offsets), tuple(t.at for t in body), at, " ".join(head.split()), tuple(t.text for t in raw))

    def _params(self, source: list[Token]) -> tuple[tuple[CType, str], ...]:
        groups: list[list[Token]] = [[]]
        depth = 0
        for token in source:
            depth += (token.text in "([") - (token.text in ")]")
            if token.text == "," and not depth:
                groups.append([])
            else:
                groups[-1].append(token)
        if groups == [[]] or [t.text for t in groups[0]] == ["void"]:
            return ()
        return tuple(self._param(group, index) for index, group in enumerate(groups))

    def _param(self, group: list[Token], index: int) -> tuple[CType, str]:
        words = [t.text for t in group]
        if "(" in words:  # a pointer to a function, or an attribute
            names = [w for w in words[words.index("(") :] if _NAME.fullmatch(w) and w not in _QUALIFIERS]
            return POINTER, names[0] if names else f"arg{index}"
        array = "[" in words
        group = group[: words.index("[")] if array else group
        names = [t.text for t in group if t.is_name and t.text not in _QUALIFIERS]
        alone = len(names) < 2 or names[-1] in PRIMITIVE
        name = f"arg{index}" if alone or (names[0] in ("struct", "union", "enum") and len(names) < 3) else names[-1]
        rest = group if name.startswith("arg") else [t for i, t in enumerate(group) if i != max(j for j, g in enumerate(group) if g.text == name)]
        return POINTER if array else self.typed(rest), name

    # types

    def typed(self, source: list[Token]) -> CType:
        """The type that a declaration's words spell; unknown words make it ``auto``."""
        words = [t.text for t in source if t.text not in _QUALIFIERS]
        if "*" in words:
            return POINTER
        return self.type_of_words([w for w in words if _NAME.fullmatch(w)])

    def type_of_words(self, words: list[str]) -> CType:
        """The type of identifiers such as ``unsigned long`` or ``struct x`` or ``pte_t``."""
        words = [w for w in words if w not in _QUALIFIERS]
        own = [w for w in words if w in PRIMITIVE]
        if own:
            return primitive(own, self.long_bits)
        if words[:1] == ["enum"]:
            return CType("int", 32, False)
        if words[:1] in (["struct"], ["union"]):
            return CType("struct", name=" ".join(words[:2]))
        for word in words:
            if (found := self.type_named(word)) is not None:
                return found
        return AUTO

    def type_named(self, name: str) -> CType | None:
        """What a typedef name stands for, or None when it is none."""
        if name in PRIMITIVE:
            return primitive([name], self.long_bits)
        if name == "__auto":
            return AUTO
        if name in FIXED:
            return CType("int", *FIXED[name], name=name)
        if name not in self._types:
            self._types[name] = None
            self._types[name] = self._typedef(name)
        return self._types[name]

    def member(self, name: str) -> str:
        """The one member of a typedef that wraps an integer ("pte" for pte_t), or ""."""
        self.type_named(name)
        return self._wrappers.get(name, "")

    def _typedef(self, name: str) -> CType | None:
        text = self.unit.text
        for at in self.spellings(name):
            rest = text[at + len(name) : at + len(name) + 80].lstrip()
            if not rest or rest[0] not in ";[_(":
                continue
            start = text.rfind("typedef", 0, at)
            if start < 0 or at - start > 3000:
                continue
            body = text[start + 7 : at]
            if "{" in body:
                if body.count("{") != body.count("}") or body.rstrip()[-1] != "}" or ";" in body[body.rindex("}") :]:
                    continue
                return self._wrapped(name, body, start)
            if ";" in body:
                continue
            if "*" in body or "(" in body:
                return POINTER
            found = self.typed(self.expanded(body, start))
            if found.kind == "int":
                return CType("int", found.width, found.signed, found.boolean, name)
            return found if rest[0] == ";" or rest[0] == "_" else None
        return None

    def _wrapped(self, name: str, body: str, at: int) -> CType:
        """A struct around a single integer is that integer."""
        inner = body[body.index("{") + 1 : body.rindex("}")]
        members = [m for m in inner.split(";") if m.strip()]
        if len(members) == 1 and "{" not in inner and "[" not in inner and "*" not in inner:
            words = _NAME.findall(members[0])
            found = self.typed(self.expanded(" ".join(words[:-1]), at))
            if found.kind == "int":
                self._wrappers[name] = words[-1]
                return CType("int", found.width, found.signed, name=name)
        return CType("struct", name=name)

    # the rest

    def enumerator(self, name: str) -> tuple[str, int] | None:
        """For an enumeration constant: an expression of its value as (base expression or "", to be added)."""
        if name not in self._enums:
            self._enums[name] = None
            for at in self.spellings(name):
                found = self._enumerator(name, at)
                if found is not None:
                    self._enums[name] = found
                    break
            else:
                self._enums[name] = self._pasted().get(name)
        return self._enums[name]

    def _pasted(self) -> dict[str, tuple[str, int]]:
        """Enumerators whose names only macros spell."""
        if self._spelled is None:
            self._spelled = {}
            text = self.unit.text
            for found in _ENUM.finditer(text):
                end = text.find("}", found.end())
                body = text[found.end() : end]
                calls = [self.unit.last(w) for w in _CALL.findall(body)[:3]] if end - found.end() < _LONGEST else []
                if any(m is not None and "##" in m.body for m in calls):
                    try:
                        self._spelled.update(_enumerators(joined(self.expanded(body, found.end()))))
                    except Inconclusive:
                        continue
        return self._spelled

    def _enumerator(self, name: str, at: int) -> tuple[str, int] | None:
        text = self.unit.text
        after = text[at + len(name) : at + len(name) + 200].lstrip()[:1]
        start = text.rfind("{", max(0, at - _LONGEST), at)
        if after not in ("=", ",", "}") or start < 0 or "}" in text[start:at] or ";" in text[start:at]:
            return None
        if not re.search(r"\benum\b(?:\s+\w+){0,4}\s*(?::\s*\w+\s*)?$", text[max(0, start - 120) : start]):
            return None
        end = text.find("}", at)
        return _enumerators(joined(self.expanded(text[start + 1 : end], start + 1))).get(name)

    def declared(self, name: str) -> bool:
        """Whether the unit mentions the name at all."""
        return next(self.spellings(name), None) is not None


def _enumerators(body: str) -> dict[str, tuple[str, int]]:
    """Name -> (expression of the last explicit value before it, how many further on it stands)."""
    out: dict[str, tuple[str, int]] = {}
    base, count = "", 0
    for item in body.rstrip(" ,").split(" , "):
        head, _, value = item.partition("=")
        if value.strip():
            base, count = value.strip(), 0
        if head.split():
            out[head.split()[0]] = base, count
        count += 1
    return out


def require(found: Function | None, name: str) -> Function:
    """The function, or Inconclusive: unknown name."""
    if found is None:
        raise Inconclusive(f"unknown name {name}")
    return found
