"""Macros: a line that stands for several."""

from __future__ import annotations

from functools import lru_cache

from msgspec.structs import replace

from tlblint.sim.errors import ScenarioError
from tlblint.sim.lang import step
from tlblint.sim.macros import MACROS
from tlblint.sim.syntax import Apply, Assign, Await, Binary, Call, Goto, If, Line, Name, Part, Raw, Statement, Unary, Way


def expanded(line: Line, at: int) -> list[Line]:
    """The lines that a line stands for: itself, or those of a macro."""
    way = line.ways[0]
    call = way.body[0] if len(line.ways) == 1 and len(way.body) == 1 else None
    if not isinstance(call, Call) or call.name not in MACROS:
        return [line]
    params, lines = MACROS[call.name]
    if len(call.args) != len(params) or call.words or call.into is not None:
        raise ScenarioError(f"{call.name} takes {len(params)} arguments and gives no value", line.number, call.column)
    names = dict(zip(params, call.args, strict=True))
    found = [Line((Way((), ""),), line.label, line.number, line.label_column)] if line.label else []
    for text in lines:
        part = _template(text)
        inner = part.ways[0]
        body = tuple(_substituted(statement, names, at) for statement in inner.body)
        label = f"{part.label}{at}" if part.label else ""
        found.append(Line((replace(way, body=body, text=f"{way.text}: {inner.text}"),), label, line.number))
    return found


@lru_cache(maxsize=64)
def _template(text: str) -> Line:
    return step(text)


def _substituted(statement: Statement, names: dict[str, Raw], at: int) -> Statement:
    """A statement of a macro with its arguments in place and its labels made the step's own."""
    if isinstance(statement, Goto):
        return Goto(f"{statement.label}{at}", statement.column)
    if isinstance(statement, If):
        goto = None if statement.goto is None else Goto(f"{statement.goto.label}{at}", 0)
        return If(_put(statement.cond, names), tuple(_substituted(part, names, at) for part in statement.body), goto, 0)
    if isinstance(statement, Assign):
        return Assign(statement.target, _put(statement.value, names))
    if isinstance(statement, Await):
        return Await(_put(statement.cond, names))
    words = tuple((key, _put(raw, names)) for key, raw in statement.words)
    return Call(statement.name, tuple(_put(raw, names) for raw in statement.args), words, statement.into, 0)


def _put(raw: Raw, names: dict[str, Raw]) -> Raw:
    if isinstance(raw, Name):
        args = None if raw.args is None else tuple(_put(arg, names) for arg in raw.args)
        return names[raw.text] if args is None and raw.text in names else replace(raw, args=args)
    if isinstance(raw, Part):
        return replace(raw, x=_put(raw.x, names))
    if isinstance(raw, Unary):
        return replace(raw, x=_put(raw.x, names))
    if isinstance(raw, Binary):
        return Binary(raw.op, _put(raw.x, names), _put(raw.y, names))
    if isinstance(raw, Apply):
        return replace(raw, args=tuple(_put(arg, names) for arg in raw.args))
    return raw
