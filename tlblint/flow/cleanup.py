"""Objects that clean up after themselves: ``guard()``, ``scoped_guard()``, ``CLASS()``, ``__free()`` and their kin of cleanup.h.

What the compiler adds is written out: the call that makes the object where it is declared, and the one that ends it on every way out of
its scope, which is the end of its block, a return, and any break, continue or goto that leads outside.
"""

from __future__ import annotations

import re

from tree_sitter import Node

from tlblint.flow import terms
from tlblint.flow.context import Cleanup, Context
from tlblint.flow.dispatch import effect, kind, statement, value
from tlblint.flow.guards import GUARDS, Guard
from tlblint.flow.scopes import call, escape, leave_scope, run, target_of
from tlblint.flow.values import bare
from tlblint.model.ir import Expr

_COMMA = kind("comma_expression")
_MARKED = re.compile(rb"\b__(free|cleanup)\s*\(\s*(\w+)\s*\)")
_IDENTIFIER = kind("identifier")
_WORD = re.compile(rb"\w*")
_SCOPED = {b"scoped_guard": 1, b"scoped_cond_guard": 2, b"scoped_class": 2}
"""How many words stand before the arguments."""
_BASE = re.compile(r"\w+")


def marked(raw: bytes, start: int, end: int) -> bool:
    """Whether a declaration of this text may have an attribute that names what cleans up."""
    return raw.find(b"__free", start, end) >= 0 or raw.find(b"__cleanup", start, end) >= 0


def attribute(ctx: Context, name: str, start: int, end: int, until: int) -> None:
    """Take note of ``__free(kind)`` or ``__cleanup(function)`` in a declaration of ``name`` that is written from ``start`` to ``end``."""
    found = _MARKED.search(ctx.raw, start, end)
    if found is None:
        return
    word = found.group(2).decode()
    if found.group(1) == b"free":
        ctx.cleanups.append(Cleanup(until, ctx.scope_end, f"__free_{word}", (("v", name),), name))
    else:
        ctx.cleanups.append(Cleanup(until, ctx.scope_end, word, (("&", name),), ""))


def scoped(ctx: Context, node: Node, condition: Node, body: Node) -> bool:
    """``scoped_guard(kind, args) body`` and its kin, which the normaliser writes as an ``if``; False if it is another macro."""
    word = _WORD.match(ctx.raw, node.start_byte)
    lead = _SCOPED.get(word.group()) if word is not None else None
    parts = comma_parts(bare(condition))
    if lead is None or len(parts) < lead or parts[0].kind_id != _IDENTIFIER:
        return False
    graph, outer, mark = ctx.graph, ctx.scope_end, len(ctx.cleanups)
    ctx.scope_end = node.end_byte
    names = [ctx.squeezed(part.start_byte, part.end_byte) for part in parts[:lead]]
    named = names[1] if word is not None and word.group() == b"scoped_class" else ""
    flag = _make(ctx, names[0], named, parts[lead:], node.start_byte, condition.end_byte)
    inside, done = graph.fresh(), graph.fresh()
    if flag:
        missed = graph.fresh()
        graph.fork(("v", flag), inside, missed, node.start_byte)
        graph.enter(missed)
        if lead == 2 and not named:
            _fail(ctx, parts)
    graph.jump(done if flag else inside, node.start_byte)
    graph.enter(inside)
    kept = len(ctx.cleanups)
    ctx.breaks.append((done, kept))
    ctx.continues.append((done, kept))
    statement(ctx, body)
    graph.jump(done, node.end_byte)
    ctx.breaks.pop()
    ctx.continues.pop()
    graph.enter(done)
    leave_scope(ctx, mark, node.end_byte - 1)
    ctx.scope_end = outer
    return True


def failing(ctx: Context, condition: Node) -> None:
    """The labels that a macro with a body is given: ``scoped_user_read_access(from, fault) body`` leaves to ``fault`` when it fails."""
    for part in comma_parts(bare(condition)):
        name = ctx.text[part.start_byte : part.end_byte]
        if part.kind_id == _IDENTIFIER and name.decode() not in ctx.locals and target_of(ctx, name) >= 0:
            escape(ctx, name, part.start_byte)


