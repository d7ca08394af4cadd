"""What ``tlblint simulate`` prints: tables, and interleavings in columns."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from tlblint.app.simulate import Run
from tlblint.app.simulate_list import columns
from tlblint.io import term
from tlblint.model.witness import Witness, WitnessStep
from tlblint.report.text import cells, clean, plural
from tlblint.sim.model import BOUND

LEAST, GAP = 12, 2
MARKS = {"birth": "+", "missed": "!", "violation": "X"}
"""What stands in front of a row: a translation that will be stale, a step that could have removed it, the violation."""


def shown(runs: Sequence[Run], in_full: bool) -> str:
    """The table of ``runs``; ``in_full``: they are of one scenario, told at length for the terminal that there is."""
    return story(runs, term.width(), term.speaks_unicode(sys.stdout)) if in_full and runs else table(runs)


def table(runs: Sequence[Run]) -> str:
    """One line a variant: name, verdict, length, states, time; what is not as expected says so; a sum at the end."""
    rows = [("scenario", "variant", "verdict", "steps", "states", "ms", "")]
    for run in runs:
        outcome = run.outcome
        length = "" if outcome.length is None else str(outcome.length)
        rows.append((run.scenario.name, run.variant.name, outcome.verdict, length, str(outcome.states), f"{run.seconds * 1000:.1f}", _judgement(run)))
    wrong = sum(not run.ok for run in runs)
    seconds = sum(run.seconds for run in runs)
    states = sum(run.outcome.states for run in runs)
    elsewhere = sum(run.expected is None for run in runs)
    end = f"{plural(wrong, 'verdict')} not as expected" if wrong else "all as expected"
    if elsewhere:
        end = "nothing expected" if elsewhere == len(runs) else f"{end}, {elsewhere} with nothing expected"
    return columns(rows) + f"{plural(len(runs), 'program')}, {plural(states, 'state')}, {seconds:.2f} s: {end}\n"


def _judgement(run: Run) -> str:
    if run.expected is None:
        own = next(one for one in run.scenario.variants if one.name == run.variant.name)
        return f"(its machine is {own.model.profile.name})"
    if run.ok:
        return ""
    expected = run.variant.expected
    if (run.outcome.verdict, run.outcome.length) == (expected.verdict, expected.length if expected.length is not None else run.outcome.length):
        return "NEVER: " + ", ".join(run.never())
    return f"EXPECTED {expected.verdict}" + (f" in {expected.length}" if expected.length is not None else "")


def story(runs: Sequence[Run], width: int, unicode: bool) -> str:
    """One scenario at length: what it is about, and for each variant the witness or how safe it was found."""
    one = runs[0].scenario
    head = [one.name, *_filled(one.about, width, unicode)]
    for text in one.source:
        head += _filled(f"source: {text}", width, unicode, "  ")
    if one.why:
        head += _filled(f"departs from it: {one.why}", width, unicode)
    parts = ["\n".join(head)] + ["\n".join(_variant(run, width, unicode)) for run in runs]
    return "\n\n".join(parts) + "\n"


def _variant(run: Run, width: int, unicode: bool) -> Iterator[str]:
    outcome = run.outcome
    steps = f" in {plural(outcome.length, 'step')}, {plural(outcome.switches, 'switch')}" if outcome.length is not None else ""
    steps = steps.replace("switchs", "switches")
    figures = f"({plural(outcome.states, 'state')}, {run.seconds * 1000:.1f} ms)"
    yield from _filled(f"{run.variant.name} on {run.variant.model.profile.name}: {outcome.verdict}{steps} {figures}", width, unicode, "  ")
    if outcome.verdict == BOUND:
        bound = f"nothing wrong up to there, the rest was not seen; the bound is {run.variant.bounds.states}, a line \"bound N\" moves it"
        yield from _filled(bound, width, unicode, "  ", "  ")
    if not run.ok:
        yield f"  {_judgement(run)}"
    if outcome.witness is not None:
        yield from _filled(outcome.witness.sentence, width, unicode)
        for text in outcome.witness.assumptions:
            yield from _filled(f"needs: {text}", width, unicode, "  ")
        if outcome.witness.steps:
            yield ""
            yield from lanes(outcome.witness, width, unicode)
    if outcome.verdict == "safe":
        yield from _untaken(run)
    for (thread, at), (useful, ran) in sorted(outcome.usefulness.items()):
        text = next((found.steps[at].ways[0].text for found in run.variant.model.threads if found.name == thread), "")
        yield from _filled(f"{thread}: {text}: removed something in {useful} of {plural(ran, 'state')} where it ran", width, unicode, "    ", "  ")


def _untaken(run: Run) -> Iterator[str]:
    for thread in run.variant.model.threads:
        for at, line in enumerate(thread.steps):
            body = line.ways[0].body
            if body and line.ways[0].text and not line.ways[0].text.startswith(("if ", "goto ")) and (thread.name, at) not in run.outcome.coverage:
                yield f"  {clean(thread.name)}: {clean(line.ways[0].text)}: never taken"


def _filled(text: str, width: int, unicode: bool, hang: str = "", first: str = "") -> list[str]:
    """``text`` in lines of at most ``width`` cells where its words allow that; ``first`` leads its first line, ``hang`` the others."""
    lines: list[str] = []
    for word in clean(text, unicode).split(" "):
        if not word:
            continue
        if lines and cells(lines[-1]) + 1 + cells(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append((hang if lines else first) + word)
    return lines


def lanes(witness: Witness, width: int, unicode: bool) -> Iterator[str]:
    """A column for each thread@cpu, a numbered row for each step; rows with ~ say what changed."""
    actors = list(witness.actors)
    heads = [f"{clean(name, unicode)}@cpu{cpu}" for name, cpu in actors]
    column = max(LEAST, *(cells(head) for head in heads), (width - 7) // max(1, len(actors)) - GAP) if heads else LEAST
    yield "   #   " + "".join(head + " " * (column + GAP - cells(head)) for head in heads).rstrip()
    for step in witness.steps:
        at = next((place for place, (name, cpu) in enumerate(actors) if (name, cpu) == (step.actor, step.cpu)), 0)
        number = str(step.number) if step.number else ""
        indent = " " * (7 + at * (column + GAP))
        # A row has its line to itself up to the right margin: what does not fit goes on below.
        margin = max(width, len(indent) + LEAST)
        texts = _filled(_text(step), margin, unicode, f"{indent}  ", indent)
        yield f" {MARKS.get(step.mark, ' ')} {number:>2}  {texts[0][7:] if texts else ''}".rstrip()
        yield from texts[1:]
        for change in step.changes:
            yield from _filled(f"~ {change.thing}: {change.before} -> {change.after}", margin, unicode, f"{indent}  ", indent)
        if step.note:
            yield from _filled(f"{_LEAD.get(step.mark, '')}{step.note}", margin, unicode, f"{indent}  ", indent)


_LEAD = {"birth": "will be stale; cached ", "missed": "does not reach it: ", "violation": "VIOLATION: "}


def _text(step: WitnessStep) -> str:
    where = "" if step.path is None else f" [{step.path}{'' if step.line is None else f':{step.line}'}]"
    return f"{step.text}{where}"
