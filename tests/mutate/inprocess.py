"""The engine as a judge, in this process. A hundred times faster than the command line.

    python -m tests.mutate.score --kernels DIR --kernel 7.3 --judge tests.mutate.inprocess:run     one file's facts, judged alone
    python -m tests.mutate.score --kernels DIR --kernel 7.3 --judge tests.mutate.inprocess:tree    with all files that may call it or be called
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.mutate.table import CONTEXT
from tlblint.app.spine import Spine, Wanted, load
from tlblint.engine.asked import Over
from tlblint.engine.roots import Judged, Roots
from tlblint.model.ir import FileFacts
from tlblint.roles import HEADERS

Rows = list[tuple[str, str, str, str]]
_LINE = re.compile(r"\bline \d+")


@cache
def _spine(root: Path) -> Spine:
    """Rules in preview run, too: what they find is scored like the rest."""
    return load(Wanted(headers={name: (root / name).read_bytes() for name in HEADERS if (root / name).is_file()}, preview=True))


def run(kernel_root: Path, path: str, raw: bytes) -> Rows:
    """(rule, function, severity, what it says but for the lines) of each finding in the file."""
    spine = _spine(kernel_root)
    return _rows(spine, spine.analyse([spine.facts(path, raw)], None).findings)


def _rows(spine: Spine, found: Sequence[Any]) -> Rows:
    severity = {rule.code: rule.severity for rule in spine.rules}
    return [(finding.rule, finding.function, severity[finding.rule], _LINE.sub("", finding.message)) for finding in found]


@cache
def _stock(root: Path) -> dict[str, FileFacts]:
    """Facts of every file of the tree that a change may concern, by path."""
    spine, out = _spine(root), {}
    for path in sorted({p.relative_to(root).as_posix() for pattern in CONTEXT for p in root.glob(pattern)}):
        raw = (root / path).read_bytes()
        if not path.startswith(spine.skipped) and any(word in raw for word in spine.words):
            out[path] = spine.facts(path, raw)
    return out


def tree(kernel_root: Path, path: str, raw: bytes) -> Rows:
    """Like run(), of each finding of the tree that the changed functions can have a part in; of all findings if nothing changed."""
    span = changed((kernel_root / path).read_bytes(), raw)
    if span is None:
        return _whole(kernel_root)
    spine, stock = _spine(kernel_root), _stock(kernel_root)
    facts = [spine.facts(path, raw), *(f for p, f in stock.items() if p != path)]
    return _rows(spine, spine.analyse(facts, None, _over(path, span)).findings)


@cache
def _whole(root: Path) -> Rows:
    return _rows(_spine(root), _spine(root).analyse(list(_stock(root).values()), None).findings)


def changed(old: bytes, new: bytes) -> tuple[int, int] | None:
    """The span of ``new`` that differs from ``old``, None if they are the same."""
    if old == new:
        return None
    shorter = min(len(old), len(new))
    head = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    tail = next((i for i in range(shorter - head) if old[-1 - i] != new[-1 - i]), shorter - head)
    return head, len(new) - tail


def _over(path: str, span: tuple[int, int]) -> Over:
    """A map over batches of roots that runs only those roots from which a function in ``span`` of ``path`` is reached."""

    def over(function: Callable[[Any], Any], items: Sequence[Any], died: Callable[[Any], Any]) -> list[Any]:
        roots: Roots = function.__self__  # type: ignore[attr-defined]
        near = _near(roots, path, span)
        far = set(range(len(roots.program.functions))) - near

        def one(batch: Any) -> Judged:
            few = tuple(start for start in batch if start[0] in near)
            judged = roots._run(few) if few else Judged()
            judged.visited.update(far)  # what is far off counts as done, or it would be run for itself
            return judged

        return [one(item) if item and isinstance(item[0][0], int) else [one(batch) for batch in item] for item in items]

    return Over(over)


def _near(roots: Roots, path: str, span: tuple[int, int]) -> set[int]:
    functions = roots.program.functions
    firsts: dict[int, list[int]] = {}
    for index in range(len(functions)):
        for twin in roots.program.twins(index):
            firsts.setdefault(twin, []).append(index)
    work = [i for i, fn in enumerate(functions) if fn.path == path and fn.start < span[1] and span[0] < fn.end]
    out = set(work)
    while work:
        index = work.pop()
        for up in (*roots.scope.callers.get(index, ()), *firsts.get(index, ())):
            if up not in out:
                out.add(up)
                work.append(up)
    return out
