"""A small statement tree over C function text, for making edits.

It is written apart from tlblint's own front end on purpose: a mistake there must not hide the same mistake here.
Offsets are character offsets in the function's text. Comments, literals and preprocessor lines are blanked in ``mask``, which keeps every offset.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

BLANK = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|^[ \t]*#(?:\\\n|[^\n])*", re.S | re.M)
TYPE = r"(?:(?:const|static|unsigned|signed|volatile|struct|enum|union)\s+)*"
DECL = re.compile(
    TYPE + r"[A-Za-z_]\w*(?:\s+const)?(?:\s+\*[\s*]*(?:const\s+)?|\s*\*+\s*|\s+)[A-Za-z_]\w*\s*(?:__maybe_unused\s*)?(?:\[[^\]]*\]\s*)*[=;,:]"
    r"|(?:DEFINE_\w+|LIST_HEAD|DEFINE|VMA_ITERATOR|DECLARE_\w+|MA_STATE|PAGEFLAGS_\w+)\s*\("
)
KEYWORD = re.compile(r"[A-Za-z_]\w*")
DEFINITION = re.compile(r"^(?![ \t#/*}])[^\n;{}#]*?\b([A-Za-z_]\w*)\([^;{}#]*\)[^;{}()#=]*(?:\([^;{}#()]*\)[^;{}()#=]*)*\n\{", re.M)

Edit = tuple[int, int, str]
LOOPS = frozenset({"for", "while", "do", "loop"})
LEAVES = frozenset({"expr", "decl", "return", "goto", "break", "continue"})


class Stmt(msgspec.Struct, eq=False):
    """One statement; ``head`` spans the parenthesised condition or the label's name, ``end`` is exclusive."""

    kind: str
    start: int
    end: int
    head: tuple[int, int] = (0, 0)
    kids: list[Stmt] = msgspec.field(default_factory=list)
    parent: Stmt | None = None

    def siblings(self) -> list[Stmt]:
        return self.parent.kids if self.parent is not None and self.parent.kind == "block" else [self]

    def following(self) -> list[Stmt]:
        """Later statements of the same block."""
        row = self.siblings()
        return row[next(i for i, s in enumerate(row) if s is self) + 1 :]

    def preceding(self) -> list[Stmt]:
        row = self.siblings()
        return row[: next(i for i, s in enumerate(row) if s is self)]

    def ancestors(self) -> Iterator[Stmt]:
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def walk(self) -> Iterator[Stmt]:
        yield self
        for kid in self.kids:
            yield from kid.walk()


def blank(text: str) -> str:
    """``text`` with comments, literals and preprocessor lines blanked; newlines stay, so offsets and lines hold."""
    return BLANK.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


