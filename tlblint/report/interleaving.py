"""An interleaving in columns, one for each thread or CPU, as kernel mails draw it."""

from __future__ import annotations

from collections.abc import Iterator

from tlblint.model.witness import Witness, WitnessStep
from tlblint.report.text import cells, clean

GAP = 3
NARROWEST = 22
"""Columns narrower than that are no help: then the steps are listed one below the other."""
MARKS = {"birth": "<- this will be stale", "missed": "<- what is stale stays", "violation": "<- VIOLATION"}


def wrapped(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` terminal columns; a word that is too long is cut, behind a "_" or "/" if one is near. At least
    one line."""
    lines, line = [], ""
    for word in text.split():
        if line and cells(line) + 1 + cells(word) > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
        while cells(line) > width:
            head, line = _cut(line, width)
            lines.append(head)
    return [*lines, line] if line or not lines else lines


def _cut(text: str, width: int) -> tuple[str, str]:
    at = 0
    while at < len(text) and cells(text[: at + 1]) <= width:
        at += 1
    at = max(at, 1)
    seam = max(text.rfind(sign, 0, at) for sign in "_/") + 1
    at = seam if seam > at // 2 else at
    return text[:at], text[at:]


def diagram(witness: Witness, width: int, unicode: bool = False) -> list[str]:
    """The steps in time order, each in the column of its thread, or of its CPU where several threads share one and there are two CPUs or
    more; lines of at most ``width`` columns."""
    cpus = list(dict.fromkeys(cpu for _, cpu in witness.actors))
    shared = 2 <= len(cpus) < len(witness.actors)
    titles = [f"CPU{cpu}" for cpu in cpus] if shared else [_head(name, cpu) for name, cpu in witness.actors]
    places = {actor: cpus.index(actor[1]) if shared else at for at, actor in enumerate(witness.actors)}
    column = (width - GAP * (len(titles) - 1)) // max(1, len(titles))
    if column < NARROWEST or not titles:
        return list(_listed(witness, width, unicode))
    heads = [wrapped(clean(title, unicode), column) for title in titles]
    lines = [_row([head[at] if at < len(head) else "" for head in heads], column) for at in range(max(map(len, heads)))]
    lines.append(_row(["-" * max(map(cells, head)) for head in heads], column))
    last: dict[int, str] = {}
    for step in witness.steps:
        at = places.get((step.actor, step.cpu), 0)
        if shared and last.get(at) != step.actor:
            lines += [_row([""] * at + [text], column) for text in wrapped(clean(f"[{step.actor}]", unicode), column)]
        last[at] = step.actor
        lines += [_row([""] * at + [text], column) for text in _cell(step, column, unicode)]
    return lines


def _head(name: str, cpu: int) -> str:
    return f"CPU{cpu}" if name in ("", f"CPU{cpu}") else f"CPU{cpu}: {name}"


def _row(texts: list[str], column: int) -> str:
    return "".join(text + " " * (column + GAP - cells(text)) for text in texts).rstrip()


def _cell(step: WitnessStep, width: int, unicode: bool) -> Iterator[str]:
    yield from wrapped(clean(step.text, unicode), width)
    for line in _details(step, unicode):
        yield from (f"  {text}" for text in wrapped(line, width - 2))


def _details(step: WitnessStep, unicode: bool) -> Iterator[str]:
    for change in step.changes:
        yield clean(f"{change.thing}: {change.before} -> {change.after}", unicode)
    if step.mark:
        yield MARKS[step.mark]
    if step.note:
        yield clean(f"({step.note})", unicode)


def _listed(witness: Witness, width: int, unicode: bool) -> Iterator[str]:
    for step in witness.steps:
        first, *rest = wrapped(clean(f"{step.number}. {_head(step.actor, step.cpu)}: {step.text}", unicode), width)
        yield first
        yield from (f"   {text}" for line in [" ".join(rest), *_details(step, unicode)] if line for text in wrapped(line, width - 3))
