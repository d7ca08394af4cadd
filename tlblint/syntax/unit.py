"""One function from raw bytes to normalised bytes: its extent, its #if choices, its rewriting."""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from tlblint.names.conditions import names_in
from tlblint.syntax import header, rewrite
from tlblint.syntax.clean import Group, choose, keep, label, other, pair, strip
from tlblint.syntax.config import Config

_CONDITIONAL = re.compile(rb"^[ \t]*#[ \t]*(if|el|endif)", re.M)
_LONGEST = 1 << 17
_SHALLOW = 4096
_DEEPEST = 200
_PREFIXES = re.compile(rb"(?:[*!~&+-]\s{0,9}+){64}")
_NO_BRACKET = bytes(c for c in range(256) if c not in b"[](){}")
_EXTENSIONS = 6


class Unit(msgspec.Struct):
    """A function in scope. ``other`` holds the cleaned bytes of variant 1 until they are placed; None if there is no such variant."""

    name: str
    start: int
    end: int
    brace: int = 0
    assumed: tuple[str, ...] = ()
    other: bytes | None = None
    other_assumed: tuple[str, ...] = ()
    why: str = ""


@lru_cache(maxsize=1)
def _all_groups(raw: bytes) -> tuple[tuple[int, ...], ...]:
    """The #if groups of a file as the offsets of their directives. Remembered for the next function of the same file."""
    stack: list[list[int]] = []
    found = []
    for match in _CONDITIONAL.finditer(raw):
        kind = match.group(1)
        if kind == b"if":
            stack.append([match.start()])
        elif stack:
            stack[-1].append(match.start())
            if kind == b"endif":
                found.append(tuple(stack.pop()))
    return tuple(found)


def _cover_groups(raw: bytes, start: int, end: int) -> tuple[int, int]:
    """Widen a slice so that no #if group crosses its borders with a directive inside the slice."""
    low, high = start, end
    for group in _all_groups(raw):
        if group[0] < end and group[-1] >= start and any(start <= at < end for at in group):
            low = min(low, group[0])
            line = raw.find(b"\n", group[-1])
            high = max(high, line if line >= 0 else len(raw))
    return low, high


def _next_close(raw: bytes, at: int) -> int:
    found = raw.find(b"\n}", at)
    return found + 2 if found >= 0 else 0


def _depth(buf: bytearray, start: int, end: int) -> int:
    return buf.count(b"{", start, end) - buf.count(b"}", start, end)


def _too_deep(buf: bytearray, start: int, end: int) -> bool:
    """Whether brackets or unary operators nest so deep that parsing would take more than linear time. Short text can not hurt."""
    if end - start <= _SHALLOW:
        return False
    if _PREFIXES.search(buf, start, end):
        return True
    depth = 0
    for bracket in buf[start:end].translate(None, _NO_BRACKET):
        depth += 1 if bracket in b"([{" else -1
        if depth > _DEEPEST:
            return True
    return False


def prepare(raw: bytes, buf: bytearray, unit: Unit, config: Config, floor: int = 0) -> None:
    """Clean and choose in place. On return ``unit.brace`` is the body's first byte, or ``unit.why`` tells what is wrong.

    Nothing below ``floor`` is touched: it belongs to the function before.
    """
    widened = False
    for _ in range(_EXTENSIONS):
        if unit.end - unit.start > _LONGEST:
            unit.why = "longer than 128 KiB"
            return
        buf[unit.start : unit.end] = raw[unit.start : unit.end]
        groups, matched = pair(strip(buf, unit.start, unit.end))
        if not matched and not widened:
            unit.start, unit.end = _cover_groups(raw, unit.start, unit.end)
            widened = True
            if unit.start < floor:
                unit.start, unit.why = floor, "shares an #if group with the function before it"
                return
            continue
        clean = bytes(buf[unit.start : unit.end]) if groups else b""
        taken = _choose_all(buf, unit, groups, config)
        depth = _depth(buf, unit.start, unit.end)
        if depth > 0 and (end := _next_close(raw, unit.end)):
            unit.end = end
            continue
        if depth:
            break
        if _too_deep(buf, unit.start, unit.end):
            unit.why = "nested too deep"
            return
        unit.brace = buf.find(b"{", unit.start, unit.end)
        if groups:
            _second_variant(buf, unit, groups, taken, clean, config)
        return
    unit.why = "braces do not balance in any one configuration"


def _choose_all(buf: bytearray, unit: Unit, groups: list[Group], config: Config) -> list[int]:
    taken = []
    assumed: dict[str, None] = {}
    for group in groups:
        at, constant = choose(group, config)
        if not constant and _has_content(buf, group):
            assumed[label(group, at)] = None
        taken.append(at)
    for group, at in zip(groups, taken, strict=True):
        keep(buf, group, at)
    unit.assumed = tuple(assumed)
    return taken


def _has_content(buf: bytearray, group: Group) -> bool:
    return any(buf[arm.start : arm.end].strip() for arm in group)


def _second_variant(buf: bytearray, unit: Unit, groups: list[Group], taken: list[int], clean: bytes, config: Config) -> None:
    """Work out the text in which the in-body choices go the other way.

    All macros that the in-body groups mention change state together, so that two groups on one macro stay consistent.
    Where that changes nothing, each group takes its other arm.
    """
    bodies = [g for g in groups if g[0].start > unit.brace]
    if not bodies:
        return
    names = frozenset(n for g in bodies for arm in g if arm.kind != b"else" for n in names_in(arm.condition.decode("latin-1")))
    if not names:
        return
    flipped = config.flipped(names)
    for individually in (False, True):
        copy = bytearray(buf)
        copy[unit.start : unit.end] = clean
        assumed: dict[str, None] = {}
        for group, at in zip(groups, taken, strict=True):
            if group[0].start > unit.brace:
                new, constant = choose(group, config if individually else flipped)
                at = other(group, new) if individually and not constant else new
                if not constant and _has_content(copy, group):
                    assumed[label(group, at)] = None
            keep(copy, group, at)
        text = bytes(copy[unit.start : unit.end])
        if text.split() != buf[unit.start : unit.end].split() and not _depth(copy, unit.start, unit.end):
            unit.other, unit.other_assumed = text, tuple(assumed)
            return


def rewrite_unit(buf: bytearray, unit: Unit) -> None:
    """Steps 3 to 8 on the cleaned bytes of the unit."""
    brace = buf.find(b"{", unit.start, unit.end)
    header.normalise(buf, unit.start, brace)
    rewrite.body(buf, brace, unit.end)
