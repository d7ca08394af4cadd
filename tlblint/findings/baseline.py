"""The baseline: known findings in a sorted text file that git can merge.

One finding a line: fingerprint, rule, path, function, and the reason to the end of the line. ``#`` starts a comment
line. In path and function, ``%`` and blanks are written as %XX.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import msgspec
from msgspec.structs import replace

from tlblint.model.finding import Finding

HEADER = "# tlblint baseline: fingerprint rule path function reason\n"
NO_REASON = "no reason given"

_LINE = re.compile(r"(?P<fingerprint>[0-9a-f]{16})\s+(?P<rule>TLB\d{3})\s+(?P<path>\S+)\s+(?P<function>\S+)(?:\s+(?P<reason>.*\S))?\s*\Z")


class BaselineError(ValueError):
    """A line that is no baseline line. ``line`` is 1-based."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")
        self.line = line
        self.what = what


class Entry(msgspec.Struct, frozen=True, order=True):
    """One known finding."""

    fingerprint: str
    rule: str
    path: str
    function: str
    reason: str


def parse(raw: bytes) -> tuple[Entry, ...]:
    """The entries of a baseline file, sorted. Raises BaselineError."""
    entries = []
    for number, line in enumerate(raw.split(b"\n"), 1):
        text = line.decode("utf-8", "surrogateescape").strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.match(text)
        if match is None:
            raise BaselineError(number, _complaint(text))
        entries.append(Entry(match["fingerprint"], match["rule"], _plain(match["path"]), _plain(match["function"]), match["reason"] or ""))
    return tuple(sorted(set(entries)))


def _complaint(text: str) -> str:
    if text.startswith(("<<<<<<<", "=======", ">>>>>>>")):
        return "a merge conflict is not resolved"
    return "not 'fingerprint rule path function reason'"


def dump(entries: Iterable[Entry]) -> bytes:
    """The file for some entries; parsing it gives them back."""
    lines = {f"{entry.fingerprint} {entry.rule} {_quoted(entry.path)} {_quoted(entry.function)} {_one_line(entry.reason)}\n" for entry in entries}
    return (HEADER + "".join(sorted(lines))).encode("utf-8", "surrogateescape")


def _one_line(text: str) -> str:
    return " ".join(text.split()) or NO_REASON


def _quoted(text: str) -> str:
    return re.sub(r"[%\s\x00-\x1f]", lambda match: "".join(f"%{byte:02x}" for byte in match[0].encode()), text) or "-"


def _plain(text: str) -> str:
    if text == "-":
        return ""
    raw = re.sub(rb"%([0-9a-fA-F]{2})", lambda match: bytes([int(match[1], 16)]), text.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")


def apply(findings: Sequence[Finding], entries: Sequence[Entry]) -> tuple[list[Finding], tuple[Entry, ...]]:
    """(findings with the known ones marked, entries that matched nothing).

    An entry matches its fingerprint at its path. One that matches nothing there may follow its function to another
    file, but stands for one finding only: a second function of that name is new.
    """
    exact: dict[tuple[str, str, str], Entry] = {(entry.fingerprint, entry.rule, entry.path): entry for entry in entries}
    marked = list(findings)
    used: set[Entry] = set()
    for at, finding in enumerate(marked):
        entry = exact.get((finding.fingerprint, finding.rule, finding.path))
        if entry is not None and finding.suppressed_by is None:
            marked[at] = _known(finding, entry)
            used.add(entry)
        elif entry is not None:
            used.add(entry)
    moved: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if entry not in used:
            moved.setdefault((entry.fingerprint, entry.rule), []).append(entry)
    for at, finding in enumerate(marked):
        waiting = moved.get((finding.fingerprint, finding.rule))
        if waiting and finding.suppressed_by is None:
            entry = waiting.pop(0)
            marked[at] = _known(finding, entry)
            used.add(entry)
    return marked, tuple(entry for entry in entries if entry not in used)


def _known(finding: Finding, entry: Entry) -> Finding:
    return replace(finding, suppressed_by="baseline", suppressed_reason=entry.reason or NO_REASON)


def updated(findings: Iterable[Finding], entries: Sequence[Entry], stale: Sequence[Entry], in_scope: Callable[[Entry], bool]) -> tuple[Entry, ...]:
    """The entries of a refreshed baseline: current findings, with the reasons that were there.

    A stale entry goes when this run could have seen its finding (``in_scope``), else it stays. Findings suppressed in source need no entry.
    """
    reasons = {(entry.fingerprint, entry.rule): entry.reason for entry in entries}
    kept = [finding for finding in findings if finding.suppressed_by in (None, "baseline")]
    fresh = {Entry(f.fingerprint, f.rule, f.path, f.function, reasons.get((f.fingerprint, f.rule), NO_REASON)) for f in kept}
    return tuple(sorted(fresh | {entry for entry in stale if not in_scope(entry)}))
