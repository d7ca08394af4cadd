"""A timeline as a picture: time runs down, a column for each thread and for each thing that changes. A pure function to SVG text.

Colours and fonts are the page's, by class; nothing in the picture is a link, a script or a style.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tlblint.report.text import clean
from tlblint.report.timeline import Lane, Row, Timeline, Window

GUTTER, GAP, LINE, PAD = 40, 14, 14, 5
CHAR = 7
"""Width that a character of the 11 px monospace font is given."""
ACTOR, THING = 22, 13
"""Characters of a line in a column."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where everything stands: (left, width) of lanes, (top, height) of rows, the height of the heads."""

    lanes: tuple[tuple[int, int], ...]
    rows: tuple[tuple[int, int], ...]
    head: int

    @property
    def width(self) -> int:
        return sum(self.lanes[-1]) + PAD if self.lanes else GUTTER

    @property
    def height(self) -> int:
        return (sum(self.rows[-1]) if self.rows else self.head) + PAD


def svg(time: Timeline, label: str) -> str:
    """The picture. ``label`` is what a screen reader says of it. Rows carry ``data-n``, their 1-based place."""
    texts = [_texts(row, ACTOR if time.lanes[row.lane].kind == "actor" else THING) for row in time.rows]
    plan = _plan(time, texts)
    out = [
        f'<svg class="lanes" width="{plan.width}" height="{plan.height}" viewBox="0 0 {plan.width} {plan.height}" role="img" aria-label="{escaped(label)}">',
        *_columns(time.lanes, plan),
        *(_window(window, plan) for window in time.windows),
        *(_row(place, row, texts[place], time, plan) for place, row in enumerate(time.rows)),
        *(_arrow(row.cause, place, time, plan) for place, row in enumerate(time.rows) if row.cause is not None),
        "</svg>",
    ]
    return "".join(out)


