"""Tokens of C text and macro expansion as the preprocessor does it, within a budget."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Sequence

import msgspec

from tlblint.names.errors import Inconclusive

_TOKEN = re.compile(
    r"""[A-Za-z_]\w*|\.?\d(?:[eEpP][+-]|[\w.])*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'"""
    r"""|<<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\#\#|\S""",
    re.DOTALL,
)
BUDGET = 60_000
"""Tokens that one expansion may produce."""
_NESTING = 60


class Token(msgspec.Struct, frozen=True):
    """A token, the offset in the unit that it comes from, and the macros that made it and are not expanded in it again."""

    text: str
    at: int = 0
    hidden: frozenset[str] = frozenset()

    @property
    def is_name(self) -> bool:
        """Whether it is an identifier or a keyword."""
        return self.text[0].isalpha() or self.text[0] == "_"


class Macro(msgspec.Struct, frozen=True):
    """``params`` is None for an object-like macro; ``rest`` is the parameter that takes all further arguments."""

    name: str
    params: tuple[str, ...] | None
    body: tuple[str, ...]
    path: str = ""
    line: int = 0
    rest: str = ""


def words(text: str) -> list[str]:
    """The tokens of ``text`` without white space."""
    return _TOKEN.findall(text)


def tokens(text: str, at: int = 0) -> list[Token]:
    """Tokens of ``text``, whose first character is at offset ``at`` of the unit."""
    return [Token(m.group(), at + m.start()) for m in _TOKEN.finditer(text)]


DEFINE = re.compile(r"\s*([A-Za-z_]\w*)(\()?")


def macro(text: str, path: str = "", line: int = 0) -> Macro | None:
    """The macro of a ``#define`` line (what follows the word), or None when it is not one."""
    found = DEFINE.match(text)
    if found is None:
        return None
    if not found[2]:
        return Macro(found[1], None, tuple(words(text[found.end() :])), path, line)
    end = text.find(")", found.end())
    if end < 0:
        return None
    params, rest = [], ""
    for word in text[found.end() : end].split(","):
        word = word.strip()
        if word.endswith("..."):
            rest = word[:-3].strip() or "__VA_ARGS__"
        elif word:
            params.append(word)
    return Macro(found[1], tuple(params), tuple(words(text[end + 1 :])), path, line, rest)


class Expander:
    """Expands tokens. ``lookup`` gives the macro behind a name; names in ``keep`` stay as they are."""

    def __init__(self, lookup: Callable[[str], Macro | None], keep: Container[str] = (), budget: int = BUDGET) -> None:
        self.lookup = lookup
        self.keep = keep
        self.left = budget
        self.depth = 0

    def expand(self, source: Iterable[Token]) -> list[Token]:
        """All macros of ``source`` expanded. Raises Inconclusive when that takes too many tokens."""
        self.depth += 1
        if self.depth > _NESTING:
            raise Inconclusive("macro arguments nest too deeply")
        stack = list(source)
        stack.reverse()
        out: list[Token] = []
        while stack:
            token = stack.pop()
            self.left -= 1
            if self.left < 0:
                raise Inconclusive("macro expansion is too large")
            made = self._made(token, stack) if token.is_name else None
            if made is None:
                out.append(token)
            else:
                stack.extend(reversed(made))
        self.depth -= 1
        return out

    def _made(self, token: Token, stack: list[Token]) -> list[Token] | None:
        name = token.text
        if name in token.hidden or name in self.keep or (found := self.lookup(name)) is None:
            return None
        if found.params is None:
            return self._paste([Token(t, token.at, token.hidden | {name}) for t in found.body])
        if not stack or stack[-1].text != "(":
            return None
        arguments, closing = _arguments(stack)
        if arguments is None:
            return None
        hidden = (token.hidden & closing.hidden) | {name}
        return self._substituted(found, arguments, token.at, hidden)

    def _substituted(self, found: Macro, arguments: list[list[Token]], at: int, hidden: frozenset[str]) -> list[Token]:
        assert found.params is not None
        bound = dict(zip(found.params, arguments, strict=False))
        if found.rest:
            rest: list[Token] = []
            for extra in arguments[len(found.params) :]:
                rest += ([Token(",", at)] if rest else []) + extra
            bound[found.rest] = rest
        body = found.body
        out: list[Token] = []
        ready: dict[str, list[Token]] = {}
        for index, word in enumerate(body):
            if word in bound:
                near = (index and body[index - 1] in ("##", "#")) or (index + 1 < len(body) and body[index + 1] == "##")
                if not near and word not in ready:
                    ready[word] = self.expand(bound[word])
                given = bound[word] if near else ready[word]
                out += [Token(t.text, at, t.hidden | hidden) for t in given] or ([Token("", at, hidden)] if near else [])
                if index and body[index - 1] == "#":
                    text = '"' + " ".join(t.text for t in given).replace('"', "'") + '"'
                    out = out[: len(out) - max(len(given), 1) - 1] + [Token(text, at)]
            else:
                out.append(Token(word, at, hidden))
            self.left -= 1
        return self._paste(out)

    def _paste(self, body: list[Token]) -> list[Token]:
        """Carry out ``##`` and drop the place holders of empty arguments."""
        out: list[Token] = []
        index = 0
        while index < len(body):
            token = body[index]
            if token.text == "##" and out and index + 1 < len(body):
                left, right = out.pop(), body[index + 1]
                if left.text == "," and not right.text:
                    out.append(Token("", left.at, left.hidden))
                elif left.text == ",":
                    out += [left, right]
                else:
                    out.append(Token(left.text + right.text, left.at, left.hidden & right.hidden))
                index += 2
                continue
            out.append(token)
            index += 1
        return [t for t in out if t.text and t.text != "##"]


def _arguments(stack: list[Token]) -> tuple[list[list[Token]] | None, Token]:
    """Take ``( a, b )`` off the stack; None and an untouched stack when it does not end."""
    depth = 0
    arguments: list[list[Token]] = [[]]
    for back in range(len(stack) - 1, -1, -1):
        token = stack[back]
        if token.text in "([{" and token.text:
            depth += 1
            if depth == 1:
                continue
        elif token.text in ")]}":
            depth -= 1
            if not depth:
                del stack[back:]
                return ([] if arguments == [[]] else arguments), token
        if token.text == "," and depth == 1:
            arguments.append([])
        else:
            arguments[-1].append(token)
    return None, stack[-1]


def joined(source: Sequence[Token]) -> str:
    """The text of tokens, a space between any two."""
    return " ".join(t.text for t in source)
