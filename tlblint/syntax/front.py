"""parse_file: slice, normalise, parse, repair, judge."""

from __future__ import annotations

import msgspec

from tlblint.model.ir import NotAnalysed
from tlblint.syntax import encoding
from tlblint.syntax.bridge import bridged
from tlblint.syntax.config import Config
from tlblint.syntax.judge import Verdict, judge
from tlblint.syntax.outline import Block, outline
from tlblint.syntax.patterns import whole
from tlblint.syntax.records import ParsedFile, ParsedFunction
from tlblint.syntax.recover import recovered, resliced
from tlblint.syntax.slicer import Span, in_scope
from tlblint.syntax.tables import find_tables
from tlblint.syntax.unit import Unit, prepare, rewrite_unit


def parse_file(
    path: str, raw: bytes, config: Config, relevant: frozenset[bytes], also: frozenset[bytes] = frozenset(), helpers: frozenset[bytes] = frozenset(),
    known: frozenset[str] = frozenset(),
) -> ParsedFile:
    """Parse the functions of a file that mention a name of ``relevant`` or whose own name is in ``also``, with the functions
    between them and those that they call and that mention a name of ``helpers``; and what leads to them from callbacks of the file's
    operations tables and from functions named in ``known``, of which something is promised.

    Never raises on any input. A function that can not be read whole is in ``not_analysed``, never in ``functions``;
    one of which only the second #if variant is damaged is in both. What mentions such a name in code, but in no function that
    could be told apart, is in ``not_analysed``, too, with a guessed name or none.
    """
    tables = find_tables(path, raw)
    above = known.union(name for table in tables for _, name in table.slots)
    if why := encoding.unreadable(raw, relevant):
        return ParsedFile(path, raw, (), tables, (NotAnalysed(path, "", 0, why),), 0, 0)
    spans, loose = in_scope(raw, relevant, also)
    lost: list[Block] = []
    if loose:
        spans, lost = recovered(outline(raw, config), spans, loose)
    read = _read(path, raw, bridged(raw, spans, helpers, above), config)
    if failed := [span for span in spans if span in read.failed]:
        spans, more = resliced(outline(raw, config), spans, failed, whole(raw, relevant))
        if not set(failed) <= set(spans):
            lost += more
            read = _read(path, raw, bridged(raw, spans, helpers, above), config)
    gaps = [NotAnalysed(path, block.name, block.start, block.why) for block in dict.fromkeys(lost)]
    named = {(n.function, n.pos) for n in read.bad}
    total = read.total + len({(n.function, n.pos) for n in gaps if n.function} - named)
    return ParsedFile(path, raw, tuple(read.functions), tables, (*read.bad, *gaps), total, read.partial)


class _Read(msgspec.Struct, frozen=True):
    """What came of a list of slices. ``failed``: those of which nothing came."""

    functions: list[ParsedFunction]
    bad: list[NotAnalysed]
    failed: frozenset[Span]
    total: int
    partial: int


def _read(path: str, raw: bytes, spans: list[Span], config: Config) -> _Read:
    """Prepare and parse both variants of the slices."""
    if not spans:
        return _Read([], [], frozenset(), 0, 0)
    buf = bytearray(raw)
    units = _units(raw, buf, spans, config)
    good = [u for u in units if not u.why]
    bad = [NotAnalysed(path, u.name, u.start, u.why) for u in units if u.why]
    functions = _parsed(path, buf, good, 0, bad)
    wrong = {n.pos for n in bad}
    failed = frozenset(span for span, unit in zip(spans, units, strict=True) if unit.start in wrong) if bad else frozenset()
    second = [u for u in good if u.other is not None]
    if second:
        buf = bytearray(raw)
        for unit in second:
            assert unit.other is not None
            buf[unit.start : unit.end] = unit.other
        functions += _parsed(path, buf, second, 1, bad)
        functions.sort(key=lambda f: (f.start, f.variant))
    doubtful = {n.pos for n in bad}
    partial = len({f.start for f in functions if f.health or f.start in doubtful})
    return _Read(functions, bad, failed, len(units), partial)


def _units(raw: bytes, buf: bytearray, spans: list[Span], config: Config) -> list[Unit]:
    """Prepared units in file order; those without a complaint are disjoint."""
    units: list[Unit] = []
    reach = 0
    for name, start, end in spans:
        unit = Unit(name, start, end)
        if start < reach:
            unit.why = "lies in an #if group that was read with the function before it"
        else:
            prepare(raw, buf, unit, config, reach)
            reach = max(reach, unit.end) if not unit.why else reach
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
