"""Scenario files: a head, threads, and lines that only one of the two variants has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec

from tlblint.sim.errors import ScenarioError, nearest
from tlblint.sim.head import HANDLERS, NAME, Draft, Expected, uncommented
from tlblint.sim.ir import VIOLATIONS
from tlblint.sim.lang import parse_way
from tlblint.sim.model import MOST_THREADS, Bounds, Check, Model, Thread, Va
from tlblint.sim.profiles import Profile, find
from tlblint.sim.syntax import Line, Way
from tlblint.sim.tokens import LONGEST_NAME

VARIANTS = ("buggy", "fixed")
LARGEST = 1 << 20
"""Characters of the largest scenario file."""
_GUARD = re.compile(r"\[(\w*)\][ \t]*")
_THREAD = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]+on[ \t]+cpu(?P<cpu>[0-9]{1,3})")


class Variant(msgspec.Struct, frozen=True):
    """One of the two programs of a scenario."""

    name: str
    model: Model
    expected: Expected
    bounds: Bounds


class Scenario(msgspec.Struct, frozen=True):
    """A protocol with a bug and with its mend. ``why`` says where it departs from its ``source``."""

    name: str
    about: str
    source: tuple[str, ...]
    why: str
    variants: tuple[Variant, ...]
    path: str = ""


class _Reader:
    """Reads a scenario line by line; every line goes to the variants that have it."""

    def __init__(self) -> None:
        self.name = ""
        self.about: list[str] = []
        self.source: list[str] = []
        self.why: list[str] = []
        self.drafts = {name: Draft() for name in VARIANTS}
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
        handler: Callable[[Draft, str, int], None] | None = HANDLERS.get(keyword)
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
            self._expect(uncommented(rest), rest_at, variants)
            return
        if keyword in ("thread", "user", "device", "daemon"):
            self._thread(keyword, uncommented(rest), rest_at, variants)
            return
        if handler is None:
            known = {*HANDLERS, "scenario", "about", "source", "why", "expect", "thread", "user", "device", "daemon"}
            got = keyword or text[column - 1 :][:1]
            raise self.fail(f'expected a line of the head (steps are indented), got "{got}"{nearest(got, known)}', column)
        self.open = ()
        rest = rest.strip(" \t") if keyword in ("needs", "sometimes", "always") else uncommented(rest)
        for variant in variants:
            try:
                handler(self.drafts[variant], rest, rest_at)
            except ScenarioError as error:
                raise self.fail(error.text, error.column or rest_at) from None
            if keyword in ("profile", "va", "sometimes", "always", "init"):
                self._place(self.drafts[variant], keyword, rest_at)

    def _place(self, draft: Draft, keyword: str, column: int) -> None:
        """Tell what was just added where it stands."""
        if keyword == "profile":
            draft.profile_at = (self.number, column)
        elif keyword == "init":
            draft.init_at[next(reversed(draft.init))] = (self.number, column)
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
            rest = uncommented(rest)
            if not NAME.fullmatch(rest) or len(rest) > LONGEST_NAME:
                raise self.fail(f'expected a name of at most {LONGEST_NAME} letters, digits and "_", got "{rest}"', column)
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
        if len(match["name"]) > LONGEST_NAME:
            raise self.fail(f"a name of {len(match['name'])} characters: expected {LONGEST_NAME} at most", column)
        self.open = variants
        for variant in variants:
            draft = self.drafts[variant]
            if len(draft.threads) == MOST_THREADS:
                raise self.fail(f"one thread too many: expected {MOST_THREADS} at most", column)
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


def _lines(text: str) -> list[str]:
    """Lines as an editor counts them: str.splitlines() also breaks at form feeds and Unicode's separators."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


def parse(text: str, profiles: Iterable[Profile], path: str = "") -> Scenario:
    """The scenario that a file holds. Raises ScenarioError with path, line, column and what was expected."""
    reader = _Reader()
    try:
        if len(text) > LARGEST:
            raise ScenarioError(f"{len(text)} characters: expected {LARGEST} at most")
        for reader.number, line in enumerate(_lines(text), 1):
            reader.line(line)
        if not reader.name:
            raise ScenarioError('expected "scenario NAME" as the first line', 1, 1)
        profiles = tuple(profiles)
        variants = tuple(_variant(reader.name, name, draft, profiles, reader.number) for name, draft in reader.drafts.items())
    except ScenarioError as error:
        raise ScenarioError(error.text, error.line, error.column, path) from None
    return Scenario(reader.name, " ".join(reader.about), tuple(reader.source), " ".join(reader.why), variants, path)


def _variant(scenario: str, name: str, draft: Draft, profiles: tuple[Profile, ...], last: int) -> Variant:
    """A variant of a file whose last line has the number ``last``: that is where something is missing."""
    if draft.expected is None:
        raise ScenarioError(f'expected a line "expect {name} VERDICT" before the end; buggy and fixed each have one', last, 1)
    if draft.profile is None:
        raise ScenarioError('expected a line "profile NAME" before the end', last, 1)
    try:
        profile = find(profiles, draft.profile)
    except ScenarioError as error:
        raise ScenarioError(error.text, *draft.profile_at) from None
    if not draft.threads:
        raise ScenarioError(f'the {name} variant has no thread: expected "thread NAME on cpuN" before the end', last, 1)
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
        draft.init_at,
    )
    return Variant(name, model, draft.expected, Bounds(draft.bound))
