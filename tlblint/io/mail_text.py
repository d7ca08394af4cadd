"""The text of one mail: where its message ends and its diff begins, what it says of itself, and its trailers."""

from __future__ import annotations

import re

import msgspec

_IN_BODY = re.compile(rb"(From|Subject|Date):([^\n]*(?:\n[ \t][^\n]*)*)\n", re.I)
_TRAILER = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,60}):[ \t]+(\S.*)$")
_CHANGE = re.compile(rb"^(?:diff --(?:git|cc|combined) |@@@? -\d+,?\d* |--- [^\n]*\n\+\+\+ [^\n]*\n@@ -)", re.M)
STAT = re.compile(rb"^ (\d{1,6}) files? changed(?:, \d+ insertions?\(\+\))?(?:, \d+ deletions?\(-\))?$", re.M)
_ENDS = re.compile(rb"^(?:diff -|Index: |--- \S|---[ \t\r\f\v]*$)", re.M)
_SLOW = frozenset({"punycode", "idna", "unicode_escape", "raw_unicode_escape", "unicode-escape", "raw-unicode-escape"})
"""Codecs that are no charset of a mail, some of them quadratic."""

BASE = re.compile(rb"^base-commit: ([0-9a-f]{12,64})\s*$", re.M)
PREREQUISITE = re.compile(rb"^prerequisite-patch-id: [0-9a-f]{12,64}\s*$", re.M)


class Sheet(msgspec.Struct, frozen=True):
    """``message`` is the text before the diff, in-body headers taken out of it; ``diff`` is the rest of the mail, "" when nothing in it
    changes a file; ``skipped`` counts the lines before the diff."""

    author: str | None
    subject: str | None
    date: str | None
    message: bytes
    diff: bytes
    skipped: int


def read_text(text: bytes) -> Sheet:
    """Take the decoded text of a mail apart, as git does: at a scissors line it starts anew, and it ends at the first ``---`` or ``diff -``."""
    end = _ENDS.search(text)
    cut = end.start() if end else len(text)
    message, diff = text[:cut], text[cut:]
    if not _CHANGE.search(diff):
        diff = b""
    message = _below_scissors(message)
    found, message = _in_body(message)
    return Sheet(found.get("from"), found.get("subject"), found.get("date"), message, diff, text.count(b"\n", 0, cut))


def is_change(text: bytes) -> bool:
    """Whether there is anything like a diff at the start of a line."""
    return _CHANGE.search(text) is not None


def _below_scissors(message: bytes) -> bytes:
    if not re.search(rb"8<|>8|%<|>%", message):
        return message
    lines = message.split(b"\n")
    last = next((number for number in range(len(lines) - 1, -1, -1) if _is_scissors(lines[number])), -1)
    return b"\n".join(lines[last + 1 :])


def _is_scissors(line: bytes) -> bool:
    """git's own measure: at least eight bytes long, more than a third of it perforation, more of that dashes and scissors than gaps."""
    text = line.strip()
    if len(text) < 8 or len(text) > 400:
        return False
    scissors, gap, perforation, inside, at = False, 0, 0, False, 0
    while at < len(text):
        char, pair = text[at : at + 1], text[at : at + 2]
        if char.isspace():
            gap, perforation = gap + inside, perforation + inside
        elif char == b"-":
            inside, perforation = True, perforation + 1
        elif pair in (b">8", b"8<", b">%", b"%<"):
            inside, scissors, perforation, at = True, True, perforation + 2, at + 1
        else:
            inside = False
        at += 1
    return scissors and len(text) < perforation * 3 and gap * 2 < perforation


def _in_body(message: bytes) -> tuple[dict[str, str], bytes]:
    """The ``From:``, ``Subject:`` and ``Date:`` lines that a message may start with, and the message without them."""
    found: dict[str, str] = {}
    rest = message.lstrip(b" \t\r\n")
    while match := _IN_BODY.match(rest):
        name = match[1].decode().lower()
        if name in found:
            break
        found[name] = one_line(readable(match[2]))
        rest = rest[match.end() :]
    return found, rest.lstrip(b"\r\n") if found else message.lstrip(b"\r\n")


def readable(raw: bytes, charset: str = "") -> str:
    """Text of unknown or wrongly named encoding. Never fails."""
    for name in (charset if charset not in _SLOW else "", "utf-8"):
        if not name:
            continue
        try:
            return raw.decode(name)
        except (LookupError, ValueError):
            continue
    return raw.decode("latin-1")


def one_line(text: str) -> str:
    """``text`` in one line with nothing in it that moves a cursor: what comes from a mail ends up on terminals."""
    return "".join(char if char.isprintable() else "?" for char in " ".join(text[:10000].split()))


def trailers(message: str) -> tuple[tuple[str, str], ...]:
    """The (name, value) lines of the last paragraph, when at least one of its lines is one."""
    paragraph: list[str] = []
    for line in reversed(message.rstrip().split("\n")):
        if not line.strip():
            break
        paragraph.append(line)
    matches = (_TRAILER.match(line.strip()) for line in reversed(paragraph))
    return tuple((match[1], match[2].strip()) for match in matches if match)
