"""The grammar of a step line."""

from __future__ import annotations

from msgspec.structs import replace

from tlblint.sim.errors import ScenarioError
from tlblint.sim.syntax import Apply, Assign, Await, Binary, Call, Goto, If, Line, Name, Number, Part, Raw, Statement, Unary, Way
from tlblint.sim.tokens import Token, tokens

WORDS = frozenset({"if", "goto", "await", "either", "or", "and", "not", "end"})
"""Words that cannot be names."""

FUNCTIONS = frozenset({"pfn", "rw", "ro"})
DEEP = 40
"""Levels of parentheses and signs at most."""


class Parser:
    """Recursive descent over the tokens of one line."""

    def __init__(self, text: str, column: int = 1) -> None:
        self._tokens = tokens(text, column)
        self._at = 0
        self._depth = 0

    # -- tokens

    def peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def take(self) -> Token:
        token = self.peek()
        self._at += 1
        return token

    def sign(self, text: str) -> bool:
        """Whether the next token is this sign or word; if so, it is taken."""
        token = self.peek()
        if token.kind in ("sign", "name") and token.text == text:
            self._at += 1
            return True
        return False

    def need(self, text: str, where: str) -> None:
        if not self.sign(text):
            self.fail(f'"{text}" {where}')

    def fail(self, expected: str) -> None:
        """Raise: what stands here is not what was expected."""
        token = self.peek()
        got = "the line ends" if token.kind == "end" else f'got "{token.text}"'
        raise ScenarioError(f"expected {expected}, {got}", 0, token.column)

    def name(self, what: str) -> Token:
        token = self.peek()
        if token.kind != "name" or token.text in WORDS - {"end"}:
            self.fail(what)
        return self.take()

    # -- expressions

    def expression(self) -> Raw:
        """An expression; ``or`` binds least."""
        self._depth += 1
        if self._depth > DEEP:
            raise ScenarioError(f"more than {DEEP} levels of parentheses", 0, self.peek().column)
        left = self._both()
        while self.sign("or"):
            left = Binary("or", left, self._both())
        self._depth -= 1
        return left

    def _both(self) -> Raw:
        left = self._negated()
        while self.sign("and"):
            left = Binary("and", left, self._negated())
        return left

    def _negated(self) -> Raw:
        count = 0
        while self.sign("not"):
            count += 1
        x = self._compared()
        for _ in range(min(count, 2 - count % 2)):
            x = Unary("not", x)
        return x

    def _compared(self) -> Raw:
        left = self._sum()
        token = self.peek()
        if token.kind == "sign" and token.text == "=":
            self.fail('"==" between two values that are compared')
        if token.kind == "sign" and token.text in ("==", "!=", "<", "<=", ">", ">="):
            self.take()
            return Binary(token.text, left, self._sum())
        return left

    def _sum(self) -> Raw:
        left = self._masked()
        while self.peek().kind == "sign" and self.peek().text in ("|", "+", "-"):
            left = Binary(self.take().text, left, self._masked())
        return left

    def _masked(self) -> Raw:
        left = self._atom()
        while self.sign("&"):
            left = Binary("&", left, self._atom())
        return left

    def _atom(self) -> Raw:
        token = self.peek()
        if self.sign("~"):
            self._depth += 1
            if self._depth > DEEP:
                raise ScenarioError(f'more than {DEEP} levels of "~"', 0, token.column)
            x: Raw = Unary("~", self._atom())
            self._depth -= 1
            return x
        if self.sign("("):
            x = self.expression()
            self.need(")", "after what the parenthesis holds")
        elif token.kind == "number":
            x = self._number()
        else:
            x = self._named()
        while self.sign("."):
            part = self.name("a bit (P, W, D, N, A), pfn or a register after the dot")
            x = Part(x, part.text, part.column)
        return x

    def _number(self) -> Number:
        token = self.take()
        value = int(token.text, 0) if token.text[:2].lower() == "0x" else int(token.text) if len(token.text) < 9 else 999
        if value > 255:
            raise ScenarioError(f"{token.text} does not fit in a byte: expected 0 to 255", 0, token.column)
        return Number(value)

    def _named(self) -> Raw:
        token = self.name("a value")
        if token.text in FUNCTIONS and self.sign("("):
            return Apply(token.text, self._list(")"), token.column)
        if self.sign("["):
            return Name(token.text, token.column, self._list("]"))
        return Name(token.text, token.column)

    def _list(self, closing: str) -> tuple[Raw, ...]:
        found: list[Raw] = []
        if self.sign(closing):
            return ()
        while True:
            found.append(self.expression())
            if not self.sign(","):
                self.need(closing, 'or ","')
                return tuple(found)

    # -- statements

    def statements(self) -> tuple[Statement, ...]:
        found = [self._statement()]
        while self.sign(";"):
            found.append(self._statement())
        return tuple(found)

    def _statement(self) -> Statement:
        token = self.peek()
        if self.sign("goto"):
            return self._target()
        if self.sign("await"):
            return Await(self.expression(), token.column)
        if self.sign("if"):
            return self._if(token.column)
        return self._assign_or_call()

    def _target(self) -> Goto:
        label = self.name("a label after goto")
        return Goto(label.text, label.column)

    def _if(self, column: int) -> If:
        cond = self.expression()
        if self.sign("goto"):
            return If(cond, (), self._target(), column)
        self.need(":", 'or "goto LABEL" after the condition')
        self._depth += 1
        if self._depth > DEEP:
            raise ScenarioError(f'more than {DEEP} levels of "if"', 0, column)
        body = self.statements()
        self._depth -= 1
        return If(cond, body, None, column)

    def _assign_or_call(self) -> Statement:
        token = self.name("an op")
        if self.sign("("):
            return self._call(token, None)
        target = Name(token.text, token.column, self._list("]") if self.sign("[") else None)
        self.need("=", f'or "(" after "{token.text}"')
        value = self.peek()
        if value.kind == "name" and value.text not in FUNCTIONS | WORDS and self.peek(1).text == "(" and self.peek(1).kind == "sign":
            self._at += 2
            return self._call(value, target)
        return Assign(target, self.expression())

    def _call(self, token: Token, into: Name | None) -> Call:
        args: list[Raw] = []
        words: list[tuple[str, Raw]] = []
        while not self.sign(")"):
            if self.peek().kind == "name" and self.peek(1).kind == "sign" and self.peek(1).text == "=":
                key = self.take().text
                self.take()
                words.append((key, self.expression()))
            else:
                args.append(self.expression())
            if not self.sign(","):
                self.need(")", f'or "," in the arguments of {token.text}')
                break
        return Call(token.text, tuple(args), tuple(words), into, token.column)

    # -- lines

    def label(self) -> Token | None:
        """A label with its colon, if the line begins with one."""
        if self.peek().kind == "name" and self.peek().text not in WORDS - {"end"} and self.peek(1).kind == "sign" and self.peek(1).text == ":":
            token = self.take()
            if token.text == "end":
                raise ScenarioError('"end" is where every thread ends: expected another label', 0, token.column)
            self.take()
            return token
        return None

    def way(self, text: str) -> Way:
        """Statements, then "words" and @citation; nothing may follow."""
        first = self.peek().column
        body = self.statements()
        last = self.peek()
        shown = text[first - 1 : last.column - 1].rstrip() if last.kind != "end" else text[first - 1 :].split("#")[0].rstrip()
        if last.kind == "text":
            shown = self.take().text
        path, line = None, None
        if self.peek().kind == "cite":
            path, line = citation(self.take())
        if self.peek().kind != "end":
            self.fail('";", "words", @path:line or the end of the line')
        return Way(body, shown, path, line)


