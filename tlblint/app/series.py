"""``tlblint series``: a tree after each patch, and what each patch introduces, mends or finds there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, BinaryIO

import msgspec
from msgspec.structs import replace

from tlblint import __version__
from tlblint.app import baselines, checking, generation, hooks, refuted, remembered, series_predicates
from tlblint.app import spine as spines
from tlblint.app.collecting import facts_of, nothing, workers
from tlblint.app.naming import Naming
from tlblint.app.remembered import Version
from tlblint.app.request import Outcome, Progress, silent, unheard
from tlblint.app.series_kept import Kept, names_of
from tlblint.app.series_moved import Moved, followed, left_behind, without_kept_quiet
from tlblint.app.series_renamed import renamed as renamed_roles
from tlblint.app.series_view import About, assembled, marked
from tlblint.app.simulated import simulated
from tlblint.app.spine import Loader, Result, Spine
from tlblint.app.states import Name, Source, State, changed, not_read, renamed, said_otherwise, states, surround
from tlblint.app.targets import targets
from tlblint.engine.asked import EngineResult
from tlblint.findings import own, suppress
from tlblint.findings.attribute import State as Seen
from tlblint.findings.attribute import lives
from tlblint.findings.lines import Lines
from tlblint.findings.refine import Files, order, refine
from tlblint.io import cache, config
from tlblint.io.apply import Applied, apply_series
from tlblint.io.series import read_series
from tlblint.io.series_base import open_base
from tlblint.model.finding import Finding
from tlblint.model.ir import FileFacts
from tlblint.model.store import NOTHING, Store
from tlblint.report.text import source_line
from tlblint.report.view import is_new
from tlblint.roles import HEADERS

ROUNDS = 3
"""How often the part of a program that is judged is widened, because a violation came or went outside of it."""


class Request(msgspec.Struct, frozen=True):
    """Which series to judge on what. ``words``: a range, files, or "-"; ``base``: a revision; ``flags`` as in request.Request."""

    cwd: str
    words: tuple[str, ...]
    base: str | None = None
    tree: str | None = None
    flags: Mapping[str, Any] = msgspec.field(default_factory=dict)
    debug: bool = False
    progress: Progress = silent
    preview: bool = False
    stdin: BinaryIO | None = None
    cache: bool = True
    wide: bool = False
    """Look for callers in all of the tree."""
    update_baseline: bool = False
    """Never: a baseline is of a tree."""
    note: Callable[[str], None] = unheard
    """Is told what does not change a finding."""


def series(request: Request, loader: Loader | None = None) -> Outcome:
    """Judge a series. Raises InputError."""
    read = read_series(request.cwd, request.words, request.tree, request.stdin)
    tree, base = open_base(request.cwd, request.tree, request.base, read)
    store, fitting = NOTHING, None
    try:
        settings = config.load(tree, tree.top, request.flags)
        store = cache.open_cache(request.cache and settings["cache"].value, request.note)
        targets(settings["format"].value)
        applied = list(apply_series(tree, read))
        headers = generation.headers(tree)
        load = partial(checking.loaded, loader or spines.load, settings, _after(headers, applied), request.preview, store,
                       naming=Naming(tree, store, _left(applied)))  # fmt: skip
        spine = load()
        other = renamed_roles(tree, applied, spine.names)
        spine = load(renamed=other.names) if other.names else spine
        jobs = settings["jobs"].value
        if hooks.CODE in spine.active:
            fitting = hooks.begun(tree, applied, store, workers(jobs) > 1)
        request.progress("reading", 0, 0)
        reader, maker = (partial(_read, spine, jobs, request.debug, memory) for memory in (store, NOTHING))
        source = Source(tree, spine, reader, maker, store, request.wide)
        found = states(source, applied)
        unread = surround(source, found) if changed(found) else ()  # else nothing can have come or gone
        if refuted.CODE in spine.active:
            series_predicates.judge(tree, applied, found, settings["profile"].value, store)
        waiting = partial(hooks.judge, tree, applied, found, fitting) if fitting is not None else None
        part = changed(found)
        moved = followed(spine.contracts, found)
        about = About(__version__, spine, read, base, generation.name(headers), tree.revision, (*not_read(source, found), *unread))
        findings = marked(about, found, lives(_judged(spine, found, part, request, store, moved, waiting)))
        findings, left = without_kept_quiet(spine, found, findings, store)
        findings, _ = baselines.apply(findings, settings["baseline"].value, lambda rule, path: False, request)
        if settings["sim"].value:
            request.progress("simulating", 0, 0)
            findings = order(_simulated(findings, found, settings["sim-budget"].value, store, workers(jobs)))
        about = replace(about, notes=tuple(dict.fromkeys((*about.notes, *left_behind(moved), *left, *other.notes))))
        return Outcome(assembled(about, found, findings), settings, tree.top)
    finally:
        if fitting is not None:
            fitting.close()
        cache.close(store)
        tree.close()


def _after(headers: Mapping[str, bytes], applied: Sequence[Applied]) -> dict[str, bytes]:
    """The headers as the series leaves them: names mean what it makes of them, in each of its states, so that only code makes a difference."""
    out = dict(headers)
    for step in applied:
        out.update({path: raw for path, raw in step.changed.items() if path in HEADERS and raw is not None})
    return out


def _left(applied: Sequence[Applied]) -> dict[str, bytes | None]:
    """What a series leaves of the files that it touches."""
    return {path: raw for step in applied for path, raw in step.changed.items()}


def _read(spine: Spine, jobs: int, debug: bool, store: Store, versions: Sequence[Version]) -> list[FileFacts]:
    """Facts of many versions of files, in their order."""
    return remembered.read(
        spine,
        versions,
        lambda version: facts_of(spine, dict([version]), debug, version[0]),
        lambda version: nothing(*version, "the analysis of this file ran out of memory or crashed"),
        workers(jobs),
        store,
    )


def _simulated(findings: Sequence[Finding], found: Sequence[State], budget: int, store: Store, jobs: int) -> list[Finding]:
    """What the series introduces with the simulator's verdict, on the code as it is after the patch that introduces it."""
    out: list[Finding] = []
    for number, state in enumerate(found):
        new = [finding for finding in findings if finding.patch is not None and is_new(finding) and finding.patch.index == number]
        lines = {path: _lines(fact) for path, fact in state.facts.items()} if new else {}
        out += simulated(new, state.raw, state.contents, lines, budget, store, jobs) if new else []
    return [*out, *(finding for finding in findings if not is_new(finding))]


