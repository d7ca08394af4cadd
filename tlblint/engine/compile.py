"""From ir.Function to what the interpreter runs: roles resolved, irrelevant instructions gone.

A compiled operation is a tuple whose first item is one of the small ints below. Paths that can influence no branch, no
role and no call are dropped: most of a kernel function has nothing to do with page tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from tlblint.calls.walks import Walks
from tlblint.engine.code import BITS, Call, Code, End, Prepared, Sources
from tlblint.engine.domains import SWAPPED, domains
from tlblint.engine.marks import Mark, Marks
from tlblint.engine.subjects import subjects
from tlblint.model.ir import Block, Expr, Function, Instr
from tlblint.model.roles import Role

ROLE, CALL, SET, HAVOC, PURE, DERIVE = range(6)

Effect = tuple[str, tuple[tuple[str, Expr], ...], frozenset[str], str]
"""(kind, ((object, expression), ...), attributes, when)"""

_TOKEN = re.compile(r"\*?[A-Za-z_$%][\w$]*(?:(?:->|\.)\w+|\[[^\]]*\])*")
ENTRY_FUNCTION = re.compile(r"(?:huge_)?p(?:te|md|ud)_(?:swp_)?(?:mk|clear|modify|set|restore|advance|un)|(?:move|maybe|restore|arch)_\w*p(?:te|md|ud)")
"""Functions named after an entry that the role table does not know: of an entry value they make another form of it."""

ENTRY_NAME = re.compile(r"(?:^|[>.*])(?:\w*ptep?|\w*_pmd|pmdp?|pudp?)$")
"""How the tree names pointers to entries."""

PTL_NAME = re.compile(r"(?:^|[>.*:])(?:\w*ptl\w*|pml|page_table_lock)$|_lockptr\(")
"""How the tree names page-table locks: spinlock operations on anything else are not tracked."""

_ENTRY_AT = re.compile(r"\*(?:.*[>.])?\w*(?:ptep?|pmdp?|pudp?)$")
"""What a pointer to an entry points to: to copy it is to look at the entry, whatever becomes of the copy."""

_WAITING = frozenset({"GFP_KERNEL", "GFP_KERNEL_ACCOUNT", "GFP_USER", "GFP_HIGHUSER", "GFP_HIGHUSER_MOVABLE", "GFP_TRANSHUGE", "GFP_NOFS", "GFP_NOIO"})
_WAITS: Effect = ("sleep", (), frozenset(), "always")

SPINLOCK = "spinlock_t *"
BOUND = re.compile(r"(?:->|\.|^\*|^)\w*(?:start|end|low|high|first|last|begin|limit|(?<![a-zA-Z])(?:from|to|lo|hi|min|max))(?:_?addr)?$")
"""How variables that hold one end of a range are called."""
WIDENED = "widened("
"""What stands before such a variable in the fact that it takes in what was changed, see Spans."""
ENTRY_TYPES = frozenset({"pte_t", "pmd_t", "pud_t"})
_NUMBER = re.compile(r"(?:const )?(?:(?:unsigned|signed|long|int|short|char|bool|[us]?size_t|pgoff_t|[us](?:8|16|32|64)|enum \w+) ?)+\*$")


LOWEST, HIGHEST = "<?", ">?"
"""The operators "the lower of" and "the higher of"."""
_BOUNDS = {**dict.fromkeys(("min", "min_t", "umin"), LOWEST), **dict.fromkeys(("max", "max_t", "umax"), HIGHEST)}

COMPARED = "?"
"""Before the name of a constant: it stands on a side of a comparison."""

OWNED = {"struct mmu_gather": ("gather", "tlb"), "struct mmu_notifier_range": ("notifier", "range")}
"""Types whose objects belong to the function that declares one: (what its events are called, what rules call the object)."""

_DEREF = re.compile(r"->|\.|\[")


@lru_cache(maxsize=65536)
def is_bound(path: str) -> bool:
    """Whether a path is called like one end of a range."""
    return BOUND.search(path) is not None


@lru_cache(maxsize=65536)
def mentions(key: str) -> frozenset[str]:
    """All lvalue paths that occur in an environment key, with every prefix: "f(vmf->ptl)" gives vmf, vmf->ptl."""
    out: set[str] = set()
    for token in _TOKEN.findall(key, key.find("#") + 1):  # before the "#" stands what is asked, no path: a variable may be called "dirty"
        path = token
        if path.startswith("*"):
            out.add(path)
            path = path[1:]
        while True:
            out.add(path)
            cut = max(path.rfind("->"), path.rfind("."), path.rfind("["))
            if cut <= 0:
                break
            path = path[:cut]
    return frozenset(out)


@lru_cache(maxsize=65536)
def tokens(key: str) -> frozenset[str]:
    """The lvalue paths in a comparison or pure call, without the functions called and constants."""
    return frozenset(m[0] for m in re.finditer(_TOKEN.pattern + r"(?!\w)(?!\()", key) if not m[0].isupper())


@lru_cache(maxsize=65536)
def constants(key: str) -> frozenset[str]:
    """The named constants in a comparison."""
    return frozenset(m[0] for m in re.finditer(_TOKEN.pattern + r"(?!\w)(?!\()", key) if m[0].isupper())


@lru_cache(maxsize=65536)
def compared(key: str) -> frozenset[str]:
    """The same with the mark of those that are compared, see ``Code.constants``."""
    return frozenset([COMPARED + name for name in constants(key)])


def is_zero(expr: Expr) -> bool:
    """Whether an expression is the number 0, by whatever name."""
    return expr == ("n", 0) or (expr[0] == "k" and len(expr) > 2 and expr[2] == 0)


def text_of(expr: Expr) -> str | None:
    """A canonical text for an expression made of paths and constants, or None."""
    tag = expr[0]
    if tag == "v":
        return str(expr[1])
    if tag == "n":
        return str(expr[1])
    if tag == "k":
        return str(expr[1])
    if tag == "t":
        return f"%{expr[1]}"
    if tag == "&":
        return "&" + str(expr[1])
    if tag == "op":
        left, right = text_of(expr[2]), text_of(expr[3])
        if left is None or right is None:
            return None
        return f"({left}{expr[1]}{right})"
    if tag in "!~-" and len(expr) == 2:
        inner = text_of(expr[1])
        return None if inner is None else f"{tag}{inner}"
    return None


def is_one(expr: Expr) -> bool:
    """Whether an expression is the number 1, by whatever name."""
    return expr == ("n", 1) or (expr[0] == "k" and len(expr) > 2 and expr[2] == 1)


def paths_in(expr: Expr) -> tuple[str, ...]:
    """The lvalue paths an expression reads; temps as "%n"."""
    tag = expr[0]
    if tag == "v" or tag == "&":
        return (expr[1],)
    if tag == "t":
        return (f"%{expr[1]}",)
    if tag == "op":
        return paths_in(expr[2]) + paths_in(expr[3])
    return paths_in(expr[1]) if tag in ("!", "~", "-") else ()


def operand(how: str, args: tuple[Expr, ...], temp: int) -> Expr:
    """The expression that an operand of the role table names at this call; ("?",) when it cannot be had."""
    if how == "ret":
        return ("t", temp)
    star = how.startswith("*")
    number, _, field = how.lstrip("*").partition(".")
    if int(number) >= len(args):
        return ("?",)
    arg = args[int(number)]
    if star:
        if arg[0] == "&":
            return ("v", arg[1])
        return ("v", "*" + arg[1]) if arg[0] == "v" else ("?",)
    if field:
        if arg[0] == "&":
            return ("v", f"{arg[1]}.{field}")
        return ("v", f"{arg[1]}->{field}") if arg[0] == "v" else ("?",)
    return arg


Resolver = Callable[[str, int], Role | None]


def effects_of(role: Role, args: tuple[Expr, ...], temp: int, used: bool) -> tuple[Effect, ...]:
    """The effects of one call, operands resolved. ``used``: somebody reads the returned value."""
    out = []
    for effect in role.effects:
        binds = tuple((name, operand(how, args, temp)) for name, how in effect.bind)
        kernel = any(name == "mm" and expr == ("&", "init_mm") for name, expr in binds)
        words = {"kernel"} if kernel else set()
        if any(name == "ptl" and how[0] == "*" for name, how in effect.bind):
            words.add("out")
        if effect.kind == "entry.clear" and not (used and any(name == "value" and expr[0] == "t" for name, expr in binds)):
            words.add("no-result")
        out.append((effect.kind, binds, effect.attrs | words if words else effect.attrs, effect.when))
    return tuple(out)


def flagged(fn: Function, when: str, args: tuple[Expr, ...]) -> bool:
    """Whether an effect happens as far as ``when`` tells by a flag: "flag:1:NAME|OTHER" asks that the function somewhere puts one of these
    constants, directly or by other variables, into what it passes as argument 1. Without a flag: always."""
    if not when.startswith("flag:"):
        return True
    _, number, names = when.split(":")
    wanted = frozenset(names.split("|"))
    if int(number) >= len(args):
        return False
    seen: set[str] = set()
    work = [args[int(number)]]
    while work:
        expr = work.pop()
        if not wanted.isdisjoint(_constants(expr)):
            return True
        for path in set(paths_in(expr)) - seen:
            seen.add(path)
            work += [instr[2] for block in fn.blocks for instr in block.instrs if instr[0] == "set" and instr[1] == path]
    return False


def may_wait(expr: Expr) -> bool:
    """Whether an argument allows an allocation to wait for memory: whoever gets it may sleep, whatever it is called."""
    return expr[0] == "k" and expr[1] in _WAITING


def _constants(expr: Expr) -> set[str]:
    """The named constants in an expression."""
    if expr[0] == "k":
        return {expr[1]}
    return set().union(*(_constants(part) for part in expr[1:] if type(part) is tuple))


class Compiler:
    """Compiles functions against a role table, a callee resolver and a list of pure calls."""

    def __init__(self, roles: Resolver, callee: Callable[[str, str], int | None], pure: Callable[[str], bool], walks: Walks | None = None,
                 slots: Mapping[tuple[str, str], object] | None = None, marks: Marks | None = None) -> None:
        self._walks = walks
        self._slots = slots or {}
        self._marks = marks
        self._entries: Mapping[int, tuple[str, str]] = {}
        self._roles = roles
        self._callee = callee
        self._pure = pure
        self._used: frozenset[str] = frozenset()
        self._values: frozenset[str] = frozenset()
        """Variables of the function that hold entries."""

    def compile(self, index: int, fn: Function) -> Code:
        """Resolve, find the relevant paths, drop the rest."""
        sets = [instr for block in fn.blocks for instr in block.instrs if instr[0] == "set"]
        conds = [block.cond for block in fn.blocks if block.cond is not None]
        dest = _destinations(sets)
        assigned = _assigned(fn)
        self._used, lasting, constants = _scanned(fn)
        self._values = _values(fn)
        self._entries = self._walks.entries.get(index, {}) if self._walks is not None else {}
        raw = self._raw(fn, dest)
        relevant = _relevant(fn, raw)
        blocks = []
        calls: list[tuple[int, tuple[Expr, ...]]] = []
        writes: set[str] = set()
        for block, ops in zip(fn.blocks, raw, strict=True):
            kept = []
            for op in ops:
                if op is None or not _keep(op, relevant):
                    continue
                if op[0] == ROLE:
                    op = (*op, _prepared(op))
                kept.append(op)
                if op[0] == CALL:
                    calls.append((op[1], op[4]))
                elif op[0] == SET:
                    writes.add(op[1])
            blocks.append((tuple(kept), block.kind, block.cond, block.succs, block.pos))
        names, settled = subjects(fn)
        ends = [_end(ops, cond, lasting, settled[at] if settled else ()) for at, (ops, _, cond, _, _) in enumerate(blocks)]
        structs = frozenset(path.rpartition(".")[0] for path in writes if "." in path and "->" not in path)
        return Code(index, fn, blocks, ends, frozenset(relevant.paths), *_tests(blocks), constants,
                    tuple(calls), frozenset(writes), _pointers(fn), lasting, names, settled, _zeroed(sets, conds), _marked_by_constants(conds),
                    _masked(conds), structs, domains(fn, _stores(_bounded(block.instrs) for block in fn.blocks)), _ordered(conds, sets), _negative(sets),
                    _sure(fn, assigned, conds), _numbers(fn), frozenset(name for name, _ in fn.params) - assigned, _owned(fn), _given(fn))

    def _raw(self, fn: Function, dest: dict[int, str]) -> list[list[tuple | None]]:  # type: ignore[type-arg]
        """The operations of each block, those that come with no call included."""
        marks = self._marks
        if marks is None:
            return [[self._lower(instr, fn, dest) for instr in _seen(block.instrs)] for block in fn.blocks]
        out: list[list[tuple | None]] = []  # type: ignore[type-arg]
        lost = marks.standing(fn)
        for number, block in enumerate(fn.blocks):
            ops: list[tuple | None] = [_marked(mark) for mark in lost.get(number, ())]  # type: ignore[type-arg]
            for instr, plain in zip(block.instrs, _seen(block.instrs), strict=True):
                ops.append(self._lower(plain, fn, dest))
                if instr[0] == "set":
                    ops += [_marked(mark) for mark in marks.after(instr, fn)]
            out.append([*ops, *(_marked(mark) for mark in marks.at_end(block, fn))])
        return out

    def _flagged(self, effects: tuple[Effect, ...], fn: Function) -> tuple[Effect, ...]:
        """The effects of a bit or atomic operation, if it is on a flag that is followed."""
        out = []
        for kind, binds, attrs, when in effects:
            expr = dict(binds)["flag"]
            own = self._marks.followed(expr[1], fn, dict(binds).get("bit")) if self._marks is not None and expr[0] in "v&" else None
            if own is not None:
                out.append((kind, binds, attrs | own, when))
        return tuple(out)

    def _lower(self, instr: tuple, fn: Function, dest: dict[int, str]) -> tuple | None:  # type: ignore[type-arg]
        tag = instr[0]
        if tag == "set":
            return (SET, instr[1], instr[2], instr[3])
        if tag == "havoc":
            return (HAVOC, (instr[1],), None)
        if tag == "decl" and instr[2] in OWNED:
            kind, what = OWNED[instr[2]]
            effect: Effect = (kind + ".declare", ((what, ("&", instr[1])),), frozenset(), "always")
            return (ROLE, Role(instr[1], None, "", (), ""), (effect,), "%", instr[1], (("&", instr[1]),), instr[3], "")
        if tag == "decl":
            return (HAVOC, (instr[1],), None)
        if tag == "icall":
            return _opaque(instr[1], instr[3])
        _, temp, name, args, pos = instr
        walk = self._walks.target(instr, fn) if self._walks is not None else None
        if walk is not None and self._walks is not None:
            return (CALL, walk, f"%{temp}", name, self._walks.arguments(instr), pos, dest.get(temp, ""), None)
        role = self._roles(name, len(args))
        if role is not None and role.name != fn.name:
            effects = effects_of(role, args, temp, f"%{temp}" in self._used)
            if any(effect[3].startswith("flag:") for effect in effects):
                effects = tuple((*effect[:3], "always") if effect[3].startswith("flag:") else effect for effect in effects if flagged(fn, effect[3], args))
            if effects and effects[0][0].startswith("flag."):
                if not (effects := self._flagged(effects, fn)):
                    return _opaque(temp, args)
            elif self._marks is not None and any(kind == "flush.now" and self._marks.kept(binds, fn) for kind, binds, _, _ in effects):
                effects = tuple((kind, binds, attrs | {"kept"}, when) for kind, binds, attrs, when in effects)
            return (ROLE, role, effects, f"%{temp}", name, args, pos, dest.get(temp, ""))
        callee = self._callee(name, fn.path)
        if callee is not None:
            return (CALL, callee, f"%{temp}", name, args, pos, dest.get(temp, ""), self._slots.get(self._entries.get(temp, ("", ""))))
        if self._pure(name):
            texts = [text_of(a) for a in args]
            if all(t is not None and "%" not in t for t in texts):
                return (PURE, f"%{temp}", f"{name}({','.join(t for t in texts if t)})")
        if any(map(may_wait, args)):
            return (ROLE, Role(name, None, "", (), ""), (_WAITS,), f"%{temp}", name, args, pos, dest.get(temp, ""))
        if args and ENTRY_FUNCTION.match(name):
            return (DERIVE, f"%{temp}", self._original(args), tuple(a[1] for a in args if a[0] == "&"))
        if self._values and dest.get(temp) in self._values:
            given = [arg for arg in args if arg[0] == "v" and arg[1] in self._values]
            if len(given) == 1:  # whatever it makes of it: an entry goes in, an entry comes out
                return (DERIVE, f"%{temp}", given[0], tuple(a[1] for a in args if a[0] == "&"))
        return _opaque(temp, args)

    def _original(self, args: tuple[Expr, ...]) -> Expr:
        """The entry that another form is made of: most functions are given it first, some behind what it belongs to."""
        first = args[0]
        if first[0] != "v" or not first[1].isidentifier() or first[1] in self._values:
            return first
        return next((arg for arg in args if arg[0] == "v" and arg[1] in self._values), next((arg for arg in args if arg[0] == "t"), first))


def _prepared(op: tuple) -> Prepared:  # type: ignore[type-arg]
    _, role, effects, temp, name, args, pos, dest = op
    kept = {expr for _, binds, _, _ in effects for what, expr in binds if what in ("tlb", "range")}
    forgotten = tuple(arg[1] for arg in args if arg[0] == "&" and arg not in kept)
    parts = tuple((kind, dict(binds), attrs, when) for kind, binds, attrs, when in effects)
    return Prepared(forgotten, parts, all(when == "always" for *_, when in effects), Call(name, pos, role.level, temp, dest))


def _end(ops: tuple[tuple, ...], cond: Expr | None, lasting: frozenset[str], settled: tuple[str, ...]) -> End:  # type: ignore[type-arg]
    drops: tuple[str, ...] | None = None
    temps = {path for path in paths_in(cond) if path[0] == "%"} if cond is not None else set()
    for op in ops:
        if op[0] == CALL:  # what comes back from one may have any name
            break
        for path in _mentioned(op):
            if path[0] == "%" and path not in lasting and path != "%":
                temps.add(path)
    else:
        drops = tuple(temps - lasting) if temps else ()
    idle = not ops and drops == () and not settled
    negated = False
    while cond is not None and (cond[0] == "!" or (cond[0] == "op" and cond[1] in ("==", "!=") and is_zero(cond[3]))):
        negated, cond = negated != (cond[0] == "!" or cond[1] == "=="), cond[1] if cond[0] == "!" else cond[2]
    if cond is not None and cond[0] == "v" and cond[1][0] not in "*%" and "->" not in cond[1]:
        return End(drops, (cond[1], negated), idle)
    return End(drops, None, idle)


def _mentioned(op: tuple) -> tuple[str, ...]:  # type: ignore[type-arg]
    """The paths that an operation makes or reads, arguments and operands included."""
    if op[0] == ROLE:
        return (op[3], *(path for arg in op[5] for path in paths_in(arg)))
    if op[0] == HAVOC:
        return (*op[1], op[1][0] + "?")
    return (op[1], *paths_in(op[2])) if op[0] != PURE else (op[1],)


def _marked(mark: Mark) -> tuple:  # type: ignore[type-arg]
    """An event that comes with no call, as an operation."""
    kind, objects, attrs, pos = mark
    name = next((str(expr[1]) for expr in objects.values()), kind)
    args = tuple(expr for expr in objects.values() if expr[0] == "v")
    return (ROLE, Role(name, None, "", (), ""), ((kind, tuple(objects.items()), attrs, "always"),), "%", name, args, pos, "")


def _opaque(temp: int, args: tuple[Expr, ...]) -> tuple:  # type: ignore[type-arg]
    return (HAVOC, (f"%{temp}", *(a[1] for a in args if a[0] == "&")), args)


def _destinations(sets: Iterable[Instr]) -> dict[int, str]:
    """Which path each call's value is stored to first: the name a returned lock goes by."""
    out: dict[int, str] = {}
    for instr in sets:
        if instr[2][0] == "t":
            out.setdefault(instr[2][1], instr[1])
    return out


