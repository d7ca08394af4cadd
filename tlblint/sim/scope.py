"""What the names in a step mean."""

from __future__ import annotations

from tlblint.sim.errors import ScenarioError, nearest
from tlblint.sim.ir import Bin, Const, Expr, Look, Not, Var
from tlblint.sim.machine import BIT, BITS, ELEMENTS, FLIP, PFN, SCALARS, Machine, reads, writes
from tlblint.sim.syntax import Apply, Name, Number, Part, Raw, Unary


class Scope:
    """Names as thread ``thread`` on ``cpu`` sees them. ``registers`` are those that its steps assign; outside a thread there are none."""

    def __init__(
        self, machine: Machine, thread: str = "", cpu: int = 0, registers: frozenset[str] = frozenset(), others: dict[str, frozenset[str]] | None = None
    ) -> None:
        self.machine = machine
        self.thread = thread
        self.cpu = cpu
        self.registers = registers
        self.others = others or {}
        """Registers of other threads, by thread: properties may speak of them."""

    # -- expressions

    def resolve(self, raw: Raw) -> Expr:
        """The expression over bytes of the state. Raises ScenarioError, line 0."""
        if isinstance(raw, Number):
            return Const(raw.value)
        if isinstance(raw, Name):
            return self._name(raw)
        if isinstance(raw, Part):
            return self._part(raw)
        if isinstance(raw, Apply):
            return Const(self._apply(raw))
        if isinstance(raw, Unary):
            x = self.resolve(raw.x)
            if raw.op == "not":
                return Not(x)
            return Const(255 - x.value) if isinstance(x, Const) else Look(FLIP, x)
        return _fold(Bin(raw.op, self.resolve(raw.x), self.resolve(raw.y)))

    def _name(self, raw: Name) -> Expr:
        if raw.args is not None:
            return Var(self.element(raw))
        if raw.text == "cpu" and self.thread:
            return Const(self.cpu)
        if raw.text in BITS:
            return Const(BITS[raw.text])
        found = self.shared(raw.text) or self.register(raw.text)
        if found is None:
            raise ScenarioError(f'unknown name "{raw.text}"{nearest(raw.text, self._known())}', 0, raw.column)
        return found

    def _known(self) -> set[str]:
        model = self.machine.model
        return {*self.registers, *model.variables, *model.counters, *model.locks, *SCALARS, *BITS}

    def shared(self, name: str) -> Var | None:
        """The shared byte with this plain name."""
        model = self.machine.model
        if name in model.variables or name in model.counters or name in model.locks:
            return Var(name)
        return self.machine.need(name) if name in SCALARS else None

    def register(self, name: str) -> Var | None:
        """The thread's own byte."""
        return self.machine.need(f"{self.thread}.{name}") if self.thread and name in self.registers else None

    def element(self, raw: Name) -> str:
        """The canonical name of ``base[args]``, made if need be."""
        kinds = ELEMENTS.get(raw.text)
        if kinds is None:
            raise ScenarioError(f'"{raw.text}" has no elements{nearest(raw.text, ELEMENTS)}', 0, raw.column)
        args = raw.args or ()
        if len(args) != len(kinds):
            raise ScenarioError(f'"{raw.text}" takes {len(kinds)} between its brackets, got {len(args)}', 0, raw.column)
        parts = [self._index(kind, arg, raw.column) for kind, arg in zip(kinds, args, strict=True)]
        name = f"{raw.text}[{','.join(parts)}]"
        if raw.text == "tlb" and (self.machine.profile.entries != "tlb" or int(parts[0]) not in self.machine.tlb_cpus):
            raise ScenarioError(f"there is no {name} on this machine", 0, raw.column)
        if raw.text == "hpt" and self.machine.profile.entries != "hash":
            raise ScenarioError(f"there is no {name}: profile {self.machine.profile.name} has no hash table", 0, raw.column)
        self.machine.need(name)
        return name

    def _index(self, kind: str, raw: Raw, column: int) -> str:
        if kind == "v":
            return self.va(raw, column)
        if kind == "t":
            return self.table(raw, column)
        return str(self.page(raw, column) if kind == "p" else self.cpu_of(raw, column))

    def _part(self, raw: Part) -> Expr:
        if isinstance(raw.x, Name) and raw.x.args is None and raw.x.text in self.others:
            if raw.name not in self.others[raw.x.text]:
                raise ScenarioError(f'thread {raw.x.text} has no register "{raw.name}"{nearest(raw.name, self.others[raw.x.text])}', 0, raw.column)
            return self.machine.need(f"{raw.x.text}.{raw.name}")
        x = self.resolve(raw.x)
        if raw.name == "pfn":
            return Look(PFN, x)
        if raw.name not in BIT:
            raise ScenarioError(f'".{raw.name}" is no part of an entry{nearest(raw.name, [*BIT, "pfn"])}', 0, raw.column)
        return Look(BIT[raw.name], x)

    def _apply(self, raw: Apply) -> int:
        if len(raw.args) != 1:
            raise ScenarioError(f"{raw.name} takes one page number", 0, raw.column)
        number = self.page(raw.args[0], raw.column)
        return number << 4 if raw.name == "pfn" else writes(number) if raw.name == "rw" else reads(number)

    # -- things

    def va(self, raw: Raw, column: int) -> str:
        return self._thing(raw, column, self.machine.vas, "va")

    def table(self, raw: Raw, column: int) -> str:
        return self._thing(raw, column, self.machine.model.tables, "table")

    def lock(self, raw: Raw, column: int) -> str:
        return self._thing(raw, column, self.machine.model.locks, "lock")

    def _thing(self, raw: Raw, column: int, known: tuple[str, ...] | list[str], what: str) -> str:
        if not isinstance(raw, Name) or raw.args is not None:
            raise ScenarioError(f"expected the name of a {what}", 0, getattr(raw, "column", column))
        if raw.text not in known:
            raise ScenarioError(f'no {what} "{raw.text}"{nearest(raw.text, known)}', 0, raw.column)
        return raw.text

    def number(self, raw: Raw, column: int, what: str) -> int:
        """A constant. Raises ScenarioError when it is none."""
        value = self.resolve(raw)
        if not isinstance(value, Const):
            raise ScenarioError(f"expected {what}", 0, getattr(raw, "column", column))
        return value.value

    def page(self, raw: Raw, column: int) -> int:
        number = self.number(raw, column, "a page: 1, 2 or 3")
        if number not in (1, 2, 3):
            raise ScenarioError(f"page {number} does not exist: expected 1, 2 or 3", 0, getattr(raw, "column", column))
        return self.machine.page(number)

    def cpu_of(self, raw: Raw, column: int) -> int:
        number = self.number(raw, column, "a CPU")
        if number >= self.machine.model.cpus:
            raise ScenarioError(f"CPU {number} does not exist: the model has {self.machine.model.cpus}", 0, getattr(raw, "column", column))
        return number


def _fold(x: Bin) -> Expr:
    if isinstance(x.x, Const) and isinstance(x.y, Const) and x.op in ("|", "&", "+", "-"):
        a, b = x.x.value, x.y.value
        return Const({"|": a | b, "&": a & b, "+": (a + b) & 255, "-": (a - b) & 255}[x.op])
    return x
