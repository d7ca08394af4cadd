"""The figures on real kernels are those of the list. Needs TLBLINT_KERNELS (linux-source-VERSION trees)."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.crosscheck.shares import LIST, SHOWN, lines, versions

KERNELS = Path(os.environ.get("TLBLINT_KERNELS") or "/nonexistent")


def listed(version: str) -> list[str]:
    parts = LIST.read_text().split("\n\n")
    return next((part.splitlines() for part in parts if part.startswith(f"{version} ")), [])


@pytest.mark.parametrize("version", versions(KERNELS) or ["none"])
def test_the_list_is_up_to_date(version: str) -> None:
    if version == "none":
        pytest.skip("no kernels below TLBLINT_KERNELS")
    assert list(lines(KERNELS / f"linux-source-{version}", version)) == [line for line in listed(version) if line]


def test_most_true_ones_are_shown_and_no_false_one_is() -> None:
    """Of those that are not shown, the list says why: an error by itself, or a harm that the machines at hand cannot do."""
    counts: Counter[tuple[str, bool]] = Counter()
    for line in LIST.read_text().splitlines():
        if line and not line.startswith(("#", " ")):
            _, said, verdict, count = line.replace(":", "").split()
            counts[said, verdict in SHOWN] += int(count)
    assert counts["true", True] >= 4 * counts["true", False]
    assert counts["false", True] == 0
    assert not counts["?", True] and not counts["?", False]
