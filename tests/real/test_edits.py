"""Real functions, edited: what a run takes over from the one before is what it would have found. Needs TLBLINT_KERNELS."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import work
from tests.real.test_no_loss import KERNELS, report
from tlblint.engine import analyse

STARTS = ("mm/m", "include/asm-generic/tlb.h")
LINE = re.compile(rb"\n\t[^\n]*;(?=\n)")
IF = re.compile(rb"\n\tif \((?=!|\w+\([^()]*\)\)\n)")


@pytest.fixture(scope="module", params=["6.12", "7.3"])
def tree(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A part of a kernel whose files may be edited."""
    whole = KERNELS / f"linux-source-{request.param}"
    if not whole.is_dir():
        pytest.skip("TLBLINT_KERNELS names no directory with this kernel")
    top = tmp_path_factory.mktemp("part")
    for path in work.files(whole):
        if path.startswith((*STARTS, "Makefile")):
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(whole / path, top / path)
    yield top


def edited(raw: bytes, kind: int, chance: random.Random) -> bytes:
    """With a call more, a statement less, a condition turned round, nothing but moved, or a statement twice."""
    if kind == 0:
        return work.changed(raw, chance.randrange(100))
    if kind == 2:
        at = chance.choice([found.end() for found in IF.finditer(raw)])
        return raw[:at] + b"!" + raw[at:]
    if kind == 3:
        return work.commented(raw, chance.randrange(100))
    one = chance.choice(list(LINE.finditer(raw)))
    return raw[: one.start()] + (b"" if kind == 1 else one[0] * 2) + raw[one.end() :]


def test_edits_of_real_functions(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[int] = []
    whole = analyse.analyse

    def counted(*arguments: object) -> object:
        judged.append(1)
        return whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(analyse, "analyse", counted)
    chance = random.Random(5)
    paths = sorted((tree / "mm").glob("*.c"), key=lambda path: (-path.read_bytes().count(b"pte_"), path.name))[:8]
    report(tree, 1, cache=True)
    stood = 0
    for number in range(5):
        path = chance.choice(paths)
        raw = path.read_bytes()
        path.write_bytes(edited(raw, number, chance))
        judged.clear()
        known = report(tree, 1 + number % 2, cache=True)
        stood += not judged
        assert known == report(tree, 1, cache=False)
        if number % 2:
            path.write_bytes(raw)
    assert stood