@lru_cache(maxsize=65536)
def _above(path: str) -> tuple[str, ...]:
    """What a path goes through."""
    return tuple(path[: found.start()] for found in _DEREF.finditer(path))


class _Wanted:
    """A growing set of paths with everything that lies above one of them."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self._above: set[str] = set()

    def add(self, paths: Iterable[str]) -> bool:
        """Take in ``paths``. True when one was new."""
        grown = False
        for path in paths:
            if path not in self.paths:
                self.paths.add(path)
                self._above.update(_above(path))
                grown = True
        return grown

    def touched_by(self, path: str) -> bool:
        """Whether an assignment to ``path`` matters: a wanted path is it, lies below it, or is the root of an out-parameter."""
        if path in self.paths or path[0] == "*" or path in self._above or "->" in path:
            return True
        # a field of something whose address is handed on
        return "." in path and any(path[: found.start()] in self.paths for found in re.finditer(r"\.", path))


def _relevant(fn: Function, raw: list[list[tuple | None]]) -> _Wanted:  # type: ignore[type-arg]
    """Paths that reach a branch, a role or an analysed call; closed over assignments."""
    wanted = _Wanted()
    sets: list[tuple[str, tuple[str, ...]]] = []
    pures = {op[1]: mentions(op[2]) for ops in raw for op in ops if op is not None and op[0] == PURE}
    for block, ops in zip(fn.blocks, raw, strict=True):
        if block.cond is not None:
            wanted.add(paths_in(block.cond))
        for op in ops:
            if op is None:
                continue
            if op[0] == SET or op[0] == DERIVE:
                sets.append((op[1], paths_in(op[2])))
            elif op[0] in (ROLE, CALL):
                for arg in op[5 if op[0] == ROLE else 4]:
                    wanted.add(paths_in(arg))
    changed = True
    while changed:
        changed = False
        left = []
        for path, read in sets:
            if wanted.touched_by(path):
                changed |= wanted.add(read)
            else:
                left.append((path, read))
        sets = left
        for temp, mentioned in pures.items():
            if temp in wanted.paths:
                changed |= wanted.add(mentioned)
    return wanted


def _tests(blocks: list[tuple[tuple[tuple, ...], str, Expr | None, tuple[int, ...], int]]) -> tuple[frozenset[str], Sources]:  # type: ignore[type-arg]
    """What conditions and results are made of; and the pure functions that are asked, as "name("."""
    made: dict[str, list[tuple[frozenset[str], bool]]] = {}
    out: set[str] = set()
    for ops, _, cond, _, _ in blocks:
        if cond is not None:
            out.update(weighed(cond))
            if any(map(is_bound, paths_in(cond))):
                out.add(WIDENED)
        for op in ops:
            if op[0] == SET or op[0] == DERIVE:
                made.setdefault(op[1], []).extend(_made_of(op[2]))
                if op[2][0] == "op" and any(map(is_bound, paths_in(op[2]))):
                    out.add(WIDENED)
            elif op[0] == PURE:
                made.setdefault(op[1], []).append((mentions(op[2]), False))
                out.add(op[2].partition("(")[0] + "(")
            elif op[0] in (ROLE, CALL):
                temp, args = (op[3], op[5]) if op[0] == ROLE else (op[2], op[4])
                if op[0] == CALL:
                    out.add(op[3] + "(")  # a helper may be a question, too
                made.setdefault(temp, []).append((frozenset(path for arg in args for path in paths_in(arg)), False))
            if op[0] == SET and (op[1][0] == "*" or "->" in op[1]):
                out.update(own(paths_in(op[2])))  # what goes out through a pointer is a result, too
                if is_bound(op[1]):
                    out.update((WIDENED, op[1]))
    copies = {op[1]: op[2][1] for ops, *_ in blocks for op in ops if op[0] == SET and op[2][0] == "v"}
    sources = Sources({path: tuple(parts) for path, parts in made.items()}, copies)
    return sources.close(out), sources


def _made_of(expr: Expr) -> list[tuple[frozenset[str], bool]]:
    """What a value is made of, see Sources. Of what lends it single bits these count, however much of it does."""
    marked = weighed(expr) if expr[0] == "op" else set()
    bits = [path for path in marked if path[0] == BITS]
    if not bits:
        return [(frozenset(paths_in(expr)), True)]
    return [(frozenset([path[1:] for path in marked if path[0] == "="]), True), (frozenset([*bits, *(path[1:] for path in bits)]), False)]


def weighed(cond: Expr) -> set[str]:
    """The paths in a condition, with the mark of what is asked of each: single bits, or more than that."""
    if cond[0] == "op" and cond[1] == "&":
        for one, other in ((cond[2], cond[3]), (cond[3], cond[2])):
            if one[0] in "vt" and not paths_in(other):
                return {path for name in paths_in(one) for path in (name, BITS + name)}
    if cond[0] == "op":
        return weighed(cond[2]) | weighed(cond[3])
    return weighed(cond[1]) if cond[0] == "!" else own(paths_in(cond))


def own(paths: Iterable[str]) -> set[str]:
    """Paths with the mark that their own value counts, and without."""
    out = set(paths)
    return out | {"=" + path for path in out}


def _keep(op: tuple, wanted: _Wanted) -> bool:  # type: ignore[type-arg]
    if op[0] == SET:
        return wanted.touched_by(op[1]) or (op[2][0] == "v" and _ENTRY_AT.match(op[2][1]) is not None)
    if op[0] in (PURE, DERIVE):
        return op[1] in wanted.paths
    if op[0] == HAVOC:
        return any(wanted.touched_by(path) for path in op[1])
    return True


def _pointers(fn: Function) -> frozenset[str]:
    """Parameters that point to entries, by their type."""
    return frozenset(name for name, type_ in fn.params if re.match(r"(?:const )?p(?:te|md|ud)_t \*$", type_))


def _values(fn: Function) -> frozenset[str]:
    params = [name for name, type_ in fn.params if type_ in ENTRY_TYPES]
    return frozenset([*params, *(instr[1] for block in fn.blocks for instr in block.instrs if instr[0] == "decl" and instr[2] in ENTRY_TYPES)])


def _numbers(fn: Function) -> frozenset[str]:
    return frozenset("*" + name for name, type_ in fn.params if _NUMBER.match(type_))


def _assigned(fn: Function) -> frozenset[str]:
    """Paths that are set, havocked, or whose address is taken."""
    out: set[str] = set()
    for block in fn.blocks:
        for instr in block.instrs:
            if instr[0] in ("set", "havoc", "decl"):
                out.add(instr[1])
            elif instr[0] in ("call", "icall"):
                out.update(arg[1] for arg in instr[3] if arg[0] == "&")
    return frozenset(out)


_GIVEN = {"pte_t": ("given-pte",), "pmd_t": ("given-huge",), "pud_t": ("given-huge",), "struct vm_fault *": ("given-pte", "given-huge")}
"""By type of a parameter which entry values come in with it."""


_OLD = re.compile(r"(?:^|_)(?:old|orig|cur|seen|prev)|val$")
"""How values are called that were read before."""


def _given(fn: Function) -> frozenset[str]:
    return frozenset(word for name, type_ in fn.params if type_[-1] == "*" or _OLD.search(name) for word in _GIVEN.get(type_, ()))


def _owned(fn: Function) -> tuple[tuple[str, str, str], ...]:
    return tuple((*OWNED[instr[2]], instr[1]) for block in fn.blocks for instr in block.instrs if instr[0] == "decl" and instr[2] in OWNED)


def _zeroed(sets: Iterable[Instr], conds: Iterable[Expr]) -> frozenset[str]:
    """Variables that are set to 0 somewhere: for an address that is how "none yet" is written. And what lies behind a pointer and is asked whether
    it is 0: somebody else did that."""
    out = {instr[1] for instr in sets if is_zero(instr[2])}
    for cond in conds:
        while cond[0] == "!" or (cond[0] == "op" and cond[1] in ("==", "!=") and is_zero(cond[3])):
            cond = cond[1] if cond[0] == "!" else cond[2]
        if cond[0] == "v" and (cond[1][0] == "*" or "->" in cond[1]):
            out.add(cond[1])
    return frozenset(out)


def _masked(conds: Iterable[Expr]) -> dict[str, tuple[Expr, ...]]:
    """Paths of which a condition asks for a constant's bits, and the constants."""
    out: dict[str, tuple[Expr, ...]] = {}
    for cond in conds:
        for test in _ands(cond) if cond[0] != "v" else ():
            known = out.get(test[2][1], ())
            if test[3] not in known:
                out[test[2][1]] = (*known, test[3])
    return out


