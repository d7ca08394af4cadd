"""A call graph in the language of graphviz."""

from __future__ import annotations

from tlblint.report.graph_view import GraphNode, GraphView, entered, labels, marks
from tlblint.report.text import clean
from tlblint.report.view import Style

_EDGES = {"direct": "solid", "table": "dashed", "macro": "dotted", "unresolved": "dotted"}
_SHAPES = {"function": "box", "pointer": "ellipse", "undefined": "box"}


def render(view: GraphView, style: Style) -> str:
    """A digraph; names are labels, the identifiers are n0, n1 ... so that no name can end a string."""
    out = ["digraph tlblint {", "  rankdir=LR;", '  node [shape=box, fontname="monospace", fontsize=10];', '  edge [fontname="monospace", fontsize=9];']
    for number, node in enumerate(view.nodes):
        more = ", style=bold" if node.changes else ", style=dashed" if node.kind != "function" or node.outside else ""
        more += ", peripheries=2" if node.focus else ""
        out.append(f"  n{number} [label={_quoted(*lines(node))}, shape={_SHAPES.get(node.kind, 'box')}{more}];")
    for edge in view.edges:
        text = [edge.kind + (f" {edge.via}" if edge.via else "")]
        text += [f"under {', '.join(edge.held)}"] if edge.held else []
        out.append(f"  n{edge.caller} -> n{edge.callee} [label={_quoted(*text)}, style={_EDGES.get(edge.kind, 'solid')}];")
    return "\n".join([*out, "}", ""])


def lines(node: GraphNode) -> list[str]:
    """What stands in the box of a node, line by line."""
    name = node.name + ("()" if node.kind != "pointer" else "")
    out = [("! " if node.changes else "") + name]
    out += [f"{node.path}:{node.line}"] if node.path is not None else []
    words = labels(node.effects)
    out += [", ".join(words)] if words else []
    out += [f"enters with {text}" for text in entered(node)]
    return out + marks(node)


def _quoted(*texts: str) -> str:
    r"""A quoted string of lines. ``\l`` ends a left-aligned line; backslashes and quotes of the text stand for themselves."""
    plain = (clean(text).replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return '"' + "".join(f"{text}\\l" for text in plain) + '"'
