"""The transition language of rule files: parsing and its closed vocabulary.

One transition is one line of text::

    STATE[|STATE] -> STATE : EVENT[, EVENT...] [when GUARD [and GUARD]...] [as EVENT] [say 'SENTENCE']

``start`` on the left creates a new instance of the automaton and binds the tracked object; ``gone`` on the right
ends it; ``ERROR`` on the right reports. An event is an effect kind of the role table, optionally with the object that
must match the tracked one and, for predicates, the outcome: ``test.dirty(value)=true``. A guard is a word of
GUARDS, with an argument after a colon where it takes one, and may be negated with ``not``. What comes after an ``ERROR`` counts ``as`` if the missing
event had happened, so that no other rule tells the same slip again.
"""

from __future__ import annotations

import re
import string

import msgspec

EVENT_KINDS = frozenset(
    {
        "ptl.acquire", "ptl.release", "entry.read", "entry.clear", "entry.start", "entry.commit", "entry.demote", "entry.clean", "entry.install",
        "entry.promote", "entry.young", "flush.now", "flush.gather", "flush.record", "flush.batched", "flush.rmaps", "section.open", "section.close",
        "unmap.defer", "unmap.batch", "unmap.flush", "lazy.enter", "lazy.leave", "lazy.flush", "lazy.pause", "lazy.resume", "gather.begin", "gather.end",
        "flush.maybe", "pending.inc", "pending.dec", "pending.query", "test.dirty", "test.present", "test.none", "test.nonpresent", "test.write", "test.young",
        "test.same", "test.anon", "test.pagedirty", "test.needs_flush", "test.defer", "test.delay_rmap", "test.accessible", "test.cleaned",
        "test.paged", "test.unpaged",
        "value.derive", "value.kept", "value.table",
        "value.stale", "page.dirty", "page.free", "page.get", "page.copy", "page.defer", "rmap.drop", "rmap.unlock", "table.free",
        "notifier.start", "notifier.end", "sleep", "exit", "settle", "gather.declare", "gather.leave", "notifier.declare", "notifier.leave",
        "notifier.init", "value.commit", "entry.shown", "generation.take", "generation.start",
        "enter", "argument.lost", "batch.add", "flag.read", "flag.raise", "flag.clear", "flag.swap", "gather.vma", "gather.touch",
        "gather.reset", "gather.mark", "gather.read", "member.unset", "cpus.read",
    }
)
OBJECTS = frozenset({"ptl", "pte", "value", "old", "mm", "tlb", "page", "range", "vma", "flag", "argument", "member"})
PLACES = OBJECTS | {"site", "site_line", "act", "act_line", "function", "queue"}
"""What may stand between braces in a sentence."""
PLAIN_GUARDS = frozenset(
    {
        "may-be-present", "known-present", "walked", "page-table-level", "huge-level", "lazy", "pending-open", "count-raised", "recorded-here",
        "anon-page", "no-page",
        "cleaned-value", "invalid-value",
        "read-value", "user-space", "root", "ptl-held", "entered-locked", "restores", "moves", "foreign-mm", "built-value", "nonpresent-value", "live-read",
        "paused", "lazy-told", "flushless", "older-value", "older-entry", "nested", "emptied-value", "unreturned-value", "known-page",
        "settled", "nothing-changed",
    }
)
MENDS = frozenset({"lazy.leave"})
"""The events that may be taken as having happened once their absence is told."""
ARG_GUARDS = frozenset({"attr", "feature", "contract"})
"""Guards with an argument; several alternatives are separated by a bar: contract:table-detached|promotion-only."""