class _Anew:
    """Judges each state for itself: for an analysis without a memory."""

    def __init__(self, spine: Spine) -> None:
        self._spine = spine
        self.near: frozenset[Name] = frozenset()
        self.flags: frozenset[str] = frozenset()

    def judge(self, facts: Sequence[FileFacts], part: frozenset[Name] | None) -> Result:
        self.near = frozenset((fact.path, fn.name) for fact in facts for fn in fact.functions)
        return self._spine.analyse(facts, None)


def _judged(
    spine: Spine, found: Sequence[State], part: frozenset[Name], request: Request, store: Store, moved: Moved,
    waiting: Callable[[], None] | None = None,
) -> list[Seen]:
    """What is found in each state, in the functions that the series can have an effect on. ``waiting``: what else is found, once that is judged."""
    again = Kept(spine, spine.again(moved.names, moved.whole), store, moved) if spine.again is not None else Kept(spine, _Anew(spine), NOTHING)
    names = names_of(spine, found)
    touched = frozenset(path for state in found for path in state.touched)
    for _ in range(ROUNDS):
        seen: list[Seen] = []
        outside: list[list[Finding]] = []
        results: list[tuple[Result, frozenset[Name]]] = []
        flags: list[frozenset[str]] = []
        for number, state in enumerate(found):
            request.progress("judging", number, len(found))
            result = again.judge(state.whole, part, names[number]) if part else EngineResult((), ())
            results.append((result, again.near if part else frozenset()))
            flags.append(again.flags)
        if waiting is not None:
            waiting()
            waiting = None
        for number, state in enumerate(found):
            inside, beyond = _findings(spine, *results[number], state, touched)
            outside.append(beyond)
            seen.append(_seen(inside, state, found[number - 1] if number else None))
        unlike = frozenset(name for one, other in pairwise(outside) for name in _unlike(one, other))
        unlike |= said_otherwise(found, flags)
        if unlike <= part:
            break
        part |= unlike
    return seen


def _unlike(one: Sequence[Finding], other: Sequence[Finding]) -> set[Name]:
    """The functions in which two states differ."""
    mine, theirs = ({(f.rule, f.path, f.function, f.fingerprint) for f in findings} for findings in (one, other))
    return {(path, function) for _, path, function, _ in mine ^ theirs}


def _findings(spine: Spine, result: Result, near: frozenset[Name], state: State, touched: frozenset[str]) -> tuple[list[Finding], list[Finding]]:
    """(findings in the functions ``near``, others that were seen on the way) of one state. ``touched``: files of the series."""
    facts = [fact for _, fact in sorted(state.facts.items())]
    rules = own.by_code(spine.rules)
    lines = {fact.path: _lines(fact) for fact in facts}
    files = Files(lines, state.contents, tuple(table for fact in facts for table in fact.tables))
    state.raw = tuple(finding for finding in result.findings if finding.rule in spine.active)
    refined = refine(state.raw, files, rules)
    inside = [finding for finding in refined if (finding.path, finding.function) in near]
    beyond = [finding for finding in refined if (finding.path, finding.function) not in near]
    state.gaps = tuple(dict.fromkeys((*state.gaps, *(gap for path in sorted(touched & state.facts.keys()) for gap in state.facts[path].not_analysed),
                                      *(gap for gap in result.not_analysed if (gap.path, gap.function) in near))))
    inside += [refuted.as_finding(wrong, rules[refuted.CODE]) for wrong in state.wrong]
    inside += [hooks.as_finding(misfit, rules[hooks.CODE]) for misfit in state.hooks]
    if own.NOT_ANALYSED in spine.active:
        inside += own.not_analysed(state.gaps, lines, rules)
    comments = [comment for path in sorted({f.path for f in inside}) if path in state.contents
                for comment in suppress.suppressions(path, state.read.get(path, state.contents[path]))]
    inside, _ = suppress.apply(inside, comments, rules, frozenset(), frozenset())
    return inside, beyond


def _lines(fact: FileFacts) -> Lines:
    return Lines(fact.newlines)


def _seen(findings: list[Finding], state: State, before: State | None) -> Seen:
    def text(finding: Finding) -> bytes:
        raw = state.contents.get(finding.path)
        return (source_line(raw, finding.line) or b"").strip() if raw is not None else b""

    blind = {*((gap.path, gap.function) for gap in state.gaps), *state.unclear}

    def unseen(name: Name) -> bool:
        return name in blind or (name[0], "") in blind

    return Seen(order(findings), text, renamed(before, state) if before is not None else {}, unseen)
