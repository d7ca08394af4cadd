"""Parse prepared slices, repair what is cheap to repair, and decide which functions were understood (step 9)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

import msgspec
from tree_sitter import Node, Tree

from tlblint.syntax import grammar
from tlblint.syntax.patterns import blank

_ROUNDS = 3
_BATCH = 400  # the parser looks through the list of slices, so a long one would cost more than linear time
_LONE = re.compile(rb"\s*([A-Za-z_]\w*)\s*(?:\([\w\s,.>*&-]*\))?\s*")
_ANNOTATION = re.compile(rb"__\w+|[A-Z][A-Z0-9_]+")


class Verdict(msgspec.Struct, frozen=True):
    """The definition's node, or None with the reason in ``why``. With a node, ``why`` is a remark or empty."""

    node: Node | None
    why: str


def judge(buf: bytearray, slices: Sequence[tuple[int, int]]) -> list[Verdict]:
    """One verdict per slice. ``buf`` may be edited (same length) inside slices that needed repair."""
    verdicts: list[Verdict] = []
    for first in range(0, len(slices), _BATCH):
        verdicts += _judge_batch(buf, slices[first : first + _BATCH])
    return verdicts


def _judge_batch(buf: bytearray, slices: Sequence[tuple[int, int]]) -> list[Verdict]:
    tree = grammar.parse(bytes(buf), slices)
    nodes = _definitions(buf, tree, slices)
    shapes = _by_slice(grammar.silent_misparses(tree.root_node, buf), slices)
    verdicts = []
    for at, limits in enumerate(slices):
        node = nodes[at]
        whole = node is not None and not node.has_error and at not in shapes
        verdicts.append(Verdict(node, "") if whole else _alone(buf, limits))
    return verdicts


def _by_slice(shapes: list[tuple[int, str]], slices: Sequence[tuple[int, int]]) -> dict[int, str]:
    starts = [start for start, _ in slices]
    return {bisect_right(starts, offset) - 1: why for offset, why in shapes}


def _definitions(buf: bytearray, tree: Tree, slices: Sequence[tuple[int, int]]) -> list[Node | None]:
    """For each slice its one function_definition, or None if there is not exactly one with nothing beside it.

    Something unfinished at the end of a slice can take the first function of the next one into itself.
    """
    starts = [start for start, _ in slices]
    inside: list[list[Node]] = [[] for _ in slices]
    for child in tree.root_node.children:
        at = bisect_right(starts, child.start_byte) - 1
        if at >= 0 and child.type not in (";", "comment"):
            inside[at].append(child)
    found: list[Node | None] = []
    for nodes, (start, end) in zip(inside, slices, strict=True):
        whole = len(nodes) == 1 and nodes[0].kind_id == grammar.DEFINITION and nodes[0].end_byte <= end
        whole = whole and not buf[start : nodes[0].start_byte].strip(b" \t\n;")
        found.append(nodes[0] if whole else None)
    return found


def _alone(buf: bytearray, limits: tuple[int, int]) -> Verdict:
    """Parse one slice by itself; blank identifiers that the parser stumbles over and try again."""
    verdict = Verdict(None, "not parsed")
    for _ in range(_ROUNDS + 1):
        tree = grammar.parse(bytes(buf), [limits])
        verdict, faults = _look(buf, tree, limits)
        if verdict.node is not None or not _repair(buf, faults, limits):
            break
    return verdict


def _look(buf: bytearray, tree: Tree, limits: tuple[int, int]) -> tuple[Verdict, list[Node]]:
    faults = list(grammar.faults(tree.root_node))
    node = _definitions(buf, tree, [limits])[0]
    errors = [f for f in faults if not (f.is_missing and f.type == ";")]
    if node is None or errors:
        return Verdict(None, _reason(buf, errors, limits)), errors
    shapes = grammar.silent_misparses(tree.root_node, buf)
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
