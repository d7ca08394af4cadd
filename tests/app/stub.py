"""A small analysis in place of the real one: every ``leak();`` is a TLB003, every ``late();`` a TLB001."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Sequence

import msgspec

from tests.findings.make import OWN, OwnRule
from tlblint.app.named import find
from tlblint.app.spine import Spine, Wanted
from tlblint.engine.asked import Over, in_order
from tlblint.findings import own
from tlblint.io.errors import InputError
from tlblint.model.finding import RawFinding, Step
from tlblint.model.ir import Block, FileFacts, Function, NotAnalysed
from tlblint.model.store import NOTHING, Store

EXAMPLE = """# TLB003 lazy-mode-unpaired

## Examples
### Bad
```c
void f(void)
{
	leak(); /* expect: TLB003 */
}
```
### Known miss
```c
void g(void)
{
	hidden_leak(); /* todo-expect: TLB003 needs alias */
}
```
"""

RULES = (
    OwnRule("TLB001", "batched-pending-not-flushed", "warning", "medium", "entries are acted on before a batch is flushed", "About TLB001.\n"),
    OwnRule("TLB003", "lazy-mode-unpaired", "error", "high", "lazy MMU mode is not left on a path", EXAMPLE, "rules/TLB003.md"),
    *OWN,
)
PROFILES = ("powerpc-hash", "x86-64")
_FUNCTION = re.compile(rb"^\w[\w *]*?(\w+)\([^)]*\)\n\{(.*?)^\}", re.MULTILINE | re.DOTALL)
_MAIN = os.getpid()


class Result(msgspec.Struct, frozen=True):
    findings: tuple[RawFinding, ...]
    not_analysed: tuple[NotAnalysed, ...]


def facts(path: str, raw: bytes) -> FileFacts:
    if b"leak_crash" in raw:
        raise RecursionError("too deep")
    if b"leak_kill" in raw and os.getpid() != _MAIN:
        os.kill(os.getpid(), signal.SIGKILL)
    functions = []
    gaps = []
    for match in _FUNCTION.finditer(raw):
        calls = [("call", n, call[1].decode(), (), match.start(2) + call.start()) for n, call in enumerate(re.finditer(rb"\b(leak|late)\(", match[2]))]
        name = match[1].decode()
        if b"leak_odd" in match[2]:
            gaps.append(NotAnalysed(path, name, match.start(1), "its braces do not balance"))
            continue
        block = Block(tuple(calls), "return", None, (), match.end())
        functions.append(Function(name, path, match.start(), match.end(), (), "void", False, (block,), frozenset()))
    newlines = tuple(at for at, byte in enumerate(raw) if byte == 10)
    return FileFacts(path, tuple(functions), (), tuple(gaps), len(functions) + len(gaps), 0, newlines)


def analyse(files: Sequence[FileFacts], only: Callable[[str], bool] | None = None, over: Over = in_order, store: Store = NOTHING, /) -> Result:
    found = []
    for fact in files:
        for function in fact.functions:
            for _, _, name, _, pos in function.blocks[0].instrs:
                rule, role = ("TLB003", "lazy.enter") if name == "leak" else ("TLB001", "ptl.acquire")
                message = f"Lazy MMU mode entered by {name}() is still on when {function.name}() returns."
                trace = (
                    Step(fact.path, pos, function.name, role, "on", ""),
                    Step(fact.path, function.end - 1, function.name, "return", "", "end of the path"),
                )
                found.append(RawFinding(rule, fact.path, pos, function.name, message, "return", trace, (role, "return"), PROFILES[:1]))
    return Result(tuple(reversed(found)), ())


def load(wanted: Wanted) -> Spine:
    for name in wanted.profiles:
        if name not in PROFILES:
            raise InputError(f"--profile {name}", "no such profile", "choose from " + ", ".join(PROFILES))
    known = own.by_code(RULES)
    active = frozenset(find(known, name).code for name in wanted.select or known) - {find(known, name).code for name in wanted.ignore}
    words = frozenset({b"leak", b"late", b"leaky", b"hidden_leak", b"leak_crash", b"leak_kill", b"leak_odd"})
    return Spine(RULES, active, PROFILES, words, "0123456789abcdef", facts, analyse)
