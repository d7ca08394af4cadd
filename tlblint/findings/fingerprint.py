"""Names for findings that survive moved lines and renamed files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tlblint.model.digest import blake2b
from tlblint.model.finding import RawFinding


def fingerprints(findings: Sequence[RawFinding]) -> list[str]:
    """16 hex digits for each finding, in the same order.

    Made from rule, function, role sequence and the ordinal among equal ones of the same file, in file order. Two
    static functions of one name in two files may share a fingerprint: a baseline tells them apart by path.
    """
    order = sorted(range(len(findings)), key=lambda at: sort_key(findings[at]))
    seen: Counter[tuple[str, str, str, tuple[str, ...]]] = Counter()
    names = [""] * len(findings)
    for at in order:
        finding = findings[at]
        same = (finding.path, finding.rule, finding.function, finding.shape)
        names[at] = digest(finding.rule, finding.function, *finding.shape, str(seen[same]))
        seen[same] += 1
    return names


def sort_key(finding: RawFinding) -> tuple[str, int, str, str, str, tuple[str, ...], tuple[str, ...], str]:
    """A total order of raw findings."""
    return (finding.path, finding.pos, finding.rule, finding.function, finding.message, finding.shape, finding.profiles, repr((finding.act, finding.trace)))


def digest(*parts: str) -> str:
    """16 hex digits of a sequence of strings; unlike joining them, ("a", "b") and ("ab",) differ."""
    state = blake2b(digest_size=8)
    for part in parts:
        raw = part.encode("utf-8", "surrogateescape")
        state.update(len(raw).to_bytes(4, "big") + raw)
    return state.hexdigest()
