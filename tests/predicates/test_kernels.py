"""What is measured on kernels: nothing unsafe in mainline, and how much of the helpers is executed."""

from __future__ import annotations

import os
from functools import lru_cache

import pytest

from tlblint.app.predicates import Surveyed, predicates

KERNELS = os.environ.get("TLBLINT_KERNELS", "")
VERSIONS = tuple(v for v in ("5.10", "6.1", "6.12", "7.3") if os.path.isdir(os.path.join(KERNELS, f"linux-source-{v}"))) if KERNELS else ()
pytestmark = pytest.mark.skipif(not VERSIONS, reason="TLBLINT_KERNELS is not set")


@lru_cache
def surveyed(version: str) -> tuple[Surveyed, ...]:
    return predicates("/", os.path.join(KERNELS, f"linux-source-{version}"), None, ())


@pytest.mark.parametrize("version", VERSIONS)
def test_no_predicate_of_mainline_is_unsafe(version: str) -> None:
    rows = [row for one in surveyed(version) for row in one.rows if row.kind == "predicate"]
    judged = [row for row in rows if row.verdicts]
    assert [(row.profile, row.name, v) for row in judged for v in row.verdicts if v.kind == "unsafe"] == []
    assert [row for row in rows if row.blocker not in ("", "no oracle for this machine")] == []
    assert len([row for row in judged if row.profile == "x86-64"]) == (1 if version == "5.10" else 3)


@pytest.mark.parametrize("version", VERSIONS)
def test_helpers_are_executed_or_name_their_blocker(version: str) -> None:
    rows = [row for one in surveyed(version) for row in one.rows if row.kind == "helper"]
    assert len({row.profile for row in rows}) == 8 and len(rows) > 250
    assert sum(not row.blocker for row in rows) >= 0.95 * len(rows), [(r.profile, r.name, r.blocker) for r in rows if r.blocker]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_helper_does_is_noted(version: str) -> None:
    events = {(row.profile, row.name): row.events for one in surveyed(version) for row in one.rows}
    assert "__tlbi" in events["arm64", "tlb_flush"]
    assert any(name.startswith("on_each_cpu") or "flush" in name for name in events["x86-64", "tlb_flush"])
    assert events["x86-64", "mm_tlb_flush_pending"] == ()
