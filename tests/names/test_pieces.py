"""Comments go away and literals stay, whichever way they are told apart."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlblint.names.pieces import pieces, split

_ASIDE = re.compile(r"""//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
"""One after the other, as a compiler goes."""
WORDS = ("/*", "*/", "//", "/", "*", '"', "'", "\\", "\n", "\\\n", " ", "a", "#", "\n#define x ", "\n# include <a.h>\n")


def plain(text: str) -> str:
    return _ASIDE.sub(lambda found: found[0] if found[0][0] != "/" else "\n" * found[0].count("\n") or " ", text)


@given(st.lists(st.sampled_from(WORDS), max_size=24).map("".join))
def test_comments_are_told_from_literals(text: str) -> None:
    assert split(text.encode()) == split(plain(text).encode()), "without its comments a file is split as with them"
    whole = "".join(part.text for part in pieces(text.encode()) if not part.word)
    assert all(word in plain(text) for word in whole.split())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('char *a = "/* no comment */"; /* one */\n', 'char *a = "/* no comment */";  \n'),
        ("/* don't */ int a; // don't\n", "  int a;  \n"),
        ('a = "x \\\n /* still in it */";\n', 'a = "x \\\n /* still in it */";\n'),
        ("a '/* b' c /* d */\n", "a '/* b' c  \n"),
        ("a /* 1\n2 */ b\n", "a \n b\n"),
        ("a /* without an end\n", "a \n"),
    ],
)
def test_what_is_left(text: str, left: str) -> None:
    assert split(text.encode()) == ["\n" + left]
