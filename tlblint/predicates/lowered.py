"""Automata as steps of the scenario language, put where a shell calls them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tlblint.predicates.automaton import Graph, wrap
from tlblint.predicates.thread import Access, Shared

BEYOND = "fail_if(1, unbalanced)"
"""Where a word would get a value that was not looked at."""


def code(values: Sequence[int]) -> dict[int, int]:
    """Value of a word -> value of its variable: the same where a byte holds them all, else its number in the list."""
    return {value: value if all(0 <= v <= 255 for v in values) else index for index, value in enumerate(values)}


def lines(made: Graph, words: Sequence[Shared], domains: Sequence[Sequence[int]], prefix: str, result: str = "") -> list[str]:
    """The graph as steps; ``result`` is the register that gets what is returned."""
    after = f"{prefix}end"

    def label(number: int | None) -> str:
        return after if number is None else f"{prefix}{number}"

    out = []
    start = [] if made.start is None else [made.start]
    for number in [*start, *(n for n in range(len(made.accesses)) if n != made.start)]:
        access, edges = made.accesses[number], made.edges[number]
        name = words[access.word].name if words else ""
        codes = code(domains[access.word]) if domains else {}
        note = f'"{_said(access, name)}"' + (f" @{access.where}" if access.where else "")
        if access.operator == "end":
            out += [f"    {label(number)}: {f'{result} = {access.given[0] & 255}' if result else 'nop()'} \"returns {access.given[0]}\"", f"    goto {after}"]
        elif access.operator == "stuck":
            out.append(f'    {label(number)}: {BEYOND} "{access.actions[0].replace(chr(34), "")}"')
        elif access.operator == "do":
            notes = [note, *(f'"{access.says} is done"' for _ in access.actions[1:])]
            out += [f"    {label(number)}:", *(f"    {step} {said}" for step, said in zip(access.actions, notes, strict=True)), f"    goto {label(edges[0])}"]
        elif not access.sees:
            act = f"{name} = {codes[access.given[-1]]}" if access.given[-1] in codes else BEYOND
            out.append(f"    {label(number)}: {act}; goto {label(edges[0])} {note}")
        else:
            out += [f"    {label(number)}:", *_ways(access, edges, name, codes, label, note)]
    return [*out, f'    {after}: nop() "returns"']


def _ways(access: Access, edges: Mapping[int, int | None], name: str, codes: Mapping[int, int], label: Callable[[int | None], str], note: str) -> list[str]:
    out: list[str] = []
    for value, behind in edges.items():
        new = access.after(value, wrap)
        change = "" if new == value else f"; {name} = {codes[new]}" if new in codes else f"; {BEYOND}"
        out.append(f"    {'or' if out else 'either'} await {name} == {codes[value]}{change}; goto {label(behind)} {note}")
    return out


def _said(access: Access, name: str) -> str:
    if access.operator == "do":
        return access.says
    operator = {"+": "add", "-": "subtract"}.get(access.operator, access.operator)
    numbers = ", ".join(hex(n) if n > 9 else str(n) for n in access.given)
    return " ".join(part for part in (operator, name, numbers) if part)


def filled(shell: str, parts: Mapping[str, Graph], words: Sequence[Shared], domains: Sequence[Sequence[int]], starts: Sequence[int]) -> str:
    """A shell with its ``call NAME`` and ``r = call NAME`` lines replaced, and ``START`` the first word's variable at the start."""
    out: list[str] = []
    made = 0
    for line in shell.splitlines():
        result, _, called = line.strip().rpartition("call ")
        if called in parts and (not result or result.endswith("= ")):
            made += 1
            out += lines(parts[called], words, domains, f"k{made}_", result.removesuffix("= ").strip())
        else:
            out.append(line.replace("START", str(code(domains[0])[starts[0]])))
    return "\n".join(out) + "\n"
