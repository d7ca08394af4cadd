"""An archived thread on one page, as plain text or HTML: every mail of it, patches and replies alike.

A public-inbox page gives each mail a line ``* SUBJECT``, lines that place it in the thread, ``From: NAME @ DATE``, To and Cc, an empty line,
the text, and ``^ permalink raw reply``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import islice

from msgspec.structs import replace

from tlblint.io.errors import InputError
from tlblint.io.mail import Letter
from tlblint.io.mail_text import one_line, readable

_FROM = re.compile(rb"From: (.{0,300}?) @ (\d{4}-\d\d-\d\d\s+\d{1,2}:\d\d.{0,40})")
_END = re.compile(rb"\^ (?:permalink|raw)\b")
_MARKUP = re.compile(rb"\s*(?:<!DOCTYPE html|<html|<\?xml)", re.I)
_TAG = re.compile(r"<[^<>]*>")
_CARD = re.compile(rb"\s*([^\n]{0,40}\[[^\]\n]{0,80}\b(?:PATCH|RFC)\b[^\]\n]{0,80}\][^\n]{0,400})\n((?:[^\n]{0,400}\n){0,6}?)From: ([^\n]{0,300})\n", re.I)

_FIELD = re.compile(rb"(From|To|Cc|Subject|Date|Message-ID|In-Reply-To|References|List-ID|X-Mailer|Reply-To):[ \t]+(.{1,1000})", re.I)
_SHEET = 300
"""Lines in which the headers of a page with one mail must end."""

MAILS = 20_000
"""Mails of the largest page or mailbox that is read."""

THREAD = 5000
"""Lines that may place a mail in its thread before its From line."""


def is_markup(raw: bytes) -> bool:
    """Whether this is HTML."""
    return _MARKUP.match(raw[:1000]) is not None


def plain(raw: bytes) -> bytes:
    """The text of an HTML page. Lines stay lines: archives show mails in <pre>."""
    text = _TAG.sub("", raw.decode("utf-8", "surrogateescape"))
    return html.unescape(text).encode("utf-8", "surrogateescape")


def read_page(raw: bytes, name: str, lines_count: bool = True) -> list[Letter]:
    """The mails on a page of plain text; [] when it is no page of a thread. ``lines_count``: its lines are those of the file ``name``.
    Raises InputError for too many."""
    lines = raw.split(b"\n")
    starts = list(islice(_starts(lines), MAILS + 1))
    if len(starts) > MAILS:
        raise InputError(name, f"more than {MAILS} mails", "give the mails of one series")
    ends = [*(start for start, _ in starts[1:]), len(lines)]
    letters = [_letter(lines, start, head, end, name) for (start, head), end in zip(starts, ends, strict=False)]
    return letters if lines_count else [replace(letter, source=f"{name} (mail {number})", line=None) for number, letter in enumerate(letters, 1)]


def _starts(lines: list[bytes]) -> Iterator[tuple[int, int]]:
    """(line of the subject, line of From) of every mail."""
    at = 0
    while at < len(lines):
        head = _head(lines, at) if lines[at].startswith(b"* ") else None
        if head is not None:
            yield at, head
            at = head
        at += 1


def _head(lines: list[bytes], start: int) -> int | None:
    """The From line that belongs to the subject on line ``start``; an empty line or another subject comes first where there is none."""
    for at in range(start + 1, min(start + THREAD, len(lines))):
        if _FROM.match(lines[at]):
            return at
        if not lines[at].strip() or lines[at].startswith(b"* "):
            return None
    return None


def _letter(lines: list[bytes], start: int, head: int, end: int, name: str) -> Letter:
    match = _FROM.match(lines[head])
    assert match is not None
    first = next((at for at in range(head, end) if not lines[at].strip()), end) + 1
    last = next((at for at in range(first, end) if _END.match(lines[at])), end)
    subject, author, date = (one_line(readable(part)) for part in (lines[start][2:], match[1], match[2]))
    text = b"\n".join(lines[first:last]).rstrip(b"\n") + (b"\n" if last < len(lines) or not lines[-1] else b"")
    return Letter(subject, author, date.partition(" (")[0], "", (), text, "", f"{name}:{start + 1}", first + 1)


def read_card(raw: bytes, name: str) -> Letter | None:
    """The one mail of a page that starts with its subject, followed by From and Date, as older archives show it."""
    match = _CARD.match(raw[:5000])
    if not match:
        return None
    blank = raw.find(b"\n\n", match.end() - 1)
    body = blank + 2 if blank >= 0 else match.end()
    subject, author = (one_line(readable(match[group])) for group in (1, 3))
    return Letter(subject, author, "", "", (), raw[body:], "", f"{name}:1", raw.count(b"\n", 0, body) + 1)


def read_sheet(raw: bytes, name: str, lines_count: bool = True) -> Letter | None:
    """The one mail of a page that shows its headers as lines, continued without indent and with no empty line after them, as archives do when
    they are saved as text. None unless its Subject says PATCH or RFC."""
    fields: dict[bytes, bytes] = {}
    last = -1
    lines = raw.split(b"\n", _SHEET)
    for number, line in enumerate(lines[:_SHEET]):
        match = _FIELD.match(line)
        if match and match[1].lower() in fields:
            break
        if match:
            fields[match[1].lower()], last = match[2], number
        elif fields and (not line.strip() or line.startswith((b"diff ", b"---"))):
            break
    if not re.search(rb"\[[^\]]*\b(?:PATCH|RFC)\b", fields.get(b"subject", b"")):
        return None
    subject, author, date = (one_line(readable(fields.get(key, b""))) for key in (b"subject", b"from", b"date"))
    found = re.match(rb"\s*<([^<>\s]{1,500})>", fields.get(b"message-id", b""))
    identity, text = one_line(readable(found[1])) if found else "", b"\n".join(lines[last + 1 :])
    source, first = (f"{name}:1", last + 2) if lines_count else (name, None)
    return Letter(subject, author, date.partition(" [thread")[0], identity, (), text, "", source, first)
