"""A call graph as a picture that needs nothing else: no script, no font file, colours for light and dark."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tlblint.report.graph_dot import lines
from tlblint.report.graph_layout import Box, layout
from tlblint.report.graph_view import GraphEdge, GraphNode, GraphView
from tlblint.report.text import cells, clean
from tlblint.report.view import Style

_CHAR, _LINE, _PAD, _MARGIN, _LEGEND = 7, 15, 8, 20, 40
_GAP = (210, 18)
_WIDE = 46
"""Characters of a line in a box."""
_LABEL = 32
"""Characters of a line of an edge's label; of more than three lines all of it is in its tooltip only."""

_COLOURS = (
    # what, property, light, dark
    ("text", "fill", "#1c1c1c", "#e8e8e6"),
    (".paper", "fill", "#ffffff", "#16181c"),
    (".node rect", "fill", "#f6f6f4", "#23262c"),
    (".node rect", "stroke", "#77776f", "#8d8d86"),
    (".node tspan, .edge text", "fill", "#5b5b5b", "#a9a9a4"),
    (".changes rect", "stroke", "#b3261e", "#ff8a80"),
    (".edge path", "stroke", "#77776f", "#8d8d86"),
    (".table path", "stroke", "#0b57a4", "#7db8ff"),
    (".macro path", "stroke", "#6a3d9a", "#cda6ff"),
    (".unresolved path", "stroke", "#8a6d00", "#e5c35a"),
    (".edge text", "stroke", "#ffffff", "#16181c"),
    ("marker path", "fill", "#77776f", "#8d8d86"),
)
_SHAPES = """
text { font: 11px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace }
.node rect { rx: 4px }
.node text { font-weight: bold }
.node tspan { font-weight: normal }
.changes rect { stroke-width: 2 }
.focus rect { stroke-width: 3.5 }
.pointer rect, .undefined rect, .outside rect { stroke-dasharray: 3 3 }
.edge path { fill: none; stroke-width: 1.2; marker-end: url(#arrow) }
.table path { stroke-dasharray: 7 3 }
.macro path { stroke-dasharray: 2 3 }
.unresolved path { stroke-dasharray: 1 4 }
.edge text { font-size: 9px; text-anchor: middle; paint-order: stroke; stroke-width: 3px }
"""


def _sheet() -> str:
    """The style sheet, in plain colours: many viewers know no variables."""
    light = "\n".join(f"{what} {{ {name}: {colour} }}" for what, name, colour, _ in _COLOURS)
    dark = "\n".join(f"{what} {{ {name}: {colour} }}" for what, name, _, colour in _COLOURS)
    return f"{_SHAPES}{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def embedded(view: GraphView, label: str) -> str:
    """The picture as a part of an HTML page, which brings the styles and a marker called "arrow". ``label`` is for screen readers."""
    texts, boxes = _placed(view)
    width = max((box.x + box.width for box in boxes), default=0) + 2 * _MARGIN
    height = max((box.y + box.height for box in boxes), default=0) + 2 * _MARGIN
    head = f'<svg class="calls" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="{_escaped(label)}">'
    parts = [*(_edge(edge, boxes) for edge in view.edges), *(_node(node, text, box) for node, text, box in zip(view.nodes, texts, boxes, strict=True))]
    whole = f'{head}<g transform="translate({_MARGIN} {_MARGIN})">{"".join(parts)}</g></svg>'
    return re.sub(r'="([\w-]+)"(?=[ >])', r"=\1", whole)  # HTML needs no quotes there; in text they are escaped


def _placed(view: GraphView) -> tuple[list[list[str]], list[Box]]:
    """(lines of each box, boxes)."""
    texts = [[part for text in lines(node) for part in _wrapped(clean(text), _WIDE)] for node in view.nodes]
    sizes = [(_PAD * 2 + _CHAR * max(map(cells, text)), _PAD * 2 + _LINE * len(text) - 4) for text in texts]
    return texts, layout(sizes, [(edge.caller, edge.callee) for edge in view.edges], _GAP)


