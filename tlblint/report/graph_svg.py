"""A call graph as a picture that needs nothing else: no script, no font file, colours for light and dark."""

from __future__ import annotations

from collections.abc import Sequence

from tlblint.report.graph_dot import lines
from tlblint.report.graph_layout import Box, layout
from tlblint.report.graph_view import GraphEdge, GraphNode, GraphView
from tlblint.report.text import cells, clean
from tlblint.report.view import Style

_CHAR, _LINE, _PAD, _MARGIN, _LEGEND = 7, 15, 8, 20, 40
_GAP = (260, 18)
_LABEL = 34
"""Characters of an edge's label; a longer one is cut, its whole text is the edge's tooltip."""

_STYLE = """
text { font: 11px/1 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: var(--ink) }
svg { --paper: #fff; --ink: #1c1c1c; --soft: #5b5b5b; --box: #f6f6f4; --line: #77776f;
  --change: #b3261e; --table: #0b57a4; --macro: #6a3d9a; --doubt: #8a6d00 }
@media (prefers-color-scheme: dark) {
svg { --paper: #16181c; --ink: #e8e8e6; --soft: #a9a9a4; --box: #23262c; --line: #8d8d86;
  --change: #ff8a80; --table: #7db8ff; --macro: #cda6ff; --doubt: #e5c35a }
}
.paper { fill: var(--paper) }
.node rect { fill: var(--box); stroke: var(--line) }
.node .name { font-weight: bold }
.node .more, .label { fill: var(--soft) }
.changes rect { stroke: var(--change); stroke-width: 2 }
.focus rect { stroke-width: 3.5 }
.pointer rect, .undefined rect, .outside rect { stroke-dasharray: 3 3 }
.edge path { fill: none; stroke: var(--line); stroke-width: 1.2 }
.table path { stroke: var(--table); stroke-dasharray: 7 3 }
.macro path { stroke: var(--macro); stroke-dasharray: 2 3 }
.unresolved path { stroke: var(--doubt); stroke-dasharray: 1 4 }
.label { font-size: 9px; paint-order: stroke; stroke: var(--paper); stroke-width: 3px }
marker path { fill: var(--line); stroke: none }
"""


def render(view: GraphView, style: Style) -> str:
    """An SVG document. All text of the tree is escaped; nothing in it is a link or a script."""
    texts = [[clean(text) for text in lines(node)] for node in view.nodes]
    sizes = [(_PAD * 2 + _CHAR * max(map(cells, text)), _PAD * 2 + _LINE * len(text) - 4) for text in texts]
    boxes = layout(sizes, [(edge.caller, edge.callee) for edge in view.edges], _GAP)
    width = max((box.x + box.width for box in boxes), default=0) + 2 * _MARGIN
    height = max((box.y + box.height for box in boxes), default=0) + 2 * _MARGIN + _LEGEND
    width = max(width, 640)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="title">',
        f'<title id="title">{_title(view)}</title>',
        f"<style>{_STYLE}</style>",
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
        out.append(f'<g class="edge {kind}"><path d="M{x} 18h36" marker-end="url(#arrow)"/></g><text x="{x + 44}" y="22">{kind}</text>')
        x += 60 + _CHAR * len(kind)
    return [*out, f'<g class="node changes"><rect x="{x}" y="10" width="16" height="16" rx="3"/></g><text x="{x + 24}" y="22">changes entries (!)</text>']


def _node(node: GraphNode, texts: Sequence[str], box: Box) -> str:
    classes = ["node", node.kind, *(["changes"] if node.changes else []), *(["focus"] if node.focus else []), *(["outside"] if node.outside else [])]
    y = box.y + _PAD + 8
    rows = []
    for number, text in enumerate(texts):
        rows.append(f'<text class="{"more" if number else "name"}" x="{box.x + _PAD}" y="{y + number * _LINE}">{_escaped(text)}</text>')
    shape = f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="4"/>'
    return f'<g class="{" ".join(classes)}">{shape}{"".join(rows)}</g>'


def _edge(edge: GraphEdge, boxes: Sequence[Box]) -> str:
    start, to = boxes[edge.caller], boxes[edge.callee]
    x1, y1 = start.x + start.width, start.y + start.height // 2
    x2, y2 = to.x, to.y + to.height // 2
    if to.layer > start.layer:
        bend = _GAP[0] // 2
        path = f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
        # Near the callee, where edges of one caller have parted.
        at = ((x1 + 3 * x2) // 4 if to.layer == start.layer + 1 else x2 - bend, (y1 + 5 * y2) // 6 - 3)
    else:  # back, or to itself: around the right side
        x2 = to.x + to.width
        out = max(x1, x2) + 60
        path = f"M{x1} {y1}C{out} {y1 - 20} {out} {y2 + 20} {x2} {y2 + 6}"
        at = (out - 40, (y1 + y2) // 2)
    text = clean(" ".join(part for part in (edge.kind, edge.via, f"under {', '.join(edge.held)}" if edge.held else "") if part))
    short = text if len(text) <= _LABEL else text[: _LABEL - 1] + "\u2026"
    kind = edge.kind if edge.kind in ("direct", "table", "macro", "unresolved") else "direct"
    label = f'<text class="label" text-anchor="middle" x="{at[0]}" y="{at[1]}">{_escaped(short)}</text>'
    return f'<g class="edge {kind}"><title>{_escaped(text)}</title><path d="{path}" marker-end="url(#arrow)"/>{label}</g>'


def _escaped(text: str) -> str:
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
