"""The findings on pinned kernels are the ones that somebody has looked at. Needs TLBLINT_KERNELS (linux-source-VERSION trees)."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

from tests.real.record import Record, differences, parse, unanalysed
from tests.real.summary import HERE, kernel_version, survey

KERNELS = Path(os.environ.get("TLBLINT_KERNELS") or "/nonexistent")
VERSIONS = sorted((path.stem for path in HERE.glob("*.txt")), key=lambda name: tuple(map(int, name.split("."))))

Case = tuple[Record, Record, frozenset[str]]


@pytest.fixture(scope="module", params=VERSIONS)
def case(request: pytest.FixtureRequest) -> Case:
    """The committed record, what is found now, and the rules that are errors."""
    tree = KERNELS / f"linux-source-{request.param}"
    if not (tree / "Makefile").is_file():
        pytest.skip(f"no linux-source-{request.param} below TLBLINT_KERNELS")
    committed = parse((HERE / f"{request.param}.txt").read_text())
    found, errors = survey(tree)
    if committed.kernel != kernel_version(tree):
        warnings.warn(f"{committed.kernel} is on record, the tree is {found.kernel}: compared by path, function and rule only", stacklevel=1)
    return committed, found, errors


def test_kernels_are_on_record() -> None:
    assert {"6.1", "6.12", "7.3"} <= set(VERSIONS)


def test_findings_are_the_ones_on_record(case: Case) -> None:
    committed, found, _ = case
    changed = differences(committed, found)
    if changed:
        how = "" if committed.kernel == found.kernel else f" (by path, function and rule: {committed.kernel} is on record)"
        pytest.fail("\n".join([f"{found.kernel}{how}; after a look: python -m tests.real.summary KERNEL_DIR VERSION --update", *changed]), pytrace=False)


def test_everything_in_scope_was_analysed(case: Case) -> None:
    committed, found, _ = case
    new = unanalysed(committed, found)
    if new:
        pytest.fail("\n".join([f"{found.kernel}: not analysed and not on record", *new]), pytrace=False)


def test_somebody_has_looked_at_each(case: Case) -> None:
    committed, _, _ = case
    bare = [entry.text for entry in committed.entries if entry.verdict == "?" or not entry.reason]
    if bare:
        pytest.fail("\n".join(["without a verdict or a reason", *bare]), pytrace=False)


def test_no_error_is_a_false_one(case: Case) -> None:
    committed, _, errors = case
    wrong = [f"{entry.text}\n    {entry.reason}" for entry in committed.entries if entry.verdict == "false" and entry.rule in errors]
    if wrong:
        pytest.fail("\n".join(["false findings at error level", *wrong]), pytrace=False)
