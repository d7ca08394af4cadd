"""What reads and changes of entries become. See the event table."""

from __future__ import annotations

from tlblint.crosscheck.subjects import attrs, objects
from tlblint.crosscheck.translate import Translator
from tlblint.model.finding import PathEvent

ACCESSED = "the accessed bit"


def read(t: Translator, e: PathEvent, act: bool) -> None:
    va = t.va_of(e)
    if va is not None:
        t.uses.discard("no-page")  # another look, maybe at another page
        register = t.fresh(objects(e).get("value", ""), va)
        t.emit(f"{register} = read_pte({va})", e, f"{e.text}() of entry {va}" if e.text.isidentifier() and "assumed" not in objects(e) else "")
        if "rmap" in t.modes and va not in t.stored:
            t.skip_unless(f"{register}.pfn == {t.need_page(va)}", register, va)


def clear(t: Translator, e: PathEvent, act: bool) -> None:
    words = attrs(e)
    if "table" in words:
        t.uses.add("tables")
        t.emit("pmd_clear(T); g_T = 1", e)
        t.changes.append(len(t.steps) - 1)
        return
    va = t.va_of(e)
    if va is None:
        return
    register = t.fresh(objects(e).get("value", ""), va)
    if "nonpresent" in words:
        t.changed(f"{register} = pte[{va}]; set_pte({va}, 0)", va, e, "0")
    elif "plain" in words and "no-result" not in words:
        t.emit(f"{register} = read_pte({va})", e)
        t.changed(f"set_pte({va}, 0)", va, e, f"{register}.P")
    elif "plain" in words:
        t.changed(f"{register} = pte[{va}]; set_pte({va}, 0)", va, e, f"{register}.P")
    else:
        t.changed(f"{register} = {'start_pte(' + va if e.kind == 'entry.start' else f'xchg_pte({va}, 0'})", va, e, f"{register}.P")
    t.stored[va] = "0"
    t.lowered[va] = "access"
    if "invalidate" in words:
        t.invalidated.add(va)
    t.owed.dirty[va] = register
    t.taken[va] = objects(e).get("value", "")
    if e.kind == "entry.start":
        t.owed.started[va] = register
        t.stored[va] = f"{register} & ~{t.takes_off(va)}"
    following = t.events[t.events.index(e) + 1 :][:3]
    if "flushed" in words and not any(f.kind == "flush.now" and (f.path, f.pos) == (e.path, e.pos) for f in following):
        t.emit(f"flush({va}); g_{va} = 0", e)


def _value(t: Translator, e: PathEvent, va: str) -> str | None:
    """What is stored, as an expression over registers; None when it cannot be told."""
    found = objects(e)
    bits = found.get("bits", "")
    base = t.registers.get(found.get("from", ""))
    if found.get("origin") == "built":
        return "A" if "s" in bits else "P|pfn(3)"
    if base is None:
        return None
    home = t.homes.get(found.get("from", ""), va)
    if home != va:
        t.moved = True
        t.about = t.about or home
    taken_off = [bit for letter, bit in (("w", "W"), ("c", "D")) if letter in bits]
    if not {"k", "m"}.isdisjoint(bits) and home == va and not taken_off:
        if va in t.owed.started or va in t.invalidated:
            taken_off = [t.take_off(va)]
        elif "m" in bits:
            taken_off = ["W"]  # other permissions over a live entry: the least that they may take away
    text = f"{base} & ~({'|'.join(taken_off)})" if taken_off else base
    return f"({text}) | D" if "d" in bits else text


def install(t: Translator, e: PathEvent, act: bool) -> None:
    pointer = objects(e).get("pte", "")
    home = t.homes.get(objects(e).get("from", ""), "")
    foreign = objects(e).get("at", "") not in ("", pointer) or (home != "" and t.subjects.now(pointer) != home)
    va = t.va_of(e, starts=not foreign and objects(e).get("origin") != "built")
    if va is None:
        return
    if foreign and va not in t.stored:
        t.starts[va] = False  # what is moved goes where nothing is
    value = _value(t, e, va)
    if value is None:
        t.unknown(f"the value that {e.text} stores")
        return
    if value == "A" and va in t.taken and any(f.kind == "rmap.drop" for f in t.events) and not any(f.kind == "page.defer" for f in t.events):
        t.uses.add("folio-locked")
        t.known.append("the folio is locked, as it is when a swap or migration entry takes the place of a mapped page")
    if objects(e).get("origin") == "built" and value != "A":
        t.assume("the entry that is put in its place is that of another page")
    bits = objects(e).get("bits", "")
    t.changed(f"{'commit_pte' if e.kind == 'entry.commit' else 'set_pte'}({va}, {value})", va, e, "0")
    t.stored[va] = value
    if t.moved and foreign:
        t.owed.dirty.pop(t.homes.get(objects(e).get("from", ""), ""), None)
    if objects(e).get("origin") != "built":
        if "c" not in bits and "& ~(D" not in value:
            t.owed.dirty.pop(va, None)
        t.lowered[va] = ""
        if "& ~(W" in value or (e.kind == "entry.commit" and "& ~(D" in value):
            t.loses(va, "W" if "& ~(W" in value else "D")
    t.owed.started.pop(va, None)


def demote(t: Translator, e: PathEvent, act: bool) -> None:
    va = t.va_of(e)
    if va is None:
        return
    register = t.fresh(objects(e).get("value", ""), va)
    bit = "W" if e.kind == "entry.demote" else "D"
    t.changed(f"{register} = pte[{va}]; set_pte({va}, {register} & ~{bit})", va, e, f"{register}.P and {register}.{bit}")
    t.stored[va] = f"{register} & ~{bit}"
    if bit == "W":
        t.lowered.setdefault(va, "write")
    else:
        t.owed.dirty[va] = register


def young(t: Translator, e: PathEvent, act: bool) -> None:
    t.va_of(e)
    if act:
        t.unknown(ACCESSED)


def promote(t: Translator, e: PathEvent, act: bool) -> None:
    if t.va_of(e) is not None and act:
        t.unknown("more permission")
