"""What is known of variables on a path: the environment half of a state.

An environment maps keys to values. A key is an lvalue path ("force_flush"), a temp ("%3"), a comparison
("(new_ptl==old_ptl)"), a pure call ("folio_test_hugetlb(folio)"), a predicate on an entry value ("present#417") or
on a page ("anon@folio"), or "@pte": the number of the last plain read made through that pointer.

Values: an int; "nz" (not zero); ("of", n, ...): one of these few numbers, none of them 0; ("k", NAME); ("term", key, negated): as true as that
key, with "copy" behind it equal to it; ("e", number, origin, bits, pointer): an entry value, origin "read", "cleared" or "built", bits a subset of
"cdiwokmnz" (cleaned, dirtied, made invalid, write-protected, made old, kept but changed, with other permissions; on every path read after the entry
was taken out, "n" if the old value was dropped); ("p", lock): a pointer to an entry under that lock, ("m", lock): the same or NULL; ("l", lock);
("&", path).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from tlblint.engine.compile import HIGHEST, LOWEST, is_one, is_zero, mentions, text_of
from tlblint.model.ir import Expr

Value = int | str | tuple  # type: ignore[type-arg]
Env = dict[str, Value]

_IMPLIED = {
    ("none", 1): (("present", 0),),
    ("nonpresent", 1): (("present", 0),),
    ("present", 1): (("none", 0), ("nonpresent", 0)),
    ("write", 1): (("lively", 1),),  # which of them it was may be forgotten
    ("dirty", 1): (("lively", 1),),
    ("young", 1): (("lively", 1),),
}


_NEVER_ZERO = re.compile(r"_(?:SIZE|MASK|SHIFT|ORDER|NR|PTES|PMDS|MAX)$|^PTRS_PER_|^SZ_\d")
"""Named constants that are sizes, masks and counts of what there is: whatever the configuration makes of them, not 0."""

_COUNT = re.compile(r"(?:^|_|>|\.)nr(?:_\w+)?$")
"""Numbers of what there is: never below 0."""

_FEW = 4
"""So many numbers are told apart."""


@lru_cache(maxsize=4096)
def is_count(path: str) -> bool:
    """Whether a variable is named like a number of pages or entries."""
    return _COUNT.search(path) is not None


@lru_cache(maxsize=4096)
def _is_something(name: str) -> bool:
    return _NEVER_ZERO.search(name) is not None


def resolve(env: Env, path: str) -> str:
    """Follow a known address through one dereference: p -> &x makes *p mean x and p->f mean x.f. A copy of a pointer is that pointer."""
    if path[0] != "*" and "->" not in path:
        return path
    for _ in range(4):
        if path[0] == "*":
            base, rest = path[1:], ""
        else:
            cut = path.find("->")
            if cut <= 0:
                return path
            base, rest = path[:cut], path[cut:]
        held = env.get(base)
        if type(held) is not tuple:
            return path
        if held[0] == "&":
            return f"{held[1]}.{rest[2:]}" if rest else str(held[1])
        if held[0] != "term" or len(held) < 4 or "(" in held[1] or "#" in held[1]:
            return path
        path = held[1] + rest if rest else "*" + held[1]
    return path


def evaluate(env: Env, expr: Expr) -> Value | None:
    """The value of an expression, or None when nothing is known."""
    tag = expr[0]
    if tag == "v":
        return env.get(resolve(env, expr[1]))
    if tag == "n":
        return int(expr[1])
    if tag == "t":
        return env.get(f"%{expr[1]}")
    if tag == "k":
        return expr[2] if len(expr) > 2 else ("k", expr[1])
    if tag == "&":
        return ("&", expr[1])
    if tag == "!":
        inner = evaluate(env, expr[1])
        if type(inner) is tuple and inner[0] == "term":
            return ("term", inner[1], not inner[2])
        known = truth(env, inner)
        return None if known is None else int(not known)
    if tag == "op":
        return _binary(env, expr)
    if tag == "-":
        inner = evaluate(env, expr[1])
        if type(inner) is tuple and inner[0] == "k":
            return ("k", "-" + inner[1]) if inner[1][0] == "E" else "nz"
        return -inner if type(inner) is int else ("nz" if inner == "nz" else None)
    return None


def _binary(env: Env, expr: Expr) -> Value | None:
    op = expr[1]
    left, right = evaluate(env, expr[2]), evaluate(env, expr[3])
    if op == "-" and (apart := _apart(env, expr, left, right)) is not None:
        return apart
    if op in ("+", "-"):
        return _step(op, left, _decided(env, right))
    if op == "<<" and expr[2] == ("n", 1):
        return "nz"  # some bit, whichever it is
    if op == "|":
        left, right = _decided(env, left), _decided(env, right)
    if op == "*":
        return _times(truth(env, left), truth(env, right))
    if (many := _each(op, left, right)) is not None:
        return many
    if op in ("==", "!="):
        same = _equal(left, right)
        if same is None and _alias(env, expr[2], left, expr[3], right):
            same = True
        return None if same is None else int(same == (op == "=="))
    if type(left) is int and type(right) is int:
        return _arith(op, left, right)
    if op in _SELF and _alias(env, expr[2], left, expr[3], right):
        return _SELF[op]
    if right == 0 and op in _BELOW_ZERO and _is_negative(left):
        return _BELOW_ZERO[op]
    if op == "|" and ((truth(env, left) is True) or (truth(env, right) is True)):
        return "nz"
    if op == "|" and right == 0:
        return left
    if op == "|" and left == 0:
        return right
    if op == "&" and 0 in (left, right):
        return 0
    if op == "<" and left == 0 and right == "nz" and expr[3][0] == "v" and is_count(expr[3][1]):
        return 1
    if ((op == ">" and right == 0) or (op == ">=" and right == 1)) and left is not None:
        known = truth(env, left)
        return None if known is None else int(known)
    return None


def _apart(env: Env, expr: Expr, left: Value | None, right: Value | None) -> Value | None:
    """The difference of two variables, as far as it is known which lies beyond the other."""
    if expr[2][0] != "v" or expr[3][0] != "v":
        return None
    if _alias(env, expr[2], left, expr[3], right):
        return 0
    return "nz" if env.get(f"({resolve(env, expr[2][1])}>{resolve(env, expr[3][1])})") == 1 else None


def _decided(env: Env, value: Value | None) -> Value | None:
    """The answer to a question instead of the question, where it is known."""
    if type(value) is tuple and value[0] == "term" and "#" in value[1] and (known := truth(env, value)) is not None:
        return "nz" if known else 0
    return value


def is_nothing(env: Env, expr: Expr) -> bool:
    """Whether adding this changes nothing."""
    value = evaluate(env, expr)
    return value == 0 or (type(value) is tuple and value[0] == "term" and truth(env, value) is False)


def undecided(env: Env, expr: Expr) -> tuple | None:  # type: ignore[type-arg]
    """The question about an entry or page that a sum, product or union of bits hangs on: counting its answers is asking it."""
    if expr[0] == "op":
        if expr[1] in "|+*":
            for part in expr[2:]:
                if (found := undecided(env, part)) is not None:
                    return found
    elif expr[0] in ("t", "v", "!"):
        value = evaluate(env, expr)
        if type(value) is tuple and value[0] == "term" and "#" in value[1] and not value[1].startswith(PAGE_OF) and truth(env, value) is None:
            return value
    return None


def _times(left: bool | None, right: bool | None) -> Value | None:
    if left is False or right is False:
        return 0
    return "nz" if left and right else None


def _each(op: str, left: Value | None, right: Value | None) -> Value | None:
    """What an operator makes of each of a few numbers."""
    if type(left) is tuple and left[0] == "of" and type(right) is int:
        pairs = [(n, right) for n in left[1:]]
    elif type(left) is int and type(right) is tuple and right[0] == "of":
        pairs = [(left, n) for n in right[1:]]
    else:
        return None
    found = [int((a == b) == (op == "==")) if op in ("==", "!=") else _arith(op, a, b) for a, b in pairs]
    return None if None in found else few_of(found)  # type: ignore[arg-type]


def few_of(numbers: Iterable[int]) -> Value | None:
    """One of these numbers."""
    out = sorted(set(numbers))
    if len(out) == 1:
        return out[0]
    return None if 0 in out else ("of", *out) if len(out) <= _FEW else "nz"


def exclude(env: Env, path: str, value: Value) -> None:
    """``path`` is one of a few numbers, and not ``value``."""
    held = env.get(path)
    if type(held) is tuple and held[0] == "of" and value in held[1:] and (rest := few_of(n for n in held[1:] if n != value)) is not None:
        env[path] = rest


_NEGATIVE = ("k", "-")
"""Some number below 0."""
_BELOW_ZERO = {"<": 1, "<=": 1, ">": 0, ">=": 0}


def _is_negative(value: Value | None) -> bool:
    """Whether a value is below 0: so are error numbers as functions return them."""
    return value < 0 if type(value) is int else type(value) is tuple and value[0] == "k" and value[1][:1] == "-"


_SELF = {">": 0, "<": 0, ">=": 1, "<=": 1}


def _alias(env: Env, left: Expr, held_left: Value | None, right: Expr, held_right: Value | None) -> bool:
    """Whether two variables are known copies of each other."""
    if left[0] != "v" or right[0] != "v":
        return False
    return held_right == ("term", left[1], False, "copy") or held_left == ("term", right[1], False, "copy")


def _step(op: str, left: Value | None, right: Value | None) -> Value | None:
    """Pointer steps keep their table; counting up from a known or unknown count makes it non-zero."""
    if type(left) is tuple and left[0] in "pm":
        return left
    if type(left) is int and type(right) is int:
        total = left + right if op == "+" else left - right
        return total if abs(total) < 2 else _NEGATIVE if total < 0 else ("nz" if op == "+" else None)
    if op == "-" and type(right) is int and right > 0 and _is_negative(left):
        return _NEGATIVE
    if right == 0 and left is not None:
        return left
    plain = left is None or _nonzero(left) or (type(left) is tuple and left[0] == "term" and "#" not in left[1] and "(" not in left[1])
    if op == "+" and plain and type(right) is tuple and right[0] in ("k", "of") and not _is_negative(right):
        return "nz"
    if op == "+" and (right == 1 or right == "nz" or (type(right) is tuple and _nonzero(right))) and (plain or type(left) is int):
        return "nz"
    return None


def _arith(op: str, left: int, right: int) -> Value | None:
    if op == "&":
        return left & right
    if op == "|":
        return left | right
    if op == "<":
        return int(left < right)
    if op == ">":
        return int(left > right)
    if op == "<=":
        return int(left <= right)
    if op == ">=":
        return int(left >= right)
    if op in (LOWEST, HIGHEST):
        return min(left, right) if op == LOWEST else max(left, right)
    return None


def _equal(left: Value | None, right: Value | None) -> bool | None:
    if left is None or right is None:
        return None
    if type(left) is int and type(right) is int:
        return left == right
    if type(left) is tuple and type(right) is tuple and left[0] == right[0] == "k":
        return None if _NEGATIVE in (left, right) else bool(left[1] == right[1])
    for one, other in ((left, right), (right, left)):
        if other == 0 and one != 0 and truth({}, one):
            return False
    return None


def truth(env: Env, value: Value | None) -> bool | None:
    """Whether a value is non-zero, as far as known."""
    turned = False
    for _ in range(_LINKS):
        if value is None:
            return None
        if type(value) is int:
            return (value != 0) != turned
        if value == "nz":
            return not turned
        if type(value) is not tuple:
            return None
        if value[0] in ("p", "l", "&", "of") or (value[0] == "k" and (value[1][:1] == "-" or _is_something(value[1]))):
            return not turned
        if value[0] != "term":
            return None
        turned = turned != value[2]
        value = env.get(value[1])
    return None


_LINKS = 50
"""Two names may be known to be copies of each other, each as true as the other one: that ends somewhere."""


def forget(env: Env, path: str) -> None:
    """Everything that speaks of ``path`` or of what lies below it is no longer known."""
    gone = []
    for key, value in env.items():
        # a path that is mentioned is a part of the text: the cheap test spares most look-ups
        if path in key and path in mentions(key):
            gone.append(key)
        elif type(value) is tuple:
            if value[0] == "term":
                if path in value[1] and path in mentions(value[1]):
                    decided = truth(env, value)
                    if decided is None:
                        gone.append(key)
                    else:
                        env[key] = "nz" if decided else 0
            elif value[0] == "e" and path in value[4] and path in mentions(value[4]):
                env[key] = (*value[:4], "")
    for key in gone:
        del env[key]


def advance(env: Env, path: str) -> dict[str, Value]:
    """Facts that an addition to ``path`` makes or keeps true: it is beyond every copy taken of it before, and what it started from."""
    behind = [k for k, v in env.items() if v == ("term", path, False, "copy")]
    mark = f"({path}>"
    behind += [k[len(mark) : -1].removeprefix("=") for k, v in env.items() if v == 1 and k.startswith(mark)]
    found: dict[str, Value] = dict.fromkeys([k for k, v in env.items() if v == 1 and k.startswith(mark + "=")], 1)
    for other in behind:
        low, high = sorted((path, other))
        found |= {f"({path}>{other})": 1, f"({other}<{path})": 1, f"({path}<{other})": 0, f"({low}=={high})": 0}
    return found


def retreat(env: Env, path: str) -> dict[str, Value]:
    """Facts that a subtraction from ``path`` makes or keeps true: it is below every copy taken of it before, and what it was set to."""
    held = env.get(path)
    ahead = [k for k, v in env.items() if v == ("term", path, False, "copy")]
    if type(held) is tuple and held[0] == "term" and len(held) > 3 and not held[2] and held[1].isidentifier():
        ahead.append(held[1])
    mark = f"({path}<"
    ahead += [k[len(mark) : -1] for k, v in env.items() if v == 1 and k.startswith(mark) and k[len(mark) : -1].isidentifier()]
    found: dict[str, Value] = {}
    for other in ahead:
        low, high = sorted((path, other))
        found |= {f"({path}<{other})": 1, f"({other}>{path})": 1, f"({path}>{other})": 0, f"({low}=={high})": 0}
    return found


def above(env: Env, path: str) -> dict[str, Value]:
    """What is known of what ``path`` is beyond: no addition changes that."""
    mark = f"({path}>"
    found: dict[str, Value] = {}
    for key in [k for k, v in env.items() if v == 1 and k.startswith(mark)]:
        other = key[len(mark) : -1]
        found[key] = 1
        if other[:1] != "=":
            low, high = sorted((path, other))
            found |= {f"({other}<{path})": 1, f"({low}=={high})": 0}
    return found


def assign(env: Env, path: str, value: Value | None, symbolic: str | None, turned: bool = False, copy: bool = False) -> None:
    """``path`` now holds ``value``; with no value but a symbolic text it is as true as that text, or with ``turned`` as false. A ``copy``
    is more than that: it is equal to it."""
    path = resolve(env, path)
    if value == ("term", path, False, "copy"):
        return  # x = x
    level = env.get("level@" + path) if value == ("l", path) else None  # said of the lock that it gets now
    forget(env, path)
    if level is not None:
        env["level@" + path] = level
    if value is not None:
        if not (type(value) is tuple and value[0] == "term" and path in mentions(value[1])):
            env[path] = value
    elif symbolic is not None and path not in mentions(symbolic) and "%" not in symbolic:
        env[path] = ("term", symbolic, turned, "copy") if copy and not turned else ("term", symbolic, turned)


def learn(env: Env, key: str, outcome: bool) -> None:
    """Note that ``key`` is true or false, with what that implies for entry values."""
    held = env.get(key)
    if type(held) is tuple and held[0] == "m":
        env[key] = ("p", *held[1:]) if outcome else 0
        return
    if type(held) is tuple and held[0] in ("e", "p", "l", "&", "k"):
        if not outcome and held[0] != "k":
            env[key] = 0
        return
    if outcome and type(held) is int:
        return
    mark = key.find("#")
    if mark < 0:
        env[key] = "nz" if outcome else 0
        if not outcome and key.startswith("(1==") and is_count(count := key[4:-1]):  # who asks for one of them has some
            env[f"({count}>1)"] = 1
            env.setdefault(count, "nz")
        return
    env[key] = int(outcome)
    for name, value in _IMPLIED.get((key[:mark], int(outcome)), ()):
        env[f"{name}{key[mark:]}"] = value


class Question:
    """A branch condition brought to one key: ``key`` decides it, ``negated`` turns it, ``equals`` is learned when true. ``told`` is
    a predicate and its truth where the condition is one whose answer was known before; ``answered`` the key that decided it then. ``first``
    is the key of the same comparison of what a variable was set to."""

    __slots__ = ("answered", "equals", "first", "key", "known", "negated", "told")

    def __init__(self, key: str | None, negated: bool, known: bool | None, equals: tuple[str, Value] | None,
                 told: tuple[str, bool] | None = None, answered: str | None = None, first: str | None = None) -> None:
        self.told = told
        self.first = first
        self.answered = answered
        self.key = key
        self.negated = negated
        self.known = known
        self.equals = equals


def ask(env: Env, cond: Expr) -> Question:
    """Bring a condition to the key that decides it; ``known`` is the outcome of the condition when already decided."""
    negated = False
    while True:
        tag = cond[0]
        if tag == "!":
            negated, cond = not negated, cond[1]
        elif tag == "op" and cond[1] == "!=":
            negated, cond = not negated, ("op", "==", cond[2], cond[3])
        elif tag == "op" and cond[1] == "==" and is_zero(cond[3]):
            negated, cond = not negated, cond[2]
        elif tag == "op" and cond[1] == "==" and is_zero(cond[2]):
            negated, cond = not negated, cond[3]
        elif tag == "op" and cond[1] == "==" and cond[2][:2] == ("op", "&") and cond[3][0] in "kn" and cond[3] in cond[2][2:]:
            cond = cond[2]  # (x & BIT) == BIT
        elif tag == "op" and cond[1] == "==" and cond[3][:2] == ("op", "&") and cond[2][0] in "kn" and cond[2] in cond[3][2:]:
            cond = cond[3]
        elif tag == "op" and cond[1] == "==" and is_one(cond[3]) and _is_answer(env, cond[2]):
            cond = cond[2]
        else:
            break
    value = evaluate(env, cond)
    known = truth(env, value)
    if known is not None:
        told = (value[1], known != value[2]) if type(value) is tuple and value[0] == "term" and "#" in value[1] else None
        return Question(None, negated, known != negated, None, told)
    if type(value) is tuple and value[0] == "term":
        return _follow(env, value, negated)
    key = _key(env, cond)
    if key is not None:
        held = truth(env, env.get(key))
        if held is None and cond[0] == "op" and cond[1] in _COMPARISONS:
            held = _otherwise(env, cond)
        if held is not None:
            return Question(None, negated, held != negated, None, None, key)
    first = _first(env, cond) if cond[0] == "op" and cond[1] in _COMPARISONS else None
    if first is not None and (held := truth(env, env.get(first))) is not None:
        return Question(None, negated, held != negated, None, None, first)
    return Question(key, negated, None, _equality(env, cond), None, None, first)


def _is_answer(env: Env, expr: Expr) -> bool:
    """Whether an expression is 1 where it is not 0: a negation, a comparison, the answer to a question about an entry or page."""
    if expr[0] == "!" or (expr[0] == "op" and expr[1] in _COMPARISONS):
        return True
    value = evaluate(env, expr) if expr[0] in "vt" else None
    return type(value) is tuple and value[0] == "term" and "#" in value[1] and not value[1].startswith(PAGE_OF)


_COMPARISONS = frozenset({"<", ">", "<=", ">=", "=="})


_ALIKE = {
    "<": (("{1}>{0}", True), ("{0}>={1}", False), ("{1}<={0}", False), ("{1}<{0}", None), ("{0}>{1}", None)),
    ">": (("{1}<{0}", True), ("{0}<={1}", False), ("{1}>={0}", False), ("{1}>{0}", None), ("{0}<{1}", None)),
    "<=": (("{1}>={0}", True), ("{0}>{1}", False), ("{1}<{0}", False)),
    ">=": (("{1}<={0}", True), ("{0}<{1}", False), ("{1}>{0}", False)),
}
"""The same comparison in other words: whether it is as true or as false as that; None: false if that is true."""


def _otherwise(env: Env, cond: Expr) -> bool | None:
    """The answer to a comparison that is known in other words: "a <= b" where "a > b" is known."""
    sides = _text(env, cond[2]), _text(env, cond[3])
    if cond[1] == "==" or None in sides:
        return None
    for form, alike in _ALIKE[cond[1]]:
        known = truth(env, env.get("(" + form.format(*sides) + ")"))
        if known is not None and (alike is not None or known):
            return known if alike else not known
    return None


def _first(env: Env, cond: Expr) -> str | None:
    """The key of a comparison with the number, or the other variable, that a variable was just set to: loops from the same start to the same end
    run equally often."""
    sides = [_start(env, side) for side in cond[2:]]
    if sides[0] is None or sides[1] is None or sides == [side[1] for side in cond[2:]]:
        return None
    if cond[1] == "==":
        sides.sort()
    return f"({sides[0]}{cond[1]}{sides[1]})"


def _start(env: Env, side: Expr) -> str | None:
    """What a side of a comparison was set to."""
    if side[0] != "v":
        return text_of(side) if side[0] in "nk" else None
    held = env.get(side[1])
    if type(held) is int:
        return str(held)
    if type(held) is tuple and held[0] == "term" and len(held) > 3 and not held[2] and held[1].isidentifier():
        return str(held[1])
    return str(side[1])


def _follow(env: Env, value: tuple, negated: bool) -> Question:  # type: ignore[type-arg]
    """Chase "as true as" links to the key at their end."""
    for _ in range(8):
        negated = negated != value[2]
        held = env.get(value[1])
        if type(held) is not tuple or held[0] != "term":
            break
        value = held
    return Question(value[1], negated, None, None)


def _key(env: Env, cond: Expr) -> str | None:
    if cond[0] == "v":
        return resolve(env, cond[1])
    if cond[0] == "t":
        return f"%{cond[1]}"
    if cond[0] == "op" and cond[1] == "==" and cond[2][0] == "v" and cond[3][0] == "k":
        cond = (*cond[:2], ("v", _original(env, cond[2][1])), cond[3])
    if cond[0] == "op" and cond[1] in ("==", "&"):
        texts = sorted(filter(None, (_text(env, cond[2]), _text(env, cond[3]))))
        return f"({texts[0]}{cond[1]}{texts[1]})" if len(texts) == 2 else None
    return _text(env, cond)


def remember(env: Env, cond: Expr, holds: bool = True) -> None:
    """Note that a condition holds, or that it does not, beside what the values in it say."""
    key = _key(env, cond)
    if key is not None:
        env[key] = "nz" if holds else 0


def _original(env: Env, path: str) -> str:
    """What ``path`` is a copy of, if that is a field of what a pointer points to: others ask that field itself."""
    held = env.get(path)
    return held[1] if type(held) is tuple and held[0] == "term" and len(held) > 3 and not held[2] and "->" in held[1] and "(" not in held[1] else path


def _text(env: Env, expr: Expr) -> str | None:
    """The text of an expression, each path by the name of what it is a copy of."""
    if expr[0] == "v":
        return resolve(env, expr[1])
    if expr[0] == "op" and expr[2][0] == "v" and expr[3][0] == "v":
        return f"({resolve(env, expr[2][1])}{expr[1]}{resolve(env, expr[3][1])})"
    return text_of(expr)


def _equality(env: Env, cond: Expr) -> tuple[str, Value] | None:
    if cond[0] == "op" and cond[1] == "==":
        for one, other in ((cond[2], cond[3]), (cond[3], cond[2])):
            if one[0] == "v" and other[0] in ("n", "k"):
                path, value = resolve(env, one[1]), evaluate(env, other)
                held = env.get(path)
                if value is not None and value != "nz" and (type(held) is not tuple or held[0] == "of"):
                    return path, value
    return None


def merge(old: Env, new: Env) -> bool:
    """Keep in ``old`` what both know. True when ``old`` lost something."""
    if old.items() <= new.items():
        return False
    get = new.get
    after: list[tuple[str, Value | None]] = []
    for key, value in old.items():
        other = get(key)
        if other is value or other == value:
            continue
        joined = _join(value, other)
        if joined is None and (_nonzero(value) or _is_true(old, value)) and (_nonzero(other) or _is_true(new, other)):
            joined = _either(value, other)  # type: ignore[arg-type]
        if joined is None or joined != value:
            after.append((key, joined))
    for key, joined in after:
        if joined is None:
            del old[key]
        else:
            old[key] = joined
    return bool(after)


def _is_true(env: Env, value: Value | None) -> bool:
    """Whether a copy is one of something that is not zero."""
    return type(value) is tuple and value[0] == "term" and truth(env, value) is True


def _join(one: Value, other: Value | None) -> Value | None:
    """Two derivations of the same entry value are that value with the bits of both, two plain reads of the same entry that it has not
    changed since are one; otherwise None."""
    if type(one) is tuple and type(other) is tuple and one[0] == other[0] == "e" and one[1] != other[1] and _same_read(one, other):
        one, other = min(one, other), min(one, other)
    if type(one) is tuple and type(other) is tuple and one[0] == other[0] == "e" and one[2] == other[2] == "built" and one[1] != other[1]:
        return ("e", min(one[1], other[1]), "built", "".join(sorted({*one[3]} & {*other[3]})), "")  # made from nothing in either case
    if type(one) is tuple and type(other) is tuple and one[0] == other[0] == "e" and one[1:3] == other[1:3]:
        bits = {*one[3], *other[3]} - ({*"nz"} - ({*one[3]} & {*other[3]}))
        return ("e", one[1], one[2], "".join(sorted(bits)), one[4] if one[4] == other[4] else "")
    if type(one) is tuple and type(other) is tuple and one[0] in "pm" and other[0] in "pm" and one[1] == other[1]:
        return ("p" if one[0] == other[0] == "p" else "m", one[1], *(one[2:] or other[2:]))
    return None


def _same_read(one: tuple, other: tuple) -> bool:  # type: ignore[type-arg]
    """Two ways of reading one entry: huge_ptep_get() here, ptep_get() there."""
    return one[2] == other[2] == "read" and one[3:] == other[3:] and one[4][:1] not in ("", "~")


def _nonzero(value: Value | None) -> bool:
    if type(value) is tuple:
        return value[0] == "of" or (value[0] == "k" and (value[1][:1] == "-" or _is_something(value[1])))
    return value is not None and value != 0


def _either(one: Value, other: Value) -> Value:
    """One of two values, neither of them 0: one of a few numbers if both are."""
    found: list[int] = []
    if _is_negative(one) and _is_negative(other):
        return _NEGATIVE
    for value in (one, other):
        if type(value) is int:
            found.append(value)
        elif type(value) is tuple and value[0] == "of":
            found += value[1:]
        else:
            return "nz"
    return few_of(found) or "nz"


PAGE_OF = "paged#"
"""Before the number of an entry value: its page, or none. Not an answer: it says which page, which a yes or no would lose."""
SAME_PAGE = "same_page("
"""How another handle of a page is written, whichever call of the role table gives it."""
_SAME_PAGE = re.compile(re.escape(SAME_PAGE) + r"(?P<path>[^()]+)\)|&(?P<head>[\w>.-]+)->page$")


def same_page(text: str) -> str:
    """The handle of a page that another one was made from; "" if ``text`` is not such a one."""
    inner = _SAME_PAGE.fullmatch(text)
    return (inner["path"] or inner["head"] or "") if inner is not None else ""


def mapped_by(env: Env, expr: Expr) -> int:
    """The number of the entry value that a page was found through; 0 when it was not found that way."""
    key = text_of(expr) or ""
    for _ in range(5):
        if key.startswith("paged#"):
            return int(key[6:])
        held = env.get(key)
        if type(held) is tuple and held[0] == "term":
            key = str(held[1])
        elif inner := _SAME_PAGE.match(key):
            key = inner["path"] or inner["head"]
        else:
            break
    return 0


def presence(env: Env) -> tuple[tuple[int, Value], ...]:
    """The part of an environment that keeps states apart: whether entries that were read and not changed since, or taken
    out, are present."""
    if "present#" not in "\0".join(env):  # one search in a long text is the fastest way to say no
        return ()
    apart = {}
    for value in env.values():
        if type(value) is tuple and value[0] == "e" and (value[2] == "cleared" or (value[2] == "read" and value[4])):
            known = env.get(f"present#{value[1]}")
            if known is not None:
                apart[value[1]] = known
    return tuple(sorted(apart.items())) if len(apart) > 1 else tuple(apart.items())


def reads_of(env: Env, pointer: str) -> Iterator[tuple]:  # type: ignore[type-arg]
    """Entry values that were plainly read through ``pointer`` and not since."""
    for value in env.values():
        if type(value) is tuple and value[0] == "e" and value[2] == "read" and value[4] == pointer:
            yield value
