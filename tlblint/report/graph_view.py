"""A call graph ready to print: lines instead of offsets, and the words for effects and for what is held."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class GraphNode(msgspec.Struct, frozen=True):
    """A function. ``path`` and ``line`` (1-based) are None for calls through pointers and for what has no definition among the files read.
    ``kind``: "function", "pointer", "undefined". ``effects``: kinds, sorted. ``enters``: (what is held, by whom). ``above``, ``below``: how many
    callers and callees are not shown. ``focus``: it was asked for."""

    name: str
    path: str | None = None
    line: int | None = None
    kind: str = "function"
    variants: int = 1
    weak: bool = False
    inline: bool = False
    outside: bool = False
    changes: bool = False
    effects: tuple[str, ...] = ()
    enters: tuple[tuple[str, str], ...] = ()
    slots: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    above: int = 0
    below: int = 0
    focus: bool = False


class GraphEdge(msgspec.Struct, frozen=True):
    """A call between nodes (places in GraphView.nodes). ``line``: of its first site, in the caller's file; ``kind``: "direct", "table", "macro",
    "unresolved"; ``via``: slot and table, or the macro, or ""; ``held``: locks that may be held there."""

    caller: int
    callee: int
    kind: str
    line: int | None = None
    sites: int = 1
    via: str = ""
    held: tuple[str, ...] = ()


class GraphView(msgspec.Struct, frozen=True):
    """The graph and what it is of. Edges are in the order of caller, place in the caller, callee."""

    version: str
    kind: str
    revision: str | None
    generation: str | None
    profiles: tuple[str, ...]
    depth: int | None
    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    not_analysed: tuple[tuple[str, str | None, int, str], ...] = ()


_LABELS = {
    "entry.clear": "clears", "entry.start": "starts change", "entry.commit": "commits change", "entry.demote": "write-protects", "entry.clean": "cleans",
    "entry.install": "installs", "entry.promote": "promotes", "entry.young": "clears young", "entry.read": "reads", "flush.now": "flushes",
    "flush.gather": "flushes gather", "flush.record": "records flush", "flush.batched": "flushes batched", "flush.rmaps": "drops delayed rmaps",
    "flush.kernel": "flushes kernel", "unmap.defer": "defers flush", "unmap.flush": "flushes deferred", "walk.range": "walks", "page.dirty": "dirties page",
    "rmap.drop": "drops rmap", "table.free": "frees table", "ptl.lookup": "finds PTL", "lazy.flush": "flushes lazy", "pending.query": "asks pending",
}  # fmt: skip
_PAIRS = (
    ("ptl.acquire", "ptl.release", "PTL"), ("lazy.enter", "lazy.leave", "lazy mode"), ("lazy.pause", "lazy.resume", "lazy pause"),
    ("gather.begin", "gather.end", "gather"), ("pending.inc", "pending.dec", "pending count"), ("notifier.start", "notifier.end", "notifier"),
    ("section.open", "section.close", "section"),
)  # fmt: skip
_QUIET = frozenset({"ptl.lookup", "pending.query"})


def labels(effects: Iterable[str]) -> list[str]:
    """Effects in words: what happens to entries first, then flushes, then locks; "takes PTL" without a release, "PTL" for both."""
    kinds = set(effects) - _QUIET
    words = [_LABELS[kind] for kind in _LABELS if kind in kinds]
    if len(kinds) > 1 and "entry.read" in kinds:
        words.remove("reads")
    for first, second, word in _PAIRS:
        if first in kinds and second in kinds:
            words.append(word)
        elif first in kinds or second in kinds:
            words.append(f"{'opens' if first in kinds else 'closes'} {word}" if word != "PTL" else "takes PTL" if first in kinds else "drops PTL")
    return words


_BY = {"walker": "from the walker", "contract": "by contract", "callers": "from every caller seen", "some callers": "from some callers"}


def entered(node: GraphNode) -> list[str]:
    """What is held on entry, in words: "PTL, lazy MMU mode from the walker"."""
    return [f"{', '.join(what for what, who in node.enters if who == by)} {_BY.get(by, by)}" for by in dict.fromkeys(by for _, by in node.enters)]


def marks(node: GraphNode) -> list[str]:
    """What is special about a node, in words."""
    found = [f"{node.variants} variants"] if node.variants > 1 else []
    found += ["weak"] if node.weak else []
    found += ["out of scope"] if node.outside else []
    found += ["no definition here"] if node.kind == "undefined" else []
    if node.kind == "pointer":
        found += list(node.slots) or ["unresolved"]
    if node.overrides:
        found.append("also in " + ", ".join(node.overrides[:3]) + (f" and {len(node.overrides) - 3} more" if len(node.overrides) > 3 else ""))
    return found
