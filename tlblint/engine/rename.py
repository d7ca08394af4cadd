"""Carrying a state into a callee and back: names follow the arguments, everything else is an opaque frame.

A lock, pointer or value of the caller gets the callee's name for it where an argument reaches it; the rest gets
canonical names ("^0", "^1" for paths, negative numbers for values and sites), so that two callers in the same
situation share one analysis of the callee.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from tlblint.engine.automata import ordered
from tlblint.engine.code import BITS, Code
from tlblint.engine.compile import PTL_NAME, SPINLOCK, compared, constants, tokens
from tlblint.engine.flows import Flow
from tlblint.engine.state import Auto
from tlblint.engine.values import Env, Value, ask, evaluate, mapped_by, resolve, truth
from tlblint.model.ir import Expr

_PAGES = ("struct page *", "struct folio *")
_LOCAL = re.compile(r"[A-Za-z_]\w*")
_TOKEN = re.compile(r"\*?[A-Za-z_$%][\w$]*(?:(?:->|\.)\w+|\[[^\]]*\])*(?P<call>\()?")


_EITHER_WAY = re.compile(r"\(([^()&=]+)(==|&)([^()&=]+)\)")
"""Comparisons that are written with the lesser text first."""
_WITH_ITSELF = re.compile(r"\(([^()]+?)(?:[<>]=?|==)\1\)")
"""What a comparison of two variables becomes that have one name in the callee: nobody asks that."""


def _in_order(key: str) -> bool:
    two = _EITHER_WAY.fullmatch(key)
    return two is not None and two[1] <= two[3]


class _Arguments:
    """What arguments do to names: pairs of (caller's path, callee's path). Calls with the same pairs share one. ``originals``: what
    arguments are copies of; on the way back that is what a parameter's object goes by."""

    def __init__(self, pairs: tuple[tuple[str, str], ...], originals: tuple[tuple[str, str], ...]) -> None:
        self._pairs = pairs
        self._outward = (*originals, *pairs)
        self._into: dict[str, str | None] = {}
        self._back: dict[str, str | None] = {}
        self.inward: dict[str, str | None] = {}
        """Texts in the callee's names."""

    def into(self, path: str) -> str | None:
        """The callee's name for a caller path, or None."""
        if path not in self._into:
            self._into[path] = self._find_into(path)
        return self._into[path]

    def back(self, path: str) -> str | None:
        """The caller's name for a callee path, or None."""
        if path not in self._back:
            self._back[path] = self._find_back(path)
        return self._back[path]

    def _find_into(self, path: str) -> str | None:
        for mine, theirs in self._pairs:
            if path == mine:
                return theirs
            if theirs[0] == "*":
                if path.startswith(mine + "."):
                    return theirs[1:] + "->" + path[len(mine) + 1 :]
            elif path.startswith(mine + "->") or path.startswith(mine + "."):
                return theirs + path[len(mine) :]
            elif path == "*" + mine:
                return "*" + theirs
        return _pointed(path, self.into)

    def _find_back(self, path: str) -> str | None:
        for mine, theirs in self._outward:
            if path == theirs:
                return mine
            if theirs[0] == "*":
                if path.startswith(theirs[1:] + "->"):
                    return mine + "." + path[len(theirs) + 1 :]
            elif path == "*" + theirs:
                return "*" + mine
            elif path.startswith(theirs + "->") or path.startswith(theirs + "."):
                return mine + path[len(theirs) :]
        return _pointed(path, self.back)


def _pointed(path: str, name: Callable[[str], str | None]) -> str | None:
    """What a member points to goes by the member's other name: "*ctx->tlb"."""
    pointer = name(path[1:]) if path[0] == "*" and ("->" in path or "." in path) else None
    return "*" + pointer if pointer and pointer[0] != "*" else None


_arguments = lru_cache(maxsize=4096)(_Arguments)


def _renamed(text: str, name: Callable[[str], str | None]) -> str | None:
    """A text with every path in it replaced; None when one has no name."""
    between, paths = _pieces(text)
    out = [between[0]]
    for path, rest in zip(paths, between[1:], strict=True):
        other = name(path)
        if other is None:
            return None
        out += (other, rest)
    return "".join(out)


