"""Violations to findings: one per obligation site, the shortest path as its trace, in a total order."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Sequence

from tlblint.calls.program import Program, arch_of
from tlblint.engine.automata import Automata
from tlblint.engine.grammar import RuleSpec
from tlblint.engine.state import SHIFT
from tlblint.engine.summary import Hit
from tlblint.model.finding import PathEvent, RawFinding, Step
from tlblint.model.ir import FileFacts, Function
from tlblint.model.roles import Profile

WORDS = {
    "ptl.acquire": "takes the page table lock",
    "ptl.release": "releases the page table lock",
    "lazy.enter": "enters lazy MMU mode",
    "lazy.leave": "leaves lazy MMU mode",
    "entry.clear": "clears the entry",
    "entry.start": "takes the entry out for modification",
    "entry.commit": "writes the modified entry back",
    "entry.demote": "takes permission from the entry",
    "entry.install": "writes the entry",
    "entry.read": "reads the entry",
    "flush.now": "flushes the TLBs",
    "flush.gather": "flushes what the mmu_gather holds",
    "flush.record": "records the entry in the mmu_gather",
    "flush.batched": "completes the reclaim batch of another CPU",
    "page.dirty": "marks the page dirty",
    "rmap.drop": "drops the reverse mapping",
    "unmap.defer": "hands the flush to reclaim's batch",
    "unmap.flush": "flushes reclaim's batch",
    "section.open": "opens a section of entry changes",
    "section.close": "closes the section of entry changes",
    "pending.inc": "announces a pending flush",
    "pending.dec": "takes the announcement of a flush back",
    "lazy.pause": "pauses lazy MMU mode",
    "lazy.resume": "resumes lazy MMU mode",
    "lazy.flush": "flushes what lazy MMU mode has queued",
    "value.derive": "marks the new entry dirty",
    "sleep": "may sleep",
    "exit": "returns",
}
TESTS = {
    "present": "the entry is present:",
    "none": "the entry is none:",
    "nonpresent": "the entry is a swap, migration or marker entry:",
    "dirty": "the entry's dirty bit",
    "young": "the entry's accessed bit",
    "write": "the entry's write bit",
    "anon": "the page is anonymous:",
    "pagedirty": "the page is marked dirty:",
    "paged": "the entry maps a page:",
    "unpaged": "there is no page to mark dirty:",
    "needs_flush": "the change needs a flush:",
    "defer": "the flush may be deferred:",
    "delay_rmap": "the reverse mapping is dropped later:",
}
_QUEUES = (("powerpc", "the hash table"), ("sparc", "the TSB"))
"""What lazy MMU mode keeps changes from, by architecture: elsewhere it is the page table itself."""
PLACES = frozenset({"ptl.release", "exit", "sleep"})
SHOWN = frozenset(WORDS) | {"unmap.defer", "unmap.flush", "section.open", "section.close", "call", "branch", "lazy.pause", "lazy.resume", "lazy.flush",
                            "pending.inc", "pending.dec", "value.derive"}


class Reporter:
    """Turns hits into findings. ``only`` limits which files are reported."""

    def __init__(self, program: Program, facts: Sequence[FileFacts], automata: Automata, profiles: tuple[Profile, ...],
                 only: Callable[[str], bool] | None) -> None:
        self._functions = program.functions
        self._newlines = {f.path: f.newlines for f in facts}
        self._automata = automata
        self._profiles = profiles
        self._only = only

    def findings(self, hits: Iterable[Hit]) -> tuple[RawFinding, ...]:
        """The best hit for each (rule, function, site, act), as findings sorted by path, offset and rule."""
        best: dict[tuple[object, ...], tuple[tuple[int, int, str], Hit]] = {}
        for hit in hits:
            if hit.origin < 0:
                continue
            fn, pos = self._place(hit.origin)
            key = (self._automata.rules[hit.rule].code, fn.path, fn.name, pos, self._act(hit))
            rank = (len(hit.trail), hit.act, hit.say)
            if key not in best or rank < best[key][0]:
                best[key] = (rank, hit)
        out = [f for f in (self._finding(hit) for _, hit in best.values()) if f is not None]
        return tuple(sorted(out, key=lambda f: (f.path, f.pos, f.rule, f.function, f.message)))

    def _act(self, hit: Hit) -> object:
        """Each place that leaves the obligation behind is to be mended by itself; for other acts, and where nothing is said of it, the
        obligation's site is the place."""
        if hit.kind not in PLACES or "{act" not in hit.say:
            return ""
        fn, pos = self._place(hit.act)
        return fn.path, pos

    def _place(self, site: int) -> tuple[Function, int]:
        return self._functions[site >> SHIFT], (site & ((1 << SHIFT) - 1)) - 1

    def _line(self, site: int) -> int:
        fn, pos = self._place(site)
        return bisect.bisect_left(self._newlines.get(fn.path, ()), pos) + 1

    def _named(self, site: int, home: str) -> str:
        """A line for a sentence about the file ``home``: "290", "290 of mm/mprotect.c"."""
        path = self._place(site)[0].path
        return str(self._line(site)) if path == home else f"{self._line(site)} of {path}"

    def _finding(self, hit: Hit) -> RawFinding | None:
        rule = self._automata.rules[hit.rule]
        fn, pos = self._place(hit.origin)
        profiles = self._where((*rule.needs, *dict(rule.where).get(hit.state, ())), fn.path)
        if not profiles or (self._only is not None and not self._only(fn.path)):
            return None
        trace = tuple(self._steps(hit))
        shape = tuple(kind for _, kind, _, _ in hit.trail if kind not in ("branch", "call"))
        return RawFinding(rule.code, fn.path, pos, fn.name, self._sentence(hit, profiles), hit.kind, trace, (*shape[-12:], hit.kind), profiles,
                          tuple(event for event in hit.story if isinstance(event, PathEvent)))

    def _where(self, needs: tuple[str, ...], path: str) -> tuple[str, ...]:
        home = arch_of(path)
        return tuple(sorted(p.name for p in self._profiles if set(needs) <= p.features and home in ("", p.arch)))

    def _sentence(self, hit: Hit, profiles: Sequence[str]) -> str:
        names = {k: _plain(v) for k, v in hit.objects}
        rule = self._automata.rules[hit.rule]
        for track, key in zip(rule.track, hit.keys, strict=False):
            if key and (isinstance(key, str) or (isinstance(key, tuple) and not names.get(track))):
                names[track] = _plain(key)
        origin, began = _began(rule, hit)
        home = self._place(hit.act if hit.state in rule.placed_at_act else hit.origin)[0].path
        names.update(site=_called(origin), site_line=self._named(began, home), act=_called(hit.name), act_line=self._named(hit.act, home))
        arches = {p.arch for p in self._profiles if p.name in profiles}
        names["queue"] = next((words for arch, words in _QUEUES if arch in arches), "the page table")
        names["function"] = self._place(hit.origin)[0].name
        names.setdefault("ptl", "the page table lock")
        say = hit.say
        if began == hit.act and hit.state in rule.placed_at_act:  # what it was like on entry
            names["site"] = names["site"] or "a call"
            say = say.replace(" on line {site_line}", " before {function}() was called")
        return say.format_map(_Names(names))

    def _steps(self, hit: Hit) -> Iterable[Step]:
        """The path. Branches are told from where the obligation starts; where one act both starts and breaks it, from what happened last before."""
        trail = [item for item in hit.trail if item[0] >= 0 and item[1] in SHOWN]
        start = next((at for at, item in enumerate(trail) if item[0] == hit.origin), len(trail))
        if hit.origin == hit.act:
            start = max((at for at, item in enumerate(trail[:start]) if item[1] not in ("branch", "call")), default=start)
        broken = any((site, kind) == (hit.act, hit.kind) for site, kind, _, _ in trail)
        for at, (site, kind, text, note) in enumerate(trail):
            if kind == "branch" and (at < start or "%" in text or "@" in text):
                continue
            fn, pos = self._place(site)
            state = ""
            if (site, kind) == (hit.act, hit.kind):
                state = "violated"
            elif site == hit.origin and kind not in ("branch", "call"):
                state = "obligation starts" if broken or hit.origin != hit.act else "violated"
            event, phrase = _phrase(kind, text, note)
            yield Step(fn.path, pos, fn.name, event, state, phrase)