def _ordered(conds: Iterable[Expr], sets: Iterable[Instr]) -> frozenset[str]:
    out: set[str] = set()
    for cond in conds:
        if cond[0] == "op" and cond[1] in ("<", ">", "<=", ">=", "==", "!=", "-"):
            out.update(_compared(cond))
    for instr in sets:
        if instr[2][0] == "op" and instr[2][1] == "-":
            out.update(_compared(instr[2]))
    if not out:
        return frozenset()
    stores = [instr[1] for instr in sets if instr[1] in out and not (instr[2][0] == "op" and instr[2][2] == ("v", instr[1]))]
    return frozenset(name for name in out if stores.count(name) > 1)


def _compared(expr: Expr) -> tuple[str, ...]:
    """The variables on both sides, if both sides are variables or one is a sum."""
    sides = [side[2] if side[:2] == ("op", "+") else side for side in expr[2:]]
    return tuple(side[1] for side in sides) if all(side[0] == "v" for side in sides) else ()


def _negative(sets: Iterable[Instr]) -> frozenset[str]:
    return frozenset([instr[1] for instr in sets if instr[2][0] == "n" and instr[2][1] < 0])


def _sure(fn: Function, assigned: frozenset[str], conds: Iterable[Expr]) -> frozenset[str]:
    found = {name for name, type_ in fn.params if type_[-1:] == "*"}
    found -= assigned - _only_stepped(fn, found & assigned)
    for cond in conds if found else ():
        found.difference_update(paths_in(cond))
    return frozenset(found)


