"""All variants of a kernel tree: found, made, checked and deduplicated."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import tree_sitter
import tree_sitter_c

from tests.mutate import table
from tests.mutate.cst import Fn, functions

ENCODING = "latin-1"  # byte-exact for any source file
_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language()))


class Variant(msgspec.Struct, frozen=True):
    """One changed function. ``body`` replaces bytes ``start:end`` of the file at ``root/path``."""

    id: str
    kernel: str
    root: Path
    path: str
    function: str
    operator: str
    family: str
    label: str
    accept: tuple[str, ...]
    start: int
    end: int
    body: str

    @property
    def harmless(self) -> bool:
        return self.family in table.HARMLESS

    def text(self) -> bytes:
        """The whole changed file, made on demand."""
        raw = (self.root / self.path).read_bytes()
        return raw[: self.start] + self.body.encode(ENCODING) + raw[self.end :]


def errors(text: str) -> int:
    """ERROR and missing nodes of a piece of C as tree-sitter sees it."""
    count, stack = 0, [_PARSER.parse(text.encode(ENCODING)).root_node]
    while stack:
        node = stack.pop()
        count += node.is_error or node.is_missing
        if node.has_error:
            stack += node.children
    return count


def sources(root: Path, wider: bool = False) -> Iterator[tuple[str, str]]:
    """(path, text) of every file operators look at, in a fixed order."""
    paths = sorted({p for pattern in (table.CONTEXT if wider else table.FILES) for p in root.glob(pattern)})
    for p in paths:
        path = p.relative_to(root).as_posix()
        if not table.SKIP_FILES.search(path):
            yield path, p.read_bytes().decode(ENCODING)


def in_scope(root: Path, wider: bool = False) -> Iterator[Fn]:
    """Functions that use the PTE lock, clear, flush or lazy API; ``wider``: also gathers, counts, notifiers and table frees."""
    wanted = table.WIDER if wider else table.WANTED
    header = root / "include/asm-generic/hugetlb.h"
    huge_get_mm = not header.exists() or "huge_ptep_get(struct mm_struct" in header.read_text(ENCODING)
    for path, text in sources(root, wider):
        if wanted.search(text):
            for fn in functions(path, text):
                if wanted.search(fn.mask[fn.root.start :]):
                    fn.huge_get_mm = huge_get_mm
                    yield fn


def variants(
    root: Path, families: tuple[str, ...] = tuple(table.FAMILIES), rejected: Counter[str] | None = None, compose: bool = False
) -> Iterator[Variant]:
    """Every variant of the tree at ``root``. ``rejected`` counts what the sanity checks threw out, by reason and operator.

    ``compose``: in place of each variant one that is rewritten harmlessly after that; those that no rewrite fits are left out.
    """
    kernel = root.name.removeprefix("linux-source-")
    seen: set[tuple[str, str]] = set()
    dropped = rejected if rejected is not None else Counter()
    for fn in in_scope(root, wider=any(f in table.WIDE_FAMILIES for f in families)):
        stock = errors(fn.text)
        narrow = table.WANTED.search(fn.mask[fn.root.start :]) is not None
        for family in families:
            for name, operator in table.FAMILIES[family].items() if narrow or family in table.WIDE_FAMILIES else ():
                if not table.applies(kernel, family, name, fn):
                    continue
                for label, body in operator(fn):
                    if not table.meaningful(family, name, fn, body):
                        continue
                    reason = _reject(fn, body, stock, seen)
                    if reason:
                        dropped[f"{reason} {family}/{name}"] += 1
                    elif not compose:
                        yield _make(kernel, root, fn, family, name, label, body)
                    else:
                        for second, text in _rewritten(fn, body, label, stock, seen):
                            yield _make(kernel, root, fn, family, name, f"{label}+{second}", text)


def _rewritten(fn: Fn, body: str, label: str, stock: int, seen: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """One harmless rewrite of a variant's body, another one for each body. Helpers that stand above it already stay as they are."""
    at = max(body.rfind(fn.text[: fn.root.start]), 0)
    above, own = body[:at], body[at:]
    try:
        broken = Fn(fn.path, fn.name, fn.offset, own, fn.above)
    except (ValueError, IndexError):
        return
    helpers = set(re.findall(r"\b(\w+)\([^;{}]*\)\n\{", above))
    choices = [
        (f"{name}-{at}", text) for family in ("ACROSS", "WITHIN") for name, operator in table.FAMILIES[family].items() for at, text in operator(broken)
    ]
    choices.sort(key=lambda c: hashlib.sha256(f"{fn.name}{label}{c[0]}".encode()).digest())
    for name, text in choices:
        again = helpers & set(re.findall(r"\b(\w+)\([^;{}]*\)\n\{", text)) if helpers else set()
        if not again and not _reject(fn, above + text, stock, seen):
            yield name, above + text
            return


def _reject(fn: Fn, body: str, stock: int, seen: set[tuple[str, str]]) -> str:
    if body == fn.text:
        return "same"
    key = (fn.path, " ".join(body.split()))
    if key in seen:
        return "duplicate"
    if errors(body) > stock:
        return "unparsable"
    seen.add(key)
    return ""


def _make(kernel: str, root: Path, fn: Fn, family: str, name: str, label: str, body: str) -> Variant:
    digest = hashlib.sha256(f"{fn.path}\0{body}".encode()).hexdigest()[:6]
    ident = f"{kernel}:{family}:{name}:{fn.path}:{fn.name}:{label}:{digest}"
    return Variant(ident, kernel, root, fn.path, fn.name, name, family, label, table.accept(family, name), fn.offset, fn.offset + len(fn.text), body)
