"""parse_file: slice, normalise, parse, repair, judge."""

from __future__ import annotations

from bisect import bisect_right

from tlblint.model.ir import NotAnalysed
from tlblint.syntax.config import Config
from tlblint.syntax.judge import Verdict, judge
from tlblint.syntax.records import ParsedFile, ParsedFunction
from tlblint.syntax.slicer import Span, in_scope
from tlblint.syntax.tables import find_tables
from tlblint.syntax.unit import Unit, prepare, rewrite_unit


def parse_file(path: str, raw: bytes, config: Config, relevant: frozenset[bytes], also: frozenset[bytes] = frozenset()) -> ParsedFile:
    """Parse the functions of a file that mention a name of ``relevant`` or whose own name is in ``also``.

    Never raises on any input. A function that can not be read whole is in ``not_analysed``, never in ``functions``;
    one of which only the second #if variant is damaged is in both.
    """
    tables = find_tables(path, raw)
    spans = in_scope(raw, relevant, also)
    if not spans:
        return ParsedFile(path, raw, (), tables, (), 0, 0)
    buf = bytearray(raw)
    units = _units(raw, buf, spans, config)
    good = [u for u in units if not u.why]
    bad = [NotAnalysed(path, u.name, u.start, u.why) for u in units if u.why]
    functions = _parsed(path, buf, good, 0, bad)
    second = [u for u in good if u.other is not None]
    if second:
        buf = bytearray(raw)
        for unit in second:
            assert unit.other is not None
            buf[unit.start : unit.end] = unit.other
        functions += _parsed(path, buf, second, 1, bad)
        functions.sort(key=lambda f: (f.start, f.variant))
    lost = {n.pos for n in bad}
    partial = len({f.start for f in functions if f.health or f.start in lost})
    return ParsedFile(path, raw, tuple(functions), tables, tuple(bad), len(units), partial)


def _units(raw: bytes, buf: bytearray, spans: list[Span], config: Config) -> list[Unit]:
    """Prepared units in file order, disjoint."""
    units: list[Unit] = []
    for name, start, end in spans:
        if units and start < units[-1].end:
            continue  # swallowed by a slice that had to be widened
        unit = Unit(name, start, end)
        prepare(raw, buf, unit, config)
        if units and unit.start < units[-1].end:
            unit.why = unit.why or "shares an #if group with the function before it"
        units.append(unit)
    return units


def _parsed(path: str, buf: bytearray, units: list[Unit], variant: int, bad: list[NotAnalysed]) -> list[ParsedFunction]:
    """Rewrite and parse one variant of the units; what can not be read goes to ``bad``."""
    if not units:
        return []
    for unit in units:
        rewrite_unit(buf, unit)
    verdicts = judge(buf, [(u.start, u.end) for u in units])
    text = bytes(buf)
    functions = []
    for unit, verdict in zip(units, verdicts, strict=True):
        if verdict.node is None:
            where = f" (with {', '.join(unit.other_assumed)})" if variant else ""
            bad.append(NotAnalysed(path, unit.name, unit.start, verdict.why + where))
        else:
            functions.append(_function(unit, verdict, text, variant))
    return functions


def _function(unit: Unit, verdict: Verdict, text: bytes, variant: int) -> ParsedFunction:
    assert verdict.node is not None
    node = verdict.node
    assumed = unit.other_assumed if variant else unit.assumed
    health = (verdict.why,) if verdict.why else ()
    return ParsedFunction(unit.name, node.start_byte, node.end_byte, node, text, variant, assumed, health)


def newline_offsets(raw: bytes) -> tuple[int, ...]:
    """Byte offsets of all newlines of a file, ascending."""
    found = []
    at = raw.find(b"\n")
    while at >= 0:
        found.append(at)
        at = raw.find(b"\n", at + 1)
    return tuple(found)


def line_of(newlines: tuple[int, ...], offset: int) -> int:
    """1-based line of a byte offset."""
    return bisect_right(newlines, offset - 1) + 1 if offset else 1
