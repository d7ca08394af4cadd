"""Promises written in the source: a comment above a function that says what the rules may assume about its surroundings.

    /* tlblint: assume caller-flushes-mm -- the only caller flushes the mm when it is done */

The words are those of rules/api/contracts.toml; the reason is mandatory.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_ASSUME = re.compile(rb"/\*[ \t*]*tlblint:[ \t]*assume[ \t]+(?P<words>[a-z, \t-]*?[a-z])[ \t]*(?:--[ \t]*(?P<reason>[^*\n]*[^*\s])[ \t]*)?\*/")


def assumptions(raw: bytes, starts: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Function start -> the words assumed of it. A comment belongs to the function that follows with no other code between; without a
    reason it says nothing."""
    out: dict[int, tuple[str, ...]] = {}
    ordered = sorted(starts)
    for match in _ASSUME.finditer(raw):
        after = next((start for start in ordered if start >= match.end()), None)
        if after is None or match["reason"] is None or re.search(rb"[;}]", _bare(raw[match.end() : after])):
            continue
        out[after] = out.get(after, ()) + tuple(re.split(r"[,\s]+", match["words"].decode()))
    return out


def _bare(text: bytes) -> bytes:
    """The text between a comment and a function without further comments."""
    return re.sub(rb"/\*.*?\*/", b"", text, flags=re.DOTALL)