def escaped(text: str) -> str:
    """Text for the inside of an element or a quoted attribute."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;").replace("'", "&#39;")


def _texts(row: Row, most: int) -> list[str]:
    lines = _wrapped(row.text, most)
    place = f"{row.path.rpartition('/')[2]}:{row.line}" if row.path is not None and row.line is not None else ""
    lines += [clean(place)[-most:]] if place else []
    shape = "\u2715" if row.mark == "violation" else "\u25c6"
    return [*lines, *(_wrapped(f"{shape} {row.said}", most) if row.said else [])]


def _wrapped(text: str, most: int) -> list[str]:
    """Lines of at most ``most`` characters; of a long name the part behind an underscore goes to the next one."""
    text = text[: 8 * most]  # four lines are shown
    parts = re.sub(r"(?<=\w)_(?=\w)", "_\0", clean(text)) if any(len(word) > most for word in text.split()) else clean(text)
    lines = [""]
    for word in re.findall(r"\S+?(?:\0|(?=\s)|\Z)|\s+", parts):
        piece = word.rstrip("\0")
        if len(lines[-1]) + len(piece) > most and lines[-1]:
            lines.append("")
        while len(piece) > most:
            lines[-1:] = [piece[:most], ""]
            piece = piece[most:]
        lines[-1] += piece if lines[-1] or piece.strip() else ""
    return [line.rstrip() for line in lines if line.strip()][:4] or [""]


def _plan(time: Timeline, texts: Sequence[Sequence[str]]) -> _Plan:
    lanes, x = [], GUTTER
    for lane in time.lanes:
        width = CHAR * (ACTOR if lane.kind == "actor" else THING) + 2 * PAD
        lanes.append((x, width))
        x += width + GAP
    head = 2 * PAD + LINE * max((len(_wrapped(lane.name, ACTOR if lane.kind == "actor" else THING)) for lane in time.lanes), default=1)
    rows, y = [], head
    shown = {lane.name for lane in time.lanes}
    for row, lines in zip(time.rows, texts, strict=True):
        values = max((len(_wrapped(change.after, THING)) for change in row.changes if change.thing in shown), default=1)
        height = LINE * max(len(lines), values) + 2 * PAD + 4
        rows.append((y, height))
        y += height
    return _Plan(tuple(lanes), tuple(rows), head)


def _columns(lanes: Sequence[Lane], plan: _Plan) -> Iterator[str]:
    for lane, (x, width) in zip(lanes, plan.lanes, strict=True):
        middle = x + width // 2
        yield f'<path class="lane" d="M{middle} {plan.head}V{plan.height}"/>'
        yield _text(_wrapped(lane.name, ACTOR if lane.kind == "actor" else THING), middle, PAD + LINE - 3, f"h {lane.kind}", "middle")


def _window(window: Window, plan: _Plan) -> str:
    x, width = plan.lanes[window.lane]
    top = plan.rows[window.first][0] + 2
    bottom = sum(plan.rows[window.last]) - 2
    rect = f'<rect class="stale" x="{x}" y="{top}" width="{width}" height="{bottom - top}"/>'
    return rect + _text(["stale", "window"] if bottom - top > 2 * LINE else ["stale"], x + PAD, top + LINE - 2, "w")


def _row(place: int, row: Row, texts: Sequence[str], time: Timeline, plan: _Plan) -> str:
    y, height = plan.rows[place]
    x, width = plan.lanes[row.lane]
    kind = " bad" if row.mark == "violation" else " marked" if row.mark else " fold" if row.folded else ""
    out = [f'<g class="r{kind}" data-n="{place + 1}">']
    number = f"{row.number}-{row.number + row.folded - 1}" if row.folded else str(row.number) if row.number else "+"
    out.append(_text([number], GUTTER - 6, y + PAD + LINE - 2, "n", "end"))
    out.append(f'<rect class="c" x="{x}" y="{y + 2}" width="{width}" height="{height - 4}"/>')
    out.append(_text(texts, x + PAD, y + PAD + LINE - 2))
    lanes = {lane.name: at for at, lane in enumerate(time.lanes) if lane.kind != "actor"}
    for change in row.changes:
        if lanes.get(change.thing, row.lane) == row.lane:  # a column of none, or a birth in its own
            continue
        left, wide = plan.lanes[lanes[change.thing]]
        out.append(f'<rect class="v" x="{left}" y="{y + 2}" width="{wide}" height="{height - 4}"/>')
        out.append(_text(_wrapped(change.after, THING), left + PAD, y + PAD + LINE - 2))
    return "".join(out) + "</g>"


def _text(lines: Sequence[str], x: int, y: int, kind: str = "", anchor: str = "") -> str:
    """Lines of text below each other."""
    said = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor else "")
    if len(lines) == 1:
        return f'<text{said} x="{x}" y="{y}">{escaped(lines[0])}</text>'
    rest = "".join(f'<tspan x="{x}" dy="{LINE}">{escaped(line)}</tspan>' for line in lines[1:])
    return f'<text{said} x="{x}" y="{y}">{escaped(lines[0])}{rest}</text>'


def _arrow(cause: int, place: int, time: Timeline, plan: _Plan) -> str:
    """From the row that made another possible: down beside its column, then along the row of the other, where nothing else stands."""
    start, end = time.rows[cause].lane, time.rows[place].lane
    y1 = plan.rows[cause][0] + plan.rows[cause][1] // 2
    y2 = plan.rows[place][0] + plan.rows[place][1] // 2
    right = end > start
    x1 = sum(plan.lanes[start]) if right else plan.lanes[start][0]
    x2 = plan.lanes[end][0] if end >= start else sum(plan.lanes[end])
    out, tip = (GAP // 2, -5) if right or end == start else (-GAP // 2, 5)
    out = -GAP // 2 if start == end else out
    return f'<path class="cause" d="M{x1} {y1}h{out}V{y2}H{x2}m{tip} -3l{-tip} 3l{tip} 3"/>'
