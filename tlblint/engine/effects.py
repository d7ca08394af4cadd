"""What a call with a role does to a path: locks, lazy depth, entry values; and the event that the rules see."""

from __future__ import annotations

from collections.abc import Callable

from tlblint.engine.automata import OPEN_GATHER
from tlblint.engine.bounds import below
from tlblint.engine.code import Call
from tlblint.engine.compile import ENTRY_NAME, PTL_NAME, paths_in, text_of
from tlblint.engine.events import Event, Instance
from tlblint.engine.state import Auto, Path
from tlblint.engine.values import SAME_PAGE, Env, Value, evaluate, forget, learn, mapped_by, reads_of, resolve, same_page, truth
from tlblint.model.ir import Expr

CHANGES = frozenset({"entry.clear", "entry.start", "entry.commit", "entry.demote", "entry.clean", "entry.install", "entry.young"})
"""After these something may be left to flush."""

NO_BITS: frozenset[str] = frozenset()
RECORDS = frozenset({"flush.record", "unmap.defer", "generation.take"})
QUIET = "@quiet"
"""The fact that no entry was changed since the last page table lock was taken, or since the last record."""
SPAN = "@span:"
"""With what a flush was of: the site of that flush, as long as nothing changed since."""
ENDS_SPAN = frozenset({"entry.promote", "ptl.acquire", "ptl.release", "lazy.leave"})
EMPTIED = "emptied#"
"""Before a pointer: the entry was taken out through it under this lock, and nothing was stored since. 1 if the old value was dropped."""
_AGAIN = frozenset({"again"})
CONFIRMED = "confirmed#"
"""Before the number of an entry value: the value that was read of an entry and is the same."""
COMPARED = "compared#"
"""Before the number of an entry value: the one that it was compared with for whether a flush is needed."""
UNFILLED = "unfilled#"
"""Before a gather: it was begun here, and nothing was recorded in it since."""
RECORDED = "@recorded"
"""The fact that something was recorded in a gather in this function, and not flushed since."""
_NUMBER = {"clean": "c", "dirty": "d", "wrprotect": "w", "invalid": "i", "old": "o", "keep": "k", "modify": "m"}

LOWERED = frozenset("wmci")
"""What is done to a value so that the TLB may hold more than it allows: less permission, or dirty taken back."""


class Listener:
    """What effects tell events. ``base``: the number of the function's first site less one."""

    def __init__(self, base: int) -> None:
        self.base = base

    def deaf(self, kind: str, instances: tuple[Instance, ...]) -> bool:
        """Whether no rule hears such an event."""
        raise NotImplementedError

    def emit(self, path: Path, event: Event, pos: int) -> None:
        """Hand an event to the rules."""
        raise NotImplementedError


