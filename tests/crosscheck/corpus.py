"""Findings to judge: those of the annotated fixtures and of the examples in rule files."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec

from tlblint.app import spine as spines
from tlblint.app.generation import stand_in
from tlblint.app.simulate import machines
from tlblint.app.spine import Spine, Wanted
from tlblint.crosscheck.verdict import Judge, Judgement
from tlblint.findings.lines import Lines
from tlblint.model.finding import PathEvent, RawFinding
from tlblint.rulefile import examples_of

ROOT = Path(__file__).resolve().parents[2]
KERNEL = re.compile(r"/\* tlblint-fixture: kernel=(\S+)")
STATES = 60_000


class Case(msgspec.Struct, frozen=True):
    """A finding and the text that it is in."""

    raw: RawFinding
    source: bytes
    place: Callable[[PathEvent], tuple[str, int]]


@cache
def spine(kernel: str | None) -> Spine:
    return spines.load(Wanted(headers=stand_in(kernel or ""), preview=True))


def cases(path: str, kernel: str | None, source: bytes) -> list[Case]:
    """All findings of one file that stands alone."""
    fact = spine(kernel).facts(path, source)
    lines = Lines(fact.newlines)
    return [Case(raw, source, lambda event: (event.path, lines.locate(event.pos)[0])) for raw in spine(kernel).analyse([fact], None).findings]


@cache
def of_file(name: str) -> tuple[Case, ...]:
    """The findings of a fixture."""
    text = (ROOT / "fixtures" / name).read_text()
    found = KERNEL.match(text)
    assert found, name
    return tuple(cases(name, found[1], text.encode()))


@cache
def of_rule(code: str, number: int) -> tuple[Case, ...]:
    """The findings of an example of a rule; the first is 1."""
    example = examples_of((ROOT / "rules" / f"{code}.md").read_text())[number - 1]
    return tuple(cases(f"{code.lower()}-example-{number}.c", example.kernel, example.source.encode()))


def one(found: tuple[Case, ...], code: str, function: str) -> Case:
    """The first finding of a rule in a function."""
    return next(case for case in found if (case.raw.rule, case.raw.function) == (code, function))


def judged(case: Case, states: int = STATES) -> Judgement:
    return Judge(machines(), case.place).judge(case.raw, states)
