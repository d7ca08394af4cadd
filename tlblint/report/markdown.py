"""The subset of Markdown that rule files use, as blocks for a template: headings, paragraphs, lists, fenced code; bold, emphasis, code.

Nothing is passed through: what is not understood is shown as the text it is. Links are shown as their text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from tlblint.report.text import clean, display


class Span(msgspec.Struct, frozen=True):
    """A run of text. ``kind``: "text", "code", "strong", "em"."""

    kind: str
    text: str


class Block(msgspec.Struct, frozen=True):
    """``kind``: "heading" (``level`` 1 to 6), "paragraph", "bullets" or "numbers" (``items``), "code" (``text``, ``info`` is what the fence says)."""

    kind: str
    level: int = 0
    spans: tuple[Span, ...] = ()
    items: tuple[tuple[Span, ...], ...] = ()
    text: str = ""
    info: str = ""


_FENCE = re.compile(r"(`{3,}|~{3,})\s*(.*)\Z")
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\Z")
_BULLET = re.compile(r"\s*[-*+]\s+(.*)\Z")
_NUMBER = re.compile(r"\s*\d{1,9}[.)]\s+(.*)\Z")
_SPAN = re.compile(
    r"(?P<ticks>`+)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)|\*\*(?P<strong>\S(?:.*?\S)?)\*\*|\*(?P<em>[^\s*](?:[^*]*[^\s*])?)\*"
    r"|\[(?P<link>[^\[\]]*)\]\([^()\s]*\)"
)


def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of a document, in order."""
    return tuple(_blocks(text.expandtabs(8).split("\n")))


def _blocks(lines: list[str]) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif fence := _FENCE.match(line):
            end = next((n for n in range(at + 1, len(lines)) if lines[n].strip() == fence[1]), len(lines))
            yield Block("code", text="\n".join(display(row.encode("utf-8", "surrogateescape"), True) for row in lines[at + 1 : end]), info=clean(fence[2]))
            at = end + 1
        elif heading := _HEADING.match(line):
            yield Block("heading", len(heading[1]), spans(heading[2]))
            at += 1
        elif _BULLET.match(line) or _NUMBER.match(line):
            pattern = _BULLET if _BULLET.match(line) else _NUMBER
            items, at = _items(lines, at, pattern)
            yield Block("bullets" if pattern is _BULLET else "numbers", items=tuple(spans(item) for item in items))
        else:
            end = next((n for n in range(at + 1, len(lines)) if _breaks(lines[n])), len(lines))
            yield Block("paragraph", spans=spans(" ".join(row.strip() for row in lines[at:end])))
            at = end


def _breaks(line: str) -> bool:
    return not line.strip() or any(pattern.match(line) for pattern in (_FENCE, _HEADING, _BULLET, _NUMBER))


def _items(lines: list[str], at: int, pattern: re.Pattern[str]) -> tuple[list[str], int]:
    """The items of a list from line ``at``, and the line after it. Lines that are indented go on with their item."""
    items: list[str] = []
    while at < len(lines):
        match = pattern.match(lines[at])
        if match:
            items.append(match[1])
        elif lines[at].startswith("  ") and lines[at].strip():
            items[-1] += " " + lines[at].strip()
        else:
            break
        at += 1
    return items, at


def spans(text: str) -> tuple[Span, ...]:
    """Text with its marks. A mark without its end is text."""
    found: list[Span] = []
    last = 0
    for match in _SPAN.finditer(text):
        if match.start() > last:
            found.append(Span("text", clean(text[last : match.start()])))
        kind = "code" if match["code"] is not None else "strong" if match["strong"] is not None else "em" if match["em"] is not None else "text"
        inner = match["code"] if kind == "code" else match[kind] if kind != "text" else match["link"]
        found.append(Span(kind, clean(inner.replace("`", "") if kind in ("strong", "em") else inner)))
        last = match.end()
    if last < len(text):
        found.append(Span("text", clean(text[last:])))
    return tuple(found)
