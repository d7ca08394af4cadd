"""Functions between functions in scope: a helper that only hands pointers on still carries a lock from its caller to its callee."""

from __future__ import annotations

import re

from tlblint.syntax.slicer import Span, index_functions

_CALLED = re.compile(rb"[A-Za-z_]\w*(?=[ \t]*\()")


def bridged(raw: bytes, spans: list[Span], helpers: frozenset[bytes]) -> list[Span]:
    """``spans`` with those functions of the file added that one of them calls, directly or not, and that lead to one of them again or
    mention a name of ``helpers``. File order."""
    if not spans or (len(spans) < 2 and not helpers):
        return spans
    scoped = {name for name, _, _ in spans}
    others = [span for span in index_functions(raw) if span[0] not in scoped]
    known = scoped | {name for name, _, _ in others}
    calls = {name: _calls(raw, start, end, known) - {name} for name, start, end in [*spans, *others]}
    below = _reach(calls, scoped)
    useful = {name for name, start, end in others if name in below and not helpers.isdisjoint(_CALLED.findall(raw, start, end))} if helpers else set()
    wanted = (below & (_reach(_turned(calls), scoped | useful) | useful)) - scoped
    if not wanted:
        return spans
    return sorted([*spans, *(span for span in others if span[0] in wanted)], key=lambda span: span[1])


def _calls(raw: bytes, start: int, end: int, known: set[str]) -> set[str]:
    return {word for found in set(_CALLED.findall(raw, start, end)) if (word := found.decode("latin-1")) in known}


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
