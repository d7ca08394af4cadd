"""Bytes that hold mails, whatever their shape: mailbox, single mail, archived page, the output of ``git show``, a bare diff."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import msgspec

from tlblint.io.errors import InputError
from tlblint.io.mail import Letter, looks_like_mail, plain_ends, read_mail
from tlblint.io.mail_page import MAILS, is_markup, plain, read_card, read_page, read_sheet
from tlblint.io.mail_text import is_change, one_line, read_text, readable

LIMIT = 64 << 20
"""Bytes of all that is read for one series, unpacked."""

LINES = 2_000_000
"""Lines of the largest file that is read: a line costs more memory than its bytes."""

_FROM = re.compile(rb"^From [^\n]*$", re.M)
_ESCAPED = re.compile(rb"^>(>*From )", re.M)
_COMMIT = re.compile(rb"^commit ([0-9a-f]{40,64})[^\n]*\n(?=Author: |Merge: )", re.M)
_TODO = "give a mailbox, patch files, a directory of them, or a range a..b"


class Box(msgspec.Struct, frozen=True):
    """What one file held. ``kind`` is "mail", "page" or "diff" (nothing says who wrote it)."""

    letters: tuple[Letter, ...]
    kind: str


def read_box(raw: bytes, name: str) -> Box:
    """The mails in ``raw``; ``name`` stands for the file in messages. Raises InputError."""
    raw = unpacked(raw, name)
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raw = readable(raw, "utf-16").encode("utf-8", "replace")
    if raw.count(b"\n") > LINES:
        raise InputError(name, f"more than {LINES} lines", "give the patches of one series")
    if not raw.strip():
        raise InputError(name, "empty", _TODO)
    if _is_from(raw.lstrip(b"\r\n").partition(b"\n")[0]):
        return Box(tuple(_opened(_mailbox(raw, name))), "mail")
    if looks_like_mail(_unix(raw[:65536].lstrip(b"\r\n"))):
        skipped = len(raw) - len(raw.lstrip(b"\r\n"))
        return Box(tuple(_opened([read_mail(_unix(raw[skipped:]), f"{name}:1", 1 + raw.count(b"\n", 0, skipped))])), "mail")
    if is_markup(raw):
        text = plain_ends(plain(raw))
        letters = read_page(text, name, lines_count=False) or [sheet for sheet in [read_sheet(text, name, lines_count=False)] if sheet]
        if letters:
            return Box(tuple(letters), "page")
        raise InputError(name, "an HTML page that shows no thread of a mail archive", _TODO)
    return _other(plain_ends(raw), name)


def _other(raw: bytes, name: str) -> Box:
    """What is no mail: a page, ``git show``, a bare diff."""
    letters = read_page(raw, name)
    if letters:
        return Box(tuple(letters), "page")
    shown = _COMMIT.match(raw)
    if shown and len(_COMMIT.findall(raw)) > 1:
        raise InputError(name, "output of git log: it does not say in which order its patches apply", "give the range itself, or git format-patch --stdout")
    if shown:
        return Box((_show(raw, shown, name),), "mail")
    card = read_card(raw, name) or read_sheet(raw, name)
    if card:
        return Box((card,), "page")
    if is_change(raw):
        first = one_line(readable(raw.lstrip()[:200].partition(b"\n")[0]))
        subject = "" if first.startswith(("diff ", "--- ", "Index: ", "@@ ")) else first
        if is_change(read_text(raw).message):
            raise InputError(name, "a hunk without the name of its file before the first diff", _TODO)
        return Box((Letter(subject, "", "", "", (), raw, "", f"{name}:1", 1),), "diff")
    raise InputError(name, "holds no mail and no diff", _TODO)


def unpacked(raw: bytes, name: str) -> bytes:
    """``raw``, or what it holds when it is gzip, at most LIMIT bytes. Raises InputError."""
    if raw[:2] != b"\x1f\x8b":
        return raw
    parts, size, rest = [], 0, raw
    try:
        while rest[:2] == b"\x1f\x8b":
            unpack = zlib.decompressobj(wbits=31)
            part = unpack.decompress(rest, LIMIT + 1 - size)
            size += len(part)
            if size > LIMIT:
                raise InputError(name, f"more than {LIMIT >> 20} MB when unpacked", "give the patches alone")
            if not unpack.eof:
                raise InputError(name, "a gzip file that is cut off", "get it again")
            parts.append(part)
            rest = unpack.unused_data
    except zlib.error:
        raise InputError(name, "a damaged gzip file", "get it again") from None
    return b"".join(parts)


def _unix(raw: bytes) -> bytes:
    """Plain line ends, as git splits mails."""
    return raw.replace(b"\r\n", b"\n") if b"\r\n" in raw else raw


def _is_from(line: bytes) -> bool:
    """Whether a line opens a mail of a mailbox: git's own test, a time of day and a year at its end."""
    if len(line) < 19 or len(line) > 400 or not line.startswith(b"From "):
        return False
    return re.search(rb"\d:\d\d(?::\d\d)?[^\n:]*\d\d", line) is not None


def _mailbox(raw: bytes, name: str) -> Iterator[Letter]:
    raw = _unix(raw)
    starts = [match.start() for match in _FROM.finditer(raw) if _is_from(match[0])]
    if len(starts) > MAILS:
        raise InputError(name, f"more than {MAILS} mails", "give the mails of one series")
    line = 1
    for number, start in enumerate(starts):
        line += raw.count(b"\n", starts[number - 1] if number else 0, start)
        end = starts[number + 1] if number + 1 < len(starts) else len(raw)
        head = raw.find(b"\n", start, end)
        if head >= 0 and raw[head + 1 : end].strip():
            yield read_mail(_ESCAPED.sub(rb"\1", raw[head + 1 : end]), f"{name}:{line}", line + 1)


def _opened(letters: Iterator[Letter] | list[Letter]) -> Iterator[Letter]:
    """``letters``, and after each the mails that are attached to it as patches."""
    for letter in letters:
        yield letter
        for name, data in letter.attached:
            data = _unix(data)
            body = data.partition(b"\n")[2] if _is_from(data.partition(b"\n")[0]) else data
            yield read_mail(body, f"{letter.source} ({one_line(name)[:80]})", None)


def _show(raw: bytes, match: re.Match[bytes], name: str) -> Letter:
    """The mail that a commit in the output of ``git show`` would be."""
    head, _, rest = raw[match.end() :].partition(b"\n\n")
    fields = dict(line.partition(b":")[::2] for line in head.split(b"\n"))
    text = re.sub(rb"^    ", b"", rest, flags=re.M) if not is_change(rest) else _unindented(rest)
    subject, _, body = text.partition(b"\n")
    line = raw.count(b"\n", 0, match.end()) + head.count(b"\n") + 4
    author, date = (one_line(readable(fields.get(key, b""))) for key in (b"Author", b"Date"))
    return Letter(one_line(readable(subject)), author, date, "", (), body, "", f"{name}:1", line)


def _unindented(rest: bytes) -> bytes:
    cut = rest.find(b"\ndiff ")
    return re.sub(rb"^    ", b"", rest[: cut + 1], flags=re.M) + rest[cut + 1 :]