def _only_stepped(fn: Function, names: set[str]) -> set[str]:
    """The pointers that are only ever moved on."""
    out = set(names)
    for instr in (instr for block in fn.blocks for instr in block.instrs) if names else ():
        if instr[0] in ("call", "icall"):
            out.difference_update(arg[1] for arg in instr[3] if arg[0] == "&")
        elif instr[1] in out and (instr[0] != "set" or instr[2][:1] != ("op",) or instr[2][2] != ("v", instr[1])):
            out.discard(instr[1])
    return out


def _ands(expr: Expr) -> Iterable[Expr]:
    """The bit tests of a path in a condition."""
    if expr[0] == "op" and expr[1] == "&" and expr[2][0] == "v" and expr[3][0] in "kn":
        yield expr
    elif expr[0] == "op":
        yield from (*_ands(expr[2]), *_ands(expr[3]))
    elif expr[0] == "!":
        yield from _ands(expr[1])


def _bounded(instrs: tuple[Instr, ...]) -> tuple[Instr, ...]:
    """The same with ``x = min(x, y)`` and its like as an assignment of "the lower of the two"."""
    taken: dict[int, Expr] = {}
    out: list[Instr] = []
    for instr in instrs:
        if instr[0] == "call" and (bound := _bound(instr[2], instr[3])) is not None:
            taken[instr[1]] = bound
        elif taken and instr[0] == "set" and instr[2][0] == "t" and instr[2][1] in taken:
            instr = ("set", instr[1], taken[instr[2][1]], instr[3])
        out.append(instr)
    return tuple(out) if taken else instrs


