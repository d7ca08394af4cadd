"""A call graph as an indented tree, callers above callees; a subtree is printed once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tlblint.report.graph_view import GraphEdge, GraphNode, GraphView, entered, labels, marks
from tlblint.report.text import cells, clean, paint, plural
from tlblint.report.view import Style

_LINES = {True: ("├─ ", "└─ ", "│  ", "   "), False: ("|- ", "`- ", "|  ", "   ")}
_WIDEST = 100


def render(view: GraphView, style: Style) -> str:
    """The tree; "*" marks what was asked for, "!" what changes entries."""
    return _Tree(view, style).text()


class _Tree:
    def __init__(self, view: GraphView, style: Style) -> None:
        self.view, self.style = view, style
        self.width = min(style.width, _WIDEST)
        self.calls: dict[int, list[GraphEdge]] = {}
        self.called: set[int] = set()
        for edge in view.edges:
            self.calls.setdefault(edge.caller, []).append(edge)
            if edge.caller != edge.callee:
                self.called.add(edge.callee)
        self.done: set[int] = set()
        self.later: list[int] = []
        self.out: list[str] = []

    def text(self) -> str:
        roots = [at for at in range(len(self.view.nodes)) if at not in self.called]
        for root in roots:
            self._tree(root)
            while self.later:
                self._tree(self.later.pop(0))
        for at in range(len(self.view.nodes)):  # cycles that nobody enters
            if at not in self.done:
                self._tree(at)
        changing = sum(node.changes for node in self.view.nodes)
        self.out.append("")
        functions = sum(node.kind != "pointer" for node in self.view.nodes)
        self.out.append(f"{plural(functions, 'function')}, {changing:,} of them changing entries (!); {plural(len(self.view.edges), 'call')}.")
        for path, function, line, why in self.view.not_analysed:
            self.out.append(self._plain(f"not analysed: {path}:{line}" + (f" {function}()" if function else "") + f": {why}"))
        return "".join(f"{line}\n" for line in self.out)

    def _tree(self, root: int) -> None:
        """Depth first with a stack of its own: a chain of calls may be longer than Python's. What would stand too far to the right follows below."""
        if root in self.done:
            return
        if self.out:
            self.out.append("")
        work: list[tuple[int, GraphEdge | None, str, bool]] = [(root, None, "", True)]
        path: list[int] = []
        while work:
            at, edge, prefix, last = work.pop()
            if at < 0:
                path.pop()
                continue
            tee, end, bar, blank = _LINES[self.style.unicode]
            lead = prefix + ("" if edge is None else end if last else tee)
            inner = prefix + ("" if edge is None else blank if last else bar)
            calls = self.calls.get(at, [])
            again = at in self.done
            far = not again and bool(calls) and cells(prefix) > self.width // 3
            mark = "(recursion)" if at in path else "(above)" if again and self.view.nodes[at].kind != "pointer" else "(below)" if far else ""
            self._line(at, edge, lead, inner + (bar if calls and not again else blank), mark, again or far)
            if far and at not in self.later:
                self.later.append(at)
            if again or far:
                continue
            self.done.add(at)
            path.append(at)
            work.append((-1, None, "", True))
            work += [(call.callee, call, inner, number == 0) for number, call in enumerate(reversed(calls))]

    def _line(self, at: int, edge: GraphEdge | None, lead: str, rest: str, mark: str, again: bool) -> None:
        node = self.view.nodes[at]
        head = ("*" if node.focus else "") + ("!" if node.changes else "") + self._plain(node.name) + ("()" if node.kind != "pointer" else "")
        place = f"{node.path}:{node.line}" if node.path is not None and not again else ""
        first = [paint(head, "bold", self.style.color and node.focus), self._plain(place), mark]
        self.out.append(lead + "  ".join(part for part in first if part))
        self._fill(lead, rest, self._notes(node, edge, again))

    def _notes(self, node: GraphNode, edge: GraphEdge | None, again: bool) -> list[str]:
        notes = []
        if edge is not None and edge.kind in ("table", "macro"):
            notes.append(f"{edge.kind} {edge.via}")
        if edge is not None and edge.held:
            notes.append(f"called under {', '.join(edge.held)}")
        if again:
            return notes
        words = labels(node.effects)
        notes += [f"[{', '.join(words)}]"] if words else []
        held = entered(node)
        notes += [f"enters with {'; '.join(held)}"] if held else []
        notes += marks(node)
        notes += [f"{plural(node.above, 'caller')} not shown"] if node.above else []
        notes += [f"{plural(node.below, 'callee')} not shown"] if node.below else []
        return notes

    def _fill(self, lead: str, rest: str, notes: Sequence[str]) -> None:
        """Notes behind the name as far as there is room, then on lines of their own."""
        indent = rest + "  "
        for note in map(self._plain, notes):
            line = self.out[-1]
            gap = "  " if line != indent else ""
            if cells(line) + len(gap) + cells(note) <= self.width:
                self.out[-1] = line + gap + note
            else:
                self._wrap(note, indent)

    def _wrap(self, note: str, indent: str) -> None:
        """A note on lines of its own, broken at spaces where it is longer than a line."""
        line = indent
        for word in re.split(r"(?<=,) ", note):
            if line != indent and cells(line) + 1 + cells(word) > self.width:
                self.out.append(line)
                line = indent
            line += ("" if line == indent else " ") + word
        self.out.append(line)

    def _plain(self, text: str) -> str:
        return clean(text, self.style.unicode)