@lru_cache(maxsize=65536)
def _pieces(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What stands between the paths of a text, before the first and behind the last one included, and the paths."""
    between, paths = [], []
    last = 0
    for match in _TOKEN.finditer(text):
        if not match["call"] and not match[0].isupper():
            between.append(text[last : match.start()])
            paths.append(match[0])
            last = match.end()
    return (*between, text[last:]), tuple(paths)


def _length(pair: tuple[str, str]) -> int:
    return len(pair[0])


def _original(env: Env, path: str) -> str:
    """What a variable is a plain copy of, and what that is one of."""
    for _ in range(4):
        held = env.get(path)
        if type(held) is not tuple or held[0] != "term" or held[2] or len(held) < 4 or "(" in held[1] or "#" in held[1]:
            break
        path = held[1]
    return path


def _leads_to(env: Env, value: Value | None, name: str) -> bool:
    """Whether a value is that of ``name``, by way of copies."""
    for _ in range(len(env) + 2):
        if type(value) is not tuple or value[0] != "term":
            return False
        if value[1] == name:
            return True
        value = env.get(value[1])
    return True


def _below(name: str, param: str, env: Env) -> list[tuple[str, str]]:
    """What the members of an object that is handed over point to or are copies of: the callee knows that through them. ``param``: with what
    stands before a member there."""
    out = []
    for key, value in env.items():
        if type(value) is tuple and key.startswith(name + ".") and "." not in key[len(name) + 1 :] and "->" not in key:
            member = param + key[len(name) + 1 :]
            if value[0] == "&":
                out.append((value[1], "*" + member))
            elif value[0] == "term" and len(value) > 3 and "#" not in value[1] and "(" not in value[1]:
                out.append((value[1], member))
    return sorted(out)


def _counts(path: str, value: Value, flow: Flow) -> bool:
    """Whether a value counts for what a callee asks of a path: that it is not 0, or some constant, says nothing of a bit."""
    if "=" + path in flow.tests:
        return True
    if BITS + path not in flow.tests or value == "nz":
        return False
    return type(value) is not tuple or (value[0] != "k" and (value[0] != "term" or len(value) > 3 or bool(tokens(value[1]))))


def _answer(env: Env, arg: Expr, held: Value | None) -> bool | None:
    """Whether an argument is true, where it is a question about what the callee does not know."""
    if type(held) is tuple:
        return truth(env, held) if held[0] == "term" else None
    return ask(env, arg).known if arg[0] in ("op", "!") else None


class Frame:
    """The two-way renaming of one call."""

    def __init__(self, code: Code, args: tuple[Expr, ...], env: Env) -> None:
        self._code = code
        self._pairs: list[tuple[str, str]] = []
        self._originals: list[tuple[str, str]] = []
        self._names: dict[str, str] = {}
        self._back: dict[str, str] = {}
        self._numbers: dict[int, int] = {}
        self._origin: list[int] = []
        for (param, type_), arg in zip(code.fn.params, args, strict=False):
            if param:  # C lets a parameter that is not used go unnamed
                self._bind(param, arg, env, type_[-1:] == "*")
        if self._originals:  # what two arguments reach goes by the nearer one: f(walk, walk->private)
            own = {mine for mine, _ in self._pairs}
            nearer = sorted((pair for pair in self._originals if pair[0] not in own), key=_length, reverse=True)
            self._pairs = [*nearer, *self._pairs, *(pair for pair in self._originals if pair[0] in own)]
        for (param, type_), arg in zip(code.fn.params, args, strict=False):
            if param and arg[0] == "&":
                self._pairs += _below(arg[1], param + "->", env)  # behind all parameters: what has one goes by its name
            elif param and arg[0] == "v" and type_[:7] == "struct " and type_[-1:] != "*":
                self._pairs += _below(arg[1], param + ".", env)
        self._arguments = _arguments(tuple(self._pairs), tuple(self._originals))
        self._outward: dict[str, str | None] = {}

    @property
    def callee(self) -> int:
        """The index of the function that is called."""
        return self._code.index

    def _bind(self, param: str, arg: Expr, env: Env, pointer: bool) -> None:
        if arg[0] == "v":
            path = resolve(env, arg[1])
            held = env.get(path)
            if type(held) is tuple and held[0] == "l":
                self._pairs.append((held[1], param))
            if type(held) is tuple and held[0] == "&":
                self._pairs.append((held[1], "*" + param))
            elif pointer and (original := _original(env, path)) != path:
                self._originals.append((original, param))  # what it points to goes by the name of what it is a copy of
            self._pairs.append((path, param))
        elif arg[0] == "&":
            self._pairs.append((arg[1], "*" + param))
        elif arg[0] == "t":
            held = env.get(f"%{arg[1]}")
            if type(held) is tuple and held[0] == "l":
                self._pairs.append((held[1], param))

    def into(self, path: str) -> str | None:
        """The callee's name for a caller path, or None."""
        return self._arguments.into(path)

    def back(self, path: str) -> str | None:
        """The caller's name for a callee path, or None for a local of the callee."""
        return self._back[path] if path in self._back else self._arguments.back(path)

    def name_in(self, path: str) -> str:
        """The callee's name for a lock or pointer, opaque when no argument reaches it."""
        known = self._names.get(path)
        if known is None:
            known = self.into(path) or (path if " " in path else f"^{len(self._back)}")  # what is no path in C has one name everywhere
            self._names[path] = known
            if known[0] == "^" or known == path:
                self._back.setdefault(known, path)
        return known

    def call_it(self, path: str, name: str) -> None:
        """A lock of the caller has this name in the callee, though no argument says so."""
        self._names[path] = name
        self._back[name] = path

    def name_out(self, path: str) -> str:
        """The caller's name for a lock or pointer of the callee; "" for a local of the callee, which nobody can reach any more."""
        return self.back(path) or ""

    def hand_out(self, local: str, name: str) -> None:
        """A lock that the callee returns goes by the name of what it is assigned to."""
        if self.back(local) is None:
            self._back[local] = name
            self._outward.clear()

    def number_in(self, number: int) -> int:
        """A canonical negative number for a value or site of the caller."""
        known = self._numbers.get(number)
        if known is None:
            self._origin.append(number)
            known = self._numbers[number] = -len(self._origin)
        return known

    def stand_for(self, numbers: set[int]) -> set[object]:
        """What these numbers of the caller are in the callee."""
        return {self._numbers[number] for number in numbers if number in self._numbers} if numbers else set()

    def number_out(self, number: int) -> int:
        """Undo number_in; a number made in the callee is its own."""
        return self._origin[-number - 1] if number < 0 else number

    def state_in(self, auto: Auto) -> Auto:
        """The state as the callee sees it."""
        if not auto[0] and not auto[4]:
            return auto
        held = tuple(sorted((self.name_in(s), level, mark) for s, level, mark in auto.held))
        instances = tuple((rule, state, tuple(self._key_in(k) for k in keys), self.number_in(origin)) for rule, state, keys, origin in auto.instances)
        return Auto(held, auto[1], auto[2], auto[3], instances)

    def _key_in(self, key: object) -> object:
        if isinstance(key, str):
            return self.name_in(key) if key else key
        if isinstance(key, int):
            return self.number_in(key) if key else key
        return tuple(self.name_in(k) for k in key) if isinstance(key, tuple) else key

    def state_out(self, auto: Auto) -> Auto:
        """The state as the caller sees it."""
        if not auto[0] and not auto[4]:
            return auto
        held = tuple(sorted({(self.name_out(s), level, mark) for s, level, mark in auto.held if self.name_out(s)}))
        instances = ordered({(rule, state, tuple(self.key_out(k) for k in keys), self.number_out(origin)) for rule, state, keys, origin in auto.instances})
        return Auto(held, auto[1], auto[2], auto[3], instances)

    def key_out(self, key: object) -> object:
        """One of an instance's keys, in the other frame's names."""
        if isinstance(key, str):
            return (self.name_out(key) or ()) if key else key
        if isinstance(key, int):
            return self.number_out(key) if key else key
        return tuple(filter(None, (self.name_out(k) for k in key))) if isinstance(key, tuple) else key

    def text(self, key: str, inward: bool) -> str | None:
        """An environment key in the other frame's names; None when it speaks of something unreachable there."""
        if key.isidentifier():
            return key if key.isupper() else (self.into(key) if inward else self.back(key))
        mark = key.find("#")
        if mark >= 0 and key[mark + 1 : mark + 2] in "-0123456789":
            number = int(key[mark + 1 :])
            if inward:
                return f"{key[:mark]}#{self._numbers[number]}" if number in self._numbers else None
            return f"{key[:mark]}#{self.number_out(number)}"
        prefix, rest = (key[: mark + 1], key[mark + 1 :]) if mark >= 0 else ("", key)
        known = self._arguments.inward if inward else self._outward
        out = known.get(rest, "")
        if out == "":
            out = _renamed(rest, self.into if inward else self.back)
            if inward and out is not None and _WITH_ITSELF.fullmatch(out) is not None:
                out = None
            known[rest] = out
        if out is not None and out[:1] == "(" and (two := _EITHER_WAY.fullmatch(out)) is not None and two[1] > two[3] and _in_order(rest):
            out = f"({two[3]}{two[2]}{two[1]})"
        return None if out is None else prefix + out

    def _asks(self, key: str, flow: Flow) -> bool:
        """Whether a comparison or the answer of a pure function is about what the callee tests, and the function one it asks. It asks no
        comparison with a constant that it does not mention."""
        cut = key.find("(")
        if cut < 0 or (cut and key[: cut + 1] not in flow.tests) or not (named := tokens(key)) <= flow.tests:
            return False
        if not named:
            return compared(key) <= flow.constants
        return constants(key) <= flow.constants or not named.isdisjoint(flow.writes)

    def _copies(self, env: Env) -> list[tuple[str, str]]:
        """(copy, what it is a copy of) for the copies that the callee can reach."""
        return [(key, value[1]) for key, value in env.items()
                if type(value) is tuple and value[0] == "term" and len(value) > 3 and self.into(key) is not None]

    def _through_copy(self, key: str, copies: list[tuple[str, str]]) -> str | None:
        """A fact about a local of the caller, told of a copy that the callee can reach: ``cp.type = type`` before f(&cp)."""
        names = tokens(key)
        for copy, name in copies:
            if any(token == name or token.startswith(name + "->") for token in names):
                return self.text(re.sub(rf"(?<![\w.])(?<!->){re.escape(name)}(?![\w.])", copy, key), True)
        return None

    def _wanted(self, inner: str, value: Value, handed: set[object], flow: Flow, followed: set[tuple[str, str]]) -> bool:
        """Whether the callee can make use of a fact that it would know as ``inner``."""
        mark = inner.find("#")
        if mark >= 0 and inner[mark + 1] in "-0123456789":
            return int(inner[mark + 1 :]) in handed
        return inner.startswith("emptied#") or inner in flow.writes or _counts(inner, value, flow) or self._asks(inner, flow) or (
            type(value) is tuple and (value[0] in ("p", "m", "l", "e") or value in followed) and inner in self._code.reads)

    def value_in(self, value: Value | None) -> Value | None:
        """A value in the callee's names."""
        return self._value(value, True)

    def value_out(self, value: Value | None) -> Value | None:
        """A value in the caller's names."""
        return self._value(value, False)

    def _value(self, value: Value | None, inward: bool) -> Value | None:
        if type(value) is not tuple:
            return value
        tag = value[0]
        if tag == "e":
            number = self.number_in(value[1]) if inward else self.number_out(value[1])
            weak = "~" if value[4][:1] == "~" else ""
            bare = value[4][len(weak) :]
            pointer = ((self.into(bare) if inward else self.back(bare)) or "") if bare else ""
            pointer = weak + pointer if pointer else ""
            return ("e", number, value[2], value[3], pointer)
        if tag in ("p", "m", "l"):
            name = self.name_in(value[1]) if inward else self.name_out(value[1])
            return (tag, name, *value[2:]) if name or tag != "l" else None
        if tag == "term":
            text = self.text(value[1], inward)
            if text is None and not inward and len(value) > 3 and (whole := self.back("*" + value[1])) is not None:
                return ("&", whole)  # a parameter for which an address was passed
            return None if text is None else ("term", text, *value[2:])
        if tag == "&":
            # Only an object that rules follow has a name in the callee when no argument reaches it.
            known = (self.into(value[1]) or self._names.get(value[1])) if inward else self.back(value[1])
            return None if known is None else ("&", known)
        return value

    def env_in(self, args: tuple[Expr, ...], env: Env, advanced: frozenset[str], flow: Flow) -> Env:
        """What the callee may know: argument values and facts on paths that it tests, or writes on some path only, and what was read
        through the pointers through which it takes entries out."""
        taken = flow.taken
        out: Env = {}
        followed = {("&", name) for name in self._names}  # objects that rules follow, found through fields of what is handed over
        for key, read in env.items() if taken else ():
            there = self.into(key) if key[0] == "*" and type(read) is tuple and read[0] == "e" else None
            if there is not None and there[1:] in taken and (known := self.value_in(read)) is not None:
                out[there] = known  # what the caller has read through a pointer that it hands over, and may hand the answers about
        for (param, type_), arg in zip(self._code.fn.params, args, strict=False):
            if type_ == SPINLOCK and arg[0] in "v&" and not PTL_NAME.search(param) and (PTL_NAME.search(arg[1]) or f"ptl@{arg[1]}" in env):
                out["ptl@" + param] = 1
            if arg[0] == "&" and param in self._code.entry_pointers and _LOCAL.fullmatch(arg[1]):
                out[param] = ("&", "*" + param)  # points to a variable of the caller, not into a table
                continue
            if type_ in _PAGES and (number := mapped_by(env, arg)):
                out[param] = ("term", f"paged#{self.number_in(number)}", False)
                continue
            held = evaluate(env, arg)
            value = held if type(held) is tuple and held[0] == "&" else self.value_in(held)
            if value is None and "=" + param in flow.tests and (sure := _answer(env, arg, held)) is not None:
                value = "nz" if sure else 0  # a question that has no name in the callee
            if type(value) is tuple and value[0] == "&" and param in self._code.entry_pointers:
                out[param] = ("&", "*" + param)
            if value is None or (type(value) is tuple and (value[0] == "&" or _leads_to(out, value, param))):
                continue  # what an argument points to, or is a copy of, has the parameter's name
            if type(value) is tuple and value[0] in "pm":
                base = arg
                while base[0] == "op":
                    base = base[2]
                if base[0] == "v" and resolve(env, base[1]) in advanced:
                    value = (value[0], value[1], 1)
            if _counts(param, value, flow) or (type(value) is tuple and value[0] in ("p", "m", "l", "e")):
                out[param] = value
        copies = self._copies(env)
        handed: set[object] = {v[1] for v in out.values() if type(v) is tuple and v[0] == "e"}
        for key, value in env.items():
            if key[0] in "%@" or key in out:
                continue
            inner = self.text(key, True)
            wanted = inner is not None and self._wanted(inner, value, handed, flow, followed)
            if not wanted and copies and "#" not in key:
                inner = self._through_copy(key, copies)
                wanted = inner is not None and self._wanted(inner, value, handed, flow, followed)
            if inner is None or inner in out:
                continue
            if wanted:
                if type(value) is tuple and value[0] == "term" and len(value) > 3 and (known := env.get(value[1])) is not None:
                    value = known  # a copy is what it is a copy of
                moved = self.value_in(value)
                if moved is not None and not _leads_to(out, moved, inner):  # x is x says nothing
                    out[inner] = moved
                    if type(moved) is tuple and moved[0] == "e":
                        handed.add(moved[1])
        return out
