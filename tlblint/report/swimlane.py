"""A timeline as a table: time runs down, a column for each thread and for each thing that changes. Text only; the template places it."""

from __future__ import annotations

import msgspec

from tlblint.model.witness import Change
from tlblint.report.text import clean
from tlblint.report.timeline import Row, Timeline

LANES = 24
"""Columns of a table; with more, one column tells who does what and what changes."""


class Cell(msgspec.Struct, frozen=True):
    """What a row has in a column. ``act``: it is the step itself, with ``place`` ("line 12", "path:12" or ""), ``said``, its mark in words,
    ``more``, what the words leave out, and ``after``, the step that made it possible or "". Else ``text`` is a new value. ``stale``: within the
    stale window; ``opens``: its first row."""

    text: str = ""
    act: bool = False
    place: str = ""
    said: str = ""
    more: tuple[str, ...] = ()
    after: str = ""
    stale: bool = False
    opens: bool = False


class Line(msgspec.Struct, frozen=True):
    """A row. ``number`` says which steps it is: "7", "3-12", "+" for what is no step; ``kind`` is "bad", "marked", "fold" or "". Empty
    cells at its end are left out."""

    number: str
    kind: str
    cells: tuple[Cell, ...]


class Table(msgspec.Struct, frozen=True):
    """``heads`` are (name, whether it is a thread). ``first`` is what the things are before anything happens, one text a column."""

    heads: tuple[tuple[str, bool], ...]
    first: tuple[str, ...]
    lines: tuple[Line, ...]


def table(time: Timeline, path: str) -> Table:
    """The rows of a timeline; places in the file ``path`` are told by their line."""
    wide = len(time.lanes) <= LANES
    lanes = {lane.name: at for at, lane in enumerate(time.lanes) if lane.kind != "actor"} if wide else {}
    first: dict[int, str] = {}
    now: dict[int, str] = {}
    lines = []
    for place, row in enumerate(time.rows):
        values: dict[int, str] = {}
        for change in row.changes:
            if (at := lanes.get(change.thing)) is not None:
                before, after = clean(change.before), clean(change.after)
                first.setdefault(at, before)
                values[at] = after if now.get(at, before) == before else f"{before} \u2192 {after}"
                now[at] = after
        lines.append(_line(place, row, values, lanes, time, path, wide))
    heads = tuple((clean(lane.name), lane.kind == "actor") for lane in time.lanes) if wide else (("who does what", True),)
    return Table(heads, tuple(first.get(at, "") for at in range(len(heads))), tuple(lines))


def _line(place: int, row: Row, values: dict[int, str], lanes: dict[str, int], time: Timeline, path: str, wide: bool) -> Line:
    kind = "bad" if row.mark == "violation" else "marked" if row.mark else "fold" if row.folded else ""
    step = _act(row, lanes, time, path, "" if wide else f"{time.lanes[row.lane].name}: ")
    if not wide:
        return Line(_number(row), kind, (step,))
    cells = [Cell(values.get(at, "")) for at in range(len(time.lanes))]
    cells[row.lane] = step
    for window in time.windows:
        if window.first <= place <= window.last:
            cell = cells[window.lane]
            cells[window.lane] = Cell(cell.text, cell.act, cell.place, cell.said, cell.more, cell.after, True, place == window.first)
    while cells[-1] == Cell():
        cells.pop()
    return Line(_number(row), kind, tuple(cells))


def _number(row: Row) -> str:
    return f"{row.number}-{row.number + row.folded - 1}" if row.folded else str(row.number) if row.number else "+"


def _act(row: Row, lanes: dict[str, int], time: Timeline, path: str, who: str) -> Cell:
    """The step: what has no column of its own is told here, and so is a birth in the column of what caches."""
    loose = [_told(change) for change in row.changes if change.thing not in lanes]
    shape = "\u2715" if row.mark == "violation" else "\u25c6"
    spot = "" if row.path is None or row.line is None else f"line {row.line}" if row.path == path else clean(f"{row.path}:{row.line}")
    after = str(time.rows[row.cause].number) if row.cause is not None else ""
    more = (*loose, *([clean(row.note)] if row.note else []))
    return Cell(clean(who + row.text), True, spot, f"{shape} {clean(row.said)}" if row.said else "", more, after)


def _told(change: Change) -> str:
    return clean(f"{change.thing}: {change.before} \u2192 {change.after}")
