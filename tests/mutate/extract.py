"""Moves statements of a function into a static helper above it; refuses (None) whatever it is not sure of.

The helper gets the locals it reads as parameters, and those it writes as pointers, so that every path does the same in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec

from tests.mutate.cst import LOOPS, Edit, Fn, Stmt
from tests.mutate.variables import IDENTIFIER, Var, parameters, variables, visible

ASSIGN = re.compile(r"\s*(?:(?:[-+*/%&|^]|<<|>>)?=(?!=)|\+\+|--)")
MEMBER_WRITE = re.compile(r"\s*\.")
HIDDEN_WRITES = re.compile(
    r"\b(?:swap|\w*get_user|\w*irqsave|local_irq_save|get_cpu_var|va_\w+|__label__|seqcount\w*|DEFINE_\w+|guard|scoped_\w+)\s*\("
    r"|\(\{|__func__|\b(?:max|min)_seq\b"
)
TAGS = frozenset({"struct", "union", "enum", "sizeof", "goto"})


class Use(msgspec.Struct, frozen=True):
    """One variable of a moved piece. ``by_pointer``: the helper gets its address."""

    var: Var
    by_pointer: bool
    read_only: bool

    def parameter(self) -> str:
        return self.var.spelt(self.var.name, int(self.by_pointer))

    def argument(self) -> str:
        return ("&" if self.by_pointer else "") + self.var.name


class Piece(msgspec.Struct, frozen=True):
    """Code to move: its text with variables already spelt as the helper sees them, and what it uses."""

    code: str
    uses: tuple[Use, ...]

    def parameters(self) -> str:
        return ", ".join(u.parameter() for u in self.uses) or "void"

    def arguments(self) -> str:
        return ", ".join(u.argument() for u in self.uses)

    def forwarded(self) -> str:
        """The arguments one helper hands on to the next that has the same parameters."""
        return ", ".join(u.var.name for u in self.uses)


def helper(name: str, kind: str, params: str, body: str, storage: str = "static") -> str:
    gap = "" if kind.endswith("*") else " "
    return f"{storage} {kind}{gap}{name}({params})\n{{\n\t{body}\n}}\n\n"


def escapes(fn: Fn, nodes: Iterable[Stmt], allow: frozenset[str] = frozenset()) -> bool:
    """Would moving ``nodes`` cut a jump or a label off from where it belongs?"""
    inside = {id(k) for s in nodes for k in s.walk()}
    for s in nodes:
        for k in s.walk():
            if k.kind in {"return", "goto", "label"} - allow:
                return True
            if k.kind in {"break", "continue", "case"} and k.kind not in allow:
                stop = LOOPS if k.kind == "continue" else {*LOOPS, "switch"} if k.kind == "break" else {"switch"}
                target = next((a for a in k.ancestors() if a.kind in stop), None)
                if target is None or id(target) not in inside:
                    return True
    return False


def _movable(fn: Fn, start: int, end: int) -> bool:
    lines = re.search(r"^[ \t]*#", fn.text[start:end], re.M) or re.search(r"^[ \t]*#[ \t]*(?:define|undef)", fn.text, re.M)
    return not lines and not HIDDEN_WRITES.search(fn.mask[start:end])


def piece(fn: Fn, start: int, end: int, at: Stmt, dead_after: bool = False) -> Piece | None:
    """The code between two offsets, seen from statement ``at``. ``dead_after``: nothing it writes is read later."""
    if not _movable(fn, start, end):
        return None
    everything = variables(fn)
    seen = visible(fn, at, everything)
    inner = {v.name for v in everything if v.home is not None and start <= v.home.start and v.home.end <= end}
    spots: dict[str, list[int]] = {}
    for m in IDENTIFIER.finditer(fn.mask, start, end):
        name = m.group()
        if name in seen and not re.search(r"\b(?:struct|union|enum|goto)\s+$", fn.mask[max(0, m.start() - 8) : m.start()]):
            if name in inner:
                return None
            spots.setdefault(name, []).append(m.start())
    heads = [k.head for k in fn.all if k.kind == "loop" and start <= k.start and k.end <= end]
    uses: list[Use] = []
    edits: list[Edit] = []
    for name, places in spots.items():
        var = seen[name]
        if not var.type or any(re.match(r"\s*\(", fn.mask[p + len(name) :]) for p in places):
            return None
        if any(a <= p < b for p in places for a, b in heads):
            return None
        taken = [_taken(fn, p, name) for p in places]
        written = any(_written(fn, p, name) for p in places)
        by_pointer = var.record or any(taken) or (written and not dead_after)
        if by_pointer and var.type.startswith("const ") and written:
            return None
        uses.append(Use(var, by_pointer, not written and not any(taken)))
        if by_pointer:
            edits += [_through(fn, p, name, t) for p, t in zip(places, taken, strict=True)]
    code = fn.text[start:end]
    for a, b, new in sorted(edits, reverse=True):
        code = code[: a - start] + new + code[b - start :]
    return Piece(code, tuple(uses))


def _taken(fn: Fn, at: int, name: str) -> bool:
    """Is the address of the variable itself (or of a member held by value) taken here?"""
    before = fn.mask[:at].rstrip()
    if not before.endswith("&") or before.endswith("&&"):
        return False
    if re.search(r"[\w)\]]\s*$", before[:-1]) and not re.search(r"\breturn\s*$", before[:-1]):
        return False
    return not re.match(r"\s*(?:->|\[)", fn.mask[at + len(name) :])


def _written(fn: Fn, at: int, name: str) -> bool:
    rest = fn.mask[at + len(name) : at + len(name) + 40]
    if fn.mask[:at].rstrip().endswith("*") and not re.match(r"\s*(?:\+\+|--|\.)", rest):  # what it points to is written, not the pointer
        return False
    return bool(ASSIGN.match(rest) or MEMBER_WRITE.match(rest)) or bool(re.search(r"(?:\+\+|--)\s*$", fn.mask[max(0, at - 6) : at]))


def _through(fn: Fn, at: int, name: str, taken: bool) -> Edit:
    """The same occurrence where the helper has a pointer to the variable."""
    end = at + len(name)
    rest, before = fn.mask[end:], fn.mask[:at].rstrip()
    if taken:
        amp = fn.mask.rindex("&", 0, at)
        member = re.match(r"\s*\.", rest)
        return (at, end + len(member.group()), f"{name}->") if member else (amp, end, name)
    member = re.match(r"\s*\.", rest)
    if member:
        return (at, end + len(member.group()), f"{name}->")
    plain = (before[-1:] in ";{})" and re.match(r"\s*[-+|&]?=(?!=)", rest)) or (before[-1:] in "(," and re.match(r"\s*[,)]", rest))
    plain = plain or (before[-1:] == "=" and re.match(r"\s*;", rest))
    return (at, end, f"*{name}" if plain else f"(*{name})")


def moved(fn: Fn, run: list[Stmt], name: str, storage: str = "static", levels: int = 1) -> str | None:
    """The function with consecutive statements ``run`` of one block in a void helper, and the helper above it."""
    if any(k.kind in {"decl", "case", "label"} for k in run) or escapes(fn, run):
        return None
    start, end = run[0].start, run[-1].end
    got = piece(fn, start, end, run[0])
    if got is None:
        return None
    text = helper(name, "void", got.parameters(), got.code, storage)
    for level in range(1, levels):
        text += helper(f"{name}_{level}", "void", got.parameters(), f"{name}({got.forwarded()});", storage)
        name, got = f"{name}_{level}", got
    return text + fn.apply([(start, end, f"{name}({got.arguments()});")])


def moved_value(fn: Fn, at: Stmt, span: tuple[int, int], kind: str, name: str, levels: int = 1, storage: str = "static") -> str | None:
    """The function with the expression at ``span`` computed by a helper that returns ``kind``."""
    got = piece(fn, span[0], span[1], at)
    if got is None:
        return None
    text = helper(name, kind, got.parameters(), f"return {got.code.strip()};", storage)
    for level in range(1, levels):
        text += helper(f"{name}_{level}", kind, got.parameters(), f"return {name}({got.forwarded()});", storage)
        name = f"{name}_{level}"
    return text + fn.apply([(span[0], span[1], f"{name}({got.arguments()})")])


def moved_tail(fn: Fn, first: Stmt, name: str) -> str | None:
    """Everything from ``first``, a statement of the outermost block, to the end of the function goes into a helper."""
    run = [first, *first.following()]
    inside = {id(k) for s in run for k in s.walk()}
    labels = {fn.text[k.head[0] : k.head[1]]: id(k) in inside for k in fn.all if k.kind == "label"}
    for k in fn.all:
        if k.kind == "goto":
            target = re.sub(r"goto|;", "", fn.code(k)).strip()
            if labels.get(target) != (id(k) in inside):
                return None
    if any(k.kind == "decl" for k in run) or (fn.returns != "void" and run[-1].kind != "return"):
        return None
    got = piece(fn, first.start, run[-1].end, first, dead_after=True)
    if got is None or not fn.returns or re.search(r"[^\w\s*]", fn.returns):
        return None
    call = f"{name}({got.arguments()});"
    call = call if fn.returns == "void" else f"return {call}"
    return helper(name, fn.returns, got.parameters(), got.code) + fn.apply([(first.start, run[-1].end, call)])


def moved_body(fn: Fn, loop: Stmt, name: str) -> str | None:
    """A loop's body becomes a helper that returns false where the body left the loop."""
    body = loop.kids[0]
    if body.kind != "block" or not body.kids or escapes(fn, body.kids, frozenset({"break", "continue"})):
        return None
    edits: list[Edit] = []
    for k in body.walk():
        if k.kind in {"break", "continue"}:
            stop = LOOPS if k.kind == "continue" else {*LOOPS, "switch"}
            if next(a for a in k.ancestors() if a.kind in stop) is loop:
                edits.append((k.start, k.end, f"return {'true' if k.kind == 'continue' else 'false'};"))
    changed = Fn(fn.path, fn.name, fn.offset, fn.apply(edits)) if edits else fn
    twin = next((k for k in changed.all if k.kind == loop.kind and k.start == loop.start), None)
    if twin is None:
        return None
    inner = twin.kids[0]
    got = _body_piece(changed, inner)
    if got is None:
        return None
    leaves = any("false" in e[2] for e in edits)
    text = helper(name, "bool", got.parameters(), f"{got.code}\n\treturn true;")
    call = f"{{\n\t\tif (!{name}({got.arguments()}))\n\t\t\tbreak;\n\t}}" if leaves else f"{{\n\t\t(void){name}({got.arguments()});\n\t}}"
    return text + changed.apply([(inner.start, inner.end, call)])