def _seen(instrs: tuple[Instr, ...]) -> tuple[Instr, ...]:
    """The instructions of a block, without what is read only to flush the data cache: nobody looks at that."""
    instrs = _bounded(instrs)
    if not any(instr[0] == "call" and instr[2] == "flush_cache_page" for instr in instrs):
        return instrs
    wanted: set[Expr] = set()
    out: list[Instr] = []
    for instr in reversed(instrs):
        if instr[0] == "call" and (instr[2] == "flush_cache_page" or ("t", instr[1]) in wanted):
            wanted.update(arg for arg in instr[3] if arg[0] == "t")
            if instr[2] != "flush_cache_page":
                instr = ("call", instr[1], "flush_cache_page", (), instr[4])
        out.append(instr)
    return tuple(reversed(out))


def _bound(name: str, args: tuple[Expr, ...]) -> Expr | None:
    """The lower or higher of the arguments, if that is what a call gives."""
    how = _BOUNDS.get(name)
    if how is not None and len(args) >= 2:
        return ("op", how, *args[-2:])
    if name in ("min3", "max3") and len(args) == 3:
        how = _BOUNDS[name[:3]]
        return ("op", how, args[0], ("op", how, args[1], args[2]))
    if name in ("clamp", "clamp_t", "clamp_val") and len(args) >= 3:
        return ("op", LOWEST, ("op", HIGHEST, args[-3], args[-2]), args[-1])
    return None


