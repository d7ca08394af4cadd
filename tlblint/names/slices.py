"""A file cut down to what some names hang on: text that speaks of them, their macros, the conditions around, and includes that lead to more.

What is left goes through the preprocessor of tlblint.names.unit like any file, for many configurations at little cost. Lines stay what they are.
Translated to C where that can be done.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, final

from tlblint.names.frames import OPENING, TURNING
from tlblint.names.pieces import Piece

if TYPE_CHECKING:
    from tlblint.names.view import View

_IDENTIFIER = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
BREAK = bytes(c if c in _IDENTIFIER else 32 for c in range(256))
"""For bytes.translate(): what is no part of a name becomes a space."""
_TEXT = re.compile(r"""->|\.+|[A-Za-z_]\w*+|[{}();\n]|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'""")
_LITERAL = re.compile(r""""[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'""")
_WORD = re.compile(r"[A-Za-z_]\w*")
_NO_BRACE = bytes(c for c in range(256) if c not in b"{}")
_BETWEEN = "\n}"
"""Ends one function; what is behind it is another."""
_NO_MACRO = frozenset(("defined", "IS_ENABLED", "IS_BUILTIN", "IS_MODULE", "IS_REACHABLE", "__is_defined", "__has_include", "__has_attribute", "__has_builtin"))
_KCONFIG = frozenset(
    (
        "IS_ENABLED", "IS_BUILTIN", "IS_MODULE", "IS_REACHABLE", "__is_defined", "___is_defined", "____is_defined", "__and", "___and", "____and", "__or",
        "___or", "____or", "__take_second_arg", "__ARG_PLACEHOLDER_1",
    )
)  # fmt: skip
"""What IS_ENABLED() is made of: within a macro it is expanded like any other."""
_CLOSING = frozenset((")", "}", ";"))
_BRACKETS = frozenset(("", "(", ")", "{", "}", ";"))
_GAP = 8
_FEW = 40
"""Names that are looked for one by one sooner than all words are taken apart."""


def words_of(text: str) -> frozenset[str]:
    """The words of a text that may be names, and numbers."""
    return frozenset(text.encode("latin-1").translate(BREAK).decode().split())


def braced(parts: Sequence[Piece], texts: Sequence[int]) -> dict[int, list[Piece]]:
    """The braces that texts leave open, by the index of those that do."""
    out = {}
    for index in texts:
        part = parts[index]
        if braces := _open_braces(part.text):
            out[index] = [Piece("", braces, part.line)]
    return out


def left(parts: Sequence[Piece], texts: Sequence[int], words: dict[int, frozenset[str]], names: frozenset[str],
         braces: dict[int, list[Piece]]) -> dict[int, list[Piece]]:  # fmt: skip
    """What reduced() leaves of texts, by the index of those of which anything is left. ``words``: those of some texts; more are added."""
    out = dict(braces)
    few = tuple(names) if len(names) < _FEW else ()
    for index in texts:
        part = parts[index]
        own = words.get(index)
        if own is None:
            if few and not _any(few, part.text):
                continue
            own = words[index] = words_of(part.text)
        if not own.isdisjoint(names):
            some = reduced(part.text, part.line, names)
            if some:
                out[index] = some
            else:
                out.pop(index, None)
    return out


def _any(names: Collection[str], text: str) -> bool:
    for name in names:  # noqa: SIM110
        if name in text:
            return True
    return False


def sliced(one: View, names: Collection[str], tested: Collection[str], follow: Callable[[str], bool]) -> tuple[tuple[Piece, ...], frozenset[str]]:
    """(what is left of a file, macros that its conditions hang on). ``names``: what is looked for; ``tested``: macros of conditions."""
    key = (one.words.intersection(names), one.defines.intersection(tested))
    if key not in one.kept:
        if len(one.kept) > 8:
            one.kept.clear()
        one.kept[key] = _Cut(one, key[0], key[1], follow).run()
    return one.kept[key]


