"""The functions of a file found by matching braces instead of by layout: slower than the slicer, and it needs no column 0.

Only files in which the slicer left something open are looked at this way.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

import msgspec

from tlblint.syntax.clean import choose, keep, pair, strip
from tlblint.syntax.config import Config
from tlblint.syntax.slicer import definer, header_name, header_start

_TOKEN = re.compile(rb"[{};]")
_LINKAGE = re.compile(rb'extern\s{1,9}"[^"\n]{0,9}"\s{0,80}$')
_VALUE = re.compile(rb"=\s*+(?:\([^()]*+\)\s*+)?$")
_TYPE = re.compile(rb"(?<!\w)(?:struct|union|enum)(?!\w)")
_TYPED = re.compile(rb"\s*+(?!(?:else|do|case|return|goto|if|for|while|switch)(?!\w))[A-Za-z_]\w*+[\s*]++(?:\w++[\s*]*+)*+\(")
_GUESS = re.compile(rb"(?<!\w)([A-Za-z_]\w*+)[ \t]*+\(")
_GUESS_BYTES = 1024
_HEADER_BYTES = 8192
_GROUPS = 2000

NO_CLOSE = "its closing brace was not found"
NO_OPEN = "a closing brace without an opening one"
NO_ARM = "in an #if arm whose braces do not balance"
NO_HEADER = "code in braces below something that is no function header"


class Block(msgspec.Struct, frozen=True):
    """A function from header to closing brace, or with a reason in ``why`` a stretch that could not be told apart; its name is then a guess."""

    name: str
    start: int
    end: int
    why: str = ""


class Outline(msgspec.Struct):
    """``code``: the file without comments, directives and contents of literals; ``read``: the same without the #if arms that were not taken.
    ``blocks``: in file order, disjoint; types and tables are not among them."""

    raw: bytes
    code: bytes
    read: bytes
    blocks: list[Block]

    def at(self, offset: int) -> Block | None:
        """The block that holds a mention at that offset. None if it is a declaration, a type or a table, or no code."""
        if not _same(self.raw, self.code, offset):
            return None
        found = bisect_right(self.blocks, offset, key=lambda block: block.start) - 1
        if found >= 0 and offset < self.blocks[found].end:
            return self.blocks[found]
        return None if _same(self.raw, self.read, offset) else Block("", offset, offset + 1, NO_ARM)


def outline(raw: bytes, config: Config) -> Outline:
    """Read a whole file. Of an #if group with an arm whose braces do not balance one arm is taken; of others, all."""
    text = bytearray(raw)
    groups, _ = pair(strip(text, 0, len(text)))
    code = bytes(text)
    for group in reversed(groups[:_GROUPS]):  # inner ones first: they decide whether the arms around them balance
        if any(text.count(b"{", arm.start, arm.end) != text.count(b"}", arm.start, arm.end) for arm in group):
            keep(text, group, choose(group, config)[0])
    read = bytes(text)
    return Outline(raw, code, read, list(_Walk(raw, read).blocks()))


def _same(raw: bytes, text: bytes, offset: int) -> bool:
    """Whether the identifier there is in ``text``, too. Its fourth byte tells one that starts with underscores from a literal."""
    return raw[offset : offset + 4] == text[offset : offset + 4]


class _Walk(msgspec.Struct):
    """State of the walk over the braces. ``begin``: where the header of the next block may start; ``since``: end of the last block."""

    raw: bytes
    text: bytes
    begin: int = 0
    since: int = 0
    depth: int = 0
    linkage: int = 0
    open: Block = msgspec.field(default_factory=lambda: Block("", 0, 0))
    last: str = ""

    def blocks(self) -> Iterator[Block]:
        for match in _TOKEN.finditer(self.text):
            at, token = match.start(), match.group()
            if token == b"{":
                yield from self._opens(at)
            elif token == b"}":
                yield from self._closes(at)
            elif not self.depth:
                self.begin = at + 1
        if self.depth:
            yield self._broken(len(self.text))

    def _opens(self, at: int) -> Iterator[Block]:
        if self.depth:
            if (start := self._restart(at)) is None:
                self.depth += 1
                return
            yield self._broken(start)
            self.begin = start
        elif _LINKAGE.search(self.text, max(self.begin, at - 100), at):
            self.linkage += 1
            self.begin = at + 1
            return
        self.depth = 1
        self.open = self._header(at)

    def _closes(self, at: int) -> Iterator[Block]:
        if self.depth > 1:
            self.depth -= 1
            return
        here, self.open = self.open, Block("", at, at)
        if self.depth:
            declares = self.text[at + 1 : at + 2] == b";" and self.text.startswith(here.name.encode("latin-1"), here.start)
            if here.end and not (declares and not here.why):
                yield Block(here.name, here.start, at + 1, here.why)
            self.last = "" if here.why else here.name
        elif self.linkage:
            self.linkage -= 1
        elif at + 1 > self.since:
            yield Block(self.last, self.since, at + 1, NO_OPEN)
        self.depth, self.begin, self.since = 0, at + 1, at + 1

    def _broken(self, end: int) -> Block:
        """What is open when the file or the next function cuts it off."""
        here = self.open
        self.since = end
        return Block(here.name, here.start, end, here.why or NO_CLOSE)

    def _header(self, brace: int) -> Block:
        """The block that the brace opens, with an end of 0 for a type or a table: nothing in there is run."""
        low = max(self.begin, brace - _HEADER_BYTES)
        head = self.text[low:brace]
        start = low + len(head) - len(head.lstrip())
        if _VALUE.search(head):
            return Block("", start, 0)
        near = header_start(self.raw, low, brace)
        name = header_name(self.raw[near:brace]) if near < brace else None
        if name is not None:
            start = near + _blanks(self.text[near:brace])
        else:
            name = header_name(head)
        if name is not None:
            return Block(name, start, 1)
        if _TYPE.search(head):
            return Block("", start, 0)
        return self._guess(start, brace)

    def _guess(self, start: int, brace: int) -> Block:
        """Declarations of old-style parameters, or whatever else is there, end the header early: take the last name with a parenthesis."""
        found = list(_GUESS.finditer(self.text, max(self.since, brace - _GUESS_BYTES), brace))
        return Block(found[-1].group(1).decode("latin-1"), found[-1].start(), 1, NO_HEADER) if found else Block("", start, 1, NO_HEADER)

    def _restart(self, brace: int) -> int | None:
        """Start of a function header in column 0 that owns the inner brace, which tells that a closing brace is missing above."""
        line = self.text.rfind(b"\n", max(0, brace - _HEADER_BYTES), brace) + 1
        if not line or (self.text[line : line + 1].isspace() and self.text[line:brace].strip()):
            return None
        start = header_start(self.raw, self.open.start + 1, brace)
        start += _blanks(self.text[start:brace])
        header = self.text[start:brace]
        if start >= brace or self.text[start - 1 : start] != b"\n" or header_name(header) is None:
            return None
        return start if _TYPED.match(header) or definer(header.partition(b"(")[0].strip()) else None


def _blanks(text: bytes) -> int:
    return len(text) - len(text.lstrip())
