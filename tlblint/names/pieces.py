"""A file as text and directives, comments gone."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

_COMMENT = r"/(?:/[^\n]*+|\*(?:[^*]*+\*++(?:[^/*][^*]*+\*++)*+/|.*\Z))"
_LITERAL = r""""[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'"""
_COMMENTS = re.compile(f"({_COMMENT})", re.DOTALL)
_ASIDE = re.compile(f"({_COMMENT}|{_LITERAL})", re.DOTALL)
_DIRECTIVE = re.compile(r"\n(?=[ \t#])[ \t]*+#[ \t]*+([a-z_]++)\b([^\n]*+(?:(?<=\\)\n[^\n]*+)*+)")
_OPENS = frozenset(("if", "ifdef", "ifndef"))
_ARMS = frozenset(("elif", "else", "elifdef", "elifndef"))


class Piece(msgspec.Struct, frozen=True):
    """``word`` is "" for text, else the directive. ``line`` counts from 1."""

    word: str
    text: str
    line: int


def _uncommented(text: str) -> str:
    """The text without comments, their lines kept. What looks like one may stand in a literal, which has a quote before that on its line."""
    parts = _COMMENTS.split(text)
    parts[1::2] = ["\n" * aside.count("\n") or " " for aside in parts[1::2]]
    plain = "".join(parts)
    if '"' not in plain and "'" not in plain:
        return plain
    before = "".join([part[max(part.rfind("\n") - 1, 0) :] for part in parts[:-1:2]])
    if '"' not in before and "'" not in before and "\\\n" not in before:
        return plain
    parts = _ASIDE.split(text)
    parts[1::2] = [aside if aside[0] != "/" else "\n" * aside.count("\n") or " " for aside in parts[1::2]]
    return "".join(parts)


def split(raw: bytes) -> list[str]:
    """Text, and by turns the word of a directive, what follows that, and the text to the next one. Each text begins with the end of the line before
    it, and the last line of a directive lacks its own."""
    return _DIRECTIVE.split("\n" + _uncommented(raw.decode("latin-1").replace("\r", "")))


def pieces(raw: bytes) -> tuple[Piece, ...]:
    """A file as text and directives, comments gone, line numbers kept."""
    return taken(split(raw))


def taken(parts: Sequence[str]) -> tuple[Piece, ...]:
    """The pieces of a file that is split."""
    out = []
    line = 1
    for text, word, rest in zip(parts[:-1:3], parts[1::3], parts[2::3], strict=True):
        if text:  # from the end of the line before, which belongs to the directive, to before the end of its last line
            out.append(Piece("", text[1:] + "\n", line))
            line += text.count("\n")
        if "\\" in rest:
            out.append(Piece(word, rest.replace("\\\n", " "), line))
            line += rest.count("\n") + 1
        else:
            out.append(Piece(word, rest, line))
            line += 1
    if text := parts[-1][1:]:
        out.append(Piece("", text, line))
    return tuple(out)


def guard(parts: Sequence[Piece]) -> str:
    """The macro of ``#ifndef X`` around all of some pieces; else ""."""
    start = next((at for at, part in enumerate(parts) if part.word or not part.text.isspace()), None)
    if start is None or parts[start].word != "ifndef":
        return ""
    end = next(at for at in range(len(parts) - 1, -1, -1) if parts[at].word or not parts[at].text.isspace())
    if parts[end].word != "endif":
        return ""
    depth = 1
    for part in parts[start + 1 : end]:
        word = part.word
        if word in _OPENS:
            depth += 1
        elif word == "endif":
            depth -= 1
        if depth == 0 or (depth == 1 and word in _ARMS):
            return ""
    return (parts[start].text.split() or [""])[0]
