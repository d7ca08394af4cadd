"""A mend as a unified diff, where one change of the source is all that it takes and its place is plain to see.

Nothing is guessed: a statement inside a condition, one that shares its line with others, or a place whose indentation tells nothing is left
alone, and then there is only the note.
"""

from __future__ import annotations

import difflib
import re

from tlblint.crosscheck.mend import Edit

_HEADS = re.compile(rb"\b(?:if|while|for|switch|return|do|else)\b")
_NULL_CHECK = re.compile(r"(\s*)if \(!\(?[\w.>-]+\)?\)\s*(\{)?\s*$")
_CONDITION = re.compile(r"\s*(?:\} )?(?:if \(.*\)|else)\s*$")


def diff(path: str, source: bytes, edit: Edit) -> str:
    """A unified diff of ``path``, "" when the edit has no plain place."""
    if edit.how not in ("before", "after", "move") or edit.at.path != path:
        return ""
    old = source.decode("utf-8", "surrogateescape").splitlines()
    new = _moved(source, old, edit) if edit.how == "move" else _inserted(source, old, edit)
    if new is None:
        return ""
    lines = difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", lineterm="", n=3)
    return "".join(line + "\n" for line in lines)


def _statement(source: bytes, pos: int) -> tuple[int, int] | None:
    """First and last line (0-based) of the statement at ``pos``, if it stands on lines of its own and in no condition."""
    start = max(source.rfind(mark, 0, pos) for mark in (b";", b"{", b"}")) + 1
    end = source.find(b";", pos)
    if end < 0 or (_HEADS.search(source, start, pos) and not source.startswith(b"return", pos)):
        return None
    text = source[start:end]
    if text.count(b"(") != text.count(b")"):
        return None
    start = pos if source.startswith(b"return", pos) else start + len(text) - len(text.lstrip())
    while source.startswith(b"/*", start) and source.find(b"*/", start) < pos:
        start = source.find(b"*/", start) + 2
        start += len(source[start:pos]) - len(source[start:pos].lstrip())
    first, last = source.count(b"\n", 0, start), source.count(b"\n", 0, end)
    head = source[source.rfind(b"\n", 0, start) + 1 : start]
    tail = source[end + 1 : source.find(b"\n", end)].strip()
    alone = not head.strip() and (not tail or tail.startswith((b"/*", b"//")))
    return (first, last) if alone else None


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _inserted(source: bytes, old: list[str], edit: Edit) -> list[str] | None:
    pos = edit.at.pos
    if edit.how == "before" and source.startswith(b"}", pos):
        line = source.count(b"\n", 0, pos)
        return [*old[:line], f"{_indent(old[line])}\t{edit.code}", *old[line:]] if old[line].strip() == "}" else None
    found = _statement(source, pos)
    if found is None:
        return None
    first, last = found
    bare = first > 0 and _CONDITION.match(old[first - 1]) is not None
    if edit.how == "before":
        return _braced(old, first, last, edit.code) if bare else [*old[:first], _indent(old[first]) + edit.code, *old[first:]]
    if bare:
        return None
    at = _after_null_check(old, last + 1)
    return None if at is None else [*old[:at], _indent(old[first]) + edit.code, *old[at:]]


def _braced(old: list[str], first: int, last: int, code: str) -> list[str] | None:
    """The single statement of a condition becomes two in braces."""
    following = old[last + 1].lstrip() if last + 1 < len(old) else ""
    if following.startswith("else"):
        return None
    head = old[first - 1]
    return [*old[: first - 1], head.rstrip() + " {", _indent(old[first]) + code, *old[first : last + 1], _indent(head) + "}", *old[last + 1 :]]


def _after_null_check(old: list[str], at: int) -> int | None:
    """Behind ``if (!pte) return`` that follows a lock that may not have been taken; None when it goes on in a way that is not understood."""
    if at >= len(old):
        return None
    match = _NULL_CHECK.match(old[at])
    if match is None:
        return None if re.match(r"\s*if \(!|\s*if \(.*== NULL", old[at]) else at
    if match[2]:
        end = next((n for n in range(at + 1, len(old)) if old[n] == match[1] + "}"), None)
        return None if end is None else end + 1
    if at + 1 >= len(old) or not old[at + 1].rstrip().endswith(";"):
        return None
    return at + 2


def _moved(source: bytes, old: list[str], edit: Edit) -> list[str] | None:
    """The statement at ``at`` goes behind the one at ``moved``."""
    target = edit.moved
    if target is None or target.path != edit.at.path:
        return None
    one, other = _statement(source, edit.at.pos), _statement(source, target.pos)
    if one is None or other is None or one[0] >= other[0]:
        return None
    kept = old[one[0] : one[1] + 1]
    if _indent(kept[0]) != _indent(old[other[0]]) or any(_CONDITION.match(old[line - 1]) for line in (one[0], other[0])):
        return None
    return [*old[: one[0]], *old[one[1] + 1 : other[1] + 1], *kept, *old[other[1] + 1 :]]
