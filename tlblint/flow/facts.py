"""One file to its facts: the whole front end behind one pure function."""

from __future__ import annotations

from array import array
from itertools import accumulate

from msgspec.structs import replace

from tlblint.flow.assume import assumptions
from tlblint.flow.context import NotLowered
from tlblint.flow.lower import lower
from tlblint.flow.members import declaring, members_of
from tlblint.flow.moved import moved
from tlblint.flow.numbers import numbers_of
from tlblint.model.ir import Expr, FileFacts, Function, NotAnalysed, OpsTable
from tlblint.syntax import Config, ParsedFile, ParsedFunction, parse_file
from tlblint.syntax.classes import classes
from tlblint.syntax.expand import expanded

_AFTER = (1).__add__
"""From one newline to the next it is the length of the line and one."""


def facts_of(
    path: str, raw: bytes, config: Config, relevant: frozenset[bytes], also: frozenset[bytes] = frozenset(), helpers: frozenset[bytes] = frozenset(),
    known: frozenset[str] = frozenset(), expand: bool = False,
) -> FileFacts:
    """Parse and lower the functions of a file that mention a name of ``relevant`` or are named in ``also``.

    Never raises on account of a function: what is not lowered is in ``not_analysed``. A function of which only a
    part was not understood is in both, and counted in ``partial``. ``expand``: macros of a .c file are read as what they stand for.
    """
    made = classes(raw)
    whole = raw if made is None else made[0].text
    if made is not None:
        also |= made[1]
    text = expanded(whole, relevant) if expand and path.endswith(".c") else None
    if text is not None:
        whole = text.text
    facts = _facts(path, whole, parse_file(path, whole, config, relevant, also, helpers, known))
    for step in (text, made[0] if made is not None else None):
        if step is not None:
            facts = moved(facts, step.origin)
    return replace(facts, newlines=newlines_of(raw))


def newlines_of(raw: bytes) -> array[int]:
    """The offsets of the newlines of a file."""
    if b"\r" in raw or not raw.endswith(b"\n"):
        return array("I", tuple(accumulate(map(_AFTER, map(len, raw.split(b"\n")[:-1])), initial=-1))[1:])
    return array("I", tuple(accumulate(map(len, raw.splitlines(keepends=True)), initial=-1))[1:])  # lines with their ends: half the work


def _facts(path: str, raw: bytes, parsed: ParsedFile) -> FileFacts:
    """All but the newlines."""
    functions: list[Function] = []
    missed = list(parsed.not_analysed)
    doubtful: set[int] = set()
    numbers = numbers_of(raw) if parsed.functions and path.endswith(".c") else {}
    for item in parsed.functions:
        function, doubts = _lowered(item, path, raw, parsed.tables, numbers)
        missed.extend(NotAnalysed(path, item.name, item.start, why) for why in doubts)
        if function is not None:
            functions.append(function)
            if doubts or item.health:
                doubtful.add(item.start)
    lowered = {function.start for function in functions}
    doubtful.update(miss.pos for miss in missed if miss.pos in lowered)
    words = assumptions(raw, [function.start for function in functions])
    functions = [replace(f, annotations=(*f.annotations, *(f"assume({w})" for w in words[f.start]))) if f.start in words else f for f in functions]
    if functions and (members := members_of(raw)):
        functions = [declaring(function, members) for function in functions]
    return FileFacts(path, tuple(functions), parsed.tables, tuple(dict.fromkeys(missed)), parsed.total, len(doubtful), ())


def _lowered(item: ParsedFunction, path: str, raw: bytes, tables: tuple[OpsTable, ...],
             numbers: dict[bytes, Expr]) -> tuple[Function | None, tuple[str, ...]]:
    """The function and the doubts about it; None if it could not be lowered at all."""
    try:
        return lower(item.node, item.text, raw, path, item.variant, item.assumed, tables, numbers)
    except NotLowered as reason:
        return None, (str(reason),)
    except RecursionError:
        return None, ("nested too deeply",)
    except Exception as error:  # one strange function must not cost the file
        return None, (f"not understood: {type(error).__name__}",)
