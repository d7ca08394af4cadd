"""The lowered form makes the same calls, with the same arguments, as the program it came from."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tree_sitter import Parser

from tests.flow.direct import Direct, Exhausted, Oracle, Stop, Tree
from tests.flow.machine import Machine, check_shape
from tests.flow.programs import programs, source
from tlblint.flow.lower import lower
from tlblint.model.ir import Function
from tlblint.syntax.language import C

PARSER = Parser(C)


def lowered(program: Tree) -> Function:
    text, raw = source(program)
    node = PARSER.parse(text).root_node.children[0]
    assert not node.has_error, text.decode()
    function, doubts = lower(node, text, raw, "x.c", 0, ())
    assert doubts == ()
    return function


def observed(run: Callable[[Oracle], None], seed: int) -> tuple[list[Tree], bool]:
    """The trace, and whether the run came to its end."""
    oracle = Oracle(seed)
    try:
        run(oracle)
    except Stop:
        oracle.trace.append(("stop",))
    except Exhausted:
        return oracle.trace, False
    return oracle.trace, True


def agree(program: Tree, function: Function, seed: int) -> None:
    want, want_ended = observed(lambda oracle: Direct(oracle).run(program), seed)
    got, got_ended = observed(lambda oracle: Machine(oracle).run(function), seed)
    common = min(len(want), len(got))
    assert got[:common] == want[:common]
    if want_ended and got_ended:
        assert got == want
    elif want_ended:
        assert len(got) < len(want), "the graph goes on where the program has ended"
    elif got_ended:
        assert len(want) < len(got), "the graph ends where the program goes on"


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(program=programs(), seed=st.integers(0, 10_000))
def test_same_calls_as_the_program(program: Tree, seed: int) -> None:
    function = lowered(program)
    check_shape(function)
    for offset in range(8):
        agree(program, function, seed + offset)
