"""The steps of a path as a reader needs them, and where a finding at a function's entry stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from tlblint.findings.lines import Lines
from tlblint.model.finding import RawFinding, Step
from tlblint.model.ir import OpsTable

HEADER = 2000
"""Bytes of a function's header that are searched for its name."""


def at_entry(raw: RawFinding) -> bool:
    """Whether the obligation is there from the start: a page walk calls the function with the lock held, so no step takes it."""
    return not any((step.path, step.pos) == (raw.path, raw.pos) for step in raw.trace if step.event not in ("call", "branch"))


def header_name(raw: RawFinding, source: bytes) -> int:
    """Byte offset of the function's name in its header, which begins at the finding; the finding's own offset when it is not there."""
    name = re.escape(raw.function.encode("utf-8", "surrogateescape"))
    match = re.compile(rb"[^;{}]*?\b(" + name + rb")\s*\(").match(source, raw.pos, raw.pos + HEADER)
    return match.start(1) if match and name else raw.pos


def told(raw: RawFinding, tables: Sequence[OpsTable], lines: Mapping[str, Lines]) -> tuple[Step, ...]:
    """The path with its beginning told, nothing told twice, and a walk called a walk.

    A place that a loop comes back to may both start the obligation and break it: only the last time it is broken.
    """
    steps = [step for step, before in zip(raw.trace, (None, *raw.trace), strict=False) if step != before]  # one call may take two locks
    broken = max((at for at, step in enumerate(steps) if step.state == "violated"), default=-1)
    steps = [replace(step, state="obligation starts") if step.state == "violated" and at < broken else step for at, step in enumerate(steps)]
    walks = _walks(steps)
    steps = [replace(step, note=_walking(step.note)) if (step.path, step.pos) in walks else step for step in steps]
    steps = [_walk_calls(step, tables) if step.event == "call" else step for step in steps]
    if raw.trace and at_entry(raw):
        called = max((at + 1 for at, step in enumerate(steps) if step.event == "call" and step.note.endswith(f"calls {raw.function}()")), default=0)
        note = "the walk holds the page table lock" if called and not steps[called - 1].function else _entered(raw, tables, lines)
        steps.insert(called, Step(raw.path, raw.pos, raw.function, "entered", "obligation starts", note))
    return tuple(steps)


def _walk_calls(step: Step, tables: Sequence[OpsTable]) -> Step:
    """A call out of a walk: the engine makes a function of a table of callbacks, the reader knows it as a table."""
    if "(" in step.function:  # the walk of one callback that a call was given: apply_to_page_range(callback)
        return replace(step, function="", note=f"{step.function} {step.note}")
    if any((table.path, table.pos, table.name) == (step.path, step.pos, step.function) for table in tables):
        return replace(step, function="", note=f"a page walk with {step.function} {step.note}")
    return step


def afterword(raw: RawFinding) -> str:
    """What to add to the message when the lock goes by itself: a loop's head that drops it stands above what it comes after."""
    broken = [step for step in raw.trace if step.state == "violated"]
    if not broken or broken[-1].event != "ptl.release" or (broken[-1].path, broken[-1].pos) not in _walks(raw.trace):
        return ""
    return f" {_caller(broken[-1])}() drops the lock when it finds no further entry."


def _walks(steps: Iterable[Step]) -> set[tuple[str, int]]:
    """The places of calls that both take and drop a lock: ``while (page_vma_mapped_walk(&pvmw))``."""
    places: dict[str, set[tuple[str, int, str]]] = {"ptl.acquire": set(), "ptl.release": set()}
    for step in steps:
        if step.event in places:
            places[step.event].add((step.path, step.pos, _caller(step)))
    return {(path, pos) for path, pos, name in places["ptl.acquire"] & places["ptl.release"] if name}


def _caller(step: Step) -> str:
    """The function that a note begins with, or ""."""
    name, call, _ = step.note.partition("() ")
    return name if call else ""


def _walking(note: str) -> str:
    note = re.sub(r"\(\) succeeds\Z", "() finds an entry", note)
    note = re.sub(r"\(\) fails\Z", "() finds no further entry", note)
    return re.sub(r"\(\) releases the page table lock\Z", "() ends the walk and releases the page table lock", note)


def _entered(raw: RawFinding, tables: Sequence[OpsTable], lines: Mapping[str, Lines]) -> str:
    """Who calls: the operations table that names the function, one of the same file before others."""
    named = [(table.path != raw.path, table.path, table.pos, slot, table.name) for table in tables for slot, value in table.slots if value == raw.function]
    called = f"a page walk calls {raw.function}() with the page table lock held"
    if not named:
        return called
    _, path, pos, slot, table = min(named)
    place = f"line {lines[path].locate(pos)[0]}" if path == raw.path else path
    return f"{called}: it is .{slot} of {table}, {place}"
