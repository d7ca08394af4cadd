"""What a compiled function is, for those who run it and those who only ask.

They stand apart from the modules that make them and from those that use them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from tlblint.engine.domains import Domains
from tlblint.model.ir import Expr, Function

_STEP = re.compile(r"->|\.")
LONGEST_PATH = 120
"""Characters of a path that is followed through copies."""


BITS = "&"
"""Before a path: single bits of it are asked, and nothing else of its value."""
MARKS = "=" + BITS
"""What may stand before a path: how much of its value counts."""


@lru_cache(maxsize=65536)
def _steps(path: str) -> tuple[int, ...]:
    """Where a path goes on to a member."""
    return tuple(found.start() for found in _STEP.finditer(path))


class Sources:
    """Where values in a function come from: what each path is made of (and whether it is that or only asks about it), and copies."""

    def __init__(self, made: dict[str, tuple[tuple[frozenset[str], bool], ...]], copies: dict[str, str]) -> None:
        self.made = made
        self.copies = copies

    def close(self, seeds: Iterable[str]) -> frozenset[str]:
        """``seeds`` with everything they are made of. A path whose own value counts, not only that of a question about it,
        stands there with a "=" before it, too, or a "&" if only its bits do."""
        out = set(seeds)
        work = list(out)
        made, copies = self.made, self.copies
        while work:
            path = work.pop()
            mark = path[:1] if path[:1] in MARKS else ""
            bare = path[1:] if mark else path
            if copies and len(bare) < LONGEST_PATH:
                for cut in _steps(bare):  # below a copied pointer is what is below the pointer
                    if (base := copies.get(bare[:cut])) is not None:
                        new = mark + base + bare[cut:]
                        if new not in out:
                            out.add(new)
                            work.append(new)
            for paths, same in made.get(bare, ()):
                if not out.issuperset(paths):
                    work.extend(paths - out)
                    out |= paths
                if same and mark and (owned := {mark + path for path in paths} - out):
                    work.extend(owned)
                    out |= owned
        return frozenset(out)


class Call(NamedTuple):
    """Where an effect comes from: the call's name, byte offset, level, temp ("%n") and the path its value goes to."""

    name: str
    pos: int
    level: str
    temp: str
    dest: str


class Prepared(NamedTuple):
    """What is the same each time a call with a role is run: variables that it may have written, its effects, whether all of them happen
    whatever it returns."""

    forgotten: tuple[str, ...]
    effects: tuple[tuple[str, dict[str, Expr], frozenset[str], str], ...]
    always: bool
    call: Call


class End(NamedTuple):
    """``drops``: temps that the block makes or learns something of and that no other reads; None: they must be looked for. ``asked``:
    the variable that decides the branch, when it is nothing more, and whether it is so when that is zero. ``idle``: nothing is done in the
    block, and nothing forgotten behind it."""

    drops: tuple[str, ...] | None
    asked: tuple[str, bool] | None
    idle: bool


class Code:
    """A compiled function. ``blocks[i]`` is (ops, kind, cond, succs, pos)."""

    def __init__(
        self,
        index: int,
        fn: Function,
        blocks: list[tuple[tuple[tuple, ...], str, Expr | None, tuple[int, ...], int]],  # type: ignore[type-arg]
        ends: list[End],
        reads: frozenset[str],
        tests: frozenset[str],
        sources: Sources,
        constants: frozenset[str],
        calls: tuple[tuple[int, tuple[Expr, ...]], ...],
        writes: frozenset[str],
        entry_pointers: frozenset[str],
        lasting: frozenset[str],
        subjects: tuple[str, ...],
        settled: tuple[tuple[str, ...], ...],
        zeroed: frozenset[str],
        nones: Mapping[str, tuple[str, ...]],
        masked: Mapping[str, tuple[Expr, ...]],
        structs: frozenset[str],
        domains: Domains,
        ordered: frozenset[str],
        marked: frozenset[str],
        pointers: frozenset[str],
        numbers: frozenset[str],
        kept: frozenset[str],
        owned: tuple[tuple[str, str, str], ...],
        given: frozenset[str],
    ) -> None:
        self.index = index
        self.fn = fn
        self.blocks = blocks
        self.ends = ends
        """What is known of each block's end before it is run."""
        self.reads = reads
        self.tests = tests
        """Paths that a branch or the result depends on, in this function itself; see Sources.close()."""
        self.sources = sources
        self.constants = constants
        """The named constants in its expressions; with a "?" before them those that are compared."""
        self.calls = calls
        """What is called, with which arguments."""
        self.writes = writes
        self.entry_pointers = entry_pointers
        self.lasting = lasting
        self.subjects = subjects
        self.settled = settled
        """See subjects()."""
        self.zeroed = zeroed
        self.nones = nones
        """By variable the constants that it is compared with."""
        self.masked = masked
        """Words of which single bits are asked, with the constants that ask."""
        self.structs = structs
        """Objects with a member that is stored to by its name."""
        self.domains = domains
        """Local variables that hold one of a few numbers."""
        self.ordered = ordered
        """Variables that are compared with others, or subtracted from them, to tell which lies further on, and stored to more than once."""
        self.marked = marked
        """Variables that are set to a negative number somewhere: for an index that is how "none yet" is written."""
        self.pointers = pointers
        """Parameters that are pointers, never assigned, and not asked whether they are one."""
        self.numbers = numbers
        """What parameters that point to numbers point to, as paths: no entry is read there."""
        self.kept = kept
        """Parameters that are never assigned: what is known of one at an exit is known of the argument."""
        self.owned = owned
        """Objects that live in this function and whose use must be paired: (kind, what rules call it, name)."""
        self.given = given
        """"given-pte", "given-huge": it is handed an older entry value of that level."""
        self.leaves: dict[str, bool] = {}
        """Of keys of environments whether they may mean something to a caller, as far as that was asked."""
