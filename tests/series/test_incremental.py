"""Judging a tree again after edits gives what judging it afresh gives."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.conftest import ROOT
from tests.series.kit import build, rows
from tlblint.app import generation
from tlblint.app import spine as spines
from tlblint.app.series import Request, series
from tlblint.app.spine import Again, Spine, Wanted
from tlblint.io.cache import NAME, kinds
from tlblint.io.tree import PlainDir
from tlblint.model.finding import RawFinding
from tlblint.model.ir import FileFacts
from tlblint.report.view import Report

FIXTURES = sorted(path for folder in ("rules", "traps") for path in (ROOT / "fixtures" / folder).glob("*.c"))
CHAIN = b"""#include <linux/mm.h>

static void deepest(struct vm_area_struct *vma, pte_t *pte, unsigned long start, unsigned long end)
{
	if (!pte_none(ptep_get(pte)))
		ptep_set_wrprotect(vma->vm_mm, start, pte);
	flush_tlb_range(vma, start, end);
	if (start > end)
		flush_tlb_mm(vma->vm_mm);
}

static void deeper(struct vm_area_struct *vma, pte_t *pte, unsigned long start, unsigned long end)
{
	if (!pte_none(ptep_get(pte)))
		deepest(vma, pte, start, end);
}

static void deep(struct vm_area_struct *vma, pte_t *pte, unsigned long start, unsigned long end)
{
	if (!pte_none(ptep_get(pte)))
		deeper(vma, pte, start, end);
}

