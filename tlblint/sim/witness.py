"""The shortest interleaving as rows to read: what changed, where the stale translation comes from, what missed it."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from tlblint.model.witness import Change, Witness, WitnessStep
from tlblint.sim.ir import Alt, Bin, Const, Effect, Expr, Fail, Program, Set, Step, When, code_of, names_in
from tlblint.sim.machine import VISIBLE
from tlblint.sim.model import Model
from tlblint.sim.naive import enabled, ending, perform, settle, value
from tlblint.sim.say import Words, cached, split, thing
from tlblint.sim.skipped import skipped_flush

Taken = tuple[int, int, int]
"""(thread, node, number of the alternative)"""

WHAT = {
    "uaf-store": "a store reaches {page} after it was freed",
    "uaf-load": "a load reaches {page} after it was freed",
    "uaf-walk": "a page table is freed that a walk still reaches",
    "uaf-device": "a device reaches {page} after it was freed",
    "contract": "an access goes through that a system call revoked before it returned",
    "stable": "a store changes {page}, which is copied, written out or relied on not to change",
    "lost-dirty": "data is neither on disk nor marked dirty anywhere",
    "false-pending": "the kernel relies on no CPU having a translation that one still has",
    "false-complete": "a flush counts as completed that is not",
    "dup-hash": "the hash table has two entries for one address",
    "unbalanced": "a count falls below zero, or a lock is dropped that is not held",
    "leak": "all threads are done and something is still owed",
    "deadlock": "no thread can go on",
    "unrecorded": "a store goes through that no dirty bit tells of, though the call that cleans the range has returned",
}
"""Violation -> what happens."""
ENDS = ("leak", "deadlock", "lost-dirty")
"""Violations that the state after the last step may be, instead of the step."""


class Row(msgspec.Struct, frozen=True):
    """A step of the trace: who, which alternative, the state before and after (variable -> value)."""

    thread: int
    node: int
    step: Step
    alt: Alt
    before: dict[str, int]
    after: dict[str, int]


class Stale(msgspec.Struct, frozen=True):
    """The translation that does the harm: the variable that holds it, its bits, and the number of steps after which it was last rightly there."""

    name: str
    mask: int
    since: int


def tell(program: Program, model: Model, taken: list[Taken], verdict: str) -> Witness:
    """The witness of a trace that commits ``verdict``."""
    rows, pcs = _replay(program, taken, code_of(verdict))
    words = Words(program)
    steps = [_row(program, words, model, number, row) for number, row in enumerate(rows, 1)]
    steps = [replace(step, cause=_cause(rows, number, program)) for number, step in enumerate(steps)]
    stale = _stale(rows, verdict, model)
    if steps:
        at = _decisive(program, rows, verdict)
        steps[at] = replace(steps[at], mark="violation", note=_what(program, rows, pcs, verdict, words, model))
        if stale is not None:
            _missed(program, rows, steps, stale, words)
    birth = [] if stale is None else [_birth(rows, stale, program)]
    at = 0 if stale is None else stale.since
    order = (*steps[:at], *birth, *steps[at:])
    used = [(code.name, code.cpu) for thread, code in enumerate(program.codes) if any(row.thread == thread for row in rows)]
    used += [(step.actor, step.cpu) for step in birth if (step.actor, step.cpu) not in used]
    things = tuple(dict.fromkeys(change.thing for step in steps for change in step.changes))
    return Witness(model.profile.name, verdict, _sentence(rows, program, pcs, verdict, stale, words, model), tuple(used), things, order, tuple(model.needs))


def _replay(program: Program, taken: list[Taken], code: int) -> tuple[list[Row], tuple[int, ...]]:
    """The rows of a trace and where the threads stand after it, run again by the reference interpreter. Raises AssertionError if it does not agree."""
    rows = []
    values = dict(program.init)
    pcs = tuple(settle(thread, 0, values) for thread in program.codes)
    found = 0
    for thread, node, number in taken:
        step = program.codes[thread].nodes[node]
        if found or not isinstance(step, Step) or pcs[thread] != node:
            raise AssertionError("the reference interpreter stands elsewhere")
        alt = step.alts[number]
        if alt.guard is not None and not value(alt.guard, values):
            raise AssertionError(f"the reference interpreter cannot take {alt.text!r}")
        before, values = values, dict(values)
        found = perform(alt.effects, values)
        pcs = (*pcs[:thread], settle(program.codes[thread], alt.goto, values), *pcs[thread + 1 :])
        rows.append(Row(thread, node, step, alt, before, values))
    if not found:
        found = ending(program, pcs, values, any(True for _ in enabled(program, pcs, values)))
        found = found or next((bad for expr, bad in program.always if not value(expr, values)), 0)
    if found != code:
        raise AssertionError("the reference interpreter sees no such violation")
    return rows, pcs


def _row(program: Program, words: Words, model: Model, number: int, row: Row) -> WitnessStep:
    code = program.codes[row.thread]
    hidden = set(model.locks)
    seen = {name: _lost_only(name, row, code.cpu) for name in row.after}
    changes = tuple(
        Change(thing(name), words.value(name, row.before[name]), words.value(name, value))
        for name, value in seen.items()
        if value != row.before[name] and name not in hidden and not name.endswith("_") and not _inner(name)
    )
    effects = row.alt.effects
    idle = bool(effects) and all(isinstance(effect, When) and not value(effect.cond, row.before) for effect in effects)
    text = f"{row.alt.text} (does nothing here)" if idle else row.alt.text
    return WitnessStep(number, code.name, code.cpu, text, row.step.path, row.step.line, changes)


def _lost_only(name: str, row: Row, cpu: int) -> int:
    """The value to show behind a step. That a CPU may cache more from now on is no effect of a write: only the access that fills a TLB is
    told so, and only of its own."""
    base, parts = split(name)
    filled = row.alt.role in ("store", "load", "fill") and base == "tlb" and parts[0] == str(cpu)
    if base not in ("tlb", "pwc", "dev") or filled:
        return row.after[name]
    return row.before[name] & row.after[name]


def _inner(name: str) -> bool:
    """Registers that only ops know."""
    return "." in name and name.partition(".")[2].partition("_")[0] in ("queue", "swapped", "lazy")


# -- causes


def _cause(rows: list[Row], at: int, program: Program) -> int | None:
    """The last earlier step of another thread that changed what row ``at`` waits for or is told by. 1-based."""
    row = rows[at]
    wanted = names_in(row.alt.guard) if row.alt.guard is not None else set()
    if at == len(rows) - 1:
        wanted |= {name for fail in _fails(row.alt.effects) for name in names_in(fail.cond) if row.before.get(name)}
    wanted = {name for name in wanted if split(name)[0] not in ("tlb", "pwc", "dev", "hpt")}
    for earlier in range(at - 1, -1, -1):
        other = rows[earlier]
        if other.thread != row.thread and any(other.before[name] != other.after[name] for name in wanted):
            return earlier + 1
    return None


def _fails(effects: tuple[Effect, ...]) -> list[Fail]:
    found = []
    for effect in effects:
        if isinstance(effect, Fail):
            found.append(effect)
        elif isinstance(effect, When):
            found += _fails(effect.effects)
    return found


# -- the stale translation


def _stale(rows: list[Row], verdict: str, model: Model) -> Stale | None:
    if not rows:
        return None
    subject = _subject(rows[-1], verdict) if _commits(rows[-1], verdict) else None
    last = len(rows) - 1
    if verdict == "lost-dirty":
        stores = [(at, found) for at, row in enumerate(rows) if row.alt.role == "store" and (found := _guarded(row.alt.guard)) is not None]
        last, subject = stores[-1] if stores else (last, None)
    if subject is None:
        return None
    name, mask = subject
    states = [rows[0].before, *(row.after for row in rows)]
    since = max((at for at, state in enumerate(states[: last + 1]) if _allowed(name, state, model) & mask), default=None)
    return None if since is None or since == last else Stale(name, mask, since)


def _allowed(name: str, state: dict[str, int], model: Model) -> int:
    """What the page tables of a state let a cache hold."""
    base, parts = split(name)
    if base == "pwc":
        return state[f"pmd[{parts[1]}]"]
    return VISIBLE[model.profile.store_needs][state[f"pte[{parts[-1]}]"]]


def _decisive(program: Program, rows: list[Row], verdict: str) -> int:
    """The row to mark: the last one, but for lost data the last that has to do with data, dirty bits, entries or translations, or would have."""
    if verdict == "lost-dirty" and not _commits(rows[-1], verdict):
        told = {name for fail in program.final for name in names_in(fail.cond) if fail.code == code_of(verdict)}
        for at in range(len(rows) - 1, -1, -1):
            changed = {name for name, byte in rows[at].after.items() if byte != rows[at].before[name]}
            if any(name in told or split(name)[0] in ("tlb", "hpt") for name in changed) or any(_touches(rows[at].alt.effects, name) for name in told):
                return at
    return len(rows) - 1


def _subject(row: Row, verdict: str) -> tuple[str, int] | None:
    """(variable, bits) of the translation through which the violating step reached what it should not."""
    if row.alt.role in ("store", "load"):
        return _guarded(row.alt.guard)
    for fail in _fails(row.alt.effects):
        names = [name for name in names_in(fail.cond) if split(name)[0] in ("tlb", "pwc", "dev", "hpt")]
        if fail.code == code_of(verdict) and len(names) == 1:
            mask = fail.cond.y.value if isinstance(fail.cond, Bin) and isinstance(fail.cond.y, Const) else 255
            if row.before[names[0]] & mask:
                return names[0], row.before[names[0]] & mask
    return None


def _guarded(guard: Expr | None) -> tuple[str, int] | None:
    if isinstance(guard, Bin) and guard.op == "and":
        return _guarded(guard.x) or _guarded(guard.y)
    if isinstance(guard, Bin) and guard.op == "&" and isinstance(guard.y, Const):
        names = [name for name in names_in(guard.x) if split(name)[0] in ("tlb", "dev", "hpt")]
        return (names[0], guard.y.value) if names else None
    return None


def _holder(name: str) -> tuple[str, int]:
    base, parts = split(name)
    return ("hash table", 0) if base == "hpt" else ("device", 0) if base == "dev" else (f"CPU{parts[0]}", int(parts[0]))


def _birth(rows: list[Row], stale: Stale, program: Program) -> WitnessStep:
    who, cpu = _holder(stale.name)
    base, parts = split(stale.name)
    what = f"the pointer to table {parts[1]}" if base == "pwc" else f"{parts[-1]} -> {cached(stale.mask)}"
    by = [row.thread for row in rows if (_guarded(row.alt.guard) or ("", 0))[0] == stale.name]
    there = [row.thread for row in rows if program.codes[row.thread].cpu == cpu and base in ("tlb", "pwc")]
    lanes = by or there
    if not lanes:
        return WitnessStep(0, who, cpu, f"{who} caches {what}", mark="birth", note="at any time up to here")
    user, cpu = program.codes[lanes[-1]].name, program.codes[lanes[-1]].cpu
    return WitnessStep(0, user, cpu, f"{who} caches {what}", mark="birth", note="at any time up to here")


def _missed(program: Program, rows: list[Row], steps: list[WitnessStep], stale: Stale, words: Words) -> None:
    """Mark the first step that could have removed the translation and did not."""
    for at in range(stale.since + 1, len(rows) - 1):
        row = rows[at]
        if not row.after[stale.name] & stale.mask:
            continue
        if row.alt.flush and _touches(row.alt.effects, stale.name):
            steps[at] = replace(steps[at], mark="missed", note=f"{thing(stale.name)} keeps {_kept(stale)}")
            return
        skipped = skipped_flush(program.codes[row.thread], row.node, row.alt, row.after)
        if skipped is not None:
            flush, names = skipped
            why = ", ".join(f"{thing(name)} is {words.value(name, row.after[name])}" for name in sorted(names) if name in row.after)
            because = f"{why}: " if why else ""
            steps[at] = replace(steps[at], mark="missed", note=f"{because}skips {flush}")
            return


def _kept(stale: Stale) -> str:
    base, parts = split(stale.name)
    return "the pointer" if base == "pwc" else f"{parts[-1]} -> {cached(stale.mask)}"


def _touches(effects: tuple[Effect, ...], name: str) -> bool:
    return any(effect.var == name if isinstance(effect, Set) else isinstance(effect, When) and _touches(effect.effects, name) for effect in effects)


def _commits(row: Row, verdict: str) -> bool:
    """Whether the step itself violates, and not the state after it."""
    return any(fail.code == code_of(verdict) for fail in _fails(row.alt.effects)) and verdict not in ("leak", "deadlock")


def _broken(program: Program, model: Model, rows: list[Row], verdict: str) -> str:
    """The "always" of the head that is broken at the end of the trace; "" when the last step or the end itself is what violates."""
    if rows and _commits(rows[-1], verdict):
        return ""
    values = rows[-1].after if rows else program.init
    rules = [check.expr for check in model.checks if check.violation is not None]
    wanted = code_of(verdict)
    return next((text for text, (expr, code) in zip(rules, program.always, strict=True) if code == wanted and not value(expr, values)), "")


def _what(program: Program, rows: list[Row], pcs: tuple[int, ...], verdict: str, words: Words, model: Model) -> str:
    """What happens, with the page, what is owed, what each thread waits for, or which rule of the scenario is broken."""
    broken = _broken(program, model, rows, verdict)
    if broken:
        return f"what must always hold does not: {broken}"
    held = _guarded(rows[-1].alt.guard) if rows[-1].alt.role in ("store", "load") else None
    page = cached(held[1]).rpartition(" ")[0] if held is not None else "a page"
    text = WHAT[verdict].format(page=page if page.startswith("page") else "a page")
    after = rows[-1].after
    if verdict == "lost-dirty" and not _commits(rows[-1], verdict):
        text += ", and nothing that is left to do marks it"
    if verdict == "uaf-walk":
        gone = [split(name)[1][0] for name, byte in after.items() if split(name)[0] == "freed" and byte]
        by = [thing(name) for name, byte in after.items() if split(name)[0] == "walk" and byte and split(name)[1][1] in gone]
        text += f": {', '.join(by)}" if by else ""
    if verdict == "leak":
        owed = sorted({name for fail in program.final for name in names_in(fail.cond) if fail.code == code_of("leak") and after[name]})
        text += "".join(f", {thing(name)}: {words.value(name, after[name])}" for name in owed)
    if verdict == "deadlock":
        waits = []
        for code, pc in zip(program.codes, pcs, strict=True):
            node = code.nodes[pc] if pc < len(code.nodes) else None
            if isinstance(node, Step) and not code.daemon:
                waits.append(f"{code.name} waits in '{node.alts[0].text}'")
        text += f": {', '.join(waits)}"
    return text


def _sentence(rows: list[Row], program: Program, pcs: tuple[int, ...], verdict: str, stale: Stale | None, words: Words, model: Model) -> str:
    if not rows:
        broken = _broken(program, model, rows, verdict)
        return f"At the start what must always hold does not: {broken}." if broken else f"{WHAT[verdict][:1].upper()}{WHAT[verdict][1:]}."
    at = _decisive(program, rows, verdict)
    last = rows[at]
    code = program.codes[last.thread]
    what = _what(program, rows, pcs, verdict, words, model)
    when = "In" if at == len(rows) - 1 and _commits(last, verdict) else "After"
    text = f"{when} step {at + 1} ({code.name} on CPU{code.cpu}: {last.alt.text}) {what}"
    if stale is not None and stale.since < len(rows):
        maker = rows[stale.since]
        who, _ = _holder(stale.name)
        text += f": {who} still held {_kept(stale)}, stale since step {stale.since + 1} of {program.codes[maker.thread].name}"
    return text + "."
