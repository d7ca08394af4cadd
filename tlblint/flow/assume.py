"""Promises written in the source: a comment above a function that says what the rules may assume about its surroundings.

    /* tlblint: assume caller-flushes-mm -- the only caller flushes the mm when it is done */

The words are those of rules/api/contracts.toml; the reason is mandatory.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_ASSUME = re.compile(rb"/\*[ \t*]{0,8}tlblint:[ \t]{0,8}assume[ \t](?P<text>[^\n]{1,400}?)\*/")
_WORDS = re.compile(r"[a-z]+(?:-[a-z]+)*+")


def assumptions(raw: bytes, starts: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Function start -> the words assumed of it. A comment belongs to the function that follows with no other code between; without a
    reason it says nothing."""
    out: dict[int, tuple[str, ...]] = {}
    if b"tlblint:" not in raw:
        return out
    ordered = sorted(starts)
    for match in _ASSUME.finditer(raw):
        after = next((start for start in ordered if start >= match.end()), None)
        words, _, reason = match["text"].decode("utf-8", "replace").partition(" -- ")
        if after is None or not reason.strip() or re.search(rb"[;}]", _bare(raw[match.end() : after])):
            continue
        out[after] = out.get(after, ()) + tuple(_WORDS.findall(words))
    return out


def _bare(text: bytes) -> bytes:
    """The text between a comment and a function without further comments."""
    return re.sub(rb"/\*.*?\*/", b"", text, flags=re.DOTALL)
