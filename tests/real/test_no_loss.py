"""Whole kernels: many processes and what earlier runs have left give the report of one process that knows nothing, byte for byte."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tlblint.app.check import check
from tlblint.app.request import Request
from tlblint.report.jsonout import render
from tlblint.report.view import Style

KERNELS = Path(os.environ.get("TLBLINT_KERNELS") or "none")


def report(tree: Path, jobs: int, cache: bool) -> bytes:
    outcome = check(Request(str(tree), tree=str(tree), flags={"jobs": jobs, "cache": cache, "sim": False}))
    return render(outcome.report, Style()).encode()


@pytest.mark.parametrize("version", ["6.1", "6.12", "7.3"])
def test_nothing_is_lost(version: str) -> None:
    tree = KERNELS / f"linux-source-{version}"
    if not tree.is_dir():
        pytest.skip("TLBLINT_KERNELS names no directory with this kernel")
    alone = report(tree, 1, cache=False)
    assert alone.count(b'"fingerprint"') > 5
    assert report(tree, 3, cache=True) == alone  # cold
    assert report(tree, 3, cache=True) == alone  # warm
