"""What the bracket before a subject says: ``[RFC PATCH net-next v3 02/20]``."""

from __future__ import annotations

import re

import msgspec

_REPLY = re.compile(r"\s*(?:re|aw|fwd?|sv|antw|wg|tr)\s*(?:\[\d+\])?\s*:\s*", re.I)
_BRACKET = re.compile(r"\s*\[([^\[\]]{0,200})\]\s*")
_NUMBER = re.compile(r"(\d{1,4})/(\d{1,4})$")
_VERSION = re.compile(r"(?:v|ver\.?|rev)(\d{1,3})$", re.I)
_JOINED = re.compile(r"(PATCH|RFC)[-_]?v?(\d{1,3})$", re.I)


class Prefix(msgspec.Struct, frozen=True):
    """``subject`` is what is left. ``number`` and ``total`` are those of "n/m", None without; ``version`` is 1 without a vN.

    ``patch``: the bracket says PATCH or RFC, or has a number. ``reply``: the subject starts with "Re:" or the like. ``words``: what else is in
    the brackets.
    """

    subject: str
    number: int | None = None
    total: int | None = None
    version: int = 1
    rfc: bool = False
    patch: bool = False
    reply: bool = False
    words: tuple[str, ...] = ()


def read_subject(text: str) -> Prefix:
    """Take a Subject line (unfolded) apart."""
    text = " ".join(text[:2000].split())
    reply, words = False, []
    while True:
        if match := _REPLY.match(text):
            reply = True
        elif not (match := _BRACKET.match(text)):
            break
        else:
            words.extend(re.split(r"[\s,]+", match[1]))
        text = text[match.end() :]
    return _sorted_out(text, reply, [word for word in words if word])


def _sorted_out(subject: str, reply: bool, words: list[str]) -> Prefix:
    number = total = None
    version, rfc, patch = 1, False, False
    others: list[str] = []
    for word in words:
        if match := _NUMBER.match(word):
            number, total, patch = int(match[1]), int(match[2]), True
        elif match := _VERSION.match(word):
            version = int(match[1])
        elif match := _JOINED.match(word):
            version, rfc, patch = int(match[2]), rfc or match[1].upper() == "RFC", True
        elif word.upper() in ("PATCH", "RFC"):
            rfc, patch = rfc or word.upper() == "RFC", True
        else:
            others.append(word)
    return Prefix(subject.strip(), number, total, version, rfc, patch, reply, tuple(others))
