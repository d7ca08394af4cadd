"""A function of a unit with all that it needs as one C file: the tree's own text, expanded, for a compiler to disagree with."""

from __future__ import annotations

from tlblint.names.tokens import joined
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.models import Models
from tlblint.predicates.names import Function, Names, require

_SHIM = """\
typedef unsigned char bool_;
#define bool _Bool
#define true 1
#define false 0
#define likely(x) (!!(x))
#define unlikely(x) (!!(x))
#define BUILD_BUG_ON(x) ((void)0)
#define VM_WARN_ON_ONCE(x) ((void)0)
#define VM_WARN_ON(x) ((void)0)
#define VM_BUG_ON(x) ((void)0)
#define WARN_ON_ONCE(x) (!!(x))
#define cpu_feature_enabled(x) 0
#define boot_cpu_has(x) 0
#define alternative_has_cap_unlikely(x) 0
#define alternative_has_cap_likely(x) 0
#define barrier() ((void)0)
#define GENMASK(h, l) ((~0UL >> (63 - (h))) & (~0UL << (l)))
#define GENMASK_ULL(h, l) GENMASK(h, l)
#define BIT(n) (1UL << (n))
#define _BITUL(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
"""
_KEYWORDS = frozenset(
    (
        "if", "else", "return", "while", "for", "do", "switch", "case", "default", "break", "continue", "goto", "sizeof", "const", "unsigned",
        "signed", "long", "int", "short", "char", "void", "struct", "union", "enum", "static", "inline", "bool", "_Bool", "true", "false", "volatile",
        "register", "__attribute__", "asm",
    )
)  # fmt: skip
MOST = 200


def source(names: Names, modelled: Models, function: str, wraps: tuple[str, ...]) -> str:
    """C text that defines ``function`` and what it calls. ``wraps`` are the types that are a struct around a number."""
    return "\n".join([_SHIM, *_Closure(names, modelled, wraps).of(function)]) + "\n"


class _Closure:
    def __init__(self, names: Names, modelled: Models, wraps: tuple[str, ...]) -> None:
        self.names = names
        self.modelled = modelled
        self.types: dict[str, str] = {}
        self.done: dict[str, str] = {}
        self.waiting: list[str] = []
        self.enums: dict[str, str] = {}
        for name in wraps:
            self.type(name)

    def of(self, function: str) -> list[str]:
        self.waiting.append(function)
        while self.waiting:
            name = self.waiting.pop()
            if name not in self.done:
                if len(self.done) > MOST:
                    raise Inconclusive("too many functions for one file")
                self.done[name] = ""
                self.done[name] = self.define(require(self.names.function(name), name))
        prototypes = [text[: text.index("{")].strip() + ";" for text in self.done.values()]
        return [*self.types.values(), *self.enums.values(), *prototypes, *self.done.values()]

    def type(self, name: str) -> None:
        """A typedef for an integer type, or for the struct around one."""
        found = self.names.type_named(name)
        if found is None or found.kind != "int" or name in self.types or name in _KEYWORDS:
            return
        spelled = {8: "char", 16: "short", 32: "int", 64: "long"}[found.width]
        spelled = "_Bool" if found.boolean else f"{'signed' if found.signed else 'unsigned'} {spelled}"
        member = self.names.member(name)
        self.types[name] = f"typedef struct {{ {spelled} {member}; }} {name};" if member else f"typedef {spelled} {name};"

    def define(self, found: Function) -> str:
        text = self.names.unit.text
        opening = text.index("(", found.at)
        start = max(text.rfind(c, 0, found.at) for c in ";}") + 1
        words = [t for t in joined(self.names.expanded(text[start : found.at], start)).split() if t not in ("inline", "extern", "__always_inline")]
        close = text.index("{", opening)
        params = self.names.expanded(text[opening : text.rindex(")", opening, close) + 1], opening)
        if "static" in words:
            words = words[words.index("static") + 1 :]
        body = [*words, found.name, *(t.text for t in params), *found.tokens]
        for word in body:
            if word[0].isalpha() or word[0] == "_":
                self.need(word, found)
        return " ".join(["static", *body])

    def need(self, word: str, found: Function) -> None:
        if word in _KEYWORDS or word == found.name or word in (n for _, n in found.params):
            return
        if self.names.type_named(word) is not None:
            self.type(word)
        elif word not in self.modelled and self.names.function(word) is not None:
            self.waiting.append(word)
        elif word not in self.enums and (value := self.names.enumerator(word)) is not None:
            self.enums[word] = f"#define {word} (({value[0] or 0}) + {value[1]})"