void seal(struct vm_area_struct *vma, pmd_t *pmd, pte_t *pte, unsigned long start, unsigned long end)
{
	spinlock_t *ptl = pte_lockptr(vma->vm_mm, pmd);

	spin_lock(ptl);
	deep(vma, pte, start, end);
	spin_unlock(ptl);
}
"""
"""A change at the bottom shows three calls above."""

_FUNCTION = re.compile(rb"^(?:static |void |int |bool )[^;{}#]*\)\n\{\n.*?^\}\n", re.M | re.S)
_CALL = re.compile(rb"^\t+[a-z_]*(?:flush|lock|lazy|clear|record|pending|notifier|wrprotect|set_pte)\w*\(.*\);\n", re.M)

KERNEL = Path(os.environ.get("TLBLINT_KERNELS") or "none", "linux-source-6.12")


def edited(raw: bytes, dice: random.Random) -> bytes:
    """A file after one edit: a call less, a call twice, a remark, code moved down, functions swapped, a new name, one more static function."""
    calls, functions = list(_CALL.finditer(raw)), list(_FUNCTION.finditer(raw))
    kind = dice.choice(["drop", "drop", "remark", "twice", "shift", "swap", "name", "more"])
    if kind == "drop" and calls:
        one = dice.choice(calls)
        return raw[: one.start()] + b"\t\t;\n" + raw[one.end() :]
    if kind == "twice" and calls:
        one = dice.choice(calls)
        return raw[: one.end()] + one[0] + raw[one.end() :]
    if kind == "remark" and calls:
        one = dice.choice(calls)
        return raw[: one.start()] + b"\t/* a remark in between */\n\n" + raw[one.start() :]
    if kind == "swap" and len(functions) > 1:
        at = dice.randrange(len(functions) - 1)
        one, two = functions[at], functions[at + 1]
        return raw[: one.start()] + two[0] + raw[one.end() : two.start()] + one[0] + raw[two.end() :]
    if kind == "name" and functions:
        names = re.findall(rb"(\w+)\(", dice.choice(functions)[0])
        return re.sub(rb"\b" + names[0] + rb"\b", names[0] + b"_2", raw)
    if kind == "more":
        return raw + b"\nstatic int one_more(pte_t *pte)\n{\n\treturn pte_none(ptep_get(pte));\n}\n"
    return b"/* moved */\n" + raw


def walk(spine: Spine, files: Mapping[str, bytes], dice: random.Random, steps: int) -> int:
    """Edit, or go back to an earlier state, judge both ways, compare; the number of findings that came or went."""
    files = {**files, "mm/chain.c": CHAIN}
    raws = dict(files)
    facts = {path: spine.facts(path, raw) for path, raw in raws.items()}
    assert spine.again is not None
    whole, part = spine.again(), spine.again()
    last = set(compare(spine, whole, part, list(facts.values()), frozenset()))
    moves = 0
    earlier = [dict(facts)]
    for _ in range(steps):
        path = dice.choice([*sorted(raws), "mm/chain.c"])
        if dice.random() < 0.25:
            facts = dict(dice.choice(earlier))
        else:
            raws[path] = dice.choice([edited(raws[path], dice), edited(raws[path], dice), files[path]])
            facts[path] = spine.facts(path, raws[path])
            earlier.append(dict(facts))
        names = frozenset((path, fn.name) for fn in facts[path].functions)
        now = set(compare(spine, whole, part, list(facts.values()), names))
        moves += len(now ^ last)
        last = now
    return moves


def compare(spine: Spine, whole: Again, part: Again, facts: Sequence[FileFacts], names: frozenset[tuple[str, str]]) -> tuple[RawFinding, ...]:
    fresh = spine.analyse(facts, None)
    assert whole.judge(facts, None).findings == fresh.findings
    found = part.judge(facts, names)
    assert [f for f in found.findings if (f.path, f.function) in part.near] == [f for f in fresh.findings if (f.path, f.function) in part.near]
    return fresh.findings


@pytest.mark.parametrize("seed", range(8))
def test_fixtures_under_random_edits(seed: int) -> None:
    dice = random.Random(seed)
    spine = spines.load(Wanted())
    files = {f"mm/{path.stem}.c": path.read_bytes() for path in dice.sample(FIXTURES, 5)}
    assert walk(spine, files, dice, 32) > 0


@pytest.mark.skipif(not KERNEL.is_dir(), reason="TLBLINT_KERNELS names no directory with this kernel")
def test_kernel_files_under_random_edits() -> None:
    top = KERNEL
    tree = PlainDir(str(top))
    spine = spines.load(Wanted(headers=generation.headers(tree)))
    names = ("mm/mprotect.c", "mm/mremap.c", "mm/rmap.c", "mm/memory.c", "mm/madvise.c", "mm/mmu_gather.c", "mm/mapping_dirty_helpers.c")
    assert walk(spine, {name: (top / name).read_bytes() for name in names}, random.Random(7), 6) >= 0


def test_a_change_at_the_bottom_shows_three_calls_above() -> None:
    spine = spines.load(Wanted())
    assert spine.again is not None
    again = spine.again()
    broken = CHAIN.replace(b"\tflush_tlb_range(vma, start, end);\n", b"")
    found = [len(again.judge([spine.facts("mm/chain.c", raw)], None).findings) for raw in (CHAIN, broken, CHAIN, b"/* moved */\n" + broken)]
    assert found == [0, 1, 0, 1]


@pytest.mark.parametrize("seed", range(4))
def test_a_series_judged_in_part_and_as_a_whole(tmp_path: Path, seed: int) -> None:
    """What is introduced and mended is the same when every state is judged afresh and whole."""
    dice = random.Random(100 + seed)
    files = {f"mm/{path.stem}.c": path.read_bytes() for path in dice.sample(FIXTURES, 4)} | {"mm/chain.c": CHAIN}
    states: list[dict[str, str | bytes | None]] = [dict(files)]
    for _ in range(6):
        path = dice.choice([*sorted(files), "mm/chain.c"])
        files[path] = edited(edited(files[path], dice), dice)
        states.append({path: files[path]})
    top = build(tmp_path, *states)
    part, whole = (series(Request(str(top), ("HEAD~6..HEAD",), flags={"jobs": 1}), loader).report for loader in (spines.load, _afresh))
    assert [row for row in rows(part) if row[4] != "existing"] == [row for row in rows(whole) if row[4] != "existing"]
    assert set(rows(part)) <= set(rows(whole)) and len(rows(whole)) > 2


@pytest.mark.parametrize("seed", range(3))
def test_a_series_of_which_some_states_were_judged_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Whatever a store has from other series on the same functions, the report is the one without a store."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    dice = random.Random(200 + seed)
    files = {f"mm/{path.stem}.c": path.read_bytes() for path in dice.sample(FIXTURES, 3)} | {"mm/chain.c": CHAIN}
    states: list[dict[str, str | bytes | None]] = [dict(files)]
    for _ in range(5):
        path = dice.choice([*sorted(files), "mm/chain.c", "mm/chain.c"])
        files[path] = edited(edited(files[path], dice), dice)
        states.append({path: files[path]})
    top = build(tmp_path / "tree", *states)

    def report(words: str, cache: bool) -> Report:
        return series(Request(str(top), (words,), flags={"jobs": 1}, cache=cache)).report

    for words in ("HEAD~5..HEAD", "HEAD~5..HEAD", "HEAD~3..HEAD", "HEAD~5..HEAD~1", "HEAD~4..HEAD~2", "HEAD~3..HEAD"):
        assert report(words, True) == report(words, False), words
    assert {"facts", "state"} <= {kind.name for kind in kinds(str(tmp_path / "cache/tlblint" / NAME))}


def _afresh(wanted: Wanted) -> Spine:
    return replace(spines.load(wanted), again=None)
