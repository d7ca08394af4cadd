"""Small edits of functions of the tree, described without their text: what somebody proposed, or what would break them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace
from tree_sitter import Node

from tlblint.predicates import parse
from tlblint.predicates.errors import Inconclusive
from tlblint.predicates.names import Function, Names

_EXCHANGE = re.compile(r"(?:arch_|raw_)*atomic(?:64|_long)?_(?:try_)?cmpxchg(?:_acquire|_release|_relaxed)?")
Token = tuple[str, int]
"""Its text, and where in the unit it comes from."""


class Edit(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One edit of one function. Exactly one of the others is given; all count from 1.

    ``drop``: the statement that calls this is gone. ``first``: the statement that calls the one now stands before the one that calls the other.
    ``always`` / ``never``: this condition of an if is true / false. ``compare``: the n-th ``<`` is ``>``, as [n, "<", ">"], or that before "x".
    ``cmpxchg``: compare-and-exchange is "plain" (it writes without looking), "blind" (it looks, and expects what is there), "deaf" (what it saw
    is dropped).
    """

    function: str
    drop: str = ""
    first: tuple[str, str] | None = None
    always: int = 0
    never: int = 0
    compare: tuple[int | str, str, str] | None = None
    cmpxchg: Literal["", "plain", "blind", "deaf"] = ""


def edited(names: Names, edits: Sequence[Edit]) -> Names:
    """The names with edited functions. Raises Inconclusive when there is nothing that an edit fits."""
    for edit in edits:
        macro = names.unit.last(edit.function)
        found = names.function(edit.function)
        if found is not None:
            names = names.with_function(_edited(found, edit))
        elif macro is not None and edit.compare is not None:
            body = list(macro.body)
            body[_compared(body, edit, edit.compare)] = edit.compare[2]
            names = names.with_macro(replace(macro, body=tuple(body)))
        else:
            raise Inconclusive(f"no {edit.function} to edit")
    return names


def _nth(spots: Sequence[int], n: int, edit: Edit) -> int:
    if not 0 < n <= len(spots):
        raise Inconclusive(f"nothing in {edit.function} is what the edit speaks of")
    return spots[n - 1]


def _compared(source: Sequence[str], edit: Edit, wanted: tuple[int | str, str, str]) -> int:
    """The number of the operator that is meant."""
    which, operator, _ = wanted
    spots = [index for index, text in enumerate(source) if text == operator]
    if isinstance(which, int):
        return _nth(spots, which, edit)
    behind = which.split()
    return _nth([index for index in spots if list(source[index + 1 : index + 1 + len(behind)]) == behind], 1, edit)


def _edited(function: Function, edit: Edit) -> Function:
    body, raw, prefix = parse.body_of(function)
    ends = [*(offset - 1 for offset in function.offsets[1:]), len(function.body)]
    tokens = [(function.body[start:end], at) for start, end, at in zip(function.offsets, ends, function.origins, strict=True)]

    def span(node: Node) -> tuple[int, int]:
        return bisect_left(function.offsets, node.start_byte - prefix), bisect_left(function.offsets, node.end_byte - prefix)

    def calls(name: str) -> list[Node]:
        return [node for node in _walk(body) if node.type == "call_expression" and _callee(node, raw) == name]

    def statement(name: str) -> Node:
        found = calls(name)
        if not found:
            raise Inconclusive(f"nothing in {edit.function} is what the edit speaks of")
        return _statement(found[0])

    if edit.drop:
        start, end = span(statement(edit.drop))
        tokens[start:end] = [(";", tokens[start][1])]
    elif edit.first is not None:
        moved, anchor = statement(edit.first[0]), statement(edit.first[1])
        moved, anchor = _siblings(moved, anchor)
        (start, end), (at, _) = span(moved), span(anchor)
        taken = tokens[start:end]
        tokens = [*tokens[:at], *taken, *tokens[at:start], *tokens[end:]]
    elif edit.always or edit.never:
        conditions = [node.child_by_field_name("condition") for node in _walk(body) if node.type == "if_statement"]
        node = conditions[_nth(range(len(conditions)), edit.always or edit.never, edit)]
        assert node is not None
        start, end = span(node)
        tokens[start:end] = [(text, tokens[start][1]) for text in ("(", str(int(bool(edit.always))), ")")]
    elif edit.compare is not None:
        index = _compared([text for text, _ in tokens], edit, edit.compare)
        tokens[index] = (edit.compare[2], tokens[index][1])
    else:
        found = [node for node in _walk(body) if node.type == "call_expression" and _EXCHANGE.fullmatch(_callee(node, raw))]
        _nth(range(len(found)), 1, edit)
        for node in reversed(found):
            start, end = span(node)
            arguments = node.child_by_field_name("arguments")
            assert arguments is not None
            tokens[start:end] = _weakened(edit.cmpxchg, _callee(node, raw), tokens, [span(child) for child in arguments.named_children])
    return _made(function, tokens)


def _weakened(how: str, name: str, tokens: list[Token], arguments: Sequence[tuple[int, int]]) -> list[Token]:
    """A compare-and-exchange that is none; ``arguments`` are where its three arguments stand."""
    at, old, new = (tokens[start:end] for start, end in arguments)
    origin = at[0][1]
    base = name[: name.index("cmpxchg")]
    tries = base.endswith("try_")
    base = base.removesuffix("try_")

    def t(*texts: str) -> list[Token]:
        return [(text, origin) for text in texts]

    whole = [*t(name, "("), *at, *t(","), *old, *t(","), *new, *t(")")]
    seen = t("1") if tries else [*t("("), *old, *t(")")]
    if how == "deaf":
        return [*t("("), *whole, *t(","), *seen, *t(")")]
    if how == "blind" and not tries:
        return [*t(name, "("), *at, *t(",", f"{base}read", "("), *at, *t(")", ","), *new, *t(")")]
    return [*t("(", f"{base}set", "("), *at, *t(","), *new, *t(")", ","), *seen, *t(")")]


def _made(function: Function, tokens: Sequence[Token]) -> Function:
    offsets, size = [], 0
    for text, _ in tokens:
        offsets.append(size)
        size += len(text) + 1
    return replace(function, body=" ".join(text for text, _ in tokens), offsets=tuple(offsets), origins=tuple(at for _, at in tokens))


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _callee(node: Node, raw: bytes) -> str:
    callee = node.child_by_field_name("function")
    return raw[callee.start_byte : callee.end_byte].decode("latin-1") if callee is not None else ""


def _statement(node: Node) -> Node:
    while not node.type.endswith("_statement") or node.type == "compound_statement":
        assert node.parent is not None
        if node.type == "declaration":
            break
        node = node.parent
    while node.parent is not None and node.parent.type == "if_statement" and node.type == "expression_statement":
        node = node.parent  # what a condition guards goes with it
    return node


def _siblings(moved: Node, anchor: Node) -> tuple[Node, Node]:
    """Both lifted until they stand in the same block."""
    above: Mapping[int, Node] = {node.parent.id: node for node in _up(anchor) if node.parent is not None}
    for node in _up(moved):
        if node.parent is not None and node.parent.type == "compound_statement" and node.parent.id in above:
            return node, above[node.parent.id]
    raise Inconclusive("an edit of statements that share no block")


def _up(node: Node | None) -> Iterator[Node]:
    while node is not None:
        yield node
        node = node.parent
