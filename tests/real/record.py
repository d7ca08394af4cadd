"""The committed record of what is found on a real kernel: a text file that people write their verdicts into.

::

    # kernel 6.12.117                                     the package the lines are of
    mm/a.c:f TLB001 (43) ptep_get() changes entries       one finding, and below it what somebody thinks of it
        verdict: true                                     true, debatable, false, or ? as long as nobody looked
        reason: the lock is taken twice

    not analysed:
    mm/b.c:g (59) more than 6000 block visits

Lines are pinned because kernels are; on another sublevel only path, function and rule are compared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

VERDICTS = ("true", "debatable", "false", "?")
_KERNEL = re.compile(r"# kernel (\d+\.\d+\.\d+)\b")
_FINDING = re.compile(r"(?P<path>[^\s:]+):(?P<function>\w*) (?P<rule>TLB\d{3}) \((?P<line>\d+)\) (?P<head>.+)")
_GAP = re.compile(r"(?P<path>[^\s:]+):(?P<function>\w*) \((?P<line>\d+)\) (?P<why>.+)")
_NOTE = re.compile(r" {4}(?P<key>verdict|reason):(?: (?P<text>.*))?")
GAPS = "not analysed:"


class Entry(msgspec.Struct, frozen=True, order=True):
    """One finding and the verdict on it. ``head``: how its message starts, without line numbers."""

    path: str
    line: int
    function: str
    rule: str
    head: str
    verdict: str = "?"
    reason: str = ""

    @property
    def text(self) -> str:
        """The line of the file that names the finding."""
        return f"{self.path}:{self.function} {self.rule} ({self.line}) {self.head}"

    @property
    def place(self) -> str:
        """What stays the same when lines move."""
        return f"{self.path}:{self.function} {self.rule}"


class Missed(msgspec.Struct, frozen=True, order=True):
    """A function in scope that was not analysed."""

    path: str
    function: str
    line: int
    why: str

    @property
    def place(self) -> str:
        """What stays the same when lines and bounds move."""
        return f"{self.path}:{self.function}"


class Record(msgspec.Struct, frozen=True):
    """A whole file. ``kernel``: VERSION.PATCHLEVEL.SUBLEVEL."""

    kernel: str
    entries: tuple[Entry, ...]
    missed: tuple[Missed, ...]


def head_of(message: str, width: int = 90) -> str:
    """The start of a message, line numbers out, cut at a word."""
    bare = re.sub(r"(?:,? on)? line \d+", "", message)
    return bare if len(bare) <= width else bare[:width].rsplit(" ", 1)[0].rstrip(",.:;") + " ..."


def parse(text: str) -> Record:
    """Read a file. Raises ValueError that names the line."""
    lines = text.splitlines()
    kernel = _KERNEL.match(lines[0]) if lines else None
    if kernel is None:
        raise ValueError("line 1: must read '# kernel VERSION.PATCHLEVEL.SUBLEVEL ...'")
    entries: list[Entry] = []
    missed: list[Missed] = []
    gaps = False
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line == GAPS:
            gaps = True
        elif gaps:
            found = _GAP.fullmatch(line) or _refuse(number, line)
            missed.append(Missed(found["path"], found["function"], int(found["line"]), found["why"]))
        elif line.startswith(" "):
            entries[-1:] = [_noted(number, line, entries)]
        else:
            found = _FINDING.fullmatch(line) or _refuse(number, line)
            entries.append(Entry(found["path"], int(found["line"]), found["function"], found["rule"], found["head"]))
    return Record(kernel[1], tuple(entries), tuple(missed))


def _refuse(number: int, line: str) -> re.Match[str]:
    raise ValueError(f"line {number}: cannot read {line!r}")


def _noted(number: int, line: str, entries: Sequence[Entry]) -> Entry:
    found = _NOTE.fullmatch(line) or _refuse(number, line)
    text = (found["text"] or "").strip()
    if not entries:
        raise ValueError(f"line {number}: a {found['key']} before any finding")
    if found["key"] == "verdict" and text not in VERDICTS:
        raise ValueError(f"line {number}: a verdict is one of {', '.join(VERDICTS)}")
    return replace(entries[-1], verdict=text) if found["key"] == "verdict" else replace(entries[-1], reason=text)


def render(record: Record, scope: str) -> str:
    """The text of a file; ``parse`` undoes it."""
    out = [f"# kernel {record.kernel}", f"# Findings in {scope}, all profiles, each with a verdict: true, debatable, false; ? as long as nobody looked."]
    out.append("# Written by: python -m tests.real.summary KERNEL_DIR VERSION --update, which keeps verdicts and reasons.")
    for entry in sorted(record.entries):
        out.extend(["", entry.text, f"    verdict: {entry.verdict}", f"    reason: {entry.reason}".rstrip()])
    out.extend(["", GAPS])
    out.extend(f"{item.path}:{item.function} ({item.line}) {item.why}" for item in sorted(record.missed))
    return "\n".join(out) + "\n"


def carry(old: Iterable[Entry], new: Iterable[Entry]) -> tuple[Entry, ...]:
    """``new`` with the verdicts of ``old``: of the same line, else of the same message there, else of that rule there.

    As many must match as matched before, and all of them with one verdict and one reason: which is which would be a guess otherwise.
    An old verdict is used once. What is found for the first time gets "?".
    """
    left = list(old)
    fresh = sorted(new)
    done: dict[int, Entry] = {}
    for exact in (_by_text, _by_head, _by_place):
        wants = Counter(exact(entry) for number, entry in enumerate(fresh) if number not in done)
        has: dict[str, list[Entry]] = {}
        for entry in left:
            has.setdefault(exact(entry), []).append(entry)
        sure = {key: known for key, known in has.items() if wants[key] == len(known) and len({(e.verdict, e.reason) for e in known}) == 1}
        for number, entry in enumerate(fresh):
            if number not in done and exact(entry) in sure:
                known = sure[exact(entry)][0]
                done[number] = replace(entry, verdict=known.verdict, reason=known.reason)
        left = [entry for entry in left if exact(entry) not in sure]
    return tuple(done.get(number, entry) for number, entry in enumerate(fresh))


def _by_text(entry: Entry) -> str:
    return entry.text


def _by_head(entry: Entry) -> str:
    return f"{entry.place} {entry.head}"


def _by_place(entry: Entry) -> str:
    return entry.place


def differences(committed: Record, found: Record) -> list[str]:
    """"- line" for what is no longer found and "+ line" for what is new; by place only if the kernels are not the same."""
    key = _by_text if committed.kernel == found.kernel else _by_place
    old, new = Counter(map(key, committed.entries)), Counter(map(key, found.entries))
    return sorted([f"- {text}" for text in (old - new).elements()] + [f"+ {text}" for text in (new - old).elements()], key=lambda line: (line[2:], line[0]))


def unanalysed(committed: Record, found: Record) -> list[str]:
    """Functions that were not analysed and are not on the committed list."""
    known = {item.place for item in committed.missed}
    return [f"{item.path}:{item.function} ({item.line}) {item.why}" for item in sorted(found.missed) if item.place not in known]
