"""The engine over a small world: a few API names, five rules of one page, and C whose defects are marked on their lines.

A line with ``/* bad: LOCK */`` is where a finding of that rule must stand; every other finding is a mistake.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from tlblint.engine.analyse import analyse
from tlblint.engine.asked import Context, EngineResult, Entry
from tlblint.engine.grammar import RuleSpec
from tlblint.flow import facts_of
from tlblint.model.ir import FileFacts
from tlblint.model.roles import Effect, Profile, Role
from tlblint.rulefile import parse_rule
from tlblint.rulefile.parse import HEADINGS
from tlblint.syntax import Config

_BAD = re.compile(rb"/\* bad: ([A-Z ]+) \*/")


def _role(name: str, arity: int, *effects: str) -> Role:
    """Effects as "kind object=operand ... [@ret!=0] [+attr]"."""
    made = []
    for text in effects:
        kind, *rest = text.split()
        bind = tuple(tuple(word.split("=")) for word in rest if word[0] not in "@+")
        when = next((word[1:] for word in rest if word[0] == "@"), "always")
        made.append(Effect(kind, bind, frozenset(word[1:] for word in rest if word[0] == "+"), when))  # type: ignore[arg-type]
    return Role(name, arity, "pte", tuple(made), "")


ROLES = {
    role.name: role
    for role in (
        _role("take", 1, "lock.acquire lock=0"),
        _role("drop", 1, "ptl.release ptl=0"),
        _role("try_take", 1, "lock.acquire lock=0 @ret!=0"),
        _role("spin_lock", 1, "lock.acquire lock=0"),
        _role("spin_unlock", 1, "lock.release lock=0"),
        _role("name_of_lock", 1, "ptl.lookup ptl=ret"),
        _role("map", 2, "ptl.acquire ptl=*1 pte=ret @ret!=0"),
        _role("map_always", 2, "ptl.acquire ptl=*1 pte=ret"),
        _role("huge_lock", 1, "ptl.acquire ptl=ret @ret!=0"),
        _role("enter", 0, "lazy.enter"),
        _role("leave", 0, "lazy.leave"),
        _role("read", 1, "entry.read pte=0 value=ret"),
        _role("clear", 1, "entry.clear pte=0 value=ret"),
        _role("store", 2, "entry.install pte=0 value=1"),
        _role("present", 1, "test.present value=0"),
        _role("none", 1, "test.none value=0"),
        _role("dirty", 1, "test.dirty value=0"),
        _role("flush", 0, "flush.now"),
        _role("complete_batch", 0, "flush.batched"),
        _role("mark", 1, "page.dirty page=0"),
        _role("may_sleep", 0, "sleep"),
    )
}


def rule(code: str, track: tuple[str, ...], states: str, *transitions: str, **more: object) -> RuleSpec:
    """A rule through the reader of rule files; it goes by ``code``, a word."""
    fixed = {"title": "t", "severity": "error", "confidence": "high", "status": "stable"}
    block = [f"{key} = {json.dumps(value)}" for key, value in {**fixed, "track": track, "transitions": transitions, **more}.items()]
    block += ["[states]", *(f'{name} = "{name}"' for name in states.split())]
    text = "\n".join(["# TLB999 test-rule", "```toml", *block, "```", *(f"## {heading}" for heading in HEADINGS)])
    return replace(parse_rule("rules/TLB999.md", text), code=code)


RULES = (
    rule(
        "LOCK", ("ptl",), "held",
        "start -> held : ptl.acquire(ptl) when not attr:walker",
        "held -> gone : ptl.release(ptl)",
        "held -> ERROR : exit say '{ptl} is left locked'",
    ),
    rule("UNLOCK", (), "", "start -> ERROR : ptl.release when root and not ptl-held say '{ptl} is not locked'"),
    rule(
        "BATCH", ("ptl",), "open",
        "start -> open : ptl.acquire(ptl) when attr:walker",
        "open -> gone : flush.batched",
        "open -> ERROR : entry.clear(ptl) say 'not completed'",
    ),
    rule(
        "LAZY", ("ptl",), "on",
        "start -> on : lazy.enter when not lazy",
        "on -> gone : lazy.leave",
        "on -> ERROR : exit, ptl.release(ptl), lazy.enter say 'left on'",
        "start -> ERROR : lazy.leave when root and not lazy say 'not entered'",
    ),
    rule(
        "FLUSH", ("ptl", "value"), "owed",
        "start -> owed : entry.clear when may-be-present",
        "owed -> gone : flush.now, test.present(value)=false",
        "owed -> ERROR : ptl.release(ptl), exit say '{site} on line {site_line} is not flushed before {act}'",
    ),
    rule(
        "DIRTY", ("value",), "seen",
        "start -> seen : test.dirty(value)=true",
        "seen -> gone : page.dirty",
        "seen -> ERROR : exit say 'lost'",
    ),
)  # fmt: skip


def _says_nothing(path: str, name: str) -> frozenset[str]:
    return frozenset()


CONTEXT = Context(
    roles=lambda name, count: ROLES.get(name),
    pure=lambda name: name.startswith("pure_"),
    features=frozenset(),
    profiles=(Profile("any", "", frozenset(), ""),),
    says=_says_nothing,
    entries=lambda path, name: None,
    slots={("walk_ops", "entry"): Entry(ptl="the walker's lock", walker=True, note="the walker")},
    outside=lambda path, name: False,
    skipped=lambda path: False,
)
WORDS = frozenset(name.encode() for name in ROLES)


def facts(source: str, path: str = "mm/a.c", also: Sequence[str] = ()) -> FileFacts:
    """The facts of a C text; ``also``: functions in scope that mention no role."""
    return facts_of(path, source.encode(), Config(), WORDS, frozenset(name.encode() for name in also))


def judge(source: str, rules: Sequence[RuleSpec] = RULES, also: Sequence[str] = ()) -> EngineResult:
    """Run the rules over one file; it must have been read whole."""
    held = facts(source, also=also)
    assert not held.not_analysed, held.not_analysed
    return analyse([held], rules, CONTEXT)


def places(result: EngineResult, source: str) -> list[str]:
    """Findings as "line 3 LOCK", in the order of the text."""
    return sorted((f"line {source.encode()[: f.pos].count(10) + 1} {f.rule}" for f in result.findings), key=lambda text: (int(text.split()[1]), text))


def marked(source: str) -> list[str]:
    """What the comments expect, in the form of ``places``."""
    out = [f"line {n} {code.decode()}" for n, line in enumerate(source.encode().split(b"\n"), 1) for m in _BAD.finditer(line) for code in m[1].split()]
    return sorted(out, key=lambda text: (int(text.split()[1]), text))


def with_says(says: Callable[[str, str], frozenset[str]]) -> Context:
    """The small world with contracts."""
    return replace(CONTEXT, says=says)