def citation(token: Token) -> tuple[str, int | None]:
    """Path and line of ``@path:line``."""
    path, colon, number = token.text.rpartition(":")
    if not colon:
        return token.text, None
    if not number.isdecimal() or not path or len(number) > 8:
        raise ScenarioError(f'expected @path:line, got "@{token.text}"', 0, token.column)
    return path, int(number)


def parse_way(text: str, column: int = 1) -> tuple[Way, Token | None]:
    """What a line or the part of it from ``column`` on says: (way, label)."""
    parser = Parser(text[column - 1 :], column)
    label = parser.label()
    if label is not None and parser.peek().kind == "end":
        return Way((), "", None, None), label
    return parser.way(text), label


def step(text: str, path: str | None = None, line: int | None = None, words: str = "", alternatives: tuple[str, ...] = ()) -> Line:
    """A step from a line of the scenario language: ``step("old = xchg_pte(a, 0)", "mm/mprotect.c", 80)``.

    ``path``, ``line`` and ``words`` win over what the text cites and quotes. ``alternatives`` make it an either/or.
    Raises ScenarioError with line 0.
    """
    first = text.removeprefix("either ")
    way, label = parse_way(first)
    ways = [way, *(parse_way(other)[0] for other in alternatives)]
    if path is not None:
        ways = [replace(way, path=path, line=line) for way in ways]
    if words:
        ways[0] = replace(ways[0], text=words)
    return Line(tuple(ways), label.text if label else "", 0, label.column if label else 0)
