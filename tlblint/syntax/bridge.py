"""Functions between functions in scope: a helper that only hands pointers on still carries a lock from its caller to its callee, and
one that only answers a question still decides where its caller goes."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from tlblint.syntax.patterns import WORD
from tlblint.syntax.slicer import Span, index_functions

_WORDS = bytes(c if c in WORD or c == 40 else 32 if c in b" \t" else 0 for c in range(256))
"""Translation table: what can stand between a name and its parenthesis becomes a blank, and what can not a NUL."""
_ANSWERS = re.compile(rb"\breturn\b[^;]|(?:\*\s*\w++\s*+\)?+|->\s*\w++)\s*+(?:=(?!=)|[-+|&]=|\+\+|--)|(?:\+\+|--)[\s(]*\*")
_LOCKS = re.compile(rb"\bspin_\w*lock\w*\s*\(")
_FLAGS = re.compile(rb"&\w++(?:(?:->|\.)\w++)*(?:->|\.)\w*?(?:flush|pending|batch)\w*\s*[,)]")
"""A count or flag that a call changes, and that is named after flushes which are put off."""
_OWNS = re.compile(rb"struct[ \t]+(?:mmu_gather|mmu_notifier_range)[ \t]+[A-Za-z_]")
"""A variable that has to be begun and finished, or started and ended; helpers may do that."""
_HOLDS = re.compile(rb"spinlock_t[ \t]*\*[ \t]*[A-Za-z_]\w*[ \t]*[;,=]")
"""A variable for a lock that helpers take and drop."""
_KEEPS = re.compile(rb"struct[ \t]+(\w+)\s*\{[^{}]*?(?:\bspinlock_t[ \t]*\*[ \t]*[A-Za-z_]|\bstruct[ \t]+(?:mmu_gather|mmu_notifier_range)[ \t]+[A-Za-z_])")
"""A structure with a member of that kind."""
SHORT = 500
"""Bytes of a function that is read because it may only give an answer: a condition or an assignment moved out of its caller."""


def bridged(raw: bytes, spans: list[Span], helpers: frozenset[bytes], above: frozenset[str] = frozenset()) -> list[Span]:
    """``spans`` with those functions of the file added that one of them calls, directly or not, and that lead to one of them again,
    mention a name of ``helpers``, or are short and give an answer; and with those named in ``above``, or that own
    what helpers begin and finish, take and drop, that lead to one of them. File order."""
    if not spans:
        return spans
    scoped = {name for name, _, _ in spans}
    others: dict[str, list[Span]] = {}  # of one name there may be some, in the arms of an #if
    for span in index_functions(raw):
        if span[0] not in scoped:
            others.setdefault(span[0], []).append(span)
    if not others:
        return spans
    told = helpers.union(name.encode("latin-1") for name in (*others, *scoped))
    calls: dict[str, set[str]] = {}
    for name, start, end in spans:
        calls.setdefault(name, set()).update(_calls(raw, start, end, told))
    work = [name for called in calls.values() for name in called if name in others] + [name for name in above if name in others]
    owned = list(_found(raw, _OWNS)) if b"mmu_gather" in raw or b"mmu_notifier_range" in raw else []
    owners = [name for name, start, _ in _around(spans, owned) if raw.startswith(b"static", start)]
    for name in owners:  # judged as their callers call them: all of them
        owned += _found(raw, re.compile(name.encode("latin-1") + rb"\s*\("))
    locks = b"spinlock_t" in raw
    owned += _found(raw, _HOLDS) if locks else ()
    for struct in sorted({match[1] for match in _KEEPS.finditer(raw)}) if locks or owned else ():
        owned += _found(raw, re.compile(rb"struct[ \t]+" + struct + rb"[ \t]+[A-Za-z_]\w*[ \t]*[;,=]"))
    work += [name for name, _, _ in _around((span for some in others.values() for span in some), sorted(owned))]
    while work:  # only what is called from code in scope is looked at
        name = work.pop()
        if name not in calls:
            calls[name] = set().union(*(_calls(raw, start, end, told) for _, start, end in others[name]))
            work.extend(called for called in calls[name] if called in others)
    below = set(calls) - scoped
    useful = {name for name in below if any(word.encode("latin-1") in helpers for word in calls[name]) or any(_answers(raw, span) for span in others[name])}
    wanted = below & (_reach(_turned(calls), scoped | useful) | useful)
    return sorted([*spans, *(span for name in wanted for span in others[name])], key=lambda span: span[1]) if wanted else spans


def _found(raw: bytes, pattern: re.Pattern[bytes]) -> Iterator[tuple[int, int]]:
    """Where ``pattern``, which starts with a word, stands as such."""
    return ((match.start(), match.end()) for match in pattern.finditer(raw) if not match.start() or raw[match.start() - 1] not in WORD)


def _around(spans: Iterable[Span], places: list[tuple[int, int]]) -> list[Span]:
    """Those of ``spans`` that hold one of ``places``, which are in order."""
    return [span for span in spans if (at := bisect_left(places, (span[1], 0))) < len(places) and places[at][1] <= span[2]] if places else []


def _answers(raw: bytes, span: Span) -> bool:
    """Whether a static function changes a flag that stands for flushes, or is short and returns something, stores through a pointer, or locks:
    its callers depend on that."""
    _, start, end = span
    if not raw.startswith(b"static", start):
        return False
    if end - start > SHORT:
        return _FLAGS.search(raw, start, end) is not None
    return any(pattern.search(raw, start, end) for pattern in (_ANSWERS, _LOCKS, _FLAGS))


def _calls(raw: bytes, start: int, end: int, told: frozenset[bytes]) -> set[str]:
    """The identifiers of ``told`` before an opening parenthesis."""
    pieces = raw[start:end].translate(_WORDS).split(b"(")[:-1]
    found = [piece.rstrip(b" ").rpartition(b"\0")[2].rpartition(b" ")[2] for piece in pieces]
    return {name.decode("latin-1") for name in told.intersection(found)}


def _turned(calls: dict[str, set[str]]) -> dict[str, set[str]]:
    out: dict[str, set[str]] = {}
    for caller, callees in calls.items():
        for callee in callees:
            out.setdefault(callee, set()).add(caller)
    return out


def _reach(edges: dict[str, set[str]], seeds: set[str]) -> set[str]:
    """What can be reached from the seeds by at least one edge."""
    out: set[str] = set()
    work = list(seeds)
    while work:
        for name in edges.get(work.pop(), ()):
            if name not in out:
                out.add(name)
                work.append(name)
    return out
