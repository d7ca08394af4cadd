"""A file cut down to what some names hang on: text that speaks of them, their macros, the conditions around, and includes that lead to more.

What is left goes through the preprocessor of tlblint.names.unit like any file, for many configurations at little cost. Lines stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

import msgspec

from tlblint.names.frames import INCLUDES, OPENING, TURNING, Frame, framed
from tlblint.names.pieces import Piece, guard, pieces

_IDENTIFIER = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
BREAK = bytes(c if c in _IDENTIFIER else 32 for c in range(256))
"""For bytes.translate(): what is no part of a name becomes a space."""
_TEXT = re.compile(r"""->|\.+|[A-Za-z_]\w*+|[{}();\n]|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'""")
_LITERAL = re.compile(r""""[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'""")
_WORD = re.compile(r"[A-Za-z_]\w*")
_NO_BRACE = bytes(c for c in range(256) if c not in b"{}")
_BETWEEN = "\n}"
"""Ends one function; what is behind it is another."""
_INCLUDE = re.compile(r"\s*([<\"])([^>\"]+)[>\"]")
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
LIMIT = 2_000_000
"""Bytes of the largest file that is looked into."""


class View(msgspec.Struct):
    """A file version. ``words``: those of it that may be names, comments aside. ``guard``: the macro that keeps it from being read twice, or ""; it is
    taken out of ``parts``."""

    raw: bytes
    parts: tuple[Piece, ...]
    words: frozenset[str]
    guard: str = ""
    too_large: bool = False
    includes: tuple[tuple[str, bool], ...] = ()
    """(name, in angle brackets) of what is included anywhere."""
    said: tuple[tuple[str, frozenset[str]], ...] | None = None
    """``macros``, when somebody has asked."""
    kept: dict[tuple[frozenset[str], frozenset[str]], tuple[tuple[Piece, ...], frozenset[str]]] = msgspec.field(default_factory=dict)
    heads: tuple[str, ...] = ()
    """For each of ``parts``: the name that a #define or #undef is of, the file that an #include asks for; else ""."""
    defines: frozenset[str] = frozenset()
    """The macros that are defined or taken back anywhere."""
    texts: dict[int, frozenset[str]] = msgspec.field(default_factory=dict)
    """The words of the text at an index of ``parts``."""
    framed: Frame | None = None
    """Where its directives stand, when somebody has asked."""
    braces: dict[int, list[Piece]] | None = None
    """The braces that texts leave open, by the index of those that do."""
    reduced: tuple[frozenset[str], dict[int, list[Piece]]] | None = None
    """Names, and what is left of texts for them."""

    @property
    def macros(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """Macros with the words of their parameters and bodies."""
        if self.said is None:
            found = (_WORD.findall(part.text) for part in self.parts if part.word == "define")
            self.said = tuple((one[0], frozenset(one[1:])) for one in found if one)
        return self.said

    @property
    def frame(self) -> Frame:
        """Where the directives stand."""
        if self.framed is None:
            self.framed = framed(self.parts, self.heads)
        return self.framed

    def left(self, names: frozenset[str]) -> dict[int, list[Piece]]:
        """What is left of texts, as reduced() says: by the index of those of which anything is."""
        if self.braces is None:
            open_ = ((index, _open_braces(self.parts[index].text)) for index in self.frame.texts)
            self.braces = {index: [Piece("", braces, self.parts[index].line)] for index, braces in open_ if braces}
        if not names:
            return self.braces
        if self.reduced is None or self.reduced[0] != names:
            left = {index: reduced(self.parts[index].text, self.parts[index].line, names) for index in self._speaking(names)}
            self.reduced = names, {index: some for index, some in (self.braces | left).items() if some}
        return self.reduced[1]

    def _speaking(self, names: frozenset[str]) -> list[int]:
        """The texts in which any of ``names`` is."""
        out, held, parts = [], self.texts, self.parts
        few = tuple(names) if len(names) < _FEW else ()
        for index in self.frame.texts:
            words = held.get(index)
            if words is None:
                text = parts[index].text
                if few and not any(name in text for name in few):
                    continue
                words = held[index] = words_of(text)
            if not words.isdisjoint(names):
                out.append(index)
        return out

    def conditions(self, line: int) -> tuple[str, ...]:
        """The conditions around a line, the outermost first, as they are written; "else of" for a turned one."""
        stack: list[str] = []
        for part in self.parts:
            if part.line > line:
                break
            text = " ".join(part.text.split())
            if part.word in OPENING:
                stack.append(f"#{part.word} {text}")
            elif part.word == "endif":
                del stack[-1:]
            elif part.word in TURNING and stack:
                stack[-1] = f"#{part.word} {text}" if text else f"the #else of {stack[-1].removeprefix('the #else of ')}"
        return tuple(stack)


def view(raw: bytes, cut: Callable[[bytes], tuple[Piece, ...]] = pieces) -> View:
    """Take a file apart, with what ``cut`` makes of it. One that is too large counts as empty."""
    if len(raw) > LIMIT:
        return View(raw, (), frozenset(), too_large=True)
    parts = cut(raw)
    once = _guard(parts)
    words = words_of("\n".join([part.text for part in parts]))
    found = (_INCLUDE.match(part.text) for part in parts if part.word in INCLUDES)
    includes = tuple((one[2], one[1] == "<") for one in found if one is not None)
    parts = _unguarded(parts) if once else parts
    heads = tuple(_head(part) for part in parts)
    made = frozenset(head for head, part in zip(heads, parts, strict=True) if part.word in ("define", "undef"))
    return View(raw, parts, words, once, False, includes, heads=heads, defines=made)


def words_of(text: str) -> frozenset[str]:
    """The words of a text that may be names, and numbers."""
    return frozenset(text.encode("latin-1").translate(BREAK).decode().split())


def _head(part: Piece) -> str:
    if part.word in ("define", "undef"):
        return found[0] if (found := _WORD.search(part.text)) is not None else ""
    if part.word in INCLUDES:
        return found[2] if (found := _INCLUDE.match(part.text)) is not None else ""
    return ""


def _guard(parts: tuple[Piece, ...]) -> str:
    """The macro that a file tests and defines before all else."""
    name = guard(parts)
    second = [part for part in parts if part.word][1:2]
    return name if name and second and second[0].word == "define" and second[0].text.split()[:1] == [name] else ""


def _unguarded(parts: tuple[Piece, ...]) -> tuple[Piece, ...]:
    rest = list(parts)
    opening = next(index for index, part in enumerate(rest) if part.word)
    rest[opening] = Piece("pragma", " once", rest[opening].line)
    closing = max(index for index, part in enumerate(rest) if part.word == "endif")
    del rest[closing]
    return tuple(rest)


def sliced(one: View, names: Collection[str], tested: Collection[str], follow: Callable[[str], bool]) -> tuple[tuple[Piece, ...], frozenset[str]]:
    """(what is left of a file, macros that its conditions hang on). ``names``: what is looked for; ``tested``: macros of conditions."""
    key = (one.words.intersection(names), one.defines.intersection(tested))
    if key not in one.kept:
        if len(one.kept) > 8:
            one.kept.clear()
        one.kept[key] = _Cut(one, key[0], key[1], follow).run()
    return one.kept[key]


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
    speaks = len(names) >= _FEW or any(name in text for name in names)
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
    return (len(names) < _FEW and not any(name in chunk for name in names)) or words_of(chunk).isdisjoint(names)


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
