"""The head of a scenario file: each line adds to a draft of the model."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from tlblint.sim.errors import ScenarioError, nearest
from tlblint.sim.ir import VIOLATIONS
from tlblint.sim.lang import WORDS, Parser
from tlblint.sim.machine import BITS, ELEMENTS, PAGE_FIELDS, SCALARS
from tlblint.sim.model import MOST_VAS, Bounds, Check, Page, Va
from tlblint.sim.syntax import Line
from tlblint.sim.tokens import LONGEST_NAME

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Expected(msgspec.Struct, frozen=True):
    """What exploring a variant must find: ``verdict``, and the ``length`` of the shortest witness (None: any)."""

    verdict: str
    length: int | None = None


class Draft(msgspec.Struct):
    """What the lines of one variant have said so far."""

    profile: str | None = None
    profile_at: tuple[int, int] = (0, 0)
    cpus: int = 2
    tlbs: tuple[int, ...] | None = None
    vas: list[Va] = msgspec.field(default_factory=list)
    pages: list[Page] = msgspec.field(default_factory=list)
    locks: list[str] = msgspec.field(default_factory=list)
    tables: list[str] = msgspec.field(default_factory=list)
    variables: dict[str, int] = msgspec.field(default_factory=dict)
    counters: dict[str, int] = msgspec.field(default_factory=dict)
    init: dict[str, int] = msgspec.field(default_factory=dict)
    checks: list[Check] = msgspec.field(default_factory=list)
    needs: list[str] = msgspec.field(default_factory=list)
    bound: int = Bounds().states
    expected: Expected | None = None
    threads: list[tuple[str, int, str, list[Line]]] = msgspec.field(default_factory=list)
    names: set[str] = msgspec.field(default_factory=set)
    said: set[str] = msgspec.field(default_factory=set)
    """Words of the head that may be said once and have been."""
    init_at: dict[str, tuple[int, int]] = msgspec.field(default_factory=dict)


def uncommented(text: str) -> str:
    return text.split("#", 1)[0].strip(" \t")


def _byte(text: str, column: int) -> int:
    try:
        value = int(text, 0) if len(text) < 9 and text.isascii() and text[:1].isdecimal() and "_" not in text else -1
    except ValueError:
        value = -1
    if not 0 <= value <= 255:
        raise ScenarioError(f'expected a number from 0 to 255, got "{text}"', 0, column)
    return value


def sized(name: str, column: int) -> None:
    """Raise ScenarioError for a name that is too long to print."""
    if len(name) > LONGEST_NAME:
        raise ScenarioError(f"a name of {len(name)} characters: expected {LONGEST_NAME} at most", 0, column)


def _once(draft: Draft, word: str, column: int) -> None:
    if word in draft.said:
        raise ScenarioError(f'a second line "{word}": expected one', 0, column)
    draft.said.add(word)


def _fresh(draft: Draft, name: str, column: int) -> str:
    if not NAME.fullmatch(name):
        raise ScenarioError(f'expected a name, got "{name}"', 0, column)
    sized(name, column)
    if name in WORDS or name in BITS or name in ELEMENTS or name in SCALARS or name in ("cpu", "pfn", "rw", "ro", "tables"):
        raise ScenarioError(f'"{name}" is a word of the language: expected another name', 0, column)
    if name in draft.names:
        raise ScenarioError(f'"{name}" is declared twice', 0, column)
    draft.names.add(name)
    return name


def _names(draft: Draft, rest: str, column: int) -> list[str]:
    if not rest:
        raise ScenarioError("expected a name", 0, column)
    return [_fresh(draft, match[0], column + match.start()) for match in re.finditer(r"[^ \t]+", rest)]


def _profile(draft: Draft, rest: str, column: int) -> None:
    if not re.fullmatch(r"[\w-]+", rest):
        raise ScenarioError("expected the name of a profile", 0, column)
    if draft.profile is not None:
        raise ScenarioError("the profile is named twice", 0, column)
    draft.profile = rest


def _cpus(draft: Draft, rest: str, column: int) -> None:
    _once(draft, "cpus", column)
    value = _byte(rest, column)
    if not 1 <= value <= 8:
        raise ScenarioError(f'expected 1 to 8 CPUs, got "{rest}"', 0, column)
    if draft.threads:
        raise ScenarioError("expected the number of CPUs before the first thread", 0, column)
    draft.cpus = value


def _tlb(draft: Draft, rest: str, column: int) -> None:
    _once(draft, "tlb", column)
    if not rest:
        raise ScenarioError("expected the numbers of the CPUs that have a TLB", 0, column)
    found = []
    for match in re.finditer(r"[^ \t]+", rest):
        cpu = _byte(match[0], column + match.start())
        if cpu >= draft.cpus:
            raise ScenarioError(f"CPU {cpu} does not exist: the head says {draft.cpus} CPUs", 0, column + match.start())
        found.append(cpu)
    draft.tlbs = tuple(sorted(set(found)))


def _va(draft: Draft, rest: str, column: int) -> None:
    name, equals, entry = rest.partition("=")
    if not equals:
        raise ScenarioError('expected "va NAME = ENTRY", such as va a = P|W|D|pfn(1)', 0, column)
    explicit = entry.rstrip().endswith(" explicit")
    text = entry.rstrip().removesuffix("explicit") if explicit else entry
    if not text.strip():
        raise ScenarioError("expected an entry such as P|W|D|pfn(1)", 0, column + len(name) + 1)
    if len(draft.vas) == MOST_VAS:
        raise ScenarioError(f"one va too many: expected {MOST_VAS} at most", 0, column)
    draft.vas.append(Va(_fresh(draft, name.strip(), column), text, explicit, (0, column + len(name) + 1)))


def _page(draft: Draft, rest: str, column: int) -> None:
    number, *fields = rest.split()[:1] or [""], *rest.split()[1:]
    page = _byte(number[0], column)
    if page not in (1, 2, 3):
        raise ScenarioError(f"page {page} does not exist: expected 1, 2 or 3", 0, column)
    values = {}
    for text in fields:
        name, equals, value = str(text).partition("=")
        if not equals or name not in PAGE_FIELDS:
            raise ScenarioError(f'expected FIELD=VALUE, got "{text}"{nearest(name, PAGE_FIELDS)}', 0, column + rest.index(str(text)))
        values[name] = _byte(value, column + rest.index(str(text)))
    if any(page == other.number for other in draft.pages):
        raise ScenarioError(f"page {page} is declared twice", 0, column)
    draft.pages.append(Page(page, values))


def _locks(draft: Draft, rest: str, column: int) -> None:
    draft.locks += _names(draft, rest, column)


def _tables(draft: Draft, rest: str, column: int) -> None:
    draft.tables += _names(draft, rest, column)


def _valued(draft: Draft, rest: str, column: int) -> tuple[str, int]:
    name, equals, value = rest.partition("=")
    return _fresh(draft, name.strip(), column), _byte(value.strip(), column + len(name) + 1) if equals else 0


def _var(draft: Draft, rest: str, column: int) -> None:
    name, value = _valued(draft, rest, column)
    draft.variables[name] = value


def _counter(draft: Draft, rest: str, column: int) -> None:
    name, value = _valued(draft, rest, column)
    draft.counters[name] = value


def _init(draft: Draft, rest: str, column: int) -> None:
    name, equals, value = rest.partition("=")
    if not equals:
        raise ScenarioError('expected "init VARIABLE = VALUE"', 0, column)
    _expression(name, column)
    if name.strip() in draft.init:
        raise ScenarioError(f'the start value of "{name.strip()}" is said twice', 0, column)
    draft.init[name.strip()] = _byte(value.strip(), column + len(name) + 1)


def _expression(text: str, column: int) -> None:
    try:
        parser = Parser(text)
        parser.expression()
        if parser.peek().kind != "end":
            parser.fail("the end of the expression")
    except ScenarioError as error:
        raise ScenarioError(error.text, 0, column + max(error.column, 1) - 1) from None


def _needs(draft: Draft, rest: str, column: int) -> None:
    if not rest:
        raise ScenarioError("expected what the witness needs, in words", 0, column)
    draft.needs.append(rest)


def _sometimes(draft: Draft, rest: str, column: int) -> None:
    match = re.fullmatch(r'"([^"]*)"[ \t]*(.*)', rest)
    if match is None:
        raise ScenarioError('expected: sometimes "words" EXPR', 0, column)
    text = uncommented(match[2])
    _expression(text, column + match.start(2))
    draft.checks.append(Check(match[1], text, None, (0, column + match.start(2))))


def _always(draft: Draft, rest: str, column: int) -> None:
    match = re.fullmatch(r"(.*?)[ \t]+else[ \t]+([\w-]+)", uncommented(rest))
    if match is None:
        raise ScenarioError("expected: always EXPR else VIOLATION", 0, column)
    if match[2] not in VIOLATIONS:
        raise ScenarioError(f'no violation "{match[2]}"{nearest(match[2], VIOLATIONS)}', 0, column + match.start(2))
    _expression(match[1], column)
    draft.checks.append(Check(match[1], match[1], match[2], (0, column)))


def _bound(draft: Draft, rest: str, column: int) -> None:
    _once(draft, "bound", column)
    if not re.fullmatch(r"[0-9]{1,7}", rest) or not int(rest):
        raise ScenarioError(f'expected a number of states from 1 to 9999999, got "{rest}"', 0, column)
    draft.bound = int(rest)


HANDLERS: dict[str, Callable[[Draft, str, int], None]] = {
    "profile": _profile, "cpus": _cpus, "tlb": _tlb, "va": _va, "page": _page, "lock": _locks, "table": _tables, "var": _var,
    "counter": _counter, "init": _init, "needs": _needs, "sometimes": _sometimes, "always": _always, "bound": _bound,
}  # fmt: skip
