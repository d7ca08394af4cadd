"""The interpreter: property simulation over one function's graph, calls by tabulation.

A node is (block, hashable state, presence facts); environments that meet at a node are intersected. Each call is
answered from a table keyed by the callee, the state in the callee's names and the facts it can see. Work is bounded
per function; reaching a bound is reported, never silent.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Mapping
from operator import itemgetter

from tlblint.engine.asked import Entry
from tlblint.engine.automata import ordered
from tlblint.engine.bits import RESULT_BIT, bits_after, known_bits
from tlblint.engine.bounds import given, narrowed
from tlblint.engine.code import Call, Code
from tlblint.engine.compile import DERIVE, HAVOC, HIGHEST, LOWEST, PURE, ROLE, SET, paths_in, text_of, tokens
from tlblint.engine.domains import left, possible
from tlblint.engine.effects import (
    CHANGES,
    CONFIRMED,
    EMPTIED,
    ENDS_SPAN,
    FILLS,
    NO_BITS,
    QUIET,
    RECORDS,
    UNFILLED,
    Effects,
    Listener,
    drop_number,
    forget_spans,
    unread,
)
from tlblint.engine.entries import entered
from tlblint.engine.events import Event, Instance, Violation
from tlblint.engine.flows import root
from tlblint.engine.order import follows, stored
from tlblint.engine.rename import Frame
from tlblint.engine.spans import widened
from tlblint.engine.state import SHIFT, START, TOLD, Apart, Auto, Exit, Node, Path, Record, Trail, with_instances
from tlblint.engine.summary import Hit, Summary
from tlblint.engine.unsure import is_lost, lost, strays
from tlblint.engine.values import (
    PAGE_OF,
    SAME_PAGE,
    Env,
    Question,
    Value,
    above,
    advance,
    ask,
    assign,
    evaluate,
    exclude,
    few_of,
    forget,
    is_count,
    is_nothing,
    learn,
    mapped_by,
    merge,
    presence,
    remember,
    resolve,
    retreat,
    truth,
    undecided,
)
from tlblint.engine.world import MAX_BUDGET, MAX_CONTEXTS, MAX_DEPTH, MAX_STORIES, MAX_VISITS, World
from tlblint.model.ir import Expr

_UNSETTLES = CHANGES | ENDS_SPAN
_ADDRESS = re.compile(r"(?:^|_|>|\.)(?:h?addr|address|next|start|end)$")
_ORDERS = frozenset({"<", ">", "<=", ">=", "==", "!=", "-"})
RESULT_LOST = "lost()"
"""At an exit: the result is something that is not followed."""
BEYOND = "beyond#"
"""Before a path: what is stored there is more than what was there when the function was entered."""

_first = itemgetter(0)


def analyse_function(world: World, index: int, auto: Auto = START, env: Env | None = None, *, is_root: bool, inherited: frozenset[str] = NO_BITS,
                     walked: bool = False) -> Summary:
    """Run one function from one entry state; answers come from the table when it was asked before."""
    entry: Env = env or {}
    promised = world.promised(index)
    if promised is not None and promised.given and promised.given not in entry:
        entry = {**entry, promised.given: 1}
    says = inherited | world.says.get(index, NO_BITS)
    key = (index, auto, tuple(sorted(entry.items(), key=_first)), is_root, inherited, walked)
    known = world.table.get(key)
    if known is None and world.shared is not None and world.stack:
        known = world.shared.take(world, key)
    if known is not None:
        if world.asking:
            world.asking[-1].append(known)
        return known
    outermost = not world.stack
    if outermost:
        world.budget = allowed = max(MAX_BUDGET // 100, min(MAX_BUDGET, world.left))
    world.contexts[index] = world.contexts.get(index, 0) + 1
    world.stack.append(index)
    world.visited.add(index)
    below: list[Summary] = []
    world.asking.append(below)
    try:
        summary = Run(world, world.code(index), is_root, inherited, says, walked).run(auto, entry)
    except Exception:
        world.culprit = index if world.culprit is None else world.culprit
        raise
    finally:
        world.stack.pop()
        world.asking.pop()
        if outermost:
            world.left -= allowed - world.budget
    summary.key, summary.below = key, list({id(other): other for other in below}.values())
    summary.clean = summary.clean and all(other.clean for other in summary.below)
    summary.kinds = summary.kinds.union(*(other.kinds for other in summary.below))
    summary.met = summary.met.union(*(other.met for other in summary.below))
    summary.height = 1 + max((other.height for other in summary.below), default=0)
    world.table[key] = summary
    if world.shared is not None:
        world.shared.put(world, summary)
    if world.asking:
        world.asking[-1].append(summary)
    return summary


class Run(Listener):
    """One function from one entry state."""

    __deletable__ = ("_effects",)
    """What ends before the run does: code that is translated to C must be told."""

    def __init__(self, world: World, code: Code, is_root: bool, inherited: frozenset[str], says: frozenset[str], walked: bool) -> None:
        super().__init__(code.index << SHIFT)
        self._world = world
        self._code = code
        self._blocks, self._ends, self._subjects = code.blocks, code.ends, code.subjects
        self._is_root = is_root
        self._inherited = inherited
        self._walked = walked
        self._settles = "settles" in says
        self._hits: dict[tuple[object, ...], Hit] = {}
        self._tries: dict[tuple[object, ...], int] = {}
        self._exits: dict[tuple[object, ...], tuple[Exit, Env]] = {}
        self._nodes: dict[tuple[object, ...], Node] = {}
        self._sorts: dict[tuple[object, ...], int] = {}
        self._queue: list[tuple[int, int, Node]] = []
        self._count = 0
        self._conditions = world.conditions(code)
        self._guards = self._conditions.passing
        self._spans = self._conditions.spans
        self._structs = set(code.structs)
        """Structures that are known by their members."""
        self._kinds: set[str] = set()
        self._met: set[Instance] = set()
        self._clean = True
        self._cost = 0
        self._node: Node | None = None
        self._entry = START
        says |= code.given | world.lacks(code.index)
        self._effects = Effects(self, code.fn.advanced, code.entry_pointers, says, is_root, walked, world.scope(code.index), world.automata.asks)

    def deaf(self, kind: str, instances: tuple[Instance, ...]) -> bool:
        """See Listener."""
        self._kinds.add(kind)
        return self._world.automata.deaf(kind, instances)

    def _number(self, pos: int) -> int:
        return self.base + pos + 1

    def run(self, auto: Auto, env: Env) -> Summary:
        """Visit blocks in reverse postorder until nothing changes or the bound is reached."""
        self._entry = auto
        start = Path(auto, dict(env), None)
        if self._is_root:
            self._effects.event(start, "enter", {}, NO_BITS, "", self._code.fn.start, self._code.fn.name)
        self._reach(0, start, None)
        visits = 0
        bounded = False
        while self._queue:
            _, _, node = heapq.heappop(self._queue)
            node.waiting = False
            visits += 1
            cost = 1 + ((len(node.auto[4]) + len(node.auto[0])) // 8) ** 2
            self._cost += cost
            self._world.budget -= cost
            if visits > MAX_VISITS or self._world.budget < 0:
                bounded, self._clean = True, False
                self._world.stopped[self._code.index] = f"more than {MAX_VISITS if visits > MAX_VISITS else MAX_BUDGET} block visits"
                break
            self._node = node
            for path in self._block(node):
                self._leave(node, path)
        exits = tuple(Exit(e.auto, e.value, tuple(sorted(env.items(), key=_first)), e.trail) for e, env in self._exits.values())
        for node in self._nodes.values():
            node.env = {}  # the summary keeps nodes alive for their trails only
        del self._effects  # it knows this run: without it there is no cycle, and memory comes back at once
        met = frozenset((i[0], i[1]) for i in self._met)
        return Summary(exits, tuple(self._hits.values()), bounded, kinds=frozenset(self._kinds), met=met, clean=self._clean, cost=self._cost)

    def _charge(self, cost: int) -> None:
        self._cost += cost
        self._world.budget -= cost

    def _reach(self, block: int, path: Path, before: Node | None, apart: Apart | None = None) -> None:
        """Go on in ``block``. ``apart``: the presence facts of the path, when they are known."""
        auto, env = path.auto, path.env
        depth = 0
        if before is None:
            sort = self._sort(auto)
        else:
            depth = before.depth + 1
            sort = before.sort if auto is before.auto else self._sort(auto)
        if apart is None:
            apart = presence(env)
        key: tuple[object, ...] = (block, sort, apart)
        if self._subjects:
            key = (block, sort, apart, _results(env, self._subjects))
        node = self._nodes.get(key)
        if node is None:
            node = self._nodes[key] = Node(block, auto, env, depth, before, path.trail, sort, apart)
        else:
            if depth < node.depth:
                node.depth, node.before, node.trail = depth, before, path.trail
            if not merge(node.env, env):
                return
            node.apart = None  # what was known of an entry may be known of none any more
        if not node.waiting:
            node.waiting = True
            self._count += 1
            heapq.heappush(self._queue, (block, self._count, node))

    def _sort(self, auto: Auto) -> int:
        """The number of all states that are like this one, but for which site of a kind an instance comes from."""
        return self._sorts.setdefault((*auto[:4], self._world.automata.nameless(auto.instances)), len(self._sorts))

    def _block(self, node: Node) -> list[Path]:
        """Run a block's operations; a call or a split role makes several paths."""
        ops = self._blocks[node.block][0]
        paths = [Path(node.auto, dict(node.env), None)]
        for op in ops:
            tag = op[0]
            if tag == SET:
                for path in list(paths):
                    self._set(paths, path, op)
            elif tag == HAVOC:
                for path in paths:
                    if op[2] and path.auto.instances:
                        self._shown(path, op[2])
                    self._havoc(path.env, op[1], op[2])
            elif tag == PURE:
                for path in paths:
                    path.env[op[1]] = ("term", op[2], False)
            elif tag == DERIVE:
                for path in paths:
                    for name in op[3]:
                        forget(path.env, resolve(path.env, name))
                    held = evaluate(path.env, op[2])
                    path.env.pop(op[1], None)
                    if type(held) is tuple and held[0] == "e":
                        path.env[op[1]] = (*held[:3], "".join(sorted({*held[3], "k"})), held[4])
            elif tag == ROLE:
                paths = self._role(paths[0], op) if len(paths) == 1 else [out for path in paths for out in self._role(path, op)]
            else:
                paths = self._call(paths[0], op) if len(paths) == 1 else [out for path in paths for out in self._call(path, op)]
            if len(paths) > 1:
                paths = _dedupe(paths)
        return paths

    def _shown(self, path: Path, args: tuple[Expr, ...]) -> None:
        """An unknown call may look at the entry that it gets a pointer to."""
        if not self._world.automata.deaf("entry.shown", path.auto.instances):
            for arg in args:
                if arg[0] == "v" and self._effects.is_entry_pointer(path.env, resolve(path.env, arg[1])):
                    self._effects.event(path, "entry.shown", {"pte": self._effects.pointer_of(path.env, arg)}, NO_BITS, "", 0, "")

    def _havoc(self, env: Env, names: tuple[str, ...], args: tuple[Expr, ...] | None) -> None:
        """Nobody knows what these hold. ``args``: of the unknown call that did it."""
        followed = self._conditions.followed
        if args is None or followed.isdisjoint(names):
            for name in names:
                forget(env, resolve(env, name))
            return
        where = [resolve(env, name) for name in names]
        entries = [arg for arg in args if type(held := evaluate(env, arg)) is tuple and held[0] in "epm"]
        astray = any(strays(env, arg) for arg in args)
        for name in where:
            forget(env, name)
        env.update((lost(name), 1) for name in where[1:] if name in followed)
        if names[0] in followed:  # of one entry much is asked that says nothing of a flush
            env[lost(names[0])] = 2 if len(entries) > 1 or astray or any("->" not in name for name in where[1:]) else 1

    def _set(self, paths: list[Path], path: Path, op: tuple) -> None:  # type: ignore[type-arg]
        """An assignment. ``flag |= predicate`` and ``count += predicate`` split on the predicate, so that the flag stays correlated with it."""
        _, name, expr, pos = op
        if expr == ("v", name):
            return
        if name in self._code.zeroed and expr[0] in ("t", "v", "!") and (asked := undecided(path.env, expr)) is not None:
            other = path.fork()  # what it says of this entry has to last beyond the next one
            if self._learn(other, asked[1], bool(asked[2]), pos):
                assign(other.env, name, 0, None)
                paths.append(other)
            if self._learn(path, asked[1], not asked[2], pos):
                assign(path.env, name, "nz", None)
            else:
                paths.remove(path)
            return
        if expr[0] == "op" and expr[1] in "|+*":
            asked = undecided(path.env, expr)
            if asked is None and expr[1] == "|" and expr[2] == ("v", name):
                right = evaluate(path.env, expr[3])
                asked = right if type(right) is tuple and right[0] == "term" and truth(path.env, right) is None else None
            if asked is not None:
                other = path.fork()
                if self._learn(path, asked[1], not asked[2], pos):
                    self._set(paths, path, op)
                else:
                    paths.remove(path)
                if self._learn(other, asked[1], bool(asked[2]), pos):
                    paths.append(other)
                    self._set(paths, other, op)
                return
            if expr[1] != "*" and expr[2] == ("v", name) and is_nothing(path.env, expr[3]):
                return
        if expr[0] == "v" and expr[1][0] == "*" and expr[1] not in self._code.numbers:
            self._effects.value_of(path, expr, pos)
        value = evaluate(path.env, expr)
        if name[0] == "*" and self._effects.is_entry_pointer(path.env, resolve(path.env, name)[1:]):
            self._effects.apply(path, "entry.install", {"pte": ("v", resolve(path.env, name)[1:]), "value": expr}, NO_BITS,
                                Call("*" + name[1:] + " =", pos, "", "", ""))
        elif type(value) is tuple and value[0] == "&" and value[1].endswith("folio->page"):
            value = ("term", f"{SAME_PAGE}{value[1][:-6]})", False)  # the head page, like that of any call that gives a handle
        symbolic = None
        if value is None and expr[0] == "v" and _ADDRESS.search(expr[1]) and name in self._code.zeroed:
            if name in self._code.ordered and (address := resolve(path.env, expr[1])) not in path.env:
                path.env[address] = "nz"
            else:
                value = "nz"  # a variable that was 0 for "none yet" gets an address: it is one from then on
        elif name in self._code.zeroed and ((expr[0] == "v" and expr[1] in self._code.pointers) or (value is None and _is_count(name, expr))):
            value = "nz"
        elif expr[0] == "v" and (value == "nz" or (type(value) is tuple and value[0] == "term" and "#" not in value[1] and "(" not in value[1])):
            value = None  # remember whose copy it is: more than that it is not zero
        turned = copy = False
        if value is None and expr[0] in ("v", "op", "!"):
            copy = expr[0] == "v"
            question = ask(path.env, expr)
            symbolic, turned = (text_of(expr), False) if copy else (question.key or question.answered, question.negated)
        bits = bits_after(path.env, name, expr, self._code.masked.get(name, ())) if (expr[0] == "op" and expr[1] in "|&") or name in self._code.masked else ()
        beyond: dict[str, Value] = {}
        if expr[0] == "op" and expr[1] in "+-" and expr[2] == ("v", name):
            beyond = advance(path.env, name) if expr[1] == "+" else retreat(path.env, name)
        if name[0] == "*" and expr[0] == "v" and path.env.get(f"({expr[1]}>{name})") == 1:
            beyond = {BEYOND + name: 1}
        elif expr[0] == "v" and expr[1] in self._code.writes and expr[1][0] == "*":
            beyond = {f"({name}>={expr[1]})": 1}  # it may come back further on
        elif name[0] == "*" and expr[0] == "op" and expr[1] == "+" and expr[2] == ("v", name):
            beyond |= {BEYOND + name: 1}
        if name in self._code.nones and expr[0] == "v" and _ADDRESS.search(expr[1]):
            beyond |= given(name, self._code.nones[name])
        elif expr[0] == "op" and expr[1] in (LOWEST, HIGHEST):
            value = self._bound(path.env, expr) if value is None and self._code.domains else value
            if value is None:
                beyond |= narrowed(path.env, name, expr, self._code.nones.get(name, ()))
            value = "nz" if value is None and expr[1] == HIGHEST and name in self._code.zeroed and ("v", name) in expr[2:] else value
        if name in self._code.ordered:
            beyond |= stored(path.env, name, expr)
        if name in self._code.marked and expr[0] == "v":
            beyond |= {f"({name}>=0)": 1, f"({name}<0)": 0, f"(-1=={name})": 0}
        wide = self._spans.stored(path.env, name, expr) if name in self._spans.kept else ""
        if value is None and expr[0] == "op" and expr[1] in _ORDERS and name in self._conditions.followed:
            answer = self._spans.known(path.env, expr)
            value = None if answer is None else "nz" if answer and expr[1] == "-" else int(answer)
        astray = value is None and name in self._conditions.followed and strays(path.env, expr)
        members = self._members(path.env, expr) if self._structs else {}
        assign(path.env, name, value, symbolic, turned, copy)
        if members:
            self._structs.add(name)
            path.env.update((name + member, held) for member, held in members.items())
        if astray:
            path.env[lost(resolve(path.env, name))] = 1
        if wide:
            path.env[widened(resolve(path.env, name))] = 1
        path.env.update(beyond)
        for bit, on in bits:
            remember(path.env, ("op", "&", ("v", name), bit), on)  # a bit that was just set is set, whatever else the word holds

    def _bound(self, env: Env, expr: Expr) -> Value | None:
        """The lower or higher of two, each one of a few numbers."""
        sides = [possible(part, self._code.domains, evaluate(env, part)) for part in expr[2:]]
        if sides[0] is None or sides[1] is None:
            return None
        pick = min if expr[1] == LOWEST else max
        return few_of(pick(one, other) for one in sides[0] for other in sides[1])

    def _members(self, env: Env, expr: Expr) -> Env:
        """What is known of the members of a structure that is copied."""
        base = expr[1] if expr[0] == "v" else f"%{expr[1]}" if expr[0] == "t" else ""
        return {key[len(base) :]: value for key, value in env.items() if key.startswith(base + ".")} if base in self._structs else {}

    def _role(self, path: Path, op: tuple) -> list[Path]:  # type: ignore[type-arg]
        _, _, _, temp, name, _, pos, _, (forgotten, effects, always, call) = op
        for variable in forgotten:
            forget(path.env, variable)
        path.env.pop(temp, None)
        if always:
            for kind, binds, attrs, _ in effects:
                self._effects.apply(path, kind, binds, attrs, call)
            return [path]
        other = path.fork()
        for one, outcome, value in ((path, "ret!=0", "nz"), (other, "ret==0", 0)):
            one.trail = (one.trail, (self._number(pos), "branch", f"{name}()", "succeeds" if value else "fails"))
            for kind, binds, attrs, when in effects:
                if when in ("always", outcome):
                    self._effects.apply(one, kind, binds, attrs, call)
            one.env.setdefault(temp, value)
        return [path, other]

    def _call(self, path: Path, op: tuple) -> list[Path]:  # type: ignore[type-arg]
        _, callee, temp, name, args, pos, dest, entry = op
        world = self._world
        if callee in world.stack or len(world.stack) > MAX_DEPTH or world.contexts.get(callee, 0) > MAX_CONTEXTS:
            self._clean = False
            if callee not in world.stack:
                world.stopped[callee] = "called too deep" if len(world.stack) > MAX_DEPTH else f"more than {MAX_CONTEXTS} entry states"
            self._havoc(path.env, (temp, *(arg[1] for arg in args if arg[0] == "&")), args)
            # What the callee could have settled, nobody knows: neither a blame for the caller nor a reason to stop.
            left = tuple(i for i in path.auto.instances if not world.automata.listens(i, world.events[callee]))
            path.auto = with_instances(path.auto, left)
            return [path]
        code = world.code(callee)
        frame = Frame(code, args, path.env)
        says, walked, lazy = self._inherited, self._walked, path.auto.lazy
        promised = world.promised(callee) if entry is None else None
        if promised is not None and promised.ptl:
            strange = [lock[0] for lock in path.auto.held if frame.into(lock[0]) is None]
            if len(strange) == 1:  # the lock that the callee expects, under the caller's name for it
                frame.call_it(strange[0], promised.ptl)
        if entry is not None:
            says, walked = says | entry.says, walked or entry.walker
            self._kinds.add("ptl.acquire")
            self._met.update(path.auto.instances)
            path.auto = entered(world.automata, world.scope(callee), says | world.says.get(callee, NO_BITS), callee, code.fn, entry, path.auto)
        kinds = world.events[callee]
        handed = {v[1] for a in args if type(v := evaluate(path.env, a)) is tuple and v[0] == "e"}
        handed |= {n for a in args if (n := mapped_by(path.env, a))}
        told = {n for a in args if (n := asked_of(path.env, a))}
        for arg in args:
            if arg[0] == "&" and arg[1] in self._structs:
                told |= _answers_in(path.env, arg[1] + ".")
        aside = tuple(i for i in path.auto.instances if not world.automata.listens(i, kinds) or not _reaches(world.automata.value_bound(i), handed)
                      or ((whose := world.automata.through(i, kinds)) and frame.into(whose) is None and ("&", whose) not in path.env.values()))
        if told:  # the callee may look at an answer without asking for itself
            aside = tuple(i for i in aside if told.isdisjoint(i[2]))
        mine = path.auto if not aside else with_instances(path.auto, tuple(i for i in path.auto.instances if i not in aside))
        auto = frame.state_in(mine)
        env = frame.env_in(args, path.env, self._code.fn.advanced, world.flows.of(callee))
        if QUIET in path.env and not kinds.isdisjoint(RECORDS):
            env[QUIET] = 1
        if "flush.gather" in kinds and kinds.isdisjoint(FILLS):
            for fact in [k for k in path.env if k.startswith(UNFILLED)]:
                if (gather := frame.into(fact[len(UNFILLED) :])) is not None:
                    env[UNFILLED + gather] = 1
        summary = analyse_function(world, callee, auto, env, is_root=False, inherited=says, walked=walked)
        trail: Trail = (path.trail, (self._number(pos), "call", f"{name}()", frame))
        self._adopt(summary, frame, path, trail)
        self._charge(len(summary.exits) * ((len(path.auto.instances) + len(path.auto.held)) // 8) ** 2)
        out = []
        asked = self._asked(callee, name, args, path.env)
        known = truth(path.env, path.env.get(asked)) if asked else None
        if any(leave.env and leave.env[0][0][0] == "&" for leave in summary.exits):
            for key in [k for k in path.env if k.startswith(f"({temp}&")]:
                del path.env[key]  # bits of what it returned the last time
        after = self._after(path.env, frame, code)
        posed = {param: arg for (param, _), arg in zip(code.fn.params, args, strict=False) if arg[0] in ("op", "!") and param in code.kept}
        for leave in summary.exits:
            answer = truth({}, leave.value) if asked else None
            if known is not None and answer is (not known):
                continue  # the same question of the same number was answered otherwise on this path
            back = self._return(path, leave, frame, code, after, temp, dest, trail, pos, posed)
            if aside or len(back.auto.instances) > 1:
                back.auto = with_instances(back.auto, world.automata.canonical({*back.auto.instances, *aside}))
            if entry is not None:
                self._handed_back(back, entry, lazy, pos)
            if answer is not None:
                back.env[asked] = "nz" if answer else 0
            out.append(back)
        return out

    def _asked(self, callee: int, name: str, args: tuple[Expr, ...], env: Env) -> str:
        """What a call is as a question, if its answer hangs on nothing but numbers that it is given: it does nothing, and looks at
        nothing through a pointer. Otherwise nothing."""
        fn = self._world.code(callee).fn
        if not args or not fn.static or self._world.events[callee] or any(type_.endswith("*") for _, type_ in fn.params):
            return ""
        texts = [resolve(env, arg[1]) if arg[0] == "v" else text_of(arg) if arg[0] in "nk" else None for arg in args]
        return "" if None in texts else f"{name}({','.join(text for text in texts if text)})"

    def _handed_back(self, path: Path, entry: Entry, lazy: int, pos: int) -> None:
        """A callback is over: the walker leaves the mode and drops its lock."""
        path.auto = path.auto._replace(lazy=lazy)
        if entry.ptl and any(lock[0] == entry.ptl for lock in path.auto.held):
            self._effects.apply(path, "ptl.release", {"ptl": ("v", entry.ptl)}, NO_BITS, Call("the page walk", pos, entry.level, "", ""))

    def _after(self, env: Env, frame: Frame, code: Code, beyond: Iterable[str] = ()) -> Env:
        """What is still known once a call is over, whichever way it was left. ``beyond``: facts of the callee on what it has counted up."""
        env = dict(env)
        kinds = self._world.events[code.index]
        if not kinds.isdisjoint(CHANGES):
            env.pop(QUIET, None)
            for pointer in {v[4] for v in env.values() if type(v) is tuple and v[0] == "e" and v[2] == "read" and v[4] and v[4][0] != "~"}:
                if frame.into(pointer) is not None:
                    unread(env, pointer)  # it was told to the callee, which tells whether the entry still holds that
        if not kinds.isdisjoint(_UNSETTLES):
            forget_spans(env)
            env.pop("@settled", None)
        ahead: dict[str, Value] = {}
        for key in beyond:
            if (outer := frame.text(key, False)) is not None:
                ahead |= advance(env, outer[len(BEYOND) :])
        flow = self._world.flows.of(code.index)
        for written in flow.writes:
            outer = frame.back(written)
            if outer is not None:
                if written in flow.raised:
                    ahead |= above(env, outer)
                forget(env, outer)
        env.update(ahead)
        text = "\0".join(env)
        if EMPTIED in text:
            for fact in [k for k in env if k.startswith(EMPTIED) and frame.into(k[len(EMPTIED) :]) is not None]:
                del env[fact]  # it was told to the callee, which tells whether it still holds
        if UNFILLED in text:
            for fact in [k for k in env if k.startswith(UNFILLED) and (not kinds.isdisjoint(FILLS) or frame.into(k[len(UNFILLED) :]) is not None)]:
                del env[fact]
        return env

    def _return(self, path: Path, leave: Exit, frame: Frame, code: Code, after: Env, temp: str, dest: str, trail: Trail, pos: int,
                posed: Mapping[str, Expr]) -> Path:
        handed = type(leave.value) is tuple and leave.value[0] == "l"
        if handed:
            frame.hand_out(leave.value[1], dest or temp)
        beyond = [key for key, _ in leave.env if key.startswith(BEYOND)]
        if handed or beyond:  # names, or what was counted up, are other than after other ways out
            env = self._after(path.env, frame, code, beyond)
        else:
            env = dict(after)
        for number in {v[1] for v in (leave.value, *(v for _, v in leave.env)) if type(v) is tuple and v[0] == "e" and v[1] >= 0}:
            drop_number(env, number)  # the callee's site gives a new value each time
        learned: list[tuple[Expr, bool]] = []
        for key, value in leave.env:
            if key[0] == "&":
                env[f"({temp}&{key[len(RESULT_BIT) :]})"] = value  # type: ignore[assignment]
                continue
            if key == RESULT_LOST:
                if temp in self._conditions.followed:
                    env[lost(temp)] = 2
                continue
            if key[0] == ".":
                self._structs.add(temp)
                if (moved := frame.value_out(value)) is not None:  # type: ignore[arg-type]
                    env[temp + key] = moved
                continue
            outer_key = frame.text(key, False)
            if outer_key is not None:
                moved = frame.value_out(value)  # type: ignore[arg-type]
                if moved is None and type(value) is tuple and (known := truth(dict(leave.env), value)) is not None:  # type: ignore[arg-type]
                    moved = "nz" if known else 0  # a copy of an argument without a name
                if moved is not None and key in code.kept:
                    if (known := truth(env, moved)) is not None:
                        learned.append((("v", outer_key), known))
                elif moved is not None:
                    env[outer_key] = moved
                    if "." in outer_key and "->" not in outer_key:
                        self._structs.add(outer_key.rpartition(".")[0])
                    if type(moved) is tuple and moved[0] == "e" and moved[2] == "read" and outer_key == "*" + moved[4]:
                        _tie(env, moved)
                elif key in code.writes and outer_key in self._conditions.followed:
                    env[lost(outer_key)] = 1  # something that has no name here
            elif key in posed and (known := truth({}, value)) is not None:  # type: ignore[arg-type]
                learned.append((posed[key], known))
        env.pop(temp, None)
        returned = frame.value_out(leave.value)
        if returned is not None:
            env[temp] = returned
        back = Path(self._state_back(leave, frame), env, (trail, (0, "inside", leave.trail, "")))
        for asked, known in learned:
            question = ask(env, asked)
            if question.known is None and question.key is not None:
                self._learn(back, question.key, known != question.negated, pos)
        return back

    def _state_back(self, leave: Exit, frame: Frame) -> Auto:
        """The state behind a call. Values that it made go by the same numbers as those that it made when it was called before."""
        auto = leave.auto
        if not auto.instances:
            return frame.state_out(auto)
        made = {key for instance in auto.instances for key in instance[2] if type(key) is int and key > 0}
        made |= {v[1] for v in (leave.value, *(v for _, v in leave.env)) if type(v) is tuple and v[0] == "e" and v[1] > 0}
        old = frame.stand_for(made)
        if not old:
            return frame.state_out(auto)
        automata = self._world.automata
        auto = frame.state_out(with_instances(auto, tuple(automata.earlier(auto.instances, old))))
        return with_instances(auto, ordered(automata.merged(set(auto.instances))))

    def _adopt(self, summary: Summary, frame: Frame, path: Path, trail: Trail) -> None:
        """Violations in the callee of an obligation that this function or one of its callers created."""
        for hit in summary.hits:
            if hit.origin >= 0:
                continue
            origin = frame.number_out(hit.origin)
            if not self._worth((hit.rule, origin, hit.act, hit.kind)):
                continue
            keys = tuple(frame.key_out(k) for k in hit.keys)
            objects = tuple((k, frame.key_out(v)) for k, v in hit.objects)
            before = self._history(trail)
            story = (*before, *hit.story)
            self._hit(Hit(hit.rule, hit.state, origin, keys, hit.act, hit.kind, hit.name, hit.say, objects, (*_plain(before), *hit.trail), story, self._entry))

    def _worth(self, key: tuple[object, ...]) -> bool:
        """Whether to tell a violation's story once more: the first ways there are found first, and stories are long."""
        tries = self._tries[key] = self._tries.get(key, 0) + 1
        return tries <= MAX_STORIES

    def _hit(self, hit: Hit) -> None:
        key = (hit.rule, hit.origin, hit.act, hit.kind)
        old = self._hits.get(key)
        if old is None or len(hit.trail) < len(old.trail):
            self._hits[key] = hit

    def emit(self, path: Path, event: Event, pos: int) -> None:
        """See Listener."""
        if path.auto.instances:
            self._met.update(path.auto.instances)
        instances, bad, changed = self._world.automata.apply(path.auto.instances, event)
        if bad and event.lazy > 0 and any(v.mend for v in bad):
            instances, bad, changed = self._taken_as_left(path, event, bad)
        if bad:  # one report for one obligation: what else started at the same place is silent from here on
            told = {(v.rule, v.instance[3] if v.instance is not None else event.site) for v in bad}
            instances = tuple(i for i in instances if (i[0], i[3]) not in told)
        if changed or bad:
            path.auto = with_instances(path.auto, instances)
        for violation in bad:
            instance: Instance | None = violation.instance
            placed = instance is not None and instance[1] not in self._world.automata.rules[violation.rule].placed_at_act
            origin = instance[3] if instance is not None and placed else event.site
            if not self._worth((violation.rule, origin, event.site, event.kind)):
                continue
            keys = instance[2] if instance is not None else ()
            objects = tuple(sorted((k, v) for k, v in event.objects.items() if isinstance(v, str | int | tuple)))
            state = instance[1] if instance is not None else "start"
            story = self._history(path.trail)
            self._hit(Hit(violation.rule, state, origin, keys, event.site, event.kind, event.name, violation.say, objects, _plain(story), tuple(story),
                          self._entry))

    def _taken_as_left(self, path: Path, event: Event, bad: list[Violation]) -> tuple[tuple[Instance, ...], list[Violation], bool]:
        """What an event does once it is told that lazy MMU mode is still on: one slip is told once, so from here on the mode counts as left."""
        told = [violation for violation in bad if violation.mend]
        over = {violation.instance for violation in told}
        path.auto = path.auto._replace(lazy=TOLD, paused=0)
        event.lazy = TOLD
        instances, more, _ = self._world.automata.apply(tuple(i for i in path.auto.instances if i not in over), event)
        return instances, [*told, *more], True

    def _history(self, trail: Trail) -> list[Record]:
        """The records from the function's entry to the head of ``trail``, oldest first."""
        return _history(self._node, trail)

    def _leave(self, node: Node, path: Path) -> None:
        if path.auto[4]:
            self._collect(path)
        _, kind, cond, succs, pos = self._blocks[node.block]
        apart: Apart | None = None
        if self._ends[node.block].idle:
            if node.apart is None:
                node.apart = presence(node.env)
            apart = node.apart
        if kind == "jump":
            if self._ends[node.block].drops != () or self._code.settled:
                self._drop_temps(node, path.env)
            self._reach(succs[0], path, node, apart)
        elif kind == "branch" and cond is not None:
            self._branch(node, path, cond, succs, pos, apart)
        elif kind == "return":
            self._exit(path, cond, pos)

    def _collect(self, path: Path) -> None:
        """Instances about a value of this function, or of one that it called, that no variable holds any more can never move: they go."""
        automata = self._world.automata
        numbers = automata.bound_values(path.auto.instances)
        if numbers and not numbers <= (alive := _held(path.env.values())):
            dead = numbers - alive
            path.auto = with_instances(path.auto, tuple(i for i in path.auto.instances if automata.value_bound(i) not in dead))

    def _drop_temps(self, node: Node, env: Env) -> None:
        """Temps do not live past their block unless a later one reads them."""
        drops = self._ends[node.block].drops
        if drops is None:
            lasting = self._code.lasting
            drops = tuple(key for key in env if key[0] == "%" and key not in lasting) if "%" in "\0".join(env) else ()
        for temp in drops:
            env.pop(temp, None)
        if self._code.settled:
            for name in self._code.settled[node.block]:
                env.pop(name, None)

    def _branch(self, node: Node, path: Path, cond: Expr, succs: tuple[int, ...], pos: int, apart: Apart | None) -> None:
        """``apart``: the presence facts of the path, when they are known."""
        if node.block in self._spans.guards and widened(resolve(path.env, self._spans.guards[node.block])) in path.env:
            self._drop_temps(node, path.env)
            self._reach(succs[1 - self._guards[node.block]], path, node, apart)
            return
        asked = self._ends[node.block].asked
        if asked is not None and self._simple(node, path, asked, succs, pos, apart):
            return
        if cond[0] == "v" and cond[1][0] == "*" and cond[1] not in self._code.numbers:
            self._effects.value_of(path, cond, pos)
            apart = None
        question = ask(path.env, cond)
        if question.known is not None:
            if question.told is not None:
                self._tell(path, *question.told, pos)
            elif path.auto.instances and node.block in self._guards:
                self._doubt(path, node.block, cond, "", 1 - question.known, pos)
            self._drop_temps(node, path.env)
            self._reach(succs[0 if question.known else 1], path, node, apart)
            return
        other = path.fork()
        key = question.key
        alike = key is None or ("#" not in key and key[:5] != "same@" and type(path.env.get(key)) is not tuple)
        for one, outcome in ((path, True), (other, False)):
            if one.auto.instances and node.block in self._guards:
                self._doubt(one, node.block, cond, question.key or "", 1 - outcome, pos)
            if self._assume(one, question, outcome, pos) and self._still(one.env, cond, outcome):
                if self._spans.kept and (wide := self._spans.reached(cond, outcome)):
                    one.env[widened(resolve(one.env, wide))] = 1
                self._drop_temps(node, one.env)
                if apart is None or not alike:  # else what is learned is about no entry
                    apart = presence(one.env)
                self._reach(succs[0 if outcome else 1], one, node, apart)

    def _simple(self, node: Node, path: Path, asked: tuple[str, bool], succs: tuple[int, ...], pos: int, apart: Apart | None) -> bool:
        """A branch on a variable of which nothing is known, or whether it is zero; False when more is to be done about it."""
        name, negated = asked
        env = path.env
        held = env.get(name)
        if held is None:
            self._drop_temps(node, env)
            if apart is None:
                apart = presence(env)  # what is learned now is about no entry
            other = path.fork()
            site = self._number(pos)
            for one, at, holds in ((path, succs[0], not negated), (other, succs[1], negated)):
                if one.auto.instances and node.block in self._guards:
                    self._doubt(one, node.block, ("v", name), name, int(at == succs[1]), pos)
                one.env[name] = "nz" if holds else 0
                one.trail = (one.trail, (site, "branch", name, "true" if holds else "false"))
                self._reach(at, one, node, apart)
            return True
        if held == "nz" or type(held) is int:
            side = int((held != 0) == negated)
            if path.auto.instances and node.block in self._guards:
                self._doubt(path, node.block, ("v", name), "", side, pos)
            self._drop_temps(node, env)
            self._reach(succs[side], path, node, apart)
            return True
        return False

    def _still(self, env: Env, cond: Expr, outcome: bool) -> bool:
        """Take note of the one number that a variable of a few can still hold. False if there is none."""
        if not self._code.domains or cond[0] != "op":
            return True
        name = cond[2][1] if cond[2][0] == "v" else cond[3][1] if cond[3][0] == "v" else ""
        found = left(cond, outcome, self._code.domains, env.get(name))
        if found is not None and len(found[1]) == 1 and type(env.get(name)) is not tuple:
            env[name] = next(iter(found[1]))
        return found is None or bool(found[1])

    def _doubt(self, path: Path, block: int, cond: Expr, key: str, side: int, pos: int) -> None:
        """A way that passes over a flush, by a condition that is not followed: take it that none was needed. ``key`` is what was asked, "" if
        the answer is known."""
        known = self._conditions
        if self._guards[block] != side:
            return
        if (key and is_lost(path.env, (*tokens(key), *paths_in(cond))) and known.about_flush(cond)) or known.found_early(cond):
            trail = path.trail
            self._effects.event(path, "flush.maybe", {}, NO_BITS, "", pos, "flush")
            path.trail = trail

    def _assume(self, path: Path, question: Question, outcome: bool, pos: int) -> bool:
        if question.key is None:
            return True
        if not self._learn(path, question.key, outcome != question.negated, pos):
            return False
        if question.first is not None:
            path.env[question.first] = int(outcome != question.negated)
        if question.equals is not None and outcome != question.negated:
            name, value = question.equals
            path.env[name] = value
        elif question.equals is not None:
            exclude(path.env, *question.equals)
        return True

    def _learn(self, path: Path, key: str, outcome: bool, pos: int) -> bool:
        """Take ``key`` to be true or false; a predicate on an entry or page is an event for the rules."""
        learn(path.env, key, outcome)
        if "+" in key and key[0] == "(":
            path.env.update(follows(path.env, key, outcome))
        path.trail = (path.trail, (self._number(pos), "branch", key, "true" if outcome else "false"))
        if key.startswith("same@"):
            if outcome:
                one, two = key[5:].split("=")
                _share(path.env, one, two)
                _confirm(path.env, int(one), int(two))
        elif "#" in key:
            self._tell(path, key, outcome, pos)
        return True

    def _tell(self, path: Path, key: str, outcome: bool, pos: int) -> None:
        """The answer to a predicate on an entry or page, for the rules: what they wait for may have begun after it was asked first."""
        mark = key.find("#")
        if mark > 0:
            subject = key[mark + 1 :]
            number = subject.lstrip("-").isdigit()
            objects: dict[str, object] = {"value": int(subject)} if number else {"page": subject}
            value = next((v for v in path.env.values() if type(v) is tuple and v[0] == "e" and number and v[1] == int(subject)), None)
            self._effects.event(path, f"test.{key[:mark]}", objects, NO_BITS, "", pos, key[:mark], truth=outcome, value=value)

    def _exit(self, path: Path, cond: Expr | None, pos: int) -> None:
        value = evaluate(path.env, cond) if cond is not None else None
        if value is None and cond is not None:
            value = self._as_asked(path.env, cond)
        returned = value[1] if type(value) is tuple and value[0] == "e" else 0
        for kind, what, owned in self._code.owned:
            self._effects.event(path, kind + ".leave", {what: owned}, NO_BITS, "", pos, "return")
        if self._settles:
            self._effects.event(path, "settle", {}, NO_BITS, "", pos, "return")
        if self._is_root:
            self._effects.event(path, "exit", {"value": returned or ""}, NO_BITS, "", pos, "return")
        auto = self._outward(path)
        known = truth(path.env, value)
        leaves = self._code.leaves
        env = {k: v for k, v in path.env.items() if (leaves[k] if k in leaves else self._leaves(k))}
        seen = _held((*env.values(), value))
        env = {k: v for k, v in env.items() if (mark := k.find("#")) < 0 or not k[mark + 1 :].isdigit() or int(k[mark + 1 :]) in seen}
        bound = self._world.automata.value_bound
        if auto.instances:
            auto = with_instances(auto, tuple(i for i in auto.instances if (n := bound(i)) <= 0 or n in seen))
        apart = tuple(found for found in presence(path.env) if found[0] < 0 or found[0] == returned)
        blank = (*auto[:4], self._world.automata.nameless(auto.instances))
        key = (blank, known, value if type(value) is not tuple or value[0] != "term" else None, apart)
        if cond is not None and (value is None or type(value) is tuple):
            self._result(path.env, cond, env)
        if cond is not None and cond[0] == "v" and known is not False:
            env.update((RESULT_BIT + text, "nz") for bit in known_bits(path.env, cond[1]) if (text := text_of(bit)) is not None)
        held = self._exits.get(key)
        if held is None:
            self._exits[key] = (Exit(auto, value, (), (self._node, path.trail)), env)
        else:
            merge(held[1], env)

    def _result(self, env: Env, cond: Expr, out: Env) -> None:
        """What is said of a result that is no number: its members, or that it is something which is not followed."""
        out.update(self._members(env, cond))
        if strays(env, cond):
            out[RESULT_LOST] = 1

    def _as_asked(self, env: Env, cond: Expr) -> Value | None:
        """A result that is known, or as true as what was passed in: ``return !start_pte;``."""
        question = ask(env, cond)
        if question.known is not None:
            return int(question.known)
        if (empty := self._spans.known(env, cond)) is not None:
            return int(empty)
        if question.key is not None and "#" in question.key and cond[0] == "op" and not question.key.startswith(PAGE_OF):
            return ("term", question.key, question.negated)  # pte_dirty(pte) != 0
        if question.key is None or not tokens(question.key) or not tokens(question.key) <= self._code.kept:
            return None
        return ("term", question.key, question.negated, "copy") if cond[0] == "v" else ("term", question.key, question.negated)

    def _leaves(self, key: str) -> bool:
        """Whether what is known as ``key`` may mean something to a caller."""
        known = key[0] not in "%@" and (key[0] == "*" or "->" in key or "#" in key or self._speaks_of_kept(key)) and "::" not in key
        self._code.leaves[key] = known
        return known

    def _speaks_of_kept(self, key: str) -> bool:
        return key in self._code.kept or ("(" in key and all(name in self._code.kept or self._goes_out(name) for name in tokens(key)))

    def _goes_out(self, name: str) -> bool:
        """Whether a path is what a parameter points to."""
        return (name[0] == "*" or "->" in name) and root(name) in self._code.kept

    def _outward(self, path: Path) -> Auto:
        """A lock taken here and handed out through *ptlp or the returned value gets that name."""
        names = {v[1]: k for k, v in path.env.items()
                 if type(v) is tuple and (v[0] == "l" or (v[0] == "term" and len(v) > 3)) and (k[0] == "*" or "->" in k)}
        auto = path.auto
        if names and any(h[0] in names for h in auto.held):
            held = tuple(sorted((names.get(s, s), level, mark) for s, level, mark in auto.held))
            instances = tuple((r, s, tuple(names.get(k, k) if isinstance(k, str) else k for k in keys), o) for r, s, keys, o in auto.instances)
            auto = auto._replace(held=held, instances=instances)
        return auto


def _is_count(name: str, expr: Expr) -> bool:
    """Whether a variable is raised by how many entries were dealt with."""
    return bool(expr[0] == "op" and expr[1] == "+" and expr[2] == ("v", name) and expr[3][0] == "v" and is_count(expr[3][1]))


def _results(env: Env, names: tuple[str, ...]) -> tuple[Value | None, ...]:
    """The numbers or names of constants that these hold; a size is no state."""
    out: list[Value | None] = []
    for name in names:
        held = env.get(name)
        out.append(held if type(held) is int or (type(held) is tuple and held[0] == "k" and truth({}, held) is None) else None)
    return tuple(out)
def _tie(env: Env, read: tuple) -> None:  # type: ignore[type-arg]
    """What an entry still holds is what variables hold that were read from it."""
    for key, value in env.items():
        if type(value) is tuple and value[0] == "e" and value[1] == read[1] and value[2] == "read" and not value[4]:
            env[key] = (*value[:4], read[4])


def _share(env: Env, one: str, other: str) -> None:
    """Two entry values are equal: what is known of one holds for the other."""
    for word in ("present", "none", "nonpresent", "mapped"):
        for here, there in ((one, other), (other, one)):
            if f"{word}#{here}" in env:
                env.setdefault(f"{word}#{there}", env[f"{word}#{here}"])


def _confirm(env: Env, one: int, two: int) -> None:
    """A value that was read earlier, or handed in, is what an entry holds: it is as old as what it was compared with."""
    origins = {v[1]: (v[2], v[4]) for v in env.values() if type(v) is tuple and v[0] == "e" and v[1] in (one, two)}
    for number, other in ((one, two), (two, one)):
        origin, pointer = origins.get(number, ("", ""))
        if origin == "read" and pointer[:1] not in ("", "~") and origins.get(other, ("", "")) in (("unknown", ""), ("read", "~" + pointer)):
            env[f"{CONFIRMED}{other}"] = ("e", number, "read", "", pointer)


def _held(values: Iterable[object]) -> set[int]:
    """Numbers of the entry values that these hold, or whose page they name."""
    out = set()
    for value in values:
        if type(value) is tuple:
            if value[0] == "e":
                out.add(value[1])
            elif value[0] == "term" and (mark := value[1].find("#")) >= 0 and value[1][mark + 1 :].isdigit():
                out.add(int(value[1][mark + 1 :]))
    return out


def asked_of(env: Env, expr: Expr) -> int:
    """The number of the entry value of which a question was asked whose answer this is; 0 for none."""
    held = evaluate(env, expr) if expr[0] in "vt!" else None
    if type(held) is not tuple or held[0] != "term":
        return 0
    number = held[1].rpartition("#")[2]
    return int(number) if number.isdigit() else 0


def _answers_in(env: Env, below: str) -> set[int]:
    """The numbers of entry values of which members of a structure hold an answer."""
    held = [v[1] for k, v in env.items() if k.startswith(below) and type(v) is tuple and v[0] == "term"]
    return {int(number) for text in held if (number := text.rpartition("#")[2]).isdigit() and "#" in text}


def _reaches(number: int, handed: set[int]) -> bool:
    """Whether a callee can do anything about an instance that hangs on one value: only when it gets that value."""
    return number == 0 or number in handed


def _dedupe(paths: list[Path]) -> list[Path]:
    """Paths of one block that agree on the hashable state merge at once."""
    kept: dict[tuple[object, ...], Path] = {}
    for path in paths:
        key = (path.auto, presence(path.env), tuple((k, v) for k, v in path.env.items() if k[0] == "%"))
        old = kept.get(key)
        if old is None:
            kept[key] = path
        else:
            merge(old.env, path.env)
    return list(kept.values())


def _history(node: Node | None, trail: Trail) -> list[Record]:
    """Records from the function's entry through the nodes to the head of ``trail``; what happened inside calls is unfolded in place."""
    parts = [_steps(trail)]
    while node is not None:
        parts.append(_steps(node.trail))
        node = node.before
    return [record for part in reversed(parts) for record in part]


def _plain(records: Iterable[Record]) -> tuple[tuple[int, str, str, str], ...]:
    """What is compared of records, and printed."""
    return tuple((site, kind, text, more if kind == "branch" else "") for site, kind, text, more in records)


def _steps(trail: Trail) -> list[Record]:
    out: list[Record] = []
    while trail is not None:
        record = trail[1]
        if record[1] == "inside":
            out.extend(reversed(_history(*record[2])))
        else:
            out.append(record)
        trail = trail[0]
    out.reverse()
    return out