class Effects:
    """Applies effects for one function run. ``asked``: the guards that any rule asks."""

    def __init__(self, listener: Listener, advanced: frozenset[str], pointers: frozenset[str], says: frozenset[str], is_root: bool, walked: bool,
                 user: bool, asked: frozenset[str]) -> None:
        self._listener = listener
        self._base = listener.base
        self._advanced = advanced
        self._pointers = pointers
        self._says = says
        self._is_root = is_root
        self._walked = walked
        self._user = user
        self._settling, self._quieting = "settled" in asked, "nothing-changed" in asked

    def _number(self, pos: int) -> int:
        """The number of a site."""
        return self._base + pos + 1

    def lock_of(self, env: Env, expr: Expr, dest: str) -> str:
        """The symbol a lock goes by on this path."""
        if expr[0] == "t":
            held = env.get(f"%{expr[1]}")
            if type(held) is tuple and held[0] == "l":
                return str(held[1])
            return dest or f"%{expr[1]}"
        if expr[0] == "v":
            path = resolve(env, expr[1])
            for _ in range(4):
                held = env.get(path)
                if type(held) is not tuple:
                    break
                if held[0] == "l":
                    return str(held[1])
                if held[0] != "term" or len(held) < 4:
                    break
                path = held[1]
            return path
        return text_of(expr) or "?" if expr[0] != "&" else str(expr[1])

    def pointer_of(self, env: Env, expr: Expr) -> str:
        """The path of an entry pointer; the base for p + i; "" when it has none."""
        while expr[0] == "op" and expr[1] in "+-":
            expr = expr[2]
        if expr[0] == "v":
            path = resolve(env, expr[1])
            held = env.get(path)
            if type(held) is tuple and held[0] == "term" and len(held) > 3 and not held[2] and ("." in held[1] or "->" in held[1]) and held[1][-1] != ")":
                return str(held[1])  # pte = pvmw.pte
            return path
        if expr[0] == "&":
            return "&" + str(expr[1])
        return ""

    def text(self, env: Env, expr: Expr) -> str:
        """What an object goes by: its path, or that of what it is a plain copy of."""
        text = text_of(expr) or ""
        for _ in range(4):
            held = env.get(text)
            if not (type(held) is tuple and held[0] == "term" and not held[2] and len(held) > 3 and "(" not in held[1] and "#" not in held[1]):
                break
            text = str(held[1])
        return text

    def object_of(self, env: Env, expr: Expr) -> str:
        """The path of an object that is used through a pointer, whichever pointer: "tlb" for &tlb, "*tlb" for a pointer of that name."""
        if expr[0] == "&":
            return resolve(env, str(expr[1]))
        if expr[0] != "v":
            return ""
        path = resolve(env, expr[1])
        for _ in range(4):
            held = env.get(path)
            if type(held) is tuple and held[0] == "&":
                return str(held[1])
            if not (type(held) is tuple and held[0] == "term" and len(held) > 3):
                break
            path = resolve(env, str(held[1]))
        return "*" + path

    def is_entry_pointer(self, env: Env, path: str) -> bool:
        """Whether dereferencing ``path`` reads a page-table entry."""
        held = env.get(path)
        if type(held) is tuple and held[0] == "&":
            return False  # a variable, not a table
        return path in self._pointers or (type(held) is tuple and held[0] in "pm") or bool(ENTRY_NAME.search(path))

    def read_entry(self, path: Path, pointer: str, pos: int, level: str, name: str, exact: bool = True) -> Value:
        """A plain read through ``pointer``: a new numbered value, or the one already read and unchanged since. ``exact``: of the entry
        that it points to, not of one further on."""
        how = path.env.get(EMPTIED + pointer) if exact else None
        bits = "" if how is None else "nz" if how == 1 else "z"
        for known in reads_of(path.env, pointer):
            self.event(path, "entry.read", {"pte": pointer, "value": known[1]}, _AGAIN, level, pos, name)
            return known[:3] + (bits, pointer)
        number = self._number(pos)
        drop_number(path.env, number)
        self.event(path, "entry.read", {"pte": pointer, "value": number}, NO_BITS, level, pos, name)
        return ("e", number, "read", bits, pointer)

    def value_of(self, path: Path, expr: Expr, pos: int) -> Value | None:
        """The entry value an expression denotes; a bare *pte is a plain read."""
        held = evaluate(path.env, expr)
        if held is None and expr[0] == "v":
            where = resolve(path.env, expr[1])
            if where[0] == "*" and self.is_entry_pointer(path.env, where[1:]):
                held = path.env[where] = self.read_entry(path, where[1:], pos, "", "*" + where[1:])
                return held
            held = path.env[where] = ("e", self._number(pos), "unknown", "", "")
        return held

    def event(self, path: Path, kind: str, objects: dict[str, object], attrs: frozenset[str], level: str, pos: int, name: str,
              truth: bool | None = None, present: bool | None = None, value: Value | None = None) -> None:
        """Build the event and let the rules see it."""
        auto, env = path.auto, path.env
        if kind in CHANGES:
            env.pop("@settled", None)
            env.pop(QUIET, None)
        elif self._settling and kind in ("ptl.acquire", "flush.now", "enter"):
            env["@settled"] = 1  # nothing is left over: who changes entries flushes before the lock goes
        pointer = objects.get("pte")
        walked = self._walked
        kept = moved = False
        if isinstance(pointer, str):
            base = env.get(pointer)
            if "ptl" not in objects:
                objects["ptl"] = base[1] if type(base) is tuple and base[0] in "pm" and base[1] else tuple(h[0] for h in auto.held)
            walked = walked or pointer in self._advanced or (type(base) is tuple and base[0] in "pm" and len(base) > 2 and bool(base[2]))
        if kind != "enter":  # no part of a story, nor of what a finding is known by
            path.trail = (path.trail, (self._number(pos), kind, name, (objects, attrs, level, truth, value)))
        if self._listener.deaf(kind, auto.instances):
            self._quieten(env, kind)
            return
        bits, origin = "", ""
        if type(value) is tuple and value[0] == "e":
            bits, origin = value[3], value[2]
            kept = bool(value[4]) and value[4] == pointer
            moved = bool(value[4]) and value[4] != pointer
        self._listener.emit(path, Event(kind, objects, attrs, level, self._number(pos), truth, name, env, auto.held, auto.lazy if not auto.paused else 0,
                               auto.paused > 0, auto.pending, walked, present, bits, origin, kept, moved, self._user, self._says, self._is_root), pos)
        self._quieten(env, kind)

    def _quieten(self, env: Env, kind: str) -> None:
        if self._quieting and (kind in RECORDS or kind == "ptl.acquire"):
            env[QUIET] = 1
        if kind in CHANGES or kind in ENDS_SPAN:
            forget_spans(env)

    def apply(self, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
        """One effect of one call."""
        if "tlb" in binds:
            attrs = self._filled(path.env, kind, binds["tlb"], attrs)
        handler = _HANDLERS.get(kind)
        if handler is not None:
            handler(self, path, kind, binds, attrs, call)
            return
        objects: dict[str, object] = {}
        for key, expr in binds.items():
            objects[key] = _NAMES.get(key, Effects.text)(self, path.env, expr)
        self.event(path, kind, objects, attrs, call.level, call.pos, call.name)
        if kind in FILLS:
            path.env[RECORDED] = 1
        elif kind in ("flush.gather", "gather.begin"):
            path.env.pop(RECORDED, None)
        if kind == "gather.begin":
            path.auto = path.auto._replace(pending=path.auto.pending | OPEN_GATHER)
        elif kind == "gather.end":
            path.auto = path.auto._replace(pending=path.auto.pending & ~OPEN_GATHER)

    def _filled(self, env: Env, kind: str, tlb: Expr, attrs: frozenset[str]) -> frozenset[str]:
        """Follow whether anything was recorded in a gather since it was begun; a flush of one that holds nothing is "empty"."""
        fact = UNFILLED + self.object_of(env, tlb)
        if kind == "gather.begin":
            if "full" not in attrs:
                env[fact] = 1
        elif kind == "flush.gather":
            return attrs | {"empty"} if env.get(fact) == 1 else attrs
        elif kind not in _LEAVES_UNFILLED:
            env.pop(fact, None)
        return attrs


FILLS = frozenset({"flush.record", "page.defer", "table.free", "gather.mark"})
"""After these a gather may hold something."""
_LEAVES_UNFILLED = frozenset({"gather.vma", "gather.end", "gather.declare", "gather.leave", "gather.read", "gather.touch"})


_NAMES: dict[str, Callable[[Effects, Env, Expr], str]] = {"pte": Effects.pointer_of, "tlb": Effects.object_of, "range": Effects.object_of}
"""How objects are told apart; everything else by the text of its path."""


def forget_spans(env: Env) -> None:
    """What was flushed may have changed."""
    if SPAN in "\0".join(env):
        for key in [k for k in env if k.startswith(SPAN)]:
            del env[key]


def is_ptl(env: Env, symbol: str) -> bool:
    """Whether a spinlock is a page table lock: by its name, or by the name of what was passed for it."""
    return bool(PTL_NAME.search(symbol)) or f"ptl@{symbol}" in env


def drop_number(env: Env, number: int) -> None:
    """A value number is about to be reused: forget what was known of its last bearer."""
    mark = f"#{number}"
    for key in [k for k, v in env.items() if k.endswith(mark) or (type(v) is tuple and ((v[0] == "e" and v[1] == number) or
                (v[0] == "term" and v[1].endswith(mark))))]:
        del env[key]


def unread(env: Env, pointer: str | None) -> list[tuple[str, tuple]]:  # type: ignore[type-arg]
    """Plain reads through ``pointer`` are no longer what the entry holds; with None, a lock was taken or dropped: what was read before
    is remembered under "~pointer", as code that goes on with it compares the entry again. Returns the reads."""
    if pointer is not None:
        env.pop(EMPTIED + pointer, None)
    elif EMPTIED in "\0".join(env):
        for key in [k for k in env if k.startswith(EMPTIED)]:
            del env[key]
    found = [(k, v) for k, v in env.items() if type(v) is tuple and v[0] == "e" and v[2] == "read" and v[4] and (pointer is None or v[4] == pointer)]
    for key, value in found:
        if key[0] == "*" or key.startswith(CONFIRMED):
            del env[key]
        elif pointer is not None:
            env[key] = (*value[:4], "")
        elif value[4][0] != "~":
            env[key] = (*value[:4], "~" + value[4])
    return found


def _acquire(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    expr = binds.get("ptl") or binds.get("lock") or ("?",)
    symbol = self.lock_of(path.env, expr, call.dest if expr[0] == "t" else "")
    if kind == "lock.acquire" and not is_ptl(path.env, symbol):
        return
    if expr[0] == "v" and "out" in attrs:
        symbol = resolve(path.env, expr[1])
        forget(path.env, symbol)
    if expr[0] == "t":
        path.env[f"%{expr[1]}"] = ("l", symbol)
    unread(path.env, None)
    auto = path.auto
    if all(h[0] != symbol for h in auto.held):
        known = path.env.get("level@" + symbol)
        if type(known) is tuple and "pte" not in binds:
            call = call._replace(level=known[1])
        elif kind == "ptl.acquire" and call.level not in ("", "pte"):
            path.env["level@" + symbol] = ("k", call.level)  # it may be dropped and taken again by its name
        mark = "rmap" if "rmap" in attrs else ""
        path.auto = auto._replace(held=tuple(sorted((*auto.held, (symbol, call.level, mark)))))
    pte = binds.get("pte")
    if pte is not None and "rmap" not in attrs:
        if pte[0] == "t":
            path.env[f"%{pte[1]}"] = ("p", symbol)
        elif pte[0] == "v":
            path.env[resolve(path.env, pte[1])] = ("p", symbol)
    self.event(path, "ptl.acquire", {"ptl": symbol, "mm": self.text(path.env, binds["mm"]) if "mm" in binds else ""}, attrs, call.level, call.pos, call.name)


def _release(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    expr = binds.get("ptl") or binds.get("lock") or ("?",)
    symbol = self.lock_of(path.env, expr, call.dest if expr[0] == "t" else "")
    if kind == "lock.release" and not is_ptl(path.env, symbol) and all(h[0] != symbol for h in path.auto.held):
        return
    symbol = _known_as(path, symbol)
    if "rmap" in attrs and all(h[0] != symbol for h in path.auto.held):
        return
    self.event(path, "ptl.release", {"ptl": symbol}, attrs, call.level, call.pos, call.name)
    unread(path.env, None)
    path.auto = path.auto._replace(held=tuple(h for h in path.auto.held if h[0] != symbol))


def _known_as(path: Path, symbol: str) -> str:
    """The name under which a lock is held: that of another where the code has found the two equal."""
    names = [lock[0] for lock in path.auto.held]
    if symbol in names:
        return symbol
    return next((name for name in names if truth(path.env, path.env.get("({}=={})".format(*sorted((name, symbol)))))), symbol)


def _lookup(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    expr = binds.get("ptl", ("?",))
    symbol = call.dest if expr[0] == "t" else ""
    if expr[0] == "v":
        symbol = resolve(path.env, expr[1])
        forget(path.env, symbol)
    elif expr[0] == "t":
        path.env[f"%{expr[1]}"] = ("l", call.dest or f"{call.name}()_lockptr(")
    if symbol:
        path.env["level@" + symbol] = ("k", call.level)
    pte = binds.get("pte")
    if pte is not None and pte[0] == "t" and symbol:
        path.env[f"%{pte[1]}"] = ("m", symbol)


def _lazy(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    self.event(path, kind, {"ptl": tuple(h[0] for h in path.auto.held)}, attrs, call.level, call.pos, call.name)
    auto: Auto = path.auto
    if auto.paused and kind in ("lazy.enter", "lazy.leave"):
        return
    if kind == "lazy.enter":
        path.auto = auto._replace(lazy=min(max(auto.lazy, 0) + 1, 3))
    elif kind == "lazy.leave":
        path.auto = auto._replace(lazy=max(auto.lazy - 1, 0))
    elif kind == "lazy.pause":
        path.auto = auto._replace(paused=min(auto.paused + 1, 3))
    elif kind == "lazy.resume":
        path.auto = auto._replace(paused=max(auto.paused - 1, 0))


def _flag(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    """A flag or one bit of a word of them: known by where it is."""
    expr = binds.get("flag", ("?",))
    name = resolve(path.env, str(expr[1])) if expr[0] in "v&" else ""
    if "bit" in binds:
        name += ":" + (text_of(binds["bit"]) or "?")
    self.event(path, kind, {"flag": name}, attrs, call.level, call.pos, call.name)


def _flush(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    """What is flushed is remembered by the expressions that say so, until one of their variables or an entry changes."""
    objects: dict[str, object] = {name: self.text(path.env, expr) for name, expr in binds.items() if name in ("vma", "mm")}
    if {"addr", "end"} <= binds.keys() and (start := self.text(path.env, binds["addr"])) == self.text(path.env, binds["end"]) and start and "%" not in start:
        return  # an empty range
    if _begins_late(binds.get("addr"), binds.get("end")):
        return  # the first entry is left out
    parts = [self.text(path.env, binds[name]) for name in ("vma", "addr", "end") if name in binds] or [str(objects.get("mm", ""))]
    span = f"{SPAN}flush({','.join(parts)})" if all(parts) and not any("%" in part for part in parts) else ""
    before, site = path.env.get(span), self._number(call.pos)
    if before is not None and before != site:
        attrs = attrs | {"again"}
    self.event(path, kind, objects, attrs, call.level, call.pos, call.name)
    if span:
        path.env[span] = site


def _begins_late(start: Expr | None, end: Expr | None) -> bool:
    """Whether a range begins one page or more after what its other end knows nothing of: "start + PAGE_SIZE, end"."""
    if start is None or end is None or start[:2] != ("op", "+") or start[3][0] not in "kn" or start[2][0] != "v":
        return False
    return start[2][1] not in paths_in(end)


def _pending(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    self.event(path, kind, {"mm": self.text(path.env, binds.get("mm", ("?",)))}, attrs, call.level, call.pos, call.name)
    gather = path.auto.pending & OPEN_GATHER
    count = path.auto.pending - gather + (1 if kind == "pending.inc" else -1)
    path.auto = path.auto._replace(pending=max(0, min(count, OPEN_GATHER - 1)) | gather)


def _notifier_init(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    """Fills in the range: code asks ``range.start`` later whether it did."""
    name = self.object_of(path.env, binds.get("range", ("?",)))
    if name:
        start, end = ((f"{name[1:]}->{what}" if name[0] == "*" else f"{name}.{what}") for what in ("start", "end"))
        path.env[start] = "nz"
        path.env.update(below(start, end))  # nobody invalidates nothing
    self.event(path, kind, {"range": name}, attrs, call.level, call.pos, call.name)


def _read(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    pointer = self.pointer_of(path.env, binds.get("pte", ("?",)))
    held = self.read_entry(path, pointer, call.pos, call.level, call.name, _is_exact(binds))
    if pointer and pointer[0] != "&":
        path.env["*" + pointer] = held  # known even when nobody keeps the value: pte_present(ptep_get(pte))
    ret = binds.get("value", ("?",))
    if ret[0] == "t":
        path.env[f"%{ret[1]}"] = held
    elif ret[0] == "v" and pointer:  # a walk that leaves what it has read in its own record
        path.env[resolve(path.env, ret[1])] = held


def _clear(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    env = path.env
    pointer = self.pointer_of(env, binds.get("pte", ("?",)))
    stale = unread(env, pointer) if pointer else []
    present = None
    for _, value in stale:
        known = env.get(f"present#{value[1]}")
        present = bool(known) if known is not None else present
    if present is None and pointer:
        present = next((bool(env[f"present#{v[1]}"]) for v in reads_of(env, "~" + pointer) if f"present#{v[1]}" in env), None)
    number = self._number(call.pos)
    drop_number(env, number)
    objects: dict[str, object] = {"pte": pointer, "value": number}
    ret = binds.get("value", ("?",))
    self.event(path, kind, dict(objects), attrs, call.level, call.pos, call.name, present=present)
    read = {value[1] for _, value in stale}
    if not read and "no-result" in attrs and "discard" not in attrs:
        read = _lone_read(env, "")  # what is asked from here on is asked of that one
    read |= {int(key[len(CONFIRMED) :]) for key, _ in stale if key.startswith(CONFIRMED)}
    for number_read in sorted(read):
        self.event(path, "value.stale", {"pte": pointer, "value": number_read}, attrs, call.level, call.pos, call.name, present=present)
    _same_page(env, {value[1] for _, value in stale} or _lone_read(env), number)
    for _, value in stale:
        _same_presence(env, value[1], number)
    if pointer and _is_exact(binds) and attrs.isdisjoint(("invalidate", "nonpresent")):
        env[EMPTIED + pointer] = 1 if "no-result" in attrs else "nz"
    if ret[0] == "t":
        env[f"%{ret[1]}"] = ("e", number, "cleared", "", pointer)
        if present is not None:
            env[f"present#{number}"] = int(present)
            if present:
                env[f"none#{number}"] = 0


def _is_exact(binds: dict[str, Expr]) -> bool:
    """Whether the effect is on the very entry that the pointer points to: pte, not pte + 1."""
    return binds.get("pte", ("?",))[0] in ("v", "&")


def _lone_read(env: Env, pointer: str | None = None) -> set[int]:
    """The one entry value that was read, by a caller say, through a pointer that has moved on since: that is what is cleared. ``pointer``:
    if it was read through that, "" for one that is not known any more."""
    found = {v[1] for v in env.values() if type(v) is tuple and v[0] == "e" and v[2] == "read" and pointer in (None, v[4])}
    return found if len(found) == 1 else set()


def _same_page(env: Env, read: set[int], cleared: int) -> None:
    """The page that was found through a plain read of an entry is the page of what a clear takes out of it."""
    for number in read:
        for word in ("paged", "pinned"):
            if f"{word}#{number}" in env:
                env[f"{word}#{cleared}"] = env[f"{word}#{number}"]
        for key, value in list(env.items()):
            if type(value) is tuple and value[0] == "term" and value[1] == f"paged#{number}":
                env[key] = ("term", f"paged#{cleared}", *value[2:])


def _same_presence(env: Env, read: int, cleared: int) -> None:
    """Whether the entry was present when it was read says whether what is taken out is: a variable that holds the one answer holds the other."""
    marks = tuple(f"{word}#{read}" for word in ("present", "none", "nonpresent"))
    if any(mark in "\0".join(env) for mark in marks):
        for mark in marks:
            if mark in env:
                env[f"{mark[: mark.find('#')]}#{cleared}"] = env[mark]
    for key, value in env.items():
        if type(value) is tuple and value[0] == "term" and value[1] in marks:
            env[key] = ("term", f"{value[1][: value[1].find('#')]}#{cleared}", *value[2:])


def _change(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    """Demote, clean, promote, young: the entry changes in place."""
    pointer = self.pointer_of(path.env, binds.get("pte", ("?",)))
    present = None
    for value in reads_of(path.env, pointer):
        known = path.env.get(f"present#{value[1]}")
        present = bool(known) if known is not None else present
    self.event(path, kind, {"pte": pointer, "value": self._number(call.pos)}, attrs, call.level, call.pos, call.name, present=present)


def _install(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    pointer = self.pointer_of(path.env, binds.get("pte", ("?",)))
    value = self.value_of(path, binds["value"], call.pos) if "value" in binds else None
    number = stored = value[1] if type(value) is tuple and value[0] == "e" else 0
    if kind == "entry.commit" and "old" in binds:
        old = self.value_of(path, binds["old"], call.pos)
        number = old[1] if type(old) is tuple and old[0] == "e" else number
        if stored and stored != number:
            self.event(path, "value.commit", {"pte": pointer, "value": stored}, attrs, call.level, call.pos, call.name, value=value)
    known = path.env.get(f"present#{number}")
    self.event(path, kind, {"pte": pointer, "value": number}, attrs, call.level, call.pos, call.name, value=value,
               present=None if known is None else bool(known))
    if kind == "entry.commit" and (needed := path.env.get(f"needs_flush#{number}")) is not None and _is_compared(path.env, number, value):
        self.event(path, "test.needs_flush", {"value": number}, attrs, call.level, call.pos, call.name, truth=bool(needed), value=value)
    if kind == "entry.install" and pointer and _is_exact(binds) and "marker" not in attrs and type(value) is tuple and value[0] == "e":
        _overwrite(self, path, pointer, value, attrs, call)
    unread(path.env, pointer)


def _is_compared(env: Env, number: int, value: Value | None) -> bool:
    """Whether the entry value was compared with just this one when it was asked whether a flush is needed."""
    known = env.get(f"{COMPARED}{number}")
    return type(known) is tuple and type(value) is tuple and known[:4] == value[:4]


_LIVELY = ("present", "lively", "young", "write", "dirty", "mapped")
"""What only entries that are present can be."""


def _overwrite(self: Effects, path: Path, pointer: str, value: tuple, attrs: frozenset[str], call: Call) -> None:  # type: ignore[type-arg]
    """What a plain store makes of an entry that is live: read through the same pointer, found present, and not taken out since."""
    live = {read[1] for read in reads_of(path.env, pointer) if any(path.env.get(f"{word}#{read[1]}") == 1 for word in _LIVELY)}
    for number in sorted(live):
        if value[2] == "built":
            words = attrs | {"plain", "replaced"}
        elif value[1] == number and not LOWERED.isdisjoint(value[3]):
            words = attrs | {"lowered"}
        elif value[1] == number and "o" in value[3]:
            words = attrs | {"aged"}
        else:
            continue
        self.event(path, "value.stale", {"pte": pointer, "value": number}, words, call.level, call.pos, call.name, present=True, value=value)


def _test(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    """A predicate: its truth becomes an event where the code branches on it."""
    subject = binds.get("value") if kind != "test.needs_flush" else binds.get("old", binds.get("value"))
    if subject is not None:
        value = self.value_of(path, subject, call.pos)
        other = self.value_of(path, binds.get("old", ("?",)), call.pos) if kind == "test.same" else None
        if not (type(value) is tuple and value[0] == "e"):
            return
        key = f"{kind[5:]}#{value[1]}"
        if "mapped" in attrs:
            path.env[f"mapped#{value[1]}"] = 1
        if kind == "test.needs_flush":
            path.env.pop(key, None)  # the new value is another one each time
            if "old" in binds and type(new := self.value_of(path, binds["value"], call.pos)) is tuple and new[0] == "e":
                if not LOWERED.isdisjoint(value[3]) or (new == value and value[2] != "unknown"):
                    return  # asked the wrong way round, or of one value: the answer says nothing
                path.env[f"{COMPARED}{value[1]}"] = new
        if kind == "test.dirty" and "c" in value[3]:
            self.event(path, "test.cleaned", {"value": value[1]}, attrs, call.level, call.pos, call.name, value=value)
            return
        if kind == "test.same":
            if not (type(other) is tuple and other[0] == "e"):
                return
            key = f"same@{value[1]}={other[1]}"
    elif kind == "test.nonpresent":  # a page that is never mapped present
        number = mapped_by(path.env, binds["page"])
        key = f"nonpresent#{number}" if number else f"{call.name}({text_of(binds['page'])})"
    else:
        text = next((text_of(e) for k, e in binds.items() if k != "ret"), "")
        key = f"{kind[5:]}#{text}"
    path.env[call.temp] = ("term", key, False)


def _derive(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    ret = binds.get("value", ("?",))
    if ret[0] != "t":
        return
    if kind == "value.build":
        number = self._number(call.pos)
        drop_number(path.env, number)
        path.env[f"%{ret[1]}"] = ("e", number, "built", "s" if "nonpresent" in attrs else "", "")
        return
    held = self.value_of(path, binds.get("from", ("?",)), call.pos)
    if not (type(held) is tuple and held[0] == "e"):
        return
    bits = "".join(sorted(set(held[3]) | {_NUMBER[a] for a in attrs if a in _NUMBER}))
    if "dirty" in attrs:
        self.event(path, "value.derive", {"value": held[1]}, attrs, call.level, call.pos, call.name)
    path.env[f"%{ret[1]}"] = (held[0], held[1], held[2], bits, held[4])


def _asked(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    """Something is asked of an entry value that no rule wants to know: whoever asks it of *pte has looked at the entry."""
    self.value_of(path, binds["value"], call.pos)
    path.env.pop(call.temp, None)


def _table(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    """An entry value is taken for that of a table."""
    value = self.value_of(path, binds["value"], call.pos)
    if type(value) is tuple and value[0] == "e":
        self.event(path, kind, {"value": value[1]}, attrs, call.level, call.pos, call.name, value=value)
    path.env.pop(call.temp, None)


def _kept(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    """An entry value goes into an array: what becomes of it there is not followed."""
    held = evaluate(path.env, binds["value"])
    if type(held) is tuple and held[0] == "e":
        self.event(path, kind, {"value": held[1]}, attrs, call.level, call.pos, call.name)


def _same(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    """Another handle of the same page."""
    subject = binds["page"]
    text = text_of(subject) or "%"
    if number := mapped_by(path.env, subject):
        path.env[call.temp] = ("term", f"paged#{number}", False)
    elif "%" in text:
        path.env.pop(call.temp, None)
    else:
        path.env[call.temp] = ("term", f"{SAME_PAGE}{text})", False)


def _swap(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    """A question that only an entry which is not present can be asked: whatever the answer, it is not."""
    value = self.value_of(path, binds["value"], call.pos)
    if type(value) is tuple and value[0] == "e":
        learn(path.env, f"nonpresent#{value[1]}", True)
        self.event(path, "test.nonpresent", {"value": value[1]}, attrs, call.level, call.pos, call.name, truth=True, value=value)


def _count(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    """A count of entries from the one that was asked about on: at least one."""
    path.env[call.temp] = "nz"


def _defer(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    """The unmap batch takes the flush over; it judges by the entry value that it is given, or by whether that is dirty."""
    value = self.value_of(path, binds["value"], call.pos) if "value" in binds else None
    if type(value) is tuple and value[0] == "term" and value[1].startswith("dirty#"):
        if value[2]:
            return  # told that it is clean when it is dirty: it will not wait
        value = next((v for v in path.env.values() if type(v) is tuple and v[0] == "e" and v[1] == int(value[1][6:])), None)
    number = value[1] if type(value) is tuple and value[0] == "e" else 0
    self.event(path, kind, {"value": number}, attrs, call.level, call.pos, call.name, value=value)


def _handle(self: Effects, env: Env, subject: Expr) -> str:
    """The name that a page goes by: that of the handle that the others were made from."""
    text = self.text(env, subject)
    for _ in range(3):
        held = env.get(text)
        inner = same_page(held[1] if type(held) is tuple and held[0] == "term" else text)
        if not inner:
            break
        text = self.text(env, ("v", inner))
    return text


def _page(self: Effects, path: Path, kind: str, binds: dict[str, Expr], attrs: frozenset[str], call: Call) -> None:
    """Something about a page: ``value`` is the entry value that it was found through, 0 when that is not known."""
    subject = binds.get("page", ("?",))
    number = mapped_by(path.env, subject)
    objects: dict[str, object] = {"page": _handle(self, path.env, subject), "value": number}
    pin = f"pinned#{number}" if number else f"pinned@{objects['page']}"
    if kind == "page.get":
        path.env[pin] = 1
    elif kind == "page.free" and path.env.pop(pin, None) is not None:
        attrs = attrs | {"extra"}  # gives back a reference that was taken here: others remain
    if "tlb" in binds:
        objects["tlb"] = self.object_of(path.env, binds["tlb"])
    self.event(path, kind, objects, attrs, call.level, call.pos, call.name)


_TESTS = (
    "dirty", "present", "none", "nonpresent", "write", "young", "same", "anon", "pagedirty", "paged", "unpaged", "needs_flush", "defer", "delay_rmap",
    "accessible",
)

_HANDLERS: dict[str, Callable[..., None]] = {
    "ptl.acquire": _acquire,
    "lock.acquire": _acquire,
    "ptl.release": _release,
    "lock.release": _release,
    "ptl.lookup": _lookup,
    "lazy.enter": _lazy,
    "lazy.leave": _lazy,
    "lazy.pause": _lazy,
    "lazy.resume": _lazy,
    "flush.now": _flush,
    **{f"flag.{word}": _flag for word in ("read", "raise", "clear", "swap")},
    "pending.inc": _pending,
    "pending.dec": _pending,
    "notifier.init": _notifier_init,
    "entry.read": _read,
    "entry.clear": _clear,
    "entry.start": _clear,
    "entry.demote": _change,
    "entry.clean": _change,
    "entry.promote": _change,
    "entry.young": _change,
    "entry.install": _install,
    "entry.commit": _install,
    "unmap.defer": _defer,
    "page.free": _page,
    "page.get": _page,
    "page.defer": _page,
    "page.same": _same,
    "rmap.drop": _page,
    "value.derive": _derive,
    "value.build": _derive,
    "value.count": _count,
    "value.kept": _kept,
    "value.asked": _asked,
    "value.table": _table,
    "value.swap": _swap,
    **{f"test.{word}": _test for word in _TESTS},
}