class _Parser:
    def __init__(self, mask: str) -> None:
        self.mask = mask

    def skip(self, pos: int) -> int:
        while pos < len(self.mask) and self.mask[pos].isspace():
            pos += 1
        return pos

    def close(self, pos: int) -> int:
        """Offset just past the bracket that closes the one at ``pos``."""
        depth = 0
        for at in range(pos, len(self.mask)):
            char = self.mask[at]
            depth += (char in "({[") - (char in ")}]")
            if depth == 0:
                return at + 1
        raise ValueError("unbalanced")

    def semicolon(self, pos: int) -> int:
        while self.mask[pos] != ";":
            if self.mask[pos] in ")}]":
                raise ValueError("unbalanced")
            pos = self.close(pos) if self.mask[pos] in "({[" else pos + 1
        return pos + 1

    def statement(self, pos: int) -> Stmt:
        pos = self.skip(pos)
        if self.mask[pos] == "{":
            return self.block(pos)
        if self.mask[pos] == ";":
            return Stmt("empty", pos, pos + 1)
        word = KEYWORD.match(self.mask, pos)
        return self.keyword(pos, word.group()) if word else Stmt("expr", pos, self.semicolon(pos))

    def keyword(self, pos: int, word: str) -> Stmt:
        after = self.skip(pos + len(word))
        if word in ("if", "for", "while", "switch"):
            return self.headed(pos, word, after)
        if word == "do":
            return self.do(pos, after)
        if word in ("case", "default") or (self.mask[after] == ":" and self.mask[after + 1] != ":"):
            colon = self.mask.index(":", after)
            return Stmt("case" if word in ("case", "default") else "label", pos, colon + 1, (pos, pos + len(word)))
        if word in ("return", "goto", "break", "continue"):
            return Stmt(word, pos, self.semicolon(pos))
        if self.mask[after] == "(":
            past = self.close(after)
            char = self.mask[self.skip(past)]
            if char == "{" or char.isalpha():
                return self.headed(pos, "loop", after)
        end = self.semicolon(pos)
        return Stmt("decl" if DECL.match(self.mask, pos, end) else "expr", pos, end)

    def headed(self, pos: int, kind: str, paren: int) -> Stmt:
        past = self.close(paren)
        out = Stmt(kind, pos, 0, (paren + 1, past - 1))
        body = self.statement(past)
        self.adopt(out, body)
        out.end = body.end
        tail = self.skip(body.end)
        if kind == "if" and re.match(r"else\b", self.mask[tail : tail + 5]):
            other = self.statement(tail + 4)
            self.adopt(out, other)
            out.end = other.end
        return out

    def do(self, pos: int, after: int) -> Stmt:
        body = self.statement(after)
        paren = self.mask.index("(", body.end)
        past = self.close(paren)
        out = Stmt("do", pos, self.semicolon(past), (paren + 1, past - 1))
        self.adopt(out, body)
        return out

    def block(self, pos: int) -> Stmt:
        out = Stmt("block", pos, self.close(pos))
        at = self.skip(pos + 1)
        while at < out.end - 1:
            kid = self.statement(at)
            self.adopt(out, kid)
            at = self.skip(kid.end)
        return out

    @staticmethod
    def adopt(parent: Stmt, kid: Stmt) -> None:
        kid.parent = parent
        parent.kids.append(kid)