def _stores(blocks: Iterable[tuple[Instr, ...]]) -> dict[str, list[Expr]]:
    """All that is stored to each path."""
    out: dict[str, list[Expr]] = {}
    for instrs in blocks:
        for instr in instrs:
            if instr[0] == "set":
                out.setdefault(instr[1], []).append(instr[2])
    return out


def _marked_by_constants(conds: Iterable[Expr]) -> dict[str, tuple[str, ...]]:
    """The constants other than 0 that variables are set to and compared with, as texts: how "none yet" is written for an address."""
    out: dict[str, set[str]] = {}
    for cond in conds:
        if cond[0] == "op" and cond[1] in ("==", "!=") and cond[2][0] == "v" and cond[3][0] in "kn" and cond[3] != ("n", 0):
            out.setdefault(cond[2][1], set()).add(str(cond[3][1]))
    return {name: tuple(sorted(texts)) for name, texts in out.items()}


def _exprs(block: Block) -> list[Expr]:
    """Every expression that a block evaluates."""
    out: list[Expr] = [] if block.cond is None else [block.cond]
    for instr in block.instrs:
        if instr[0] == "set":
            out.append(instr[2])
        elif instr[0] in ("call", "icall"):
            out.extend(instr[3])
    return out


def _scanned(fn: Function) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Temps that anything reads, those that a block other than the one that makes them reads, and the named constants."""
    made: dict[str, int] = {}
    reads: dict[int, set[str]] = {}
    constants: set[str] = set()
    for number, block in enumerate(fn.blocks):
        temps = reads[number] = set()
        for expr in _exprs(block):
            _scan(expr, temps, constants)
        for instr in block.instrs:
            if instr[0] in ("call", "icall"):
                made[f"%{instr[1]}"] = number
    lasting = {temp for number, temps in reads.items() for temp in temps if made.get(temp, number) != number}
    return frozenset().union(*reads.values()), frozenset(lasting), frozenset(constants)


def _scan(expr: Expr, temps: set[str], constants: set[str]) -> None:
    tag = expr[0]
    if tag == "t":
        temps.add(f"%{expr[1]}")
    elif tag == "k":
        constants.add(expr[1])
        constants.add(expr[1].rpartition("<<")[2])  # a bit goes by its number
    elif tag == "op" and expr[1] in SWAPPED:
        sides: set[str] = set()
        for part in expr[2:]:
            _scan(part, temps, sides)
        constants |= sides
        constants.update([COMPARED + name for name in sides])
    elif tag == "v" or tag == "&":
        if expr[1][0] == "%":
            temps.add(expr[1])
    elif tag != "n":
        for part in expr[1:]:
            if type(part) is tuple:
                _scan(part, temps, constants)
