"""Files whose bytes are not the ASCII that a compiler of the kernel reads: told apart so that they are named, not passed over."""

from __future__ import annotations

from tlblint.syntax.patterns import whole

_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def unreadable(raw: bytes, relevant: frozenset[bytes]) -> str:
    """Why a file that mentions a name of ``relevant`` can not be read at all, or an empty text."""
    code = _MARKS.get(raw[:2]) or _unmarked(raw[:2])
    if code:
        text = raw.decode(code, "replace").encode("utf-8", "replace")
        return "encoded in UTF-16" if whole(text, relevant) else ""
    if b"\r" in raw and raw.count(b"\r") - raw.count(b"\r\n") > raw.count(b"\n") and whole(raw, relevant):
        return "its lines end in carriage returns alone"
    return ""


def _unmarked(head: bytes) -> str:
    """A NUL beside the first letter tells UTF-16 without a byte order mark."""
    if len(head) < 2 or head.count(0) != 1 or not head.strip(b"\0").isascii():
        return ""
    return "utf-16-le" if head[1] == 0 else "utf-16-be"
