"""Hunks that are applied without git give what git gives; where git would refuse, or find another place, git is asked."""

from __future__ import annotations

import difflib
import random
from collections.abc import Mapping

import pytest

from tlblint.io import apply_exact, apply_git
from tlblint.io.errors import InputError
from tlblint.io.series_diff import parse_diff
from tlblint.model.series import FilePatch

TEXTS = (b"a\n", b"b\n", b"{\n", b"}\n", b"\n", b"\tx = 1;\r\n", b"\x0c\n", b"\x00\n", b"--- a\n", b"+ b\n", b"\\ c\n")


def file(dice: random.Random) -> list[bytes]:
    """A file of lines that are often alike."""
    lines = [dice.choice(TEXTS) for _ in range(dice.randrange(30))]
    return lines + ([b"no newline"] if dice.random() < 0.2 else [])


def edited(lines: list[bytes], dice: random.Random) -> list[bytes]:
    out = list(lines)
    for _ in range(dice.randrange(1, 4)):
        at = dice.randrange(len(out) + 1)
        out[at : at + dice.randrange(3)] = [dice.choice(TEXTS) for _ in range(dice.randrange(3))]
    return out


def diff(before: list[bytes], after: list[bytes], context: int) -> bytes:
    made = list(difflib.diff_bytes(difflib.unified_diff, before, after, b"a/f.c", b"b/f.c", n=context))
    out = [line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in made]
    return b"diff --git a/f.c b/f.c\n" + b"".join(out)


def spoiled(text: bytes, dice: random.Random) -> bytes:
    """A diff with a line of it gone, twice, changed, or with another number in a header."""
    lines = text.splitlines(keepends=True)
    at = dice.randrange(3, len(lines))
    kind = dice.choice(["gone", "twice", "other", "number", "more"])
    if kind == "number" and lines[at].startswith(b"@@"):
        digits = [place for place in range(len(lines[at])) if lines[at][place : place + 1].isdigit()]
        place = dice.choice(digits)
        lines[at] = lines[at][:place] + str(dice.randrange(10)).encode() + lines[at][place + 1 :]
    elif kind == "more":
        lines.append(dice.choice([b"-- \n", b"2.1\n", b" \n", b"+a\n", b"@@ -1 +1 @@\n"]))
    else:
        lines[at : at + 1] = {"gone": [], "twice": [lines[at]] * 2}.get(kind, [lines[at][:1] + b"z\n"])
    return b"".join(lines)


def both(before: bytes, text: bytes) -> tuple[Mapping[str, bytes | None] | None, apply_git.Outcome] | None:
    sections = read(text)
    if sections is None:
        return None
    return apply_exact.apply({"f.c": before}, sections), apply_git.apply({"f.c": before}, sections)


def read(text: bytes) -> tuple[FilePatch, ...] | None:
    try:
        return parse_diff(text, "x")
    except InputError:  # never comes that far
        return None


@pytest.mark.parametrize("seed", range(6))
def test_what_is_applied_is_what_git_applies(seed: int) -> None:
    dice = random.Random(seed)
    exact = 0
    for _ in range(40):
        before = file(dice)
        after = edited(before, dice)
        if before == after:
            continue
        text = diff(before, after, dice.choice([0, 1, 3, 3]))
        whole = b"".join(before)
        if dice.random() < 0.5:
            text = spoiled(text, dice)
        if dice.random() < 0.2:
            whole = dice.choice(TEXTS) + whole
        found = both(whole, text)
        if found is not None and found[0] is not None:
            exact += 1
            assert found[1].files == found[0] and found[1].offset == 0, text
    assert exact > 5