def _fail(ctx: Context, parts: list[Node]) -> None:
    """The statement in the second place of ``scoped_cond_guard()``; break and continue leave the guard only."""
    pos = parts[1].start_byte
    written = ctx.raw[parts[0].end_byte : parts[1].end_byte].lstrip(b", \t\n")
    if written.startswith(b"return"):
        result = None if written == b"return" else value(ctx, parts[1])
        run(ctx, 0, pos)
        ctx.graph.leave("return", result, pos)
    elif written.startswith(b"goto"):
        label = written[4:].strip()
        run(ctx, 0, pos, target_of(ctx, label))
        ctx.graph.goto(ctx.label(label), pos)
    else:
        effect(ctx, parts[1])


def made(ctx: Context, maker: Node, arguments: Node) -> bool:
    """The statement ``guard(kind)(args)``, ``CLASS(kind, name)(args)`` or ``ACQUIRE(kind, name)(args)``; False if it is none of these."""
    word = ctx.text[maker.children[0].start_byte : maker.children[0].end_byte]
    if word not in (b"guard", b"CLASS", b"ACQUIRE"):
        return False
    names = [ctx.squeezed(part.start_byte, part.end_byte) for part in maker.children[1].named_children]
    if len(names) != (1 if word == b"guard" else 2):
        return False
    _make(ctx, names[0], names[1] if len(names) == 2 else "", arguments.named_children, maker.start_byte, arguments.end_byte)
    return True


def _make(ctx: Context, word: str, name: str, arguments: list[Node], pos: int, since: int) -> str:
    """Make an object and take note of its end. Returns the path that is true if it holds something, "" if it always does."""
    args = tuple(value(ctx, argument) for argument in arguments)
    if name:
        ctx.declare(name)
    guard = GUARDS.get(word)
    if guard is not None:
        return _lock(ctx, guard, name, args, pos, since)
    result = call(ctx, f"class_{word}_constructor", args, pos)
    if not name and len(args) <= 1:
        ended = tuple(_kept(ctx, arg, pos, since) for arg in args)
    else:
        path = name or ctx.fresh_path()
        ctx.graph.emit(("set", path, result, pos))
        ended = (("v", path),)
    ctx.cleanups.append(Cleanup(since, ctx.scope_end, f"class_{word}_destructor", ended, ""))
    return ""


def _lock(ctx: Context, guard: Guard, name: str, args: tuple[Expr, ...], pos: int, since: int) -> str:
    args = tuple(_kept(ctx, arg, pos, since) for arg in args[:1])
    given = (*args, terms.OPAQUE) if guard.flags else args
    result = call(ctx, guard.take, given, pos)
    flag = ""
    if guard.success is not None:
        flag = f"{name}.lock" if name else ctx.fresh_path()
        ctx.graph.emit(("set", flag, result if guard.success else ("!", result), pos))
    ctx.cleanups.append(Cleanup(since, ctx.scope_end, guard.drop, given, flag))
    return flag


def _kept(ctx: Context, arg: Expr, pos: int, since: int) -> Expr:
    """What names the argument until the scope ends: itself, or a copy if it is computed or its variable is assigned later in the scope."""
    if arg[0] == "t":
        return arg
    path = terms.as_path(arg) if arg[0] != "&" else arg[1]
    base = _BASE.search(path) if path is not None else None
    if base is not None and not re.compile(rb"\b" + base.group().encode() + rb"\s*(?:=(?!=)|\+\+|--)").search(ctx.text, since, ctx.scope_end):
        return arg
    copy = ctx.fresh_path()
    ctx.graph.emit(("set", copy, arg, pos))
    return ("v", copy)


def comma_parts(node: Node) -> list[Node]:
    """The arguments of a macro that the normalised text holds as a comma expression."""
    parts: list[Node] = []
    while node.kind_id == _COMMA:
        left, _, node = node.children
        parts += comma_parts(left)
    return [*parts, node]
