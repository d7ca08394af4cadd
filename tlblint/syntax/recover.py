"""What the slicer missed: mentions outside of its functions, and slices that turned out not to hold one function.

Nothing gets lost here: a mention in code either ends up in a function or in a stretch that is named with a reason.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from tlblint.syntax.outline import Block, Outline
from tlblint.syntax.slicer import Span


def recovered(view: Outline, spans: Sequence[Span], loose: Iterable[int]) -> tuple[list[Span], list[Block]]:
    """``spans`` with the functions added that hold one of the offsets ``loose``; and the stretches that hold one but are no function."""
    blocks = dict.fromkeys(block for hit in loose if (block := view.at(hit)) is not None)
    new = [(block.name, block.start, block.end) for block in blocks if not block.why]
    return _merged(spans, new), [block for block in blocks if block.why]


def resliced(view: Outline, spans: Sequence[Span], failed: Iterable[Span], hits: Sequence[int]) -> tuple[list[Span], list[Block]]:
    """``spans`` with those of ``failed`` replaced that hold more than one function, or have other limits than the slicer thought.

    Such a slice is only given up if all mentions in it that are code lie in the blocks that replace it.
    """
    gone, new = set[Span](), dict[Span, None]()
    lost: list[Block] = []
    for span in failed:
        inside = hits[bisect_left(hits, span[1]) : bisect_left(hits, span[2])]
        blocks = dict.fromkeys(block for hit in inside if (block := view.at(hit)) is not None)
        whole = [(block.name, block.start, block.end) for block in blocks if not block.why]
        same = len(blocks) == 1 and (not whole or whole[0][1:] == span[1:])
        if blocks and not same and all(block.start >= span[1] for block in blocks):
            gone.add(span)
            new.update(dict.fromkeys(whole))
            lost += [block for block in blocks if block.why]
    return _merged([span for span in spans if span not in gone], list(new)), lost


def _merged(spans: Sequence[Span], new: Sequence[Span]) -> list[Span]:
    """All in file order; what lies inside a new one goes. The new ones are disjoint."""
    new = sorted(new, key=lambda span: span[1])
    starts = [start for _, start, _ in new]
    kept = [span for span in spans if not (at := bisect_right(starts, span[1])) or new[at - 1][2] < span[2]]
    return sorted([*kept, *new], key=lambda span: (span[1], span[2]))
