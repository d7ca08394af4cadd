"""One mail, as text: transfer encodings undone, the parts that hold a patch joined, headers readable."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser

import msgspec

from tlblint.io.errors import InputError
from tlblint.io.mail_text import is_change, one_line, readable

_PATCH_TYPES = frozenset({"text/x-patch", "text/x-diff", "application/x-patch", "application/x-diff", "text/patch", "text/diff"})
_PATCH_NAMES = (".patch", ".diff", ".mbox", ".eml")
_WIDE = re.compile(r"utf-?(?:7|16|32)|iso-2022", re.I)
_BOUNDARY = re.compile(rb"\bboundary[ \t]*=[ \t]*\"?([^\"\s;]{1,100})", re.I)
_MULTIPART = re.compile(rb"^content-type:\s*multipart/", re.I | re.M)
_HEADERS = re.compile(rb"[!-9;-~]{1,60}:[ \t]?[^\n]*\n")
_HEADED = re.compile(rb"(?:From [^\n]*\n)?(?:[!-9;-~]{1,60}:[^\n]*\n(?:[ \t]+\S[^\n]*\n)*)+(?:\n|\Z)")

PARTS = 200
"""MIME parts of the largest mail that is read."""

HEADERS = 1 << 20
"""Bytes of the longest headers that are read."""


class Letter(msgspec.Struct, frozen=True):
    """A mail, or what an archive shows of one. ``text`` is its text with patches that are attached to it; ``line`` is the 1-based line of
    ``text`` in the file that ``source`` names ("file:line" of the mail's first line), None where lines do not correspond.

    ``flowed``: the text went through format=flowed, which breaks patches. ``attached``: patches that are mails of their own.
    """

    subject: str
    author: str
    date: str
    message_id: str
    parents: tuple[str, ...]
    text: bytes
    charset: str
    source: str
    line: int | None = None
    flowed: bool = False
    attached: tuple[tuple[str, bytes], ...] = ()


def looks_like_mail(raw: bytes) -> bool:
    """Whether the bytes start with mail headers, among them a Subject or From."""
    match = _HEADED.match(raw[:65536])
    return bool(match and re.search(rb"^(?:subject|from):", match[0], re.I | re.M) and _HEADERS.search(match[0]))


def read_mail(raw: bytes, source: str, line: int | None) -> Letter:
    """A Letter from the bytes of one mail, line ends already plain. ``line``: the 1-based line of its first line. Raises InputError."""
    _bounded(raw, source)
    try:
        message = BytesParser().parsebytes(raw)
        text, charset, flowed, attached = _content(message, source)
    except (RecursionError, MessageError, AssertionError, ValueError, LookupError) as error:
        raise InputError(source, f"not a mail that can be read ({type(error).__name__})", "save the mail again") from None
    plain = not message.is_multipart() and str(message.get("Content-Transfer-Encoding", "")).strip().lower() in ("", "7bit", "8bit", "binary")
    body = raw.find(b"\n\n")
    first = line + raw.count(b"\n", 0, body) + 2 if plain and line is not None and body >= 0 else None
    parents = _ids(_header(message, "In-Reply-To")) + _ids(_header(message, "References"))[::-1]
    identity = (_ids(_header(message, "Message-ID")) or ("",))[0]
    subject, author, date = (_header(message, name) for name in ("Subject", "From", "Date"))
    return Letter(subject, author, date, identity, tuple(dict.fromkeys(parents)), text, charset, source, first, flowed, attached)


def _bounded(raw: bytes, source: str) -> None:
    """The parser makes an object of every part and every header line. Raises InputError before it has to."""
    if b"\n\n" not in raw[:HEADERS] and len(raw) > HEADERS:
        raise InputError(source, f"headers of more than {HEADERS >> 20} MB", "save the mail again")
    if not _MULTIPART.search(raw[: raw.find(b"\n\n") + 1]):
        return
    marks = set(_BOUNDARY.findall(raw))
    if len(marks) > PARTS or sum(raw.count(b"\n--" + mark) for mark in marks) > 2 * PARTS:
        raise InputError(source, f"a mail of more than {PARTS} parts", "save the patch itself")


def _content(message: Message, source: str) -> tuple[bytes, str, bool, tuple[tuple[str, bytes], ...]]:
    """(joined text, charset, format=flowed, attached mails) of all parts that may hold a patch."""
    texts: list[bytes] = []
    charset, flowed = "", False
    attached: list[tuple[str, bytes]] = []
    for part in _parts(message, source):
        data, name = _payload(part), _filename(part)
        if name and looks_like_mail(data) and is_change(data):
            attached.append((name, data))
        elif part.get_content_type() == "text/plain" or part.get_content_type() in _PATCH_TYPES or name.lower().endswith(_PATCH_NAMES):
            charset = charset or _charset(part)
            flowed = flowed or str(part.get_param("format", "")).lower() == "flowed"
            # The line end before the next part belongs to that part.
            texts.append(data + b"\n" if message.is_multipart() and not data.endswith(b"\n") else data)
    return b"".join(texts), charset, flowed, tuple(attached)


def _parts(message: Message, source: str) -> Iterator[Message]:
    """The leaves of a mail in order, forwarded mails left closed."""
    waiting, count = [message], 0
    while waiting:
        part = waiting.pop()
        count += 1
        if count > PARTS:
            raise InputError(source, f"a mail of more than {PARTS} parts", "save the patch itself")
        if part.get_content_maintype() == "message":
            continue
        payload = part.get_payload()
        if part.is_multipart() and isinstance(payload, list):
            waiting.extend(child for child in reversed(payload) if isinstance(child, Message))
        else:
            yield part


def _payload(part: Message) -> bytes:
    """The bytes of a part, decoded from their transfer encoding; plain line ends when all of them are CRLF."""
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return b""
    charset = _charset(part)
    if _WIDE.match(charset):
        data = readable(data, charset).encode("utf-8", "replace")
    return plain_ends(data)


def plain_ends(data: bytes) -> bytes:
    """``data`` with LF ends when every line ends in CRLF; as it is otherwise."""
    returns = data.count(b"\r\n")
    return data.replace(b"\r\n", b"\n") if returns and returns == data.count(b"\n") else data


def _charset(part: Message) -> str:
    try:
        name = str(part.get_content_charset() or "")
        return codecs.lookup(name).name if name else ""
    except (LookupError, ValueError):
        return ""


def _filename(part: Message) -> str:
    try:
        return part.get_filename() or ""
    except (LookupError, ValueError, TypeError):
        return ""


def _header(message: Message, name: str) -> str:
    """A header in one line of readable text; "" when it is missing."""
    raw = message.get(name)
    if raw is None:
        return ""
    try:
        pieces = decode_header(raw)
    except (HeaderParseError, ValueError, LookupError):
        pieces = [(str(raw), None)]
    return one_line("".join(_piece(piece, charset) for piece, charset in pieces))


def _piece(piece: bytes | str, charset: str | None) -> str:
    if isinstance(piece, str):
        return readable(piece.encode("utf-8", "surrogateescape"))
    return readable(piece, "" if charset in (None, "unknown-8bit") else str(charset))


def _ids(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"<([^<>\s]{1,500})>", text[:20000]))
