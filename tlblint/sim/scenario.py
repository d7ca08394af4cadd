"""Scenario files: a head, threads, and lines that only one of the two variants has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tlblint.sim.errors import ScenarioError, nearest
from tlblint.sim.ir import VIOLATIONS
from tlblint.sim.lang import WORDS, Parser, parse_way
from tlblint.sim.machine import BITS, ELEMENTS, PAGE_FIELDS, SCALARS
from tlblint.sim.model import Bounds, Check, Model, Page, Thread, Va
from tlblint.sim.profiles import Profile, find
from tlblint.sim.syntax import Line, Way

VARIANTS = ("buggy", "fixed")
LARGEST = 1 << 20
"""Characters of the largest scenario file."""
_GUARD = re.compile(r"\[(\w*)\][ \t]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_THREAD = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]+on[ \t]+cpu(?P<cpu>[0-9]{1,3})")


@dataclass(frozen=True, slots=True)
class Expected:
    """What exploring a variant must find: ``verdict``, and the ``length`` of the shortest witness (None: any)."""

    verdict: str
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the two programs of a scenario."""

    name: str
    model: Model
    expected: Expected
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    about: str
    source: tuple[str, ...]
    why: str
    variants: tuple[Variant, ...]
    path: str = ""


@dataclass(slots=True)
class _Draft:
    """What the lines of one variant have said so far."""

    profile: str | None = None
    profile_at: tuple[int, int] = (0, 0)
    cpus: int = 2
    tlbs: tuple[int, ...] | None = None
    vas: list[Va] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    locks: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    variables: dict[str, int] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    init: dict[str, int] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    bound: int = Bounds().states
    expected: Expected | None = None
    threads: list[tuple[str, int, str, list[Line]]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


class _Reader:
    """Reads a scenario line by line; every line goes to the variants that have it."""

    def __init__(self) -> None:
        self.name = ""
        self.about: list[str] = []
        self.source: list[str] = []
        self.why: list[str] = []
        self.drafts = {name: _Draft() for name in VARIANTS}
        self.number = 0
        self.open: tuple[str, ...] = ()
        """Variants that have the thread whose steps follow."""

    def fail(self, text: str, column: int) -> ScenarioError:
        return ScenarioError(text, self.number, column)

    def line(self, text: str) -> None:
        """Take one line. Raises ScenarioError."""
        stripped = text.strip(" \t")
        if not stripped or stripped.startswith("#"):
            return
        column = len(text) - len(text.lstrip(" \t")) + 1
        indented = column > 1
        variants: tuple[str, ...] = VARIANTS
        guard = _GUARD.match(text, column - 1)
        if guard is not None:
            if guard[1] not in VARIANTS:
                raise self.fail(f'expected "[buggy]" or "[fixed]", got "[{guard[1]}]"', column)
            variants = (guard[1],)
            column = guard.end() + 1
        if not text[column - 1 :].strip(" \t") or text[column - 1] == "#":
            raise self.fail("expected a line of the head or a step after the variant", column)
        if indented:
            self._step(text, column, variants)
        else:
            self._head(text, column, variants)

    # -- head

    def _head(self, text: str, column: int, variants: tuple[str, ...]) -> None:
        word = re.match(r"\w*", text[column - 1 :])
        keyword = word[0] if word is not None else ""
        handler: Callable[[_Draft, str, int], None] | None = _HANDLERS.get(keyword)
        rest_at = column + len(keyword)
        rest = text[rest_at - 1 :]
        while rest[:1] in (" ", "\t"):
            rest, rest_at = rest[1:], rest_at + 1
        if keyword in ("scenario", "about", "source", "why"):
            self._words(keyword, rest.strip(" \t"), rest_at)
            return
        if not self.name:
            raise self.fail('expected "scenario NAME" as the first line', column)
        if keyword == "expect":
            self._expect(_uncommented(rest), rest_at, variants)
            return
        if keyword in ("thread", "user", "device", "daemon"):
            self._thread(keyword, _uncommented(rest), rest_at, variants)
            return
        if handler is None:
            known = {*_HANDLERS, "scenario", "about", "source", "why", "expect", "thread", "user", "device", "daemon"}
            got = keyword or text[column - 1 :][:1]
            raise self.fail(f'expected a line of the head (steps are indented), got "{got}"{nearest(got, known)}', column)
        self.open = ()
        rest = rest.strip(" \t") if keyword in ("needs", "sometimes", "always") else _uncommented(rest)
        for variant in variants:
            try:
                handler(self.drafts[variant], rest, rest_at)
            except ScenarioError as error:
                raise self.fail(error.text, error.column or rest_at) from None
            if keyword in ("profile", "va", "sometimes", "always"):
                self._place(self.drafts[variant], keyword, rest_at)

    def _place(self, draft: _Draft, keyword: str, column: int) -> None:
        """Tell what was just added where it stands."""
        if keyword == "profile":
            draft.profile_at = (self.number, column)
        elif keyword == "va":
            va = draft.vas[-1]
            draft.vas[-1] = Va(va.name, va.entry, va.explicit, (self.number, va.at[1]))
        else:
            check = draft.checks[-1]
            draft.checks[-1] = Check(check.words, check.expr, check.violation, (self.number, check.at[1]))

    def _words(self, keyword: str, rest: str, column: int) -> None:
        if not rest:
            raise self.fail(f"expected words after {keyword}", column)
        if keyword == "scenario":
            if self.name:
                raise self.fail("a file holds one scenario", column)
            rest = _uncommented(rest)
            if not _NAME.fullmatch(rest):
                raise self.fail(f'expected a name of letters, digits and "_", got "{rest}"', column)
            self.name = rest
            return
        if not self.name:
            raise self.fail('expected "scenario NAME" as the first line', 1)
        {"about": self.about, "source": self.source, "why": self.why}[keyword].append(rest)

    def _expect(self, rest: str, column: int, variants: tuple[str, ...]) -> None:
        match = re.fullmatch(r"(\w+)[ \t]+([\w-]+)(?:[ \t]+in[ \t]+([0-9]{1,6}))?", rest)
        if match is None:
            raise self.fail("expected: expect VARIANT VERDICT [in LENGTH]", column)
        variant, verdict, length = match.groups()
        if variant not in VARIANTS:
            raise self.fail(f'expected buggy or fixed, got "{variant}"', column)
        if verdict not in (*VIOLATIONS, "safe"):
            raise self.fail(f'no verdict "{verdict}"{nearest(verdict, (*VIOLATIONS, "safe"))}', column + match.start(2))
        if variant not in variants or self.drafts[variant].expected is not None:
            raise self.fail(f"what {variant} must find is said twice or for the other variant", column)
        if verdict == "safe" and length is not None:
            raise self.fail("safe has no length", column + match.start(3))
        self.drafts[variant].expected = Expected(verdict, int(length) if length is not None else None)

    def _thread(self, keyword: str, rest: str, column: int, variants: tuple[str, ...]) -> None:
        match = _THREAD.fullmatch(rest)
        if match is None:
            raise self.fail(f'expected "{keyword} NAME on cpuN"', column)
        self.open = variants
        for variant in variants:
            draft = self.drafts[variant]
            if any(match["name"] == name for name, *_ in draft.threads):
                raise self.fail(f'two threads are called "{match["name"]}"', column)
            if int(match["cpu"]) >= draft.cpus:
                raise self.fail(f"CPU {match['cpu']} does not exist: the head says {draft.cpus} CPUs", column + match.start("cpu"))
            draft.threads.append((match["name"], int(match["cpu"]), keyword, []))

    # -- steps

    def _step(self, text: str, column: int, variants: tuple[str, ...]) -> None:
        having = [variant for variant in variants if variant in self.open]
        if not self.open:
            raise self.fail('expected "thread NAME on cpuN" before the first step (or a line of the head in column 1)', column)
        if not having:
            raise self.fail(f"only the {self.open[0]} variant has this thread", column)
        word = re.match(r"(either|or)\b[ \t]*", text[column - 1 :])
        if word is not None:
            column += word.end()
        try:
            way, label = parse_way(text, column)
        except ScenarioError as error:
            raise self.fail(error.text, error.column) from None
        for variant in having:
            steps = self.drafts[variant].threads[-1][3]
            if word is not None and word[1] == "or":
                self._other(steps, way, column)
            else:
                steps.append(Line((way,), label.text if label else "", self.number, label.column if label else 0))

    def _other(self, steps: list[Line], way: Way, column: int) -> None:
        if not steps or not way.body:
            raise self.fail('expected "either ..." in the line before', column)
        before = steps[-1]
        steps[-1] = Line((*before.ways, way), before.label, before.number, before.label_column)


def _uncommented(text: str) -> str:
    return text.split("#", 1)[0].strip(" \t")


# -- lines of the head


def _byte(text: str, column: int) -> int:
    try:
        value = int(text, 0) if len(text) < 9 and text[:1].isdecimal() and "_" not in text else -1
    except ValueError:
        value = -1
    if not 0 <= value <= 255:
        raise ScenarioError(f'expected a number from 0 to 255, got "{text}"', 0, column)
    return value


def _fresh(draft: _Draft, name: str, column: int) -> str:
    if not _NAME.fullmatch(name):
        raise ScenarioError(f'expected a name, got "{name}"', 0, column)
    if name in WORDS or name in BITS or name in ELEMENTS or name in SCALARS or name in ("cpu", "pfn", "rw", "ro", "tables"):
        raise ScenarioError(f'"{name}" is a word of the language: expected another name', 0, column)
    if name in draft.names:
        raise ScenarioError(f'"{name}" is declared twice', 0, column)
    draft.names.add(name)
    return name


def _names(draft: _Draft, rest: str, column: int) -> list[str]:
    if not rest:
        raise ScenarioError("expected a name", 0, column)
    return [_fresh(draft, match[0], column + match.start()) for match in re.finditer(r"\S+", rest)]


def _profile(draft: _Draft, rest: str, column: int) -> None:
    if not re.fullmatch(r"[\w-]+", rest):
        raise ScenarioError("expected the name of a profile", 0, column)
    if draft.profile is not None:
        raise ScenarioError("the profile is named twice", 0, column)
    draft.profile = rest


def _cpus(draft: _Draft, rest: str, column: int) -> None:
    value = _byte(rest, column)
    if not 1 <= value <= 8:
        raise ScenarioError(f'expected 1 to 8 CPUs, got "{rest}"', 0, column)
    if draft.threads:
        raise ScenarioError("expected the number of CPUs before the first thread", 0, column)
    draft.cpus = value


def _tlb(draft: _Draft, rest: str, column: int) -> None:
    found = [_byte(match[0], column + match.start()) for match in re.finditer(r"\S+", rest)]
    for cpu in found:
        if cpu >= draft.cpus:
            raise ScenarioError(f"CPU {cpu} does not exist: the head says {draft.cpus} CPUs", 0, column)
    draft.tlbs = tuple(sorted(set(found)))


def _va(draft: _Draft, rest: str, column: int) -> None:
    name, equals, entry = rest.partition("=")
    if not equals:
        raise ScenarioError('expected "va NAME = ENTRY", such as va a = P|W|D|pfn(1)', 0, column)
    explicit = entry.rstrip().endswith(" explicit")
    text = entry.rstrip().removesuffix("explicit") if explicit else entry
    if not text.strip():
        raise ScenarioError("expected an entry such as P|W|D|pfn(1)", 0, column + len(name) + 1)
    draft.vas.append(Va(_fresh(draft, name.strip(), column), text, explicit, (0, column + len(name) + 1)))


def _page(draft: _Draft, rest: str, column: int) -> None:
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


def _locks(draft: _Draft, rest: str, column: int) -> None:
    draft.locks += _names(draft, rest, column)


def _tables(draft: _Draft, rest: str, column: int) -> None:
    draft.tables += _names(draft, rest, column)


def _valued(draft: _Draft, rest: str, column: int) -> tuple[str, int]:
    name, equals, value = rest.partition("=")
    return _fresh(draft, name.strip(), column), _byte(value.strip(), column + len(name) + 1) if equals else 0


def _var(draft: _Draft, rest: str, column: int) -> None:
    name, value = _valued(draft, rest, column)
    draft.variables[name] = value


def _counter(draft: _Draft, rest: str, column: int) -> None:
    name, value = _valued(draft, rest, column)
    draft.counters[name] = value


def _init(draft: _Draft, rest: str, column: int) -> None:
    name, equals, value = rest.partition("=")
    if not equals:
        raise ScenarioError('expected "init VARIABLE = VALUE"', 0, column)
    _expression(name, column)
    draft.init[name.strip()] = _byte(value.strip(), column + len(name) + 1)


def _expression(text: str, column: int) -> None:
    try:
        parser = Parser(text)
        parser.expression()
        if parser.peek().kind != "end":
            parser.fail("the end of the expression")
    except ScenarioError as error:
        raise ScenarioError(error.text, 0, column + max(error.column, 1) - 1) from None


def _needs(draft: _Draft, rest: str, column: int) -> None:
    if not rest:
        raise ScenarioError("expected what the witness needs, in words", 0, column)
    draft.needs.append(rest)


def _sometimes(draft: _Draft, rest: str, column: int) -> None:
    match = re.fullmatch(r'"([^"]*)"[ \t]*(.*)', rest)
    if match is None:
        raise ScenarioError('expected: sometimes "words" EXPR', 0, column)
    text = _uncommented(match[2])
    _expression(text, column + match.start(2))
    draft.checks.append(Check(match[1], text, None, (0, column + match.start(2))))


def _always(draft: _Draft, rest: str, column: int) -> None:
    match = re.fullmatch(r"(.*?)[ \t]+else[ \t]+([\w-]+)", _uncommented(rest))
    if match is None:
        raise ScenarioError("expected: always EXPR else VIOLATION", 0, column)
    if match[2] not in VIOLATIONS:
        raise ScenarioError(f'no violation "{match[2]}"{nearest(match[2], VIOLATIONS)}', 0, column + match.start(2))
    _expression(match[1], column)
    draft.checks.append(Check(match[1], match[1], match[2], (0, column)))


def _bound(draft: _Draft, rest: str, column: int) -> None:
    if not re.fullmatch(r"[0-9]{1,7}", rest) or not int(rest):
        raise ScenarioError(f'expected a number of states, got "{rest}"', 0, column)
    draft.bound = int(rest)


_HANDLERS: dict[str, Callable[[_Draft, str, int], None]] = {
    "profile": _profile, "cpus": _cpus, "tlb": _tlb, "va": _va, "page": _page, "lock": _locks, "table": _tables, "var": _var,
    "counter": _counter, "init": _init, "needs": _needs, "sometimes": _sometimes, "always": _always, "bound": _bound,
}  # fmt: skip


def parse(text: str, profiles: Iterable[Profile], path: str = "") -> Scenario:
    """The scenario that a file holds. Raises ScenarioError with path, line, column and what was expected."""
    reader = _Reader()
    try:
        if len(text) > LARGEST:
            raise ScenarioError(f"{len(text)} characters: expected {LARGEST} at most")
        for reader.number, line in enumerate(text.splitlines(), 1):
            reader.line(line)
        if not reader.name:
            raise ScenarioError('expected "scenario NAME" as the first line', 1, 1)
        profiles = tuple(profiles)
        variants = tuple(_variant(reader.name, name, draft, profiles) for name, draft in reader.drafts.items())
    except ScenarioError as error:
        raise ScenarioError(error.text, error.line, error.column, path) from None
    return Scenario(reader.name, " ".join(reader.about), tuple(reader.source), " ".join(reader.why), variants, path)


def _variant(scenario: str, name: str, draft: _Draft, profiles: tuple[Profile, ...]) -> Variant:
    if draft.expected is None:
        raise ScenarioError(f'expected a line "expect {name} VERDICT"')
    if draft.profile is None:
        raise ScenarioError('expected a line "profile NAME"')
    try:
        profile = find(profiles, draft.profile)
    except ScenarioError as error:
        raise ScenarioError(error.text, *draft.profile_at) from None
    if not draft.threads:
        raise ScenarioError(f"the {name} variant has no thread")
    model = Model(
        scenario,
        profile,
        tuple(Thread(thread, cpu, tuple(steps), kind) for thread, cpu, kind, steps in draft.threads),
        draft.cpus,
        tuple(draft.vas),
        tuple(draft.locks),
        tuple(draft.pages),
        tuple(draft.tables),
        draft.variables,
        draft.counters,
        draft.init,
        draft.tlbs,
        tuple(draft.checks),
        tuple(draft.needs),
    )
    return Variant(name, model, draft.expected, Bounds(draft.bound))
