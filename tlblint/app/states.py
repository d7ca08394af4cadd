"""The states that a tree goes through under a series: what files hold after each patch, and what the front end makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cached_property
from itertools import pairwise

import msgspec

from tlblint.app import reuse, scope
from tlblint.app.hooks import Misfit
from tlblint.app.refuted import Wrong
from tlblint.app.remembered import Version
from tlblint.app.spine import Spine
from tlblint.app.taken_over import taken_over
from tlblint.engine.concerned import Concerned
from tlblint.engine.view import text_of
from tlblint.findings import suppress
from tlblint.io import prefilter, snapshot
from tlblint.io.apply import Applied
from tlblint.io.tree import LIMIT, Tree, below, is_c, read_all
from tlblint.io.words import Words
from tlblint.model.finding import RawFinding
from tlblint.model.ir import FileFacts, Function, NotAnalysed
from tlblint.model.series import Patch
from tlblint.model.store import NOTHING, Store

Name = tuple[str, str]
"""(path, function)."""
Reader = Callable[[Sequence[Version]], list[FileFacts]]

MANY = 64
"""Versions of files that are read at a time: before they share what is the same in them they take much memory."""
SMALL = 500
"""A tree with fewer C files than this in its core is no kernel: it is read as a whole."""


class State(msgspec.Struct):
    """The tree after ``patch``, or before the first one (None). ``contents`` and ``facts`` are of every file that is looked at, by path.

    ``touched``: C files that the patch changes. ``moved``: old path -> new path. ``gaps``: what could not be read at all. ``notes``: sentences.
    """

    patch: Patch | None
    contents: dict[str, bytes]
    facts: dict[str, FileFacts] = msgspec.field(default_factory=dict)
    """Those of files that the series does not touch are without their functions until somebody asks for ``whole``."""
    read: dict[str, bytes] = msgspec.field(default_factory=dict)
    """What the front end is given where that differs from ``contents``."""
    unheard: dict[str, int] = msgspec.field(default_factory=dict)
    """How many comments of a file are not obeyed."""
    touched: tuple[str, ...] = ()
    moved: Mapping[str, str] = msgspec.field(default_factory=dict)
    gaps: tuple[NotAnalysed, ...] = ()
    notes: tuple[str, ...] = ()
    raw: tuple[RawFinding, ...] = ()
    """What the engine found."""
    wrong: tuple[Wrong, ...] = ()
    unclear: frozenset[Name] = frozenset()
    """Predicates that are refuted, and those that cannot be executed."""
    around: Callable[[], list[FileFacts]] | None = None
    """Makes the facts of files that the series does not touch whole."""

    def whole(self) -> list[FileFacts]:
        """All facts in path order, functions included."""
        if self.around is not None:
            self.facts.update({fact.path: fact for fact in self.around()})
            self.around = None
        return [fact for _, fact in sorted(self.facts.items())]
    hooks: tuple[Misfit, ...] = ()
    """Hooks that some configuration lacks, or has otherwise than it should, and did not before the series."""


class Source(msgspec.Struct, frozen=True, dict=True):
    """Where states come from: the base tree, the analysis, a reader of many files that remembers, and one that does not."""

    tree: Tree
    spine: Spine
    reader: Reader
    maker: Reader
    store: Store = NOTHING
    wide: bool = False
    """Whether all of a kernel is read, not only what lies near."""

    @cached_property
    def _needles(self) -> Words:
        return Words(self.spine.words | {suppress.MARK}, self.spine.hints)

    def interesting(self, path: str, raw: bytes) -> bool:
        """Whether a file is one to look into."""
        return path in self.spine.always or self._needles.within(raw)


def states(source: Source, applied: Sequence[Applied]) -> list[State]:
    """The base and the state after each patch, with the facts of the files that the series touches. What is the same in two states is the
    same object."""
    touched = sorted({path for step in applied for path in step.changed if is_c(path)})
    before, unread = read_all(source.tree, [path for path in touched if source.tree.holds(path) == "file"])
    seen = {path: raw for path, raw in before.items() if not path.startswith(source.spine.skipped) and source.interesting(path, raw)}
    out = [State(None, seen, gaps=tuple(NotAnalysed(path, "", 0, why) for path, why in unread))]
    for step in applied:
        out.append(_after(source, out[-1], step, before))
    versions = list(dict.fromkeys((path, state.read.get(path, raw)) for state in out for path, raw in sorted(state.contents.items())))
    known: dict[Version, FileFacts] = {}
    latest: dict[str, FileFacts] = {}
    for at in range(0, len(versions), MANY):
        some = versions[at : at + MANY]
        for version, facts in zip(some, source.reader(some), strict=True):
            known[version] = latest[version[0]] = taken_over(latest.get(version[0]), facts)
    for state in out:
        state.facts = {path: known[path, state.read.get(path, raw)] for path, raw in state.contents.items()}
    return out


def surround(source: Source, found: Sequence[State]) -> tuple[str, ...]:
    """Add to every state the files around those that the series touches: what may call them, and what they may call. Sentences on files that
    cannot be read: a partial clone holds few."""
    tree, spine = source.tree, source.spine
    touched = {path for state in found for path in state.touched}
    places = () if source.wide else near_places(tree, sorted(touched))
    paths = [path for path in tree.list(places).paths if path not in touched]
    words = spine.words | {suppress.MARK}
    chosen = snapshot.remembered(tree, paths, words, prefilter.Where(places, spine.skipped), spine.hints, source.store)
    contents, unread = read_all(tree, spine.with_always(chosen, paths))
    known = reuse.read(spine, contents, source.store, lambda some: source.maker(sorted(some.items())))
    for state in found:
        state.contents.update(contents)
        state.facts.update({fact.path: fact for fact in known.brief()})
        state.around = known.full
    reasons = Counter(why for _, why in unread)
    return tuple(f"callers were not looked for in {count} file{'s' * (count != 1)} around the series: {why}" for why, count in sorted(reasons.items()))


def near_places(tree: Tree, touched: Sequence[str]) -> tuple[str, ...]:
    """What to read at all: the files of the series and the core of memory management; of architectures those that the series changes."""
    there = tuple(path for path in touched if tree.holds(path) == "file")
    if tree.holds("mm") != "directory" or tree.holds("include/linux") != "directory" or len(tree.list(("mm", "include/linux")).paths) < SMALL:
        return ()
    homes = sorted({path.split("/")[1] for path in touched if path.startswith("arch/") and path.count("/") > 1})
    core = [*scope.CORE, *(f"arch/{name}/{part}" for name in homes for part in scope.CORE_OF_ARCH)]
    wanted = {*there, *(place for place in core if tree.holds(place) in ("directory", "file"))}
    return tuple(sorted(place for place in wanted if not any(below(place, [other]) for other in wanted - {place})))


def not_read(source: Source, found: Sequence[State]) -> tuple[str, ...]:
    """A sentence about callers that nobody looked for."""
    if source.wide or not near_places(source.tree, sorted({path for state in found for path in state.touched})):
        return ()
    return ("callers were looked for in the files of the series and in the core of memory management; --wide looks everywhere",)


def _after(source: Source, last: State, step: Applied, before: dict[str, bytes]) -> State:
    """The state after one more patch. ``before``: the files of the base that the series touches; renamed ones are added under their new name."""
    moved = {file.old_path: file.new_path for file in step.patch.files if file.kind == "rename" and file.old_path and file.new_path}
    state = State(step.patch, dict(last.contents), {}, dict(last.read), dict(last.unheard), moved=moved, notes=(*_fit(step), *step.notes))
    gaps = [gap for gap in last.gaps if gap.path not in step.changed]
    for old, new in moved.items():
        if old in before:
            before.setdefault(new, before[old])
    for path, raw in sorted(step.changed.items()):
        if not is_c(path):
            continue
        state.touched += (path,)
        state.contents.pop(path, None)
        state.read.pop(path, None)
        state.unheard.pop(path, None)
        if raw is None or path.startswith(source.spine.skipped):
            continue
        if len(raw) > LIMIT:
            gaps.append(NotAnalysed(path, "", 0, f"larger than {LIMIT >> 20} MB"))
        elif source.interesting(path, raw):
            state.contents[path] = raw
            heard, added = without_new_comments(before.get(path, b""), raw)
            if added:
                state.read[path] = heard
                state.unheard[path] = added
    state.gaps = tuple(gaps)
    more = sorted(path for path, count in state.unheard.items() if count > last.unheard.get(path, 0))
    state.notes += tuple(f"{path}: what a series itself tells tlblint in comments is not obeyed" for path in more)
    return state


def _fit(step: Applied) -> tuple[str, ...]:
    return () if step.fit == "clean" else (f"applies with {step.fit}",)


def without_new_comments(before: bytes, after: bytes) -> tuple[bytes, int]:
    """(``after`` with those comments to tlblint made unreadable that ``before`` does not have, their number). Same length.

    Whoever sends a patch does not say what is not to be found in it.
    """
    if suppress.MARK not in after:
        return after, 0
    old, new = before.split(b"\n"), after.split(b"\n")
    kept = {line for _, start, size in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks() for line in range(start, start + size)}
    out, count = [], 0
    for number, line in enumerate(new):
        if suppress.MARK in line and not all(near in kept for near in _comment(new, number)):
            count += 1
            line = line.replace(suppress.MARK, suppress.MARK[:-1] + b";")
        out.append(line)
    return b"\n".join(out), count


def _comment(lines: Sequence[bytes], number: int) -> Iterable[int]:
    """The lines of the comment that says something to tlblint on line ``number``."""
    at = lines[number].index(suppress.MARK)
    end = number
    if lines[number].rfind(b"//", 0, at) < 0:
        while b"*/" not in lines[end][at if end == number else 0 :] and end + 1 < len(lines) and end - number < suppress.MOST:
            end += 1
    return range(number, end + 1)


def changed(found: Sequence[State]) -> frozenset[Name]:
    """The functions that are not the same in all states, and the tables of callbacks; and who calls, or hands on, one that is not always there."""
    out: set[Name] = set()
    for last, state in pairwise(found):
        for path in state.touched:
            old, new = last.facts.get(path), state.facts.get(path)
            if old is not new:
                out |= {(path, name) for name in _unlike(old, new)}
    paths = {path for path, _ in out}
    always = set.intersection(*({(path, fn.name) for path in paths & state.facts.keys() for fn in state.facts[path].functions} for state in found))
    passing = frozenset(name for path, name in out if (path, name) not in always)
    files = {id(facts): facts for state in found for facts in state.whole()} if passing else {}
    return frozenset(out | {(fn.path, fn.name) for facts in files.values() for fn in facts.functions if not passing.isdisjoint(_mentioned(fn))})


def said_otherwise(found: Sequence[State], flags: Sequence[frozenset[str]]) -> frozenset[Name]:
    """The functions of which something else is true after a patch than before, although it may not touch them: they read what no function sets
    any more, or raise a flag that no function takes back. ``flags`` of each state as Again.flags."""
    changed = frozenset[str]().union(*(one ^ other for one, other in pairwise(flags)))
    if not changed:
        return frozenset()
    concerned = Concerned(changed)
    files = {id(facts): facts for state in found for facts in state.whole()}
    return frozenset((fn.path, fn.name) for facts in files.values() for fn in facts.functions if concerned(fn))


def _mentioned(fn: Function) -> set[str]:
    """What a function calls, or hands to what it calls by its address or its name."""
    calls = [instr for block in fn.blocks for instr in block.instrs if instr[0] == "call"]
    return {instr[2] for instr in calls} | {arg[1] for instr in calls for arg in instr[3] if arg[0] in "&v"}


def _texts(facts: FileFacts | None, other: FileFacts | None) -> Counter[tuple[object, ...]]:
    """(name, text) of the functions and tables of a file, with how often they are there; without functions that ``other`` shares."""
    if facts is None:
        return Counter()
    shared = {id(fn) for fn in other.functions} if other is not None else set()
    found: list[tuple[object, ...]] = [(fn.name, text_of(fn)) for fn in facts.functions if id(fn) not in shared]
    found += [(name, table.name, table.type, table.slots) for table in facts.tables for name in (table.owner or table.name, table.name)]
    return Counter(found)


def _unlike(old: FileFacts | None, new: FileFacts | None) -> set[str]:
    mine, theirs = _texts(old, new), _texts(new, old)
    return {str(text[0]) for text in ((mine - theirs) + (theirs - mine))}


def renamed(last: State, state: State) -> Mapping[Name, Name]:
    """Functions that a patch carries to another file or calls otherwise: what they were -> what they are."""
    old, new = (named(of, {*state.touched}) for of in (last, state))
    gone, fresh = {name: old[name] for name in old if name not in new}, {name: new[name] for name in new if name not in old}
    out: dict[Name, Name] = {}
    for here, there in ((name, (state.moved.get(name[0], name[0]), name[1])) for name in sorted(gone)):
        if there in fresh:
            out[here] = there
    for alike in (same_text, _much_alike):
        for here in sorted(gone.keys() - out.keys()):
            free = sorted(fresh.keys() - set(out.values()))
            best = max(((alike(gone[here], fresh[there]), there) for there in free), default=(0.0, here))
            if best[0] > ALIKE:
                out[here] = best[1]
    return out


ALIKE = 0.6
"""Share of calls that a function keeps when a patch renames it and changes it."""


def named(state: State, paths: set[str]) -> dict[Name, Function]:
    """The functions of some files; of several readings of one the first."""
    return {(path, fn.name): fn for path in sorted(paths & state.facts.keys()) for fn in state.facts[path].functions if not fn.variant}


def same_text(one: Function, other: Function) -> float:
    """1.0 for functions that do the same, whatever they are called and wherever they stand."""
    return float((one.params, text_of(one)[-1]) == (other.params, text_of(other)[-1]))


def _much_alike(one: Function, other: Function) -> float:
    mine, theirs = (Counter(instr[2] for block in fn.blocks for instr in block.instrs if instr[0] == "call") for fn in (one, other))
    both = sum((mine & theirs).values())
    return both / sum((mine | theirs).values()) if both > 2 else 0.0
