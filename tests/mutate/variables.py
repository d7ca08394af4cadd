"""The variables of a function with their types, as far as a declaration can be read without guessing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from tests.mutate.cst import Fn, Stmt

BASE = r"(?:(?:struct|union|enum)\s+\w+|(?:unsigned|signed|long|short|int|char)\b(?:\s+(?:unsigned|signed|long|short|int|char)\b)*|[A-Za-z_]\w*)"
FIRST = re.compile(
    rf"(?P<qual>(?:const\s+)?)(?P<base>{BASE})(?P<const>\s+const)?(?P<stars>[\s*]+)(?:const\s+)?(?P<name>[A-Za-z_]\w*)\s*(?P<rest>\[.*|=.*)?$", re.S
)
LATER = re.compile(r"(?P<stars>[\s*]*)(?P<name>[A-Za-z_]\w*)\s*(?P<rest>\[.*|=.*)?$", re.S)
BY_MACRO = {
    "DEFINE_FOLIO_VMA_WALK": "struct page_vma_mapped_walk",
    "DEFINE_PAGE_VMA_WALK": "struct page_vma_mapped_walk",
    "LIST_HEAD": "struct list_head",
    "VMA_ITERATOR": "struct vma_iterator",
    "MA_STATE": "struct ma_state",
}
IDENTIFIER = re.compile(r"(?<![\w.])(?<!->)[A-Za-z_]\w*")


class Var(msgspec.Struct, frozen=True, eq=False):
    """``home`` is the block (or ``for``) that declares it, None for a parameter. ``type`` is "" if it could not be read."""

    name: str
    type: str
    stars: int
    home: Stmt | None

    @property
    def record(self) -> bool:
        """A struct or union held by value."""
        return self.stars == 0 and self.type.split(" ")[-2:-1] in (["struct"], ["union"])

    def spelt(self, name: str, extra: int = 0) -> str:
        """A declaration of ``name`` with this type and ``extra`` more levels of pointer."""
        stars = "*" * (self.stars + extra)
        return f"{self.type} {stars}{name}"


def commas(mask: str) -> list[tuple[int, int]]:
    """Spans of the pieces between top-level commas."""
    out, depth, last = [], 0, 0
    for at, char in enumerate(mask):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            out.append((last, at))
            last = at + 1
    return [*out, (last, len(mask))]


def declared(code: str, home: Stmt | None) -> Iterator[Var]:
    """Variables of one declaration (masked, with or without its semicolon)."""
    code = re.sub(r"\b__(?:maybe_unused|always_unused|free\([^)]*\))", " ", code.strip().rstrip(";")).strip()
    macro = re.match(r"([A-Z][A-Z_]+)\s*\(\s*(\w+)", code)
    if macro:
        yield Var(macro.group(2), BY_MACRO.get(macro.group(1), ""), 0, home)
        return
    spans = commas(code)
    first = FIRST.match(code[slice(*spans[0])].strip())
    if first is None or code.startswith(("static", "volatile", "register", "typeof", "__auto_type")):
        yield from (Var(name, "", 0, home) for name in re.findall(r"[A-Za-z_]\w*", code.split("=")[0]))
        return
    base = re.sub(r"\s+", " ", ("const " if first["qual"] or first["const"] else "") + first["base"])
    yield _var(first, base, home)
    for span in spans[1:]:
        later = LATER.match(code[slice(*span)].strip())
        if later is None:
            yield from (Var(name, "", 0, home) for name in re.findall(r"[A-Za-z_]\w*", code[slice(*span)].split("=")[0]))
        else:
            yield _var(later, base, home)


def _var(m: re.Match[str], base: str, home: Stmt | None) -> Var:
    array = (m["rest"] or "").startswith("[")
    return Var(m["name"], "" if array else base, m["stars"].count("*"), home)


def parameters(fn: Fn) -> list[Var]:
    """The function's parameters in order; one that cannot be read has the type ""."""
    opening = fn.header.index("(", fn.header.index(fn.name))
    depth, close = 0, opening
    for close in range(opening, len(fn.header)):
        depth += (fn.header[close] == "(") - (fn.header[close] == ")")
        if depth == 0:
            break
    inner = fn.header[opening + 1 : close]
    if inner.strip() in {"", "void"}:
        return []
    out: list[Var] = []
    for span in commas(inner):
        found = list(declared(inner[slice(*span)], None))
        out.append(found[0] if len(found) == 1 else Var(found[-1].name if found else "?", "", 0, None))
    return out


def variables(fn: Fn) -> list[Var]:
    """All variables, parameters first."""
    out = parameters(fn)
    for s in fn.all:
        if s.kind == "decl":
            out += declared(fn.code(s), s.parent)
        elif s.kind == "for":
            head = re.match(rf"\s*(?:const\s+)?{BASE}[\s*]+\w+\s*=[^;]*", fn.mask[s.head[0] : s.head[1]])
            if head:
                out += declared(head.group(), s)
    return out


def visible(fn: Fn, at: Stmt, everything: list[Var]) -> dict[str, Var]:
    """What each name means at statement ``at``; the innermost declaration wins."""
    around = [fn.root, *reversed(list(at.ancestors()))] if at.parent is not None else [fn.root]
    rank = {id(s): n for n, s in enumerate(around, 1)}
    out: dict[str, Var] = {}
    for v in everything:
        level = 0 if v.home is None else rank.get(id(v.home), -1)
        if level >= 0:
            held = out.get(v.name)
            if held is None or level >= (0 if held.home is None else rank.get(id(held.home), -1)):
                out[v.name] = v
    return out
