"""Which mentions outside of the functions that the slicer found may be code all the same. Cheap, and rather too many than too few."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

_BRACE = re.compile(rb"[{}]")
_DECLARED = re.compile(rb"extern\s|typedef\s|[ \t]*\.[ \t]*$|[ \t]*+//|[ \t]*+\.\w++(?:\.\w++|\[\w++\])*+[ \t]*+=[ \t&]*+$")
_COMMENT_BYTES = 65536
_LINE_BYTES = 4096
_CONTINUED = 400


def uncovered(raw: bytes, spans: Sequence[tuple[str, int, int]], hits: Iterable[int], low: int, close: int) -> Iterator[int]:
    """Those of ``hits`` in ``raw[low:close]``, outside of ``spans``, next to a brace that no span explains.

    ``raw[close:close + 2]`` is a newline and a closing brace, or the end of the file. Once one is found the file has to be read
    in full anyway, and the rest is taken as it comes.
    """
    starts = [start for _, start, _ in spans]
    found = False
    for hit in hits:
        at = bisect_right(starts, hit)
        floor = spans[at - 1][2] if at else low
        if hit < floor:
            continue
        ceiling = starts[at] if at < len(starts) else min(close + 2, len(raw))
        if found or (_between_braces(raw, floor, hit, ceiling) and not _no_code(raw, hit)):
            found = True
            yield hit


def _between_braces(raw: bytes, floor: int, hit: int, ceiling: int) -> bool:
    if _BRACE.search(raw, floor, hit):
        return True
    following = _BRACE.search(raw, hit, ceiling)
    return following is not None and following.group() == b"}"


def _no_code(raw: bytes, hit: int) -> bool:
    """Whether it is plain that the mention is in a comment, a directive, a declaration or a designated initialiser."""
    line = max(raw.rfind(b"\n", 0, hit) + 1, hit - _LINE_BYTES)
    return _DECLARED.match(raw, line, hit) is not None or _in_directive(raw, line) or _in_comment(raw, hit)


def _in_directive(raw: bytes, line: int) -> bool:
    for _ in range(_CONTINUED):
        if raw[line - 2 : line] != b"\\\n":
            break
        line = raw.rfind(b"\n", 0, line - 1) + 1
    return raw[line : line + 1] == b"#"


def _in_comment(raw: bytes, hit: int) -> bool:
    """Whether a comment is open there. What opens one in a string or behind ``//`` does not count."""
    opened = raw.rfind(b"/*", max(0, hit - _COMMENT_BYTES), hit)
    if opened < 0 or raw.find(b"*/", opened + 2, hit) >= 0:
        return False
    line = raw.rfind(b"\n", 0, opened) + 1
    return b'"' not in raw[line:opened] and b"//" not in raw[line:opened]