class Fn:
    """A function found in a file: its text, its masked text and its statement tree. Raises ValueError if it does not parse.

    ``huge_get_mm``: huge_ptep_get() takes (mm, address, entry) in this kernel, not just the entry.
    """

    huge_get_mm = True

    def __init__(self, path: str, name: str, offset: int, text: str, before: str = "") -> None:
        self.path, self.name, self.offset, self.text, self.above = path, name, offset, text, before
        self.mask = blank(text)
        brace = self.mask.index("\n{") + 1
        self.header = self.mask[:brace]
        self.root = _Parser(self.mask).block(brace)
        self.returns = re.sub(
            r"\b(static|inline|__always_inline|noinline|noinline_for_stack|extern|__must_check)\b", "", (before + " " + self.header.split(name)[0])
        ).strip()
        self.all = list(self.root.walk())

    def src(self, s: Stmt) -> str:
        return self.text[s.start : s.end]

    def code(self, s: Stmt) -> str:
        return self.mask[s.start : s.end]

    def cond(self, s: Stmt) -> str:
        return self.text[s.head[0] : s.head[1]]

    def leaves(self, pattern: str, kinds: frozenset[str] = LEAVES) -> list[Stmt]:
        rx = re.compile(pattern)
        return [s for s in self.all if s.kind in kinds and rx.search(self.code(s))]

    def has(self, pattern: str) -> bool:
        return re.search(pattern, self.mask) is not None

    def declares(self, name: str) -> bool:
        """Is ``name`` a parameter or a local of the outermost block?"""
        if re.search(rf"\b{name}\b\s*[,)]", self.header):
            return True
        return any(
            (s.kind == "decl" and re.search(rf"\b{name}\b", self.code(s).split("=")[0]))
            or (s.kind == "decl" and re.search(rf"[,*\s]{name}\s*[,;=]", self.code(s)))
            for s in self.root.kids
        )

    def local_names(self) -> list[str]:
        """Names declared in any block of the function, parameters excluded."""
        names: list[str] = []
        for s in self.all:
            if s.kind == "decl" and "(" not in self.code(s).split("=")[0]:
                body = re.sub(r"\([^()]*\)|\{.*?\}", "", self.code(s), flags=re.S)
                names += re.findall(r"([A-Za-z_]\w*)\s*(?:\[[^\]]*\])?\s*(?:=[^,;]*)?[,;]", body)
        return list(dict.fromkeys(names))

    def indent(self, s: Stmt) -> str:
        line = self.text.rfind("\n", 0, s.start) + 1
        return self.text[line : len(self.text[line:]) - len(self.text[line:].lstrip(" \t")) + line]

    def apply(self, edits: Iterable[Edit]) -> str:
        out = self.text
        for start, end, new in sorted(edits, key=lambda e: (e[0], e[1]), reverse=True):
            out = out[:start] + new + out[end:]
        return out

    def drop(self, s: Stmt) -> Edit:
        """Remove a statement; where the grammar needs one, leave an empty statement."""
        if s.parent is None or s.parent.kind != "block":
            return (s.start, s.end, ";")
        start = self.text.rfind("\n", 0, s.start) + 1
        if self.text[start : s.start].strip():
            start = s.start
        end = s.end + 1 if self.text[s.end : s.end + 1] == "\n" else s.end
        row = s.siblings()
        at = next(i for i, k in enumerate(row) if k is s)
        needs = at > 0 and row[at - 1].kind in ("label", "case") and at == len(row) - 1
        return (start, end, "\t;\n" if needs else "")

    def before(self, s: Stmt, code: str) -> list[Edit]:
        """Insert statements before ``s``, adding braces if ``s`` is an unbraced branch."""
        return [(s.start, s.start, self._lines(s, code) + "\n" + self.indent(s))] if self._in_block(s) else self._wrap(s, code, "")

    def after(self, s: Stmt, code: str) -> list[Edit]:
        return [(s.end, s.end, "\n" + self.indent(s) + self._lines(s, code))] if self._in_block(s) else self._wrap(s, "", code)

    def _lines(self, s: Stmt, code: str) -> str:
        return code.replace("\n", "\n" + self.indent(s))

    @staticmethod
    def _in_block(s: Stmt) -> bool:
        return s.parent is None or s.parent.kind == "block"

    @staticmethod
    def _wrap(s: Stmt, first: str, last: str) -> list[Edit]:
        return [(s.start, s.start, "{ " + first + " "), (s.end, s.end, " " + last + " }")]

    def declare(self, code: str) -> Edit:
        """Insert declarations at the top of the function."""
        at = self.root.start + 1
        return (at, at, "\n\t" + code)

    def loop_of(self, s: Stmt) -> Stmt | None:
        return next((a for a in s.ancestors() if a.kind in LOOPS), None)

    def bail(self) -> str:
        """A return statement that fits the function's type."""
        if re.fullmatch(r"void", self.returns):
            return "return;"
        return "return NULL;" if "*" in self.returns else "return false;" if self.returns == "bool" else "return 0;"


def call_args(code: str, name: str) -> list[str] | None:
    """Arguments of the first call of ``name`` in ``code``, or None."""
    m = re.search(rf"\b{name}\s*\(", code)
    if not m:
        return None
    depth, args, last = 0, [], m.end()
    for at in range(m.end() - 1, len(code)):
        char = code[at]
        depth += (char in "([{") - (char in ")]}")
        if (depth == 1 and char == ",") or depth == 0:
            args.append(code[last:at].strip())
            last = at + 1
        if depth == 0:
            return args
    return None


def functions(path: str, text: str) -> Iterator[Fn]:
    """Every function definition of a file that the small parser can read."""
    mask = blank(text)
    for m in DEFINITION.finditer(mask):
        end = text.find("\n}", m.end() - 1)
        if end < 0:
            continue
        line = text.rfind("\n", 0, max(m.start() - 1, 0)) + 1
        above = mask[line : m.start()].strip()
        try:
            yield Fn(path, m.group(1), m.start(), text[m.start() : end + 2], above if re.fullmatch(r"[\w\s*]+", above) else "")
        except (ValueError, IndexError):
            continue
