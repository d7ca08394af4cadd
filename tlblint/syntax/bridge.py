"""Functions between functions in scope: a helper that only hands pointers on still carries a lock from its caller to its callee, and
one that only answers a question still decides where its caller goes."""

from __future__ import annotations

import re

from tlblint.syntax.slicer import Span, index_functions

_CALLED = re.compile(rb"(?<!\w)[A-Za-z_]\w*+(?=[ \t]*+\()")
_ANSWERS = re.compile(rb"\breturn\b[^;]|(?:\*\s*\w++\s*+\)?+|->\s*\w++)\s*+(?:=(?!=)|[-+|&]=|\+\+|--)|(?:\+\+|--)[\s(]*\*")
_LOCKS = re.compile(rb"\bspin_\w*lock\w*\s*\(")
_OWNS = re.compile(rb"\bstruct[ \t]+(?:mmu_gather|mmu_notifier_range)[ \t]+[A-Za-z_]")
"""A variable that has to be begun and finished, or started and ended; helpers may do that."""
SHORT = 500
"""Bytes of a function that is read because it may only give an answer: a condition or an assignment moved out of its caller."""


def bridged(raw: bytes, spans: list[Span], helpers: frozenset[bytes], above: frozenset[str] = frozenset()) -> list[Span]:
    """``spans`` with those functions of the file added that one of them calls, directly or not, and that lead to one of them again,
    mention a name of ``helpers``, or are short and give an answer; and with those named in ``above``, or that own
    what helpers begin and finish, that lead to one of them. File order."""
    if not spans:
        return spans
    scoped = {name for name, _, _ in spans}
    others = {span[0]: span for span in index_functions(raw) if span[0] not in scoped}
    if not others:
        return spans
    calls = {name: _calls(raw, start, end) for name, start, end in spans}
    work = [name for called in calls.values() for name in called if name in others] + [name for name in above if name in others]
    owners = [name for name, start, end in spans if raw.startswith(b"static", start) and _OWNS.search(raw, start, end)]
    above_those = re.compile(rb"\b(?:%s)\s*\(" % "|".join(owners).encode("latin-1")) if owners else _OWNS  # judged as their callers call them: all of them
    work += [name for name, start, end in others.values() if _OWNS.search(raw, start, end) or above_those.search(raw, start, end)]
    while work:  # only what is called from code in scope is looked at
        name = work.pop()
        if name not in calls:
            calls[name] = _calls(raw, others[name][1], others[name][2])
            work.extend(called for called in calls[name] if called in others)
    below = set(calls) - scoped
    useful = {name for name in below if any(word.encode("latin-1") in helpers for word in calls[name]) or _answers(raw, others[name])}
    wanted = below & (_reach(_turned(calls), scoped | useful) | useful)
    return sorted([*spans, *(others[name] for name in wanted)], key=lambda span: span[1]) if wanted else spans


def _answers(raw: bytes, span: Span) -> bool:
    """Whether a function is short and static and returns something, stores through a pointer, or locks: its callers depend on that."""
    _, start, end = span
    if end - start > SHORT or not raw.startswith(b"static", start):
        return False
    return _ANSWERS.search(raw, start, end) is not None or _LOCKS.search(raw, start, end) is not None


def _calls(raw: bytes, start: int, end: int) -> set[str]:
    return {found.decode("latin-1") for found in set(_CALLED.findall(raw, start, end))}


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
