"""What is modelled instead of taken from the tree: atomics, per-CPU access, barriers, warnings, bit operations, IPIs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
from tree_sitter import Node

from tlblint.predicates import expressions as ex
from tlblint.predicates import lvalues
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.memory import NOTHING, Place, Pointer, Value, moved
from tlblint.predicates.words import Space, Word

if TYPE_CHECKING:
    from tlblint.predicates.machine import Machine
    from tlblint.predicates.names import Names

_OBJECTS = frozenset(("current",))
KINDS = frozenset(("nothing", "event", "any", "flag", "first", "zero", "one", "check", "stop", "feature", "pointer", "evaluate"))
_ATOMIC = re.compile(
    r"(?:arch_|raw_)*(?P<kind>atomic64|atomic_long|atomic)_(?P<what>read|set|(?:fetch_)?(?:inc|dec|add|sub|andnot|and|or|xor)(?:_return|_and_test)?|"
    r"xchg|cmpxchg|try_cmpxchg|inc_not_zero|add_negative|dec_if_positive|inc_unless_negative|add_unless)(?:_acquire|_release|_relaxed)?"
)
_PERCPU = re.compile(r"(?:this_cpu|__this_cpu|raw_cpu)_(?P<what>read|write|add|sub|inc|dec|or|and|ptr|xchg|cmpxchg|inc_return|add_return)(?:_\d|_stable)?")
_BITS = re.compile(r"(?:arch_|raw_)*_{0,2}(?P<what>set|clear|change|test|test_and_set|test_and_clear)_bit(?:_lock|_unlock|_relaxed)?")
_CALLED = frozenset(
    (
        "ALIGN", "ALIGN_DOWN", "BIT", "BIT_U64", "BIT_ULL", "DIV_ROUND_UP", "FIELD_GET", "FIELD_PREP", "GENMASK", "GENMASK_U32", "GENMASK_U64",
        "GENMASK_ULL", "IS_BUILTIN", "IS_ENABLED", "IS_REACHABLE", "READ_ONCE", "WRITE_ONCE", "_BITUL", "_BITULL", "__READ_ONCE",
        "__builtin_constant_p", "__builtin_expect", "__builtin_offsetof", "__builtin_types_compatible_p", "__ffs", "__fls", "__get_cpu_var", "abs",
        "clamp", "clamp_t", "cmpxchg", "cmpxchg64", "cmpxchg_local", "cmpxchg_relaxed", "const_ilog2", "container_of", "container_of_const",
        "data_race", "ffs", "fls", "fls64", "get_cpu_var", "hweight_long", "ilog2", "is_power_of_2", "likely", "list_entry", "max", "max_t", "memset",
        "min", "min_t", "offsetof", "order_base_2", "per_cpu", "per_cpu_ptr", "rcu_container_of", "rcu_dereference", "round_down", "round_up",
        "roundup_pow_of_two", "set_mask_bits", "smp_load_acquire", "smp_store_release", "swap", "system_supports_feature", "this_cpu_ptr",
        "try_cmpxchg", "typecheck", "unlikely", "xchg", "xchg_relaxed",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Models:
    """``kinds``: name -> what a call of it means (see KINDS); a name ending in ``*`` stands for all that begin so."""

    kinds: Mapping[str, str] = field(default_factory=dict)
    prefixes: tuple[tuple[str, str], ...] = ()
    _known: dict[str, str | None] = field(default_factory=dict, compare=False, repr=False)

    @staticmethod
    def of(groups: Mapping[str, list[str]]) -> Models:
        """From kind -> names."""
        kinds = {name: kind for kind, names in groups.items() for name in names if not name.endswith("*")}
        prefixes = tuple((name[:-1], kind) for kind, names in groups.items() for name in names if name.endswith("*"))
        return Models(kinds, prefixes)

    def kind(self, name: str) -> str | None:
        """What a call of ``name`` means, None when the tree says."""
        if name not in self._known:
            self._known[name] = self.kinds.get(name) or next((kind for prefix, kind in self.prefixes if name.startswith(prefix)), None)
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        """Whether a name is modelled, so that macros of that name are not expanded."""
        if not isinstance(name, str):
            return False
        patterns = (_ATOMIC, _PERCPU, _BITS)
        return name in _CALLED or name in _OBJECTS or self.kind(name) is not None or any(p.fullmatch(name) for p in patterns)


class Setting(msgspec.Struct, frozen=True):
    """Where a run starts: numbers in places nobody wrote, constants of names the tree does not define, CPU features that are on."""

    start: Callable[[Space, Place], Word]
    constants: Mapping[str, int] = msgspec.field(default_factory=dict)
    features: frozenset[str] = frozenset()
    sizes: Mapping[str, int] = msgspec.field(default_factory=dict)
    assembly: bool = True

    def position(self, names: Names) -> int:
        """The offset at which text from outside is expanded: the end of the unit."""
        return len(names.unit.text)


Call = list[Node]


def call(m: Machine, name: str, arguments: Call, mask: int, node: Node) -> Value | None:
    """The value of a call of a modelled name; None when it is not modelled."""
    kind = m.models.kind(name)
    if kind is not None:
        return _plain(m, kind, name, arguments, mask)
    if (found := _ATOMIC.fullmatch(name)) is not None:
        return _atomic(m, found["kind"], found["what"], arguments, mask)
    if (found := _PERCPU.fullmatch(name)) is not None:
        return _percpu(m, found["what"], arguments, mask)
    if (found := _BITS.fullmatch(name)) is not None:
        return _bit(m, found["what"], arguments, mask)
    return _special(m, name, arguments, mask, node) if name in _CALLED else None


def _plain(m: Machine, kind: str, name: str, arguments: Call, mask: int) -> Value:
    space = m.space
    if kind == "nothing":
        return NOTHING
    if kind in ("event", "pointer", "evaluate"):
        values = tuple(ex.value(m, a, mask) for a in arguments)
        if kind == "event":
            m.event(name, mask, values)
        return Pointer(("call", name, *(v for a in values[:1] if isinstance(a, Pointer) for v in a.place[1:]))) if kind == "pointer" else NOTHING
    if kind == "any":
        return m.fresh(name)
    if kind == "flag":
        return space.flag(space.truth(space.binary("&", m.fresh(name), space.constant(1))))
    if kind == "first":
        return ex.value(m, arguments[0], mask) if arguments else NOTHING
    if kind in ("zero", "one"):
        return space.constant(int(kind == "one"))
    if kind == "feature":
        asked = " ".join(m.text(a) for a in arguments)
        return m.feature(name, asked)
    table = m.condition(arguments[0], mask) if arguments else mask
    if kind == "stop":
        m.dead = space.or_(m.dead, space.and_(mask, table))
    return space.flag(table)


def _atomic(m: Machine, kind: str, what: str, arguments: Call, mask: int) -> Value:
    width = 32 if kind == "atomic" else 64
    pointer = what not in ("read",) and not what.startswith(("set", "xchg", "cmpxchg", "try_cmpxchg", "inc", "dec"))
    index = 1 if pointer and "_unless" not in what else 0
    place = m.memory.target(ex.value(m, arguments[index], mask))
    given = [m.space.cast(ex.number(m, a, mask), width, True) for i, a in enumerate(arguments) if i != index and what != "try_cmpxchg"]
    if what == "read":
        return m.shared("read", place, width, (), mask)
    if what == "set":
        m.shared("set", place, width, (given[0],), mask)
        return NOTHING
    if what == "xchg":
        return m.shared("xchg", place, width, (given[0],), mask)
    if what == "cmpxchg":
        return m.shared("cmpxchg", place, width, (given[0], given[1]), mask)
    if what == "try_cmpxchg":
        return _try(m, place, width, arguments, mask)
    return _changed(m, what, place, width, given, mask)


def _try(m: Machine, place: Place, width: int, arguments: Call, mask: int) -> Value:
    expected = m.memory.target(ex.value(m, arguments[1], mask))
    old = m.space.cast(m.memory.number(m.memory.read(expected)), width, True)
    new = m.space.cast(ex.number(m, arguments[2], mask), width, True)
    seen = m.shared("cmpxchg", place, width, (old, new), mask)
    same = m.space.truth(m.space.binary("==", seen, old))
    m.put(expected, seen, m.space.and_(mask, m.space.not_(same)))
    return m.space.flag(same)


def _changed(m: Machine, what: str, place: Place, width: int, given: list[Word], mask: int) -> Value:
    """fetch_add, add_return, dec_and_test...: one atomic change, with the old or the new value."""
    space = m.space
    one = space.constant(1, width)
    base = next((word for word in ("andnot", "inc", "dec", "add", "sub", "and", "or", "xor") if word in what.replace("_and_test", "").split("_")), "add")
    operand = given[0] if given and base not in ("inc", "dec") else one
    operator = {"inc": "+", "add": "+", "dec": "-", "sub": "-", "and": "&", "andnot": "&", "or": "|", "xor": "^"}[base]
    if base == "andnot":
        operand = space.complement(operand)
    old = m.shared(operator, place, width, (operand,), mask)
    new = space.binary(operator, old, operand)
    if what in ("inc_not_zero", "inc_unless_negative", "dec_if_positive") or "unless" in what:
        raise Inconclusive(f"an atomic operation that is not modelled: {what}")
    if what.endswith("_and_test"):
        return space.flag(space.not_(space.truth(new)))
    if what == "add_negative":
        return space.binary("<", new, space.constant(0))
    if what.startswith("fetch_"):
        return old
    return new if what.endswith("_return") else NOTHING


def _percpu(m: Machine, what: str, arguments: Call, mask: int) -> Value:
    if what == "ptr":
        return ex.value(m, arguments[0], mask)
    place = lvalues.place(m, arguments[0], mask)
    if what == "write":
        m.assign(place, ex.value(m, arguments[1], mask), mask)
        return NOTHING
    old = m.read(place, mask)
    if what == "read":
        return old
    space = m.space
    before = m.memory.number(old)
    given = ex.number(m, arguments[1], mask) if len(arguments) > 1 else space.constant(1)
    operator = {"add": "+", "sub": "-", "inc": "+", "dec": "-", "or": "|", "and": "&", "inc_return": "+", "add_return": "+"}.get(what)
    new = given if operator is None else space.binary(operator, before, given)
    if what == "cmpxchg":
        same = space.truth(space.binary("==", before, given))
        m.put(place, ex.number(m, arguments[2], mask), space.and_(mask, same))
        return before
    m.put(place, space.cast(new, before.width, before.signed), mask)
    return before if what == "xchg" else new if what.endswith("_return") else NOTHING


def _bit(m: Machine, what: str, arguments: Call, mask: int) -> Value:
    space = m.space
    number = ex.number(m, arguments[0], mask).number
    place = moved(m.memory.target(ex.value(m, arguments[1], mask)), number // 64)
    old = space.cast(m.memory.number(m.memory.read(place)), 64, False)
    bit = space.constant(1 << number % 64, 64, False)
    if what.endswith("set"):
        m.memory.write(place, space.binary("|", old, bit), mask)
    elif what.endswith("clear"):
        m.memory.write(place, space.binary("&", old, space.complement(bit)), mask)
    elif what == "change":
        m.memory.write(place, space.binary("^", old, bit), mask)
    return space.flag(space.truth(space.binary("&", old, bit))) if what.startswith("test") else NOTHING


def _special(m: Machine, name: str, arguments: Call, mask: int, node: Node) -> Value:
    space = m.space

    def number(index: int) -> Word:
        return ex.number(m, arguments[index], mask)

    if name in ("READ_ONCE", "__READ_ONCE", "data_race", "per_cpu_ptr", "this_cpu_ptr", "rcu_dereference", "per_cpu", "get_cpu_var", "__get_cpu_var"):
        if name in ("READ_ONCE", "__READ_ONCE", "data_race"):
            return m.plain_read(arguments[0], mask)
        return ex.value(m, arguments[0], mask)
    if name == "WRITE_ONCE":
        return lvalues.assigned(m, arguments[0], ex.value(m, arguments[1], mask), mask)
    if name == "smp_load_acquire":
        return m.memory.read(m.memory.target(ex.value(m, arguments[0], mask)))
    if name == "smp_store_release":
        m.put(m.memory.target(ex.value(m, arguments[0], mask)), ex.value(m, arguments[1], mask), mask)
        return NOTHING
    if name in ("likely", "unlikely"):
        return space.flag(space.truth(number(0)))
    if name in ("__builtin_expect",):
        return number(0)
    if name in ("__builtin_constant_p", "typecheck", "__builtin_types_compatible_p"):
        return space.constant(int(name != "__builtin_constant_p"))
    if name in ("min", "max", "min_t", "max_t"):
        return _least(m, name, arguments, mask)
    if name in ("clamp", "clamp_t"):
        a, low, high = (number(i + (name == "clamp_t")) for i in range(3))
        a = space.merge(space.truth(space.binary("<", a, low)), low, a)
        return space.merge(space.truth(space.binary(">", a, high)), high, a)
    if name.startswith(("BIT", "_BIT")):
        return space.binary("<<", space.constant(1, 64, False), number(0))
    if name.startswith("GENMASK"):
        top, bottom = number(0).number, number(1).number
        if not 0 <= bottom <= top < 64:
            raise Inconclusive(f"GENMASK({top}, {bottom})")
        return space.constant((1 << top + 1) - (1 << bottom), 32 if name.endswith("32") else 64, False)
    if name in ("FIELD_GET", "FIELD_PREP"):
        field_mask = number(0)
        if not field_mask.value:
            raise Inconclusive("an empty bit field")
        low = space.constant((field_mask.value & -field_mask.value).bit_length() - 1)
        given = number(1)
        if name == "FIELD_GET":
            return space.binary(">>", space.binary("&", given, field_mask), low)
        return space.binary("&", space.binary("<<", space.cast(given, field_mask.width, False), low), field_mask)
    if name in ("container_of", "list_entry", "container_of_const", "rcu_container_of"):
        place = m.memory.target(ex.value(m, arguments[0], mask))
        member = m.text(arguments[2]).split(".")
        return Pointer(place[: -len(member)] if list(place[-len(member) :]) == member else (*place, f"container({'.'.join(member)})"))
    if name in ("offsetof", "__builtin_offsetof"):
        return m.start(("offset", m.text(arguments[1])))
    if name in ("cmpxchg", "cmpxchg64", "cmpxchg_local", "cmpxchg_relaxed", "xchg", "xchg_relaxed", "try_cmpxchg"):
        return _exchange(m, name, arguments, mask)
    if name == "swap":
        first, second = ex.value(m, arguments[0], mask), ex.value(m, arguments[1], mask)
        lvalues.assigned(m, arguments[0], second, mask)
        return lvalues.assigned(m, arguments[1], first, mask)
    if name == "memset":
        return NOTHING
    return _computed(m, name, [number(i) for i in range(len(arguments))])


def _exchange(m: Machine, name: str, arguments: Call, mask: int) -> Value:
    place = m.memory.target(ex.value(m, arguments[0], mask))
    old = m.memory.read(place)
    if name.startswith("xchg"):
        new = ex.value(m, arguments[1], mask)
        if not isinstance(old, Pointer) and isinstance(new, Word):
            return m.shared("xchg", place, new.width, (new,), mask)
        m.put(place, new, mask)
        return old
    width = m.memory.number(old).width
    if name == "try_cmpxchg":
        return _try(m, place, width, arguments, mask)
    given = [m.space.cast(ex.number(m, a, mask), width, False) for a in arguments[1:3]]
    return m.shared("cmpxchg", place, width, (given[0], given[1]), mask)


def _least(m: Machine, name: str, arguments: Call, mask: int) -> Word:
    space = m.space
    words = [ex.number(m, a, mask) for a in arguments]
    if name.endswith("_t"):
        kind, words = words[0], words[1:]
        words = [space.cast(w, kind.width, kind.signed) for w in words]
    a, b = space.common(words[0], words[1])
    return space.merge(space.truth(space.binary("<" if name.startswith("min") else ">", a, b)), a, b)


def _computed(m: Machine, name: str, words: list[Word]) -> Word:
    """Functions of numbers that the compiler or a header computes; only for numbers that are not symbolic."""
    space, n = m.space, words[0].number
    one = space.constant(1)
    if name in ("ALIGN", "ALIGN_DOWN", "round_up", "round_down"):
        low = space.binary("-", words[1], one)
        given = space.binary("+", words[0], low) if name in ("ALIGN", "round_up") else words[0]
        return space.binary("&", given, space.complement(space.cast(low, max(low.width, given.width), low.signed)))
    if name == "DIV_ROUND_UP":
        return space.binary("/", space.binary("-", space.binary("+", words[0], words[1]), one), words[1])
    bits = words[0].value or 0
    if name in ("fls", "fls64"):
        return space.constant(bits.bit_length())
    if name in ("ilog2", "const_ilog2", "__fls"):
        return space.constant(max(bits.bit_length() - 1, 0))
    if name in ("ffs", "__ffs"):
        return space.constant((bits & -bits).bit_length() - (name == "__ffs"))
    if name == "order_base_2":
        return space.constant(max(bits - 1, 0).bit_length())
    if name == "roundup_pow_of_two":
        return space.constant(1 << max(bits - 1, 0).bit_length(), 64, False)
    if name == "hweight_long":
        return space.constant(bin(bits).count("1"))
    if name == "is_power_of_2":
        return space.constant(int(bits != 0 and not bits & (bits - 1)))
    if name == "abs":
        return space.constant(abs(n), words[0].width)
    raise Inconclusive(f"unknown name {name}")