def render(view: GraphView, style: Style) -> str:
    """An SVG document. All text of the tree is escaped; nothing in it is a link or a script."""
    texts, boxes = _placed(view)
    width = max((box.x + box.width for box in boxes), default=0) + 2 * _MARGIN
    height = max((box.y + box.height for box in boxes), default=0) + 2 * _MARGIN + _LEGEND
    width = max(width, 640)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="title">',
        f'<title id="title">{_title(view)}</title>',
        f"<style>{_sheet()}</style>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>',
        f'<rect class="paper" width="{width}" height="{height}"/>',
        *_legend(),
        f'<g transform="translate({_MARGIN} {_MARGIN + _LEGEND})">',
        *(_edge(edge, boxes) for edge in view.edges),
        *(_node(node, text, box) for node, text, box in zip(view.nodes, texts, boxes, strict=True)),
        "</g>",
        "</svg>",
    ]
    return "\n".join([*out, ""])


def _title(view: GraphView) -> str:
    asked = [node.name for node in view.nodes if node.focus]
    return _escaped("Calls around " + (", ".join(asked) if 0 < len(asked) <= 5 else "functions that change page table entries"))


def _legend() -> list[str]:
    out = []
    x = _MARGIN
    for kind in ("direct", "table", "macro", "unresolved"):
        out.append(f'<g class="edge {kind}"><path d="M{x} 18h36"/></g><text x="{x + 44}" y="22">{kind}</text>')
        x += 60 + _CHAR * len(kind)
    return [*out, f'<g class="node changes"><rect x="{x}" y="10" width="16" height="16" rx="3"/></g><text x="{x + 24}" y="22">changes entries (!)</text>']


def _node(node: GraphNode, texts: Sequence[str], box: Box) -> str:
    marks = {node.kind: node.kind != "function", "changes": node.changes, "focus": node.focus, "outside": node.outside}
    classes = ["node", *(name for name, so in marks.items() if so)]
    head, *rest = map(_escaped, texts)
    text = head + "".join(f'<tspan x="{_PAD}" dy="{_LINE}">{row}</tspan>' for row in rest)
    shape = f'<rect width="{box.width}" height="{box.height}"/><text x="{_PAD}" y="{_PAD + 8}">{text}</text>'
    return f'<g class="{" ".join(classes)}" transform="translate({box.x} {box.y})">{shape}</g>'


def _edge(edge: GraphEdge, boxes: Sequence[Box]) -> str:
    start, to = boxes[edge.caller], boxes[edge.callee]
    x1, y1 = start.x + start.width, start.y + start.height // 2
    x2, y2 = to.x, to.y + to.height // 2
    if to.layer > start.layer:
        bend = _GAP[0] // 2
        path = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
        # Over a box between them the label would be hidden: there it stands next to the caller.
        at = ((x1 + x2) // 2, (y1 + y2) // 2) if to.layer == start.layer + 1 else (x1 + bend, (5 * y1 + y2) // 6)
    else:  # back, or to itself: around the right side
        x2 = to.x + to.width
        out = max(x1, x2) + 60
        path = f"M{x1} {y1}C{out} {y1 - 20} {out} {y2 + 20} {x2} {y2 + 6}"
        at = (out - 40, (y1 + y2) // 2)
    text = clean(" ".join(part for part in (edge.kind, edge.via, f"under {', '.join(edge.held)}" if edge.held else "") if part))
    rows = _wrapped(text, _LABEL)
    whole = "" if len(rows) <= 3 else f"<title>{_escaped(text)}</title>"
    rows = rows if len(rows) <= 3 else [*rows[:2], rows[2] + " \u2026"]
    kind = edge.kind if edge.kind in ("direct", "table", "macro", "unresolved") else "direct"
    head, *rest = map(_escaped, rows)
    said = head + "".join(f'<tspan x="{at[0]}" dy="10">{row}</tspan>' for row in rest)
    label = f'<text x="{at[0]}" y="{at[1] - 10 * (len(rows) - 1) - 4}">{said}</text>'
    classes = "edge" if kind == "direct" else f"edge {kind}"
    return f'<g class="{classes}">{whole}<path d="{path}"/>{label}</g>'


def _wrapped(text: str, most: int) -> list[str]:
    """``text`` in lines of up to ``most`` characters, broken at spaces; a longer word is broken where it must be."""
    rows = [""]
    for word in text.split(" "):
        if rows[-1] and len(rows[-1]) + 1 + len(word) > most:
            rows.append("")
        rows[-1] += (" " if rows[-1] else "") + word
        while len(rows[-1]) > 2 * most:
            rows[-1:] = [rows[-1][: 2 * most], rows[-1][2 * most :]]
    return rows


def _escaped(text: str) -> str:
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
