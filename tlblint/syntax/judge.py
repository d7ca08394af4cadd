"""Parse prepared slices, repair what is cheap to repair, and decide which functions were understood (step 9)."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec
from tree_sitter import Node, Parser, Tree

from tlblint.syntax import grammar
from tlblint.syntax.language import C
from tlblint.syntax.patterns import blank

_ROUNDS = 3
_LONE = re.compile(rb"\s*([A-Za-z_]\w*)\s*(?:\([\w\s,.>*&-]*\))?\s*")
_ANNOTATION = re.compile(rb"__\w+|[A-Z][A-Z0-9_]+")


class Verdict(msgspec.Struct, frozen=True):
    """The definition's node, or None with the reason in ``why``. With a node, ``why`` is a remark or empty."""

    node: Node | None
    why: str


def judge(buf: bytearray, slices: Iterable[tuple[int, int]]) -> list[Verdict]:
    """One verdict per slice; each is parsed by itself. ``buf`` may be edited (same length) inside slices that needed repair."""
    parser, text = Parser(C), bytes(buf)
    return [_judge(parser, text, buf, limits) for limits in slices]


def _judge(parser: Parser, text: bytes, buf: bytearray, limits: tuple[int, int]) -> Verdict:
    """Blanks identifiers that the parser stumbles over, and tries again."""
    verdict = Verdict(None, "not parsed")
    for _ in range(_ROUNDS + 1):
        tree = grammar.parse(parser, text, *limits)
        verdict, faults = _look(buf, tree, limits)
        if verdict.node is not None or not _repair(buf, faults, limits):
            break
        text = bytes(buf)
    return verdict


def _definition(buf: bytearray, tree: Tree, limits: tuple[int, int]) -> Node | None:
    """The one function_definition of a slice, or None if there is not exactly one with nothing beside it."""
    nodes = [child for child in tree.root_node.children if child.type not in (";", "comment")]
    if len(nodes) != 1 or nodes[0].kind_id != grammar.DEFINITION or buf[limits[0] : nodes[0].start_byte].strip(b" \t\n;"):
        return None
    return nodes[0]


def _look(buf: bytearray, tree: Tree, limits: tuple[int, int]) -> tuple[Verdict, list[Node]]:
    faults = list(grammar.faults(tree.root_node))
    node = _definition(buf, tree, limits)
    errors = [f for f in faults if not (f.is_missing and f.type == ";")]
    if node is None or errors:
        return Verdict(None, _reason(buf, errors, limits)), errors
    shapes = grammar.silent_misparses(node, buf)
    if shapes:
        return Verdict(None, shapes[0][1]), []
    return Verdict(node, "a semicolon is missing" if faults else ""), []


def _reason(buf: bytearray, errors: list[Node], limits: tuple[int, int]) -> str:
    if not errors:
        return "no definition was recognised"
    line = buf.count(b"\n", limits[0], errors[0].start_byte) + 1
    return f"syntax not understood in its line {line}"


def _repair(buf: bytearray, errors: list[Node], limits: tuple[int, int]) -> bool:
    """Blank error nodes that are one lone identifier: in the header any, in the body only what is spelt like an annotation."""
    brace = buf.find(b"{", *limits)
    done = False
    for node in errors:
        start, end = node.start_byte, node.end_byte
        lone = _LONE.fullmatch(buf, start, end) if end > start else None
        if lone is None or (start > brace and not _ANNOTATION.fullmatch(lone.group(1))):
            continue
        blank(buf, start, end)
        done = True
    return done
