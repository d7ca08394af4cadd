"""Where the functions of a file are, found on raw bytes by kernel layout: a body ends with a brace in column 0.

Works on one pass of literal searches; only the surroundings of a body are looked at. One-line definitions are found
in the gaps between bodies.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache

from tlblint.syntax.loose import uncovered
from tlblint.syntax.patterns import whole

Span = tuple[str, int, int]
"""A function: name, first byte of its header, byte after its closing brace."""

_SAME_LINE = re.compile(rb"\)[\s\w]*+\{[^\n]")
_REMARK = re.compile(rb"/\*.*?\*/\s*$|//.*$")
_TRAILING_OPEN = re.compile(rb"\)[^\n(){};=]*+\{[^\n}\\]{0,400}+(?=\n)")
_LAST_CALL = re.compile(rb"(\w+)[ \t]*\([^()]*\)$")
_CALLISH = re.compile(rb"(?<!\w)((?:[A-Za-z_]|[\xc3-\xf4][\x80-\xbf]{1,3}+)(?:\w++|[\xc3-\xf4][\x80-\xbf]{1,3}+)*+)\s*+\(")
_DECORATION = re.compile(rb"/\*.*?\*/|//[^\n]*|^[ \t]*#[^\n]*", re.S | re.M)
_FIRST_ARG = re.compile(rb"\s*([A-Za-z_]\w*)")
_CONTROL = frozenset(b"if for while switch return do else case".split())
_NOT_FUNCTION = frozenset(b"sizeof typeof __typeof__ int long char void short unsigned signed const defined __context_unsafe".split())
_ATTRIBUTE_CALL = re.compile(
    rb"__(?:attribute(?:__)?|printf|scanf|section|aligned|acquires|releases|must_hold|cond_\w+|alloc_size|no_sanitize|malloc|assume_aligned"
    rb"|nonnull|must_hold_shared|acquires_shared|releases_shared|error|compiletime_error|cleanup|designated_init|target|optimize|diagnose_as)$"
)
_DEFINER = re.compile(rb"(?:[A-Z0-9_]*(?:DEFINE|BPF_CALL_|BPF_PROG)[A-Z0-9_]*|__?[A-Z_]*SYSCALL_DEFINEx?|asm_exc\w+)$")
_PLAIN = re.compile(rb"(?:[ \t]*+[^\s#/;{}\\*][^\n#/;{}\\]*(?<=[^\s)])\n){0,9}[ \t]*+[^\s#/;{}\\*][^\n#/;{}\\]*\n")
"""A header that can only start where the text does: no line of it is one that a header ends above."""
_NOT_SIMPLE = re.compile(rb"[#/;{}\\=]")
_SPACES = b" \t\n\r\f\v*"
_BEFORE_NAME = (b" ", b"\t", b"\n", b"*")
_HEADER_LINES = 80
_HEADER_BYTES = 8192
_LINE_BYTES = 4096


def definer(name: bytes) -> bool:
    """Whether ``name(x, ..) {`` defines a function called x."""
    return _DEFINER.match(name) is not None


def header_name(header: bytes) -> str | None:
    """Name of the function whose header (all before the brace) is given, or None if it is not a function's."""
    if b"/" in header or b"#" in header:
        header = _DECORATION.sub(b" ", header)
    for match in _CALLISH.finditer(header):
        name = match.group(1)
        if name in _CONTROL:
            return None
        if name in _NOT_FUNCTION or _ATTRIBUTE_CALL.match(name):
            continue
        if b"=" in header or b";" in header[: match.start()]:
            return None
        if definer(name) and (argument := _FIRST_ARG.match(header, match.end())):
            name = argument.group(1)
        return name.decode("latin-1")
    return None


def _ends_header(line: bytes, taken: bytes) -> bool:
    """Whether the header can not reach up to ``line``, given what is ``taken`` below it."""
    if not line:
        return bool(taken)
    if line.startswith((b"/*", b"//", b"* ", b"*/")) or line == b"*":
        return taken.count(b"(") == taken.count(b")")
    if line.endswith(b"*/"):
        return b"/*" not in line and taken.count(b"(") == taken.count(b")")
    if line.endswith((b";", b"}", b"\\", b"{")):
        return True
    if line.endswith(b")") and b"(" in taken and taken.count(b"(") == taken.count(b")"):
        last = _LAST_CALL.search(line)
        return header_name(taken) is not None and not (last and _ATTRIBUTE_CALL.match(last.group(1)))
    return False


def header_start(raw: bytes, low: int, brace: int) -> int:
    """First byte of the header that belongs to the brace at ``brace``; ``brace`` itself if there is none. Not below ``low``."""
    low = max(low, brace - _HEADER_BYTES)
    if above := _plain_start(raw, low, brace):
        return above
    start = brace
    upper = brace
    groups = 0
    taken = b""
    for _ in range(_HEADER_LINES):
        begin = max(raw.rfind(b"\n", low, upper) + 1, low)
        line = raw[begin:upper].strip()
        if line.startswith(b"#") and not line.endswith(b"\\"):
            word = line[1:].lstrip()
            if word.startswith(b"endif") and (not taken or taken.count(b"(") != taken.count(b")")):
                groups += 1
            elif not groups:
                break
            elif word.startswith(b"if"):
                groups -= 1
                start = begin
        elif not groups and _ends_header(line, taken):
            break
        elif line:
            taken = line + b"\n" + taken
            start = begin if not groups else start
        if begin <= low:
            break
        upper = begin - 1
    return start


def _plain_start(raw: bytes, low: int, brace: int) -> int:
    """Where the header starts if it has only plain lines, below an empty one or a comment, as most have; else 0."""
    above = max(raw.rfind(b"\n\n", low, brace) + 2, raw.rfind(b"*/\n", low, brace) + 3)
    if above < 3 or not _PLAIN.fullmatch(raw, above, brace):
        return 0
    return above if raw[above - 2] == 10 or _below_comment(raw, low, above, brace) else 0


def _below_comment(raw: bytes, low: int, above: int, brace: int) -> bool:
    """Whether the header can not reach up into the comment that ends above it."""
    line = raw[max(raw.rfind(b"\n", low, above - 1) + 1, low) : above].strip()
    return line.startswith((b"*/", b"/*", b"* ")) and raw.count(b"(", above, brace) == raw.count(b")", above, brace)


def _simple(raw: bytes, low: int, brace: int) -> tuple[int, str]:
    """Start and name of a header as most are: plain lines below an empty one or a comment, with a name in small letters before the first
    parenthesis. The name is empty for all others: there header_start() and header_name() tell."""
    low = max(low, brace - _HEADER_BYTES)
    start = raw.rfind(b"\n\n", low, brace) + 2
    if (comment := raw.rfind(b"*/\n", max(start - 2, low), brace)) >= 0:
        start = comment + 3
        if not _below_comment(raw, low, start, brace):
            return 0, ""
    if start < 3 or raw[brace - 1] != 10 or _NOT_SIMPLE.search(raw, start, brace) or raw[start] in _SPACES:
        return 0, ""
    if raw.find(b"\n", start, brace - 1) >= 0 and not _PLAIN.fullmatch(raw, start, brace):
        return 0, ""
    name = raw[start : max(raw.find(b"(", start, brace), start)].rstrip()
    name = name[max(map(name.rfind, _BEFORE_NAME)) + 1 :]
    if not name.islower() or not name.replace(b"_", b"").isalnum() or name[0] < 65 or name.startswith(b"asm_exc"):
        return 0, ""
    if name.startswith(b"__") and _ATTRIBUTE_CALL.match(name):
        return 0, ""
    return (0, "") if name in _CONTROL or name in _NOT_FUNCTION else (start, name.decode())


def _in_comment(raw: bytes, at: int) -> bool:
    floor = max(0, at - 65536)
    opened = raw.rfind(b"/*", floor, at)
    return opened >= 0 and raw.find(b"*/", opened + 2, at) < 0


def _at(raw: bytes, low: int, brace: int, end: int) -> Span | None:
    """The function whose body is ``raw[brace:end]``, if it is one."""
    start, name = _simple(raw, low, brace)
    if not name:
        start = header_start(raw, low, brace)
        name = (header_name(raw[start:brace]) or "") if start < brace else ""
        while raw[start : start + 1] in (b"\n", b"\r"):
            start += 1
    if not name or raw[start : start + 1] in (b" ", b"\t") or _in_comment(raw, brace):
        return None
    if raw[end : end + 1] == b";" and raw.startswith(name.encode("latin-1"), start):
        return None  # NAME(..) { .. };  declares a structure
    return name, start, end


def _one_liners(raw: bytes, low: int, high: int) -> Iterator[Span]:
    if raw.find(b"{", low, high) < 0:
        return
    for match in _SAME_LINE.finditer(raw, low, high):
        brace = match.end() - 2
        if brace < low:
            continue
        line = raw.rfind(b"\n", max(low, brace - _LINE_BYTES), brace) + 1
        if (not line and brace - low > _LINE_BYTES) or raw[line : line + 1] == b"#" or raw[line - 2 : line - 1] == b"\\":
            continue
        if (end := _end_of_line_block(raw, brace)) and (found := _at(raw, low, brace, end)):
            yield found
            low = found[2]


def _end_of_line_block(raw: bytes, brace: int) -> int:
    """Offset after the brace that ends the line which has an opening one at ``brace``; 0 if the line ends otherwise."""
    end = raw.find(b"\n", brace, brace + _LINE_BYTES)
    if end < 0:
        end = len(raw) if len(raw) - brace < _LINE_BYTES else brace
    line = raw[brace:end]
    if b"/" in line:
        line = _REMARK.sub(b"", line)
    line = line.rstrip(b" \t\r;")
    return brace + len(line) if line.endswith(b"}") else 0


def _bodies(raw: bytes, low: int, close: int) -> Iterator[Span]:
    """Functions between ``low`` and the column-0 brace that closes at ``close``."""
    at = low
    while True:
        at = raw.find(b"\n{", at, close)
        if at < 0:
            break
        line_end = raw.find(b"\n", at + 1)
        line = raw[at + 1 : line_end].rstrip()
        if line_end <= close and line.count(b"{") == line.count(b"}"):
            if found := _at(raw, low, at + 1, at + 1 + len(line)):
                yield from _one_liners(raw, low, found[1])
                yield found
                low = found[2]
        elif not line.endswith(b"\\") and (found := _at(raw, low, at + 1, close + 2)):
            yield from _one_liners(raw, low, found[1])
            yield found
            return
        at += 2
    for match in _TRAILING_OPEN.finditer(raw, low, close + 1):
        if found := _at(raw, low, raw.index(b"{", match.start()), close + 2):
            yield from _one_liners(raw, low, found[1])
            yield found
            return
    yield from _one_liners(raw, low, close)


@lru_cache(maxsize=1)
def _segments(raw: bytes) -> tuple[tuple[int, int], ...]:
    """Stretches (low, close): from after one column-0 closing brace to the newline before the next. The last one is the tail. Remembered for
    whoever asks next of the same file."""
    found = []
    low, close = 0, raw.find(b"\n}")
    while close >= 0:
        line_end = raw.find(b"\n", close + 1)
        if line_end < 0 or raw[line_end - 1] != 92:  # else inside a macro definition
            found.append((low, close))
            low = close + 2
        close = raw.find(b"\n}", close + 2)
    return (*found, (low, len(raw)))


@lru_cache(maxsize=1024)
def _functions(raw: bytes, low: int, close: int) -> tuple[Span, ...]:
    """The functions of one stretch; those of a file are asked for more than once."""
    if close == len(raw):
        return tuple(_one_liners(raw, low, close))
    brace = raw.find(b"\n{", low, close) + 1
    if brace and raw[brace + 1] == 10 and (found := _at(raw, low, brace, close + 2)) and raw.find(b"{", low, found[1]) < 0:
        return (found,)  # as most are
    return tuple(_bodies(raw, low, close))


def index_functions(raw: bytes) -> list[Span]:
    """All function definitions of a file as (name, start, end), in file order."""
    found: list[Span] = []
    for low, close in _segments(raw):
        found.extend(_functions(raw, low, close))
    return found


def in_scope(raw: bytes, relevant: frozenset[bytes], also: frozenset[bytes]) -> tuple[list[Span], list[int]]:
    """Functions that mention a name of ``relevant`` or are called one of ``also``, in file order; and the offsets of
    mentions outside of them that may be code in braces all the same."""
    hits = whole(raw, relevant)
    if not hits and not also:
        return [], []
    names = {n.decode("latin-1") for n in also}
    found: list[Span] = []
    loose: list[int] = []
    for low, close in _segments(raw):
        first = bisect_left(hits, low)
        if not names and (first == len(hits) or hits[first] >= close):
            continue
        spans = _functions(raw, low, close)
        for span in spans:
            hit = bisect_left(hits, span[1])
            if span[0] in names or (hit < len(hits) and hits[hit] < span[2]):
                found.append(span)
        loose += uncovered(raw, spans, hits[first : bisect_left(hits, close)], low, close)
    return found, loose
