"""Operations on one bit of a local word: assignments and questions that happen to be spelled as calls.

A word that others can reach stays with the call, which the role table knows.
"""

from __future__ import annotations

from tlblint.flow import terms
from tlblint.flow.context import Context
from tlblint.model.ir import Expr

_SET, _CLEAR = "|", "&"
_BITS: dict[str, tuple[str, bool]] = {
    **dict.fromkeys(("set_bit", "__set_bit"), (_SET, False)),
    **dict.fromkeys(("clear_bit", "__clear_bit", "clear_bit_unlock"), (_CLEAR, False)),
    **dict.fromkeys(("test_bit", "test_bit_acquire"), ("", True)),
    **dict.fromkeys(("test_and_set_bit", "__test_and_set_bit"), (_SET, True)),
    **dict.fromkeys(("test_and_clear_bit", "__test_and_clear_bit"), (_CLEAR, True)),
}
"""What becomes of the word, and whether the old bit is the value."""


def of_local_word(ctx: Context, name: str, args: tuple[Expr, ...], pos: int) -> Expr | None:
    """The value of ``name(number, &word)`` with a local word, its assignment emitted; None for every other call."""
    if name not in _BITS or len(args) != 2 or args[0][0] not in "nk" or args[1][0] != "&" or args[1][1] not in ctx.locals:
        return None
    change, asks = _BITS[name]
    word: Expr = ("v", args[1][1])
    bit = terms.binary("<<", terms.ONE, args[0])
    old: Expr = ("op", "&", word, bit)
    if not change:
        return old
    if asks:
        kept = ctx.fresh_path()
        ctx.graph.emit(("set", kept, old, pos))
        old = ("v", kept)
    rest: Expr = bit if change == _SET else ("n", ~bit[1]) if bit[0] == "n" else ("~", bit)
    ctx.graph.emit(("set", word[1], ("op", change, word, rest), pos))
    return old