class GrammarError(ValueError):
    """A transition that cannot be read. ``column`` is the 0-based place in the transition text."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


class EventPattern(msgspec.Struct, frozen=True):
    """An event kind, the object that must be the tracked one (or ""), and the wanted outcome of a test (or None)."""

    kind: str
    object: str
    truth: bool | None


class Guard(msgspec.Struct, frozen=True):
    """A guard word with its argument ("" when it takes none)."""

    word: str
    argument: str
    negated: bool


class Transition(msgspec.Struct, frozen=True):
    """One transition; ``sources`` may hold "start"; ``target`` may be "gone" or "ERROR". ``mend``: an event of MENDS, or ""."""

    sources: tuple[str, ...]
    target: str
    events: tuple[EventPattern, ...]
    guards: tuple[Guard, ...]
    say: str
    mend: str = ""


class RuleSpec(msgspec.Struct, frozen=True):
    """A rule as the engine and the reports need it. ``text`` is the whole Markdown; ``path`` where it was read.

    ``track`` names the objects (at most three) whose identities tell two instances apart.
    ``needs`` are features that a profile must have for the rule to hold there; ``where`` adds to them by the state
    from which ERROR is reached. ``single`` names states in which instances are told apart by their lock only: where it no
    longer matters which entry it was, one instance stands for all. ``placed_at_act`` names states from which a finding
    is placed where ERROR is reached, not where the instance began. ``definitions``: the functions that stand behind a flag or a gather are judged, too.
    """

    code: str
    slug: str
    title: str
    severity: str
    confidence: str
    status: str
    track: tuple[str, ...]
    states: tuple[tuple[str, str], ...]
    transitions: tuple[Transition, ...]
    needs: tuple[str, ...]
    where: tuple[tuple[str, tuple[str, ...]], ...]
    single: tuple[str, ...]
    placed_at_act: tuple[str, ...]
    definitions: bool
    text: str
    path: str


_HEAD = re.compile(r"\s*(?P<src>[\w|\s-]+?)\s*->\s*(?P<dst>[\w-]+)\s*:\s*")
_EVENT = re.compile(r"\s*(?P<kind>[a-z_]+(?:\.[a-z_]+)?)\s*(?:\(\s*(?P<obj>\w+)\s*\))?\s*(?:=\s*(?P<truth>true|false))?\s*")
_AS = re.compile(r"as\s+(?P<kind>[a-z_.]+)\s*")
_GUARD = re.compile(r"\s*(?P<not>not\s+)?(?P<word>[a-z][a-z-]*)(?::(?P<arg>[\w.|-]+))?\s*")


def parse_transition(text: str, states: frozenset[str]) -> Transition:
    """Read one transition. Raises GrammarError with the column of the mistake."""
    head = _HEAD.match(text)
    if head is None:
        raise GrammarError("expected 'STATE -> STATE : EVENT'", 0)
    sources = tuple(part.strip() for part in head["src"].split("|"))
    for name in (*sources, head["dst"]):
        if name not in states and name not in ("start", "gone", "ERROR"):
            raise GrammarError(f"unknown state '{name}'", text.find(name))
    if head["dst"] == "start" or "gone" in sources or "ERROR" in sources:
        raise GrammarError("'start' stands only on the left, 'gone' and 'ERROR' only on the right", 0)
    events, at = _events(text, head.end())
    guards, at = _guards(text, at)
    mend, at = _mend(text, at)
    say, at = _say(text, at)
    if text[at:].strip():
        raise GrammarError(f"cannot read '{text[at:].strip()}'", at)
    if head["dst"] == "ERROR" and not say:
        raise GrammarError("a transition to ERROR needs say '...'", len(text))
    if mend and head["dst"] != "ERROR":
        raise GrammarError("'as' stands in a transition to ERROR only", 0)
    return Transition(sources, head["dst"], events, guards, say, mend)


def _events(text: str, at: int) -> tuple[tuple[EventPattern, ...], int]:
    events: list[EventPattern] = []
    while True:
        match = _EVENT.match(text, at)
        if match is None:
            raise GrammarError("expected an event", at)
        if match["kind"] not in EVENT_KINDS:
            raise GrammarError(f"unknown event '{match['kind']}'", match.start("kind"))
        if match["obj"] and match["obj"] not in OBJECTS:
            raise GrammarError(f"unknown object '{match['obj']}'", match.start("obj"))
        truth = None if match["truth"] is None else match["truth"] == "true"
        events.append(EventPattern(match["kind"], match["obj"] or "", truth))
        at = match.end()
        if text[at : at + 1] != ",":
            return tuple(events), at
        at += 1


def _guards(text: str, at: int) -> tuple[tuple[Guard, ...], int]:
    guards: list[Guard] = []
    word = "when"
    while text.startswith(word, at):
        match = _GUARD.match(text, at + len(word))
        if match is None:
            raise GrammarError("expected a guard", at + len(word))
        known = ARG_GUARDS if match["arg"] else PLAIN_GUARDS
        if match["word"] not in known:
            raise GrammarError(f"unknown guard '{match['word']}'", match.start("word"))
        guards.append(Guard(match["word"], match["arg"] or "", bool(match["not"])))
        at, word = match.end(), "and"
    return tuple(guards), at


def _mend(text: str, at: int) -> tuple[str, int]:
    match = _AS.match(text, at)
    if match is None:
        return "", at
    if match["kind"] not in MENDS:
        raise GrammarError(f"'as' takes one of {', '.join(sorted(MENDS))}", match.start("kind"))
    return match["kind"], match.end()


def _say(text: str, at: int) -> tuple[str, int]:
    if not text.startswith("say", at):
        return "", at
    start = text.find("'", at)
    end = text.rfind("'")
    if start < 0 or end <= start:
        raise GrammarError("say needs a sentence in single quotes", at)
    _check_places(text[start + 1 : end], start + 1)
    return text[start + 1 : end], end + 1


def _check_places(sentence: str, at: int) -> None:
    """Only known names between braces: a sentence must never fail when it is needed."""
    try:
        parts = list(string.Formatter().parse(sentence))
    except ValueError as error:
        raise GrammarError(f"the sentence cannot be read: {error}", at) from None
    for _, name, spec, conversion in parts:
        if name is not None and (name not in PLACES or spec or conversion):
            raise GrammarError(f"unknown placeholder '{{{name}}}'", at + max(sentence.find("{" + name), 0))
