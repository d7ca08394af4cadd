"""The engine as a judge, in this process: one file's facts, judged alone. A hundred times faster than the command line.

    python -m tests.mutate.score --kernels DIR --kernel 7.3 --judge tests.mutate.inprocess:run
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tlblint.app.spine import Spine, Wanted, load
from tlblint.roles import HEADERS


@cache
def _spine(root: Path) -> Spine:
    return load(Wanted(headers={name: (root / name).read_bytes() for name in HEADERS if (root / name).is_file()}))


def run(kernel_root: Path, path: str, raw: bytes) -> list[tuple[str, str, str]]:
    """(rule, function, severity) of each finding in the file."""
    spine = _spine(kernel_root)
    severity = {rule.code: rule.severity for rule in spine.rules}
    found = spine.analyse([spine.facts(path, raw)], None).findings
    return [(finding.rule, finding.function, severity[finding.rule]) for finding in found]
