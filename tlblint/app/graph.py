"""``tlblint graph``: read what leads to the functions asked for, build the call graph, cut a part out of it."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import msgspec

from tlblint import __version__
from tlblint.app import generation, scope
from tlblint.app import shipped as data
from tlblint.app.bodies import Bodies, Over, above, below, walkers
from tlblint.app.collecting import collect, nothing, workers
from tlblint.app.request import Progress, Request, silent
from tlblint.app.spine import Spine, Wanted, load
from tlblint.calls.graph import CallGraph, Kernel, build
from tlblint.calls.program import arch_of
from tlblint.calls.select import Part, around, changing
from tlblint.findings.lines import Lines
from tlblint.io import config, pool, prefilter
from tlblint.io.errors import InputError
from tlblint.io.tree import Tree, open_tree, read_all
from tlblint.io.tree import below as lies_below
from tlblint.model.ir import FileFacts
from tlblint.report.graph_view import GraphEdge, GraphNode, GraphView
from tlblint.roles import RoleTable, detect, load_contracts, load_profile_data, load_roles

DEPTH = 3
_NAME = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)


class GraphRequest(msgspec.Struct, frozen=True):
    """What to draw. ``functions``: NAME or FILE:NAME; none: everything that changes entries. ``paths``: where to look; none: the whole
    tree. ``callers``, ``callees``: which directions. ``depth``: how many calls; None: DEPTH around functions, else as far as is known."""

    cwd: str
    functions: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    tree: str | None = None
    revision: str | None = None
    flags: Mapping[str, Any] = msgspec.field(default_factory=dict)
    depth: int | None = None
    callers: bool = True
    callees: bool = True
    debug: bool = False
    progress: Progress = silent


class GraphOutcome(msgspec.Struct, frozen=True):
    """The graph, the settings it was made under, and the top of the tree."""

    view: GraphView
    settings: config.Settings
    top: str


def graph(request: GraphRequest) -> GraphOutcome:
    """Draw a call graph. Raises InputError."""
    asked = [_asked(text) for text in request.functions]
    tree = open_tree(request.cwd, request.tree, request.revision)
    try:
        settings = config.load(tree, tree.top, request.flags)
        roots = scope.roots(tree, request.cwd, request.paths, request.tree is not None)
        headers = generation.headers(tree)
        spine = load(Wanted(settings["profile"].value, headers=headers))
        scope.require_files(tree, tree.list(roots), roots)
        return GraphOutcome(_drawn(tree, roots, spine, settings, headers, asked, request), settings, tree.top)
    finally:
        tree.close()


class Shipped(msgspec.Struct, frozen=True):
    """The shipped data for one kernel generation, as the graph needs it."""

    kernel: Kernel
    roles: RoleTable
    pure: Callable[[str], bool]
    config: Callable[[str], Any]


def shipped(profiles: tuple[str, ...], headers: Mapping[str, bytes]) -> Shipped:
    api = data.texts("api")
    roles = load_roles(data.role_files(api), detect(headers).features)
    contracts = load_contracts(api["contracts.toml"])
    outside = data.starts(api, "outside")
    configs = data.configs(data.chosen(load_profile_data(data.texts("profiles")), profiles))

    @cache
    def promised(path: str, name: str) -> frozenset[str]:
        contract = contracts.function(name, path)
        if contract is None:
            return frozenset()
        held = {word for word, _ in contract.entry if word in ("ptl", "lazy")}
        says = set(contract.says)
        return frozenset(held | ({"ptl"} if "caller-holds-ptl" in says else set()) | (says & {"returns-unlocked"}))

    kernel = Kernel(
        roles=lru_cache(maxsize=None)(roles.resolve),
        slots={(slot.struct, slot.slot): slot.holds for slot in contracts.slots},
        promised=promised,
        outside=lambda path, name: path.startswith(outside) or "kernel-tables" in contracts.says(path, name),
    )
    return Shipped(kernel, roles, data.pure(api), lambda path: configs.get(arch_of(path)) or configs[""])


Asked = tuple[str, str]
"""The file that was named, "" for none, and the function."""


def _asked(text: str) -> Asked:
    path, _, name = text.rpartition(":")
    if not _NAME.match(name):
        raise InputError(text or "FUNCTION", "not the name of a function", "write NAME or FILE:NAME")
    return path, name


def _drawn(
    tree: Tree, roots: tuple[str, ...], spine: Spine, settings: config.Settings, headers: Mapping[str, bytes], asked: Sequence[Asked], request: GraphRequest
) -> GraphView:
    info = shipped(settings["profile"].value, headers)
    bodies = _bodies(tree, roots, spine, settings, info, request, wide=not asked)
    request.progress("following calls", 0, 0)
    structs = frozenset(struct for struct, slot in info.kernel.slots if slot != "fn")
    if asked:
        depth = DEPTH if request.depth is None else request.depth
        part, whole = _around(bodies, asked, depth, structs, info, tree, request)
    else:
        whole = build(bodies.program(), bodies.contents, info.kernel)
        above(bodies, sorted({whole.nodes[at].name for at in _changers(whole, roots, spine)}), request.depth or 1, structs, everywhere=False)
        walkers(bodies, structs)
        whole = build(bodies.program(), bodies.contents, info.kernel)
        part = changing(whole, _changers(whole, roots, spine), request.depth if request.callers else 0)
    return _view(whole, part, bodies, tree, spine, headers, request)


def _around(
    bodies: Bodies, asked: Sequence[Asked], depth: int, structs: frozenset[str], info: Shipped, tree: Tree, request: GraphRequest
) -> tuple[Part, CallGraph]:
    names = sorted({name for _, name in asked})
    above(bodies, names, depth if request.callers else 0, structs)
    if request.callees:
        known = info.roles.names()
        below(bodies, names, depth, lambda name: name in known or info.pure(name))
    whole = build(bodies.program(), bodies.contents, info.kernel, frozenset(names))
    focus = [node for item in asked for node in _found(whole, item, bodies, tree, request)]
    return around(whole, focus, depth, request.callers, request.callees), whole


def _changers(whole: CallGraph, roots: tuple[str, ...], spine: Spine) -> list[int]:
    inside = [at for at, node in enumerate(whole.nodes) if lies_below(node.path, roots) and not node.path.startswith(spine.skipped)]
    return [at for at in inside if whole.nodes[at].changes and not whole.nodes[at].role and not whole.nodes[at].outside]


def _bodies(tree: Tree, roots: tuple[str, ...], spine: Spine, settings: config.Settings, info: Shipped, request: GraphRequest, wide: bool) -> Bodies:
    """Facts of all that names a page table API: where PATHs say and in the core of memory management, or with ``wide`` everywhere."""
    core = tuple(place for place in ("mm", "include/linux") if tree.holds(place) == "directory")
    kernel = len(core) == 2
    places = scope.context(tree, roots if roots or wide or not kernel else ("mm",))
    near = tree.list(places).paths
    far = tree.list(places if roots else ()).paths
    request.progress("searching", 0, 0)
    chosen = prefilter.survivors(tree, near, spine.words, prefilter.Where(places, spine.skipped), spine.hints)
    contents, refused = read_all(tree, chosen)
    facts = collect(spine, contents, settings["jobs"].value, Request(request.cwd, debug=request.debug, progress=request.progress))
    bodies = Bodies(tree, near, far, prefilter.Where(places if roots else (), spine.skipped), info.config, _over(settings["jobs"].value, request.debug))
    bodies.add(facts, contents)
    bodies.unread.update(refused)
    return bodies


def _over(jobs: int, debug: bool) -> Over:
    def over(function: Callable[[str, bytes], FileFacts], contents: Mapping[str, bytes]) -> list[FileFacts]:
        def one(path: str) -> FileFacts:
            try:
                return function(path, contents[path])
            except Exception as error:  # a defect of ours costs one file
                if debug:
                    raise
                return nothing(path, contents[path], f"internal error: {type(error).__name__}")

        died = "the analysis of this file ran out of memory or crashed"
        return pool.map_ordered(one, sorted(contents), workers(jobs), lambda path: nothing(path, contents[path], died))

    return over


def _found(whole: CallGraph, item: Asked, bodies: Bodies, tree: Tree, request: GraphRequest) -> list[int]:
    """The nodes that (file, name) means. Raises InputError when there is none."""
    path, name = item
    named = [at for at, node in enumerate(whole.nodes) if node.name == name and node.kind != "pointer"]
    if path:
        places = {tree.place(os.path.join(base, path)) for base in (request.cwd, tree.top)}
        here = [at for at in named if whole.nodes[at].path in places]
        if not here and named:
            others = sorted({whole.nodes[at].path for at in named if whole.nodes[at].path})
            raise InputError(f"{path}:{name}", "no such function in that file", f"there is one in {', '.join(others[:3])}" if others else "")
        named = here
    if not named:
        near = difflib.get_close_matches(name, bodies.names(), 3, 0.7)
        raise InputError(name, "no such function", f"did you mean {' or '.join(near)}?" if near else "it is neither defined nor called in the files searched")
    return named


def _view(
    whole: CallGraph, part: Part, bodies: Bodies, tree: Tree, spine: Spine, headers: Mapping[str, bytes], request: GraphRequest
) -> GraphView:
    lines: dict[str, Lines] = {}

    def line(path: str, pos: int) -> int | None:
        if path not in bodies.facts:
            return None
        if path not in lines:
            lines[path] = Lines(bodies.facts[path].newlines)
        return lines[path].locate(pos)[0]

    number = {at: new for new, at in enumerate(part.nodes)}
    nodes = []
    for at in part.nodes:
        node = whole.nodes[at]
        nodes.append(GraphNode(
            node.name, node.path if node.path and node.kind == "function" else None, line(node.path, node.pos) if node.kind == "function" else None,
            node.kind, node.variants, node.weak, node.inline, node.outside, node.changes, node.effects,
            tuple((held.what, held.by) for held in node.enters), node.slots, node.overrides,
            part.above.get(at, 0), part.below.get(at, 0), bool(request.functions) and at in part.focus))  # fmt: skip
    edges = tuple(
        GraphEdge(number[edge.caller], number[edge.callee], edge.kind, line(whole.nodes[edge.caller].path, edge.pos), edge.sites, edge.via, edge.held)
        for edge in part.edges
    )
    shown = {node.path for node in nodes if node.path is not None}
    missed = {(gap.path, gap.function or None, line(gap.path, gap.pos) or 1, gap.why)
              for path in sorted(shown) for gap in (bodies.facts[path].not_analysed if path in bodies.facts else ())}
    missed |= {(path, None, 1, why) for path, why in bodies.unread.items()}
    gaps = tuple(sorted(missed, key=lambda gap: (gap[0], gap[2], gap[1] or "", gap[3])))
    return GraphView(__version__, tree.kind, tree.revision, generation.name(headers), spine.profiles, request.depth, tuple(nodes), edges, gaps)