@final
class _Cut:
    """``stack``: for each open condition where it starts in ``out``, whether it holds anything, and the macros that it tests."""

    def __init__(self, one: View, names: frozenset[str], tested: frozenset[str], follow: Callable[[str], bool]) -> None:
        self.view, self.names, self.tested, self.follow = one, names, tested, follow
        self.out: list[Piece] = []
        self.macros: set[str] = set()
        self.stack: list[tuple[int, set[str]]] = []
        self.holding = [False]

    def run(self) -> tuple[tuple[Piece, ...], frozenset[str]]:
        parts, heads, frame, left = self.view.parts, self.view.heads, self.view.frame, self.view.left(self.names)
        wanted = [index for name in self.names | self.tested for index in frame.made.get(name, ())]
        wanted += (index for index in frame.includes if self.follow(heads[index]))
        for index in frame.with_conditions((*wanted, *frame.once, *left)):
            part = parts[index]
            if part.word in OPENING:
                self.stack.append((len(self.out), set()))
                self.holding.append(False)
                self.condition(part)
            elif part.word in TURNING:
                if self.stack:
                    self.condition(part)
            elif part.word == "endif":
                self.close(part)
            elif part.word:
                self.out.append(part)
                self.holding[-1] = self.holding[-1] or part.word != "pragma"
                if heads[index] in self.tested:
                    self.told(part)
            else:
                self.plain(left[index])
        return tuple(self.out), frozenset(self.macros)

    def condition(self, part: Piece) -> None:
        self.out.append(part)
        self.stack[-1][1].update(word for word in _WORD.findall(part.text) if word not in _NO_MACRO)

    def close(self, part: Piece) -> None:
        if not self.stack:
            return
        start, macros = self.stack.pop()
        braces = None if self.holding.pop() else _alike(self.out[start:])
        if braces is None:
            self.holding[-1] = True
            self.out.append(part)
            self.macros |= macros
        else:
            del self.out[start:]
            self.braces(braces, part.line)

    def braces(self, text: str, line: int) -> None:
        """Add braces to those right before them; what is opened and closed again goes away."""
        if self.out and self.out[-1].word == "" and not self.out[-1].text.strip("{}") and len(self.out) > (self.stack[-1][0] + 1 if self.stack else 0):
            last = self.out.pop()
            text, line = _open_braces(last.text + text), last.line
        if text:
            self.out.append(Piece("", text, line))

    def plain(self, left: list[Piece]) -> None:
        if left[0].text.strip("{}"):
            self.out += left
            self.holding[-1] = True
        else:
            self.braces(left[0].text, left[0].line)

    def told(self, part: Piece) -> None:
        """A condition hangs on this macro, and so on what it stands for."""
        words = _WORD.findall(part.text)
        self.macros.update(word for word in words if word not in _NO_MACRO)
        self.macros.update(_KCONFIG if not _NO_MACRO.isdisjoint(words) else ())


def _alike(parts: list[Piece]) -> str | None:
    """The braces that any arm of a condition without names leaves open, when it is the same for all of them."""
    arms = [""]
    other = False
    for part in parts[1:]:
        if part.word == "":
            arms[-1] = _open_braces(arms[-1] + part.text)
        elif part.word in TURNING:
            other = other or part.word == "else"
            arms.append("")
        else:
            return None  # a condition inside that makes a difference
    return arms[0] if len({*arms, *([] if other else [""])}) == 1 else None


def reduced(text: str, line: int, names: Collection[str]) -> list[Piece]:
    """What tells where ``names`` that are no members stand, on their lines: they, brackets and semicolons. What is closed again without any of
    them is left out. For text without a name: the braces that stay open."""
    out: list[tuple[str, int]] = []
    last = ""
    held = False
    speaks = len(names) >= _FEW or _any(names, text)
    chunks = text.split(_BETWEEN) if speaks else []
    for number, chunk in enumerate(chunks, 1):
        if number < len(chunks):
            chunk += _BETWEEN
        if (not out or out[-1][0] in ("}", ";")) and not last and _says_nothing(chunk, names):
            line += chunk.count("\n")
            continue
        for token in _TEXT.findall(chunk):
            if token == "\n":
                line += 1
                continue
            if token in names and last not in ("->", "."):
                out.append((token, line))
                held = True
            elif token in _CLOSING:
                _close(out, token, line)
            elif token in "{(":
                out.append((token, line))
            last = token
        last = "" if last == "}" else last
    if held:
        return _by_line(out)
    braces = _open_braces(text)
    return [Piece("", braces, line if speaks else line + text.count("\n"))] if braces else []


def _says_nothing(chunk: str, names: Collection[str]) -> bool:
    """Whether a text opens and closes its brackets and speaks of none of ``names``."""
    if chunk.count("{") != chunk.count("}") or chunk.count("(") != chunk.count(")"):
        return False
    return (len(names) < _FEW and not _any(names, chunk)) or words_of(chunk).isdisjoint(names)


def _close(out: list[tuple[str, int]], token: str, line: int) -> None:
    before = out[-1][0] if out else ""
    further = out[-2][0] if len(out) > 1 else ""
    if (token == ")" and before == "(" and further in _BRACKETS) or (token == "}" and before == "{" and further != ")"):
        out.pop()
    elif token != ";" or before not in ("", ";", "{", "}"):
        out.append((token, line))


def _by_line(tokens: list[tuple[str, int]]) -> list[Piece]:
    out: list[Piece] = []
    words: list[str] = []
    start = at = 0
    for token, line in tokens:
        if words and line > at + _GAP:
            out.append(Piece("", "".join(words), start))
            words = []
        if not words:
            start = at = line
        words.append("\n" * (line - at) + " " + token)
        at = line
    if words:
        out.append(Piece("", "".join(words), start))
    return out


def _open_braces(text: str) -> str:
    if "{" not in text and "}" not in text:
        return ""
    if '"' in text or "'" in text:
        text = _LITERAL.sub("", text)
    left = text.encode("latin-1").translate(None, _NO_BRACE)
    while b"{}" in left:
        left = left.replace(b"{}", b"")
    return left.decode()
