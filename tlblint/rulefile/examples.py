"""The examples inside a rule file: fenced C with expectations on its lines."""

from __future__ import annotations

import re

import msgspec

_EXPECT = re.compile(r"/\*\s*(?P<kind>todo-expect|expect|ok):\s*(?P<code>TLB\d{3})(?P<note>.*?)\*/")


class Expectation(msgspec.Struct, frozen=True):
    """One expectation: kind "expect", "ok" or "todo-expect", the rule, and the 1-based line of the example."""

    kind: str
    code: str
    line: int
    note: str


class Example(msgspec.Struct, frozen=True):
    """One fenced C block: ``title`` from the ### heading above, ``kernel`` the API generation, ``line`` where the code starts."""

    title: str
    kernel: str
    source: str
    line: int
    expectations: tuple[Expectation, ...]


def expectations_of(source: str) -> tuple[Expectation, ...]:
    """All expectation comments of a C source."""
    return tuple(Expectation(m["kind"], m["code"], number, m["note"].strip()) for number, line in enumerate(source.splitlines(), 1)
                 for m in _EXPECT.finditer(line))


def examples_of(text: str) -> tuple[Example, ...]:
    """The ```c blocks of a rule file; the fence may name the kernel generation: ```c kernel=6.12."""
    out: list[Example] = []
    title, start, kernel = "", -1, ""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if start < 0 and line.startswith("### "):
            title = line[4:].strip()
        elif start < 0 and line.startswith("```c"):
            start = number + 1
            found = re.search(r"kernel=(\S+)", line)
            kernel = found[1] if found else "6.12"
        elif start >= 0 and line.startswith("```"):
            source = "\n".join(lines[start:number]) + "\n"
            out.append(Example(title, kernel, source, start + 1, expectations_of(source)))
            start = -1
    return tuple(out)