def _body_piece(fn: Fn, block: Stmt) -> Piece | None:
    """A block's inside, its own declarations included."""
    names = {v.name for v in variables(fn) if v.home is not None and block.start <= v.home.start and v.home.end <= block.end}
    outer = {v.name for v in variables(fn) if v.home is None or not (block.start <= v.home.start and v.home.end <= block.end)}
    if names & outer:
        return None
    return piece(fn, block.start + 1, block.end - 1, block)


def wrapped(fn: Fn, name: str, levels: int = 1) -> str | None:
    """The whole body in ``name``, called by a wrapper that keeps the function's own name and attributes."""
    params = parameters(fn)
    returns = re.sub(r"\b__latent_entropy\b\s*", "", fn.returns)
    header = fn.text[: fn.root.start]
    if any(not p.type for p in params) or "#" in header or re.search(r"\.\.\.", header) or not returns or re.search(r"[^\w\s*]", returns):
        return None
    inner = re.sub(rf"\b{re.escape(fn.name)}\b", name, header, count=1)
    inner = re.sub(r"\b(?:extern|inline|__always_inline|noinline|noinline_for_stack|static|__latent_entropy|__ref|__init|__meminit|__sched)\b[ \t]*", "", inner)
    args = ", ".join(p.name for p in params)
    text = f"static {inner.lstrip()}{fn.text[fn.root.start :]}\n\n"
    for level in range(1, levels):
        kind = returns
        listed = ", ".join(p.spelt(p.name) for p in params) or "void"
        text += helper(f"{name}_{level}", kind, listed, f"{'' if kind == 'void' else 'return '}{name}({args});")
        name = f"{name}_{level}"
    return f"{text}{header}{{\n\t{'' if returns == 'void' else 'return '}{name}({args});\n}}"


Move = Callable[[Fn, list[Stmt], str], str | None]
