"""The work of ``tlblint check``: list, prefilter, read facts in a pool, judge them, refine, and hand a report back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tlblint import __version__
from tlblint.app import baselines, found, generation, hooks, refuted, reuse, scope
from tlblint.app import spine as spines
from tlblint.app.check import Opened
from tlblint.app.collecting import collect, workers
from tlblint.app.early import Early
from tlblint.app.excused import excused
from tlblint.app.lastrun import LastRun
from tlblint.app.naming import Naming
from tlblint.app.request import Outcome, Request, silent
from tlblint.app.shard import Rest, digest
from tlblint.app.simulated import simulated
from tlblint.app.spine import Loader, Names, Result, Spine, Wanted
from tlblint.app.targets import targets
from tlblint.engine.asked import Over
from tlblint.findings import own, suppress
from tlblint.findings.lines import Lines
from tlblint.findings.refine import Files, order, refine
from tlblint.io import config, pool, prefilter
from tlblint.io.errors import InputError
from tlblint.io.snapshot import expected, found_last, remembered
from tlblint.io.tree import Tree, below, read_all
from tlblint.model.finding import Finding
from tlblint.model.ir import FileFacts, NotAnalysed
from tlblint.model.store import NOTHING, Store
from tlblint.report.formats import FORMATS
from tlblint.report.graph_view import GraphView
from tlblint.report.predicates_view import PredicateView, together
from tlblint.report.view import Excused, Gap, Health, Place, Report, RuleView, Stale

if TYPE_CHECKING:
    from tlblint.app.farm import Reader
    from tlblint.roles.meant import Meant


def checked(opened: Opened, request: Request, loader: Loader | None = None) -> Outcome:
    """The rest of a run, on what is open. Raises InputError."""
    tree, settings, _, store, _ = opened
    targets(settings["format"].value)  # a mistake there should not cost a run
    headers = generation.headers(tree)
    spine = loaded(loader or spines.load, settings, headers, request.preview, store, naming=Naming(tree, store))
    far = _far(request.executor, settings, headers, spine.meant) if request.executor else None
    early = _early(opened, spine, request)
    try:
        report, rest = _report(opened, spine, request, far, early)
    finally:
        if early is not None:
            early.close()
    return Outcome(report, settings, tree.top, rest)


def _early(opened: Opened, spine: Spine, request: Request) -> Early | None:
    """Begins with what was edited since the last run."""
    tree, _, roots, store, reader = opened
    if reader is None or not spine.key or not spine.judging:
        return None
    where = prefilter.Where(scope.context(tree, roots), spine.skipped)
    chosen, touched = expected(tree, _words(spine), where, spine.hints, store)
    if not chosen:
        return None
    chosen = spine.with_always(chosen, sorted({*chosen, *(path for path in spine.always if below(path, where.roots) and tree.holds(path) == "file")}))
    edited, _ = read_all(tree, [path for path in chosen if path in touched])
    return Early(reader, chosen, edited, spine, _judging(opened, replace(request, progress=silent)), tree.top)


def _words(spine: Spine) -> frozenset[bytes]:
    return spine.words | {suppress.MARK}


def _judging(opened: Opened, request: Request) -> found.Judging:
    _, settings, roots, *_ = opened
    only = _inside(roots, request) if roots or request.shard else None
    return found.Judging(only, _over(settings["jobs"].value, request), repr((roots, request.shard)))


def _inside(roots: Sequence[str], request: Request) -> Callable[[str], bool]:
    return lambda path: below(path, roots) and (request.shard is None or path in request.shard)


def _far(executor: str, settings: config.Settings, headers: Mapping[str, bytes], meant: Sequence[Meant]) -> Reader:
    from tlblint.app.farm import Reader  # most runs need none

    return Reader(executor, settings["profile"].value, headers, meant)


def loaded(loader: Loader, settings: config.Settings, headers: Mapping[str, bytes], preview: bool, store: Store = NOTHING,
           renamed: Mapping[str, str] | None = None, naming: Names | None = None) -> Spine:  # fmt: skip
    """The analysis that the settings ask for. ``store`` may remember what ships; ``renamed`` and ``naming`` as Wanted has it. Raises InputError."""
    try:
        other = tuple(sorted((renamed or {}).items()))
        return loader(replace(_wanted(settings, headers, preview), store=store, renamed=other, naming=naming))
    except InputError as error:
        raise _traced(error, settings) from None


def _wanted(settings: config.Settings, headers: Mapping[str, bytes], preview: bool) -> Wanted:
    files = tuple(os.path.abspath(path) for path in settings["rules"].value)
    return Wanted(settings["profile"].value, settings["select"].value, settings["ignore"].value, files, headers, preview)


def _traced(error: InputError, settings: config.Settings) -> InputError:
    """An unknown name with the place that it was read from, when that is not the command line in front of the user."""
    for key in ("select", "ignore", "profile"):
        if error.where in settings[key].value and not settings[key].origin.startswith("--"):
            return InputError(f"{settings[key].origin}: {key} {error.where}", error.what, error.todo)
    return error


def _report(opened: Opened, spine: Spine, request: Request, far: Reader | None, early: Early | None) -> tuple[Report, Rest]:
    tree, settings, roots, store, _ = opened
    inside = _inside(roots, request)
    request.stage("executing")  # where all is remembered, the files are looked at meanwhile
    fitting = hooks.asked(tree, inside, store, workers(settings["jobs"].value) > 1) if hooks.CODE in spine.active else None
    try:
        return _reported(opened, inside, spine, request, far, early, fitting)
    finally:
        if fitting is not None:
            fitting.close()


def _reported(
    opened: Opened, inside: Callable[[str], bool], spine: Spine, request: Request, far: Reader | None, early: Early | None, fitting: hooks.Asked | None
) -> tuple[Report, Rest]:
    """The report; what comes of hooks is waited for when all else is there."""
    tree, settings, roots, store, _ = opened
    rules = own.by_code(spine.rules)
    wrong, headers, executed = _wrong_predicates(tree, inside, rules, settings, store) if refuted.CODE in spine.active else ([], {}, ())
    request.stage("reading")  # what was of interest the last time, while the tree is walked: most of it is so again
    before, _ = read_all(tree, found_last(tree))
    ready = reuse.ready(spine, before, store) if before and spine.key else {}
    if early is not None:
        early.take(store)
    request.stage("listing")
    scope.require_files(tree, tree.list(roots), roots)
    places = scope.context(tree, roots)
    context = tree.list(places)
    request.progress("searching", 0, 0)
    request.stage("searching")
    chosen = remembered(tree, context.paths, _words(spine), prefilter.Where(places, spine.skipped), spine.hints, store)
    chosen = spine.with_always(chosen, context.paths)
    more, unread = read_all(tree, [path for path in chosen if path not in before])
    more |= before
    contents = {path: more[path] for path in chosen if path in more}
    request.stage("reading")

    def compute(some: Mapping[str, bytes]) -> list[FileFacts]:
        return collect(spine, some, settings["jobs"].value, request, far)

    known = reuse.read(spine, contents, store, compute if early is None else lambda some: early.facts(some, store, compute), ready)
    facts = known.brief()
    request.progress("judging", 0, 0)
    request.stage("judging")
    judging = _judging(opened, request)
    last = LastRun(store, spine, tree.top, judging.part)
    known.before = last.before(known.names)
    result = found.judge(spine, known, judging, store)
    last.keep(known.names)
    lines = {fact.path: Lines(fact.newlines) for fact in facts}
    quiet = _excused(spine, known, judging, result, lines, store) if request.excused else ()
    request.stage("waiting")
    misfits, sources, unseen = hooks.in_tree(tree, inside, rules, fitting)
    wrong, headers = [*wrong, *misfits], {**headers, **sources}
    request.stage("refining")
    gaps = [NotAnalysed(path, "", 0, why) for path, why in (*context.refused, *unread)]
    gaps = [gap for gap in [*gaps, *(gap for fact in facts for gap in fact.not_analysed), *result.not_analysed, *unseen] if inside(gap.path)]
    raw = [finding for finding in result.findings if finding.rule in spine.active and inside(finding.path)]
    files = Files(lines, contents, tuple(table for fact in facts for table in fact.tables))
    findings = [*refine(raw, files, rules), *(own.not_analysed(gaps, lines, rules) if own.NOT_ANALYSED in spine.active else [])]
    findings += wrong
    comments = [comment for path in headers if path not in contents for comment in suppress.suppressions(path, headers[path])]
    comments += [comment for path in chosen if path in contents and inside(path) for comment in suppress.suppressions(path, contents[path])]
    judged = frozenset() if settings["profile"].value else spine.active  # what is silent on some profiles may speak on the others
    unsure = frozenset(gap.path for gap in gaps)
    findings, unused = suppress.apply(findings, comments, rules, judged, unsure)

    def sure(rule: str, path: str) -> bool:
        return rule in judged and path not in unsure and below(path, roots)

    findings = order([*findings, *(unused if own.UNUSED in spine.active else [])])
    stale: tuple[Stale, ...] = ()
    if request.shard is None:  # a baseline is one for the whole: an entry may follow its function into a file of another shard
        findings, stale = baselines.apply(findings, settings["baseline"].value, sure, request)
    plain = tuple(findings) if request.shard else ()
    if settings["sim"].value:
        request.progress("simulating", 0, 0)
        request.stage("simulating")
        findings = order(simulated(findings, raw, contents, lines, settings["sim-budget"].value, store, workers(settings["jobs"].value)))
    ours = [fact for fact in facts if inside(fact.path)]
    name = digest(context, contents) if request.shard else ""
    rest = Rest(name, roots, tuple(sorted(judged)), tuple(sorted(unsure)), sum(fact.partial for fact in ours), _lost(gaps), plain)
    report = Report(
        version=__version__,
        ruleset=spine.ruleset,
        kind=tree.kind,
        revision=tree.revision,
        generation=spine.generation,
        profiles=spine.profiles,
        health=health_of(ours, gaps, lines, len(tree.list(roots).paths)),
        findings=tuple(findings),
        rules={code: RuleView(r.code, r.slug, r.severity, r.confidence, r.title, r.text, r.path) for code, r in rules.items()},
        sources=_sources(findings, {**headers, **contents}),
        stale=stale,
        submodules=tree.list(roots).submodules,
        excused=quiet,
        graphs=_graphs(findings, known, contents, lines, settings, tree, request.shard is not None),
        executed=together(executed),
    )
    return report, rest


def _excused(spine: Spine, known: reuse.Facts, judging: found.Judging, result: Result, lines: Mapping[str, Lines], store: Store) -> tuple[Excused, ...]:
    return excused(spine.contracts, known.full(), judging.only, judging.over, result, spine.active, lines, store) if spine.contracts else ()


def _wrong_predicates(
    tree: Tree, inside: Callable[[str], bool], rules: Mapping[str, own.RuleInfo], settings: config.Settings, store: Store
) -> tuple[list[Finding], dict[str, bytes], tuple[PredicateView, ...]]:
    return refuted.in_tree(tree, inside, rules, settings["profile"].value, store)


def _graphs(
    findings: Sequence[Finding], known: reuse.Facts, contents: Mapping[str, bytes], lines: Mapping[str, Lines], settings: config.Settings, tree: Tree,
    shard: bool,
) -> Mapping[Place, GraphView]:  # fmt: skip
    """Calls around the findings, for formats that show them; nobody knows yet in which a shard will be."""
    if not findings or not (shard or any(FORMATS[target.format].templates for target in targets(settings["format"].value))):
        return {}
    from tlblint.app.graph import shipped  # most runs draw nothing
    from tlblint.app.neighbours import neighbours

    kernel = shipped(settings["profile"].value, generation.headers(tree)).kernel
    return neighbours(findings, known.full(), contents, lines, kernel, __version__)


def _over(jobs: int, request: Request) -> Over:
    def over(function: Callable[[Any], Any], items: Sequence[Any], died: Callable[[Any], Any]) -> list[Any]:
        return pool.map_ordered(function, items, workers(jobs), died, lambda count: request.progress("judging", count, len(items)), most=1)

    return Over(over, workers(jobs))


def health_of(facts: Sequence[FileFacts], gaps: Sequence[NotAnalysed], lines: Mapping[str, Lines], listed: int) -> Health:
    """How much was understood of some files, out of ``listed`` C files."""
    unknown = sorted({(gap.path, gap.pos, gap.function, gap.why) for gap in gaps})
    named = tuple(Gap(path, function, lines[path].locate(pos)[0] if path in lines else 1, why) for path, pos, function, why in unknown)
    total, partly = sum(fact.total for fact in facts), sum(fact.partial for fact in facts)
    return Health(listed, len(facts), total, max(0, total - partly - _lost(gaps)), partly, named)


def _lost(gaps: Sequence[NotAnalysed]) -> int:
    """How many functions nothing is known of."""
    return len({(gap.path, gap.pos, gap.function) for gap in gaps if gap.function})


def _sources(findings: Sequence[Finding], contents: Mapping[str, bytes]) -> dict[str, bytes]:
    paths = {path for finding in findings for path in (finding.path, *(step.path for step in finding.trace))}
    return {path: contents[path] for path in sorted(paths) if path in contents}