def _began(rule: RuleSpec, hit: Hit) -> tuple[str, int]:
    """(name, site) of what a sentence calls the site: where the obligation began, also if the finding is placed at the act."""
    if hit.state in rule.placed_at_act and hit.origin == hit.act:
        kinds = {event.kind for step in rule.transitions if step.target == hit.state for event in step.events}
        before = [(text, site) for site, kind, text, _ in hit.trail if kind in kinds and site != hit.act]
        if before:
            return before[-1]
    return next((text for site, kind, text, _ in hit.trail if site == hit.origin and kind not in ("branch", "call")), ""), hit.origin


def _called(name: str) -> str:
    """A call as people write it: with parentheses."""
    return name + "()" if name.isidentifier() else name


class _Names(dict[str, str]):
    """A placeholder that an event does not carry reads as "the <object>"."""

    def __missing__(self, key: str) -> str:
        return f"the {key}"


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return " and ".join(str(v) for v in value) or "the page table lock"
    text = str(value)
    return text.rsplit("::", 1)[-1] if "::" in text else text


def _phrase(kind: str, text: str, note: str) -> tuple[str, str]:
    """(event, what it means) of a trace step."""
    if kind == "branch":
        return "branch", _outcome(_condition(text), note) if note in ("true", "false") else f"{text} {note}"
    if kind == "call":
        return "call", f"calls {text}"
    name = _called(text)
    return kind, f"{name} {WORDS.get(kind, kind)}"


def _outcome(condition: str, note: str) -> str:
    if condition.endswith(":"):
        return f"{condition[:-1]}" if note == "true" else f"not so: {condition[:-1]}"
    return f"{condition} is {'set' if note == 'true' else 'clear'}" if condition.endswith(" bit") else f"{condition} is {note}"


def _condition(text: str) -> str:
    mark = text.find("#")
    return text if mark < 0 else TESTS.get(text[:mark], f"the entry's {text[:mark]} test")
