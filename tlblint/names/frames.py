"""Where the directives of a file stand, found once: so that who cuts it down to some names looks at what these touch and at nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from tlblint.names.pieces import Piece

OPENING = frozenset(("if", "ifdef", "ifndef"))
TURNING = frozenset(("elif", "else", "elifdef", "elifndef"))
INCLUDES = frozenset(("include", "include_next"))


class Frame(msgspec.Struct):
    """Indices of pieces. ``made``: of the #define and #undef of each name; ``includes``, ``once``, ``texts``: of these; ``around``: for each piece the
    group that it stands in, -1 outside. A group is a condition with all its arms: ``arms`` are its directives, ``above`` the group around it, and
    ``unclosed`` are those that nothing ends."""

    made: dict[str, list[int]] = msgspec.field(default_factory=dict)
    includes: list[int] = msgspec.field(default_factory=list)
    once: list[int] = msgspec.field(default_factory=list)
    texts: list[int] = msgspec.field(default_factory=list)
    around: list[int] = msgspec.field(default_factory=list)
    arms: list[list[int]] = msgspec.field(default_factory=list)
    above: list[int] = msgspec.field(default_factory=list)
    unclosed: list[int] = msgspec.field(default_factory=list)

    def with_conditions(self, indices: Iterable[int]) -> list[int]:
        """Some pieces and the directives of all groups around them, in the order of the file; groups without an end count always."""
        out = list(indices)
        groups: set[int] = set(self.unclosed)
        above, around = self.above, self.around
        for index in out:
            group = around[index]
            while group >= 0 and group not in groups:
                groups.add(group)
                group = above[group]
        for group in groups:
            out += self.arms[group]
        out.sort()
        return out


def framed(parts: Sequence[Piece], heads: Sequence[str]) -> Frame:
    """The frame of a file. ``heads``: for each piece the name that a #define or #undef is of, the file that an #include asks for; else ""."""
    out = Frame()
    around, arms, above = out.around, out.arms, out.above
    now = -1
    for index, part in enumerate(parts):
        word = part.word
        around.append(now)
        if not word:
            out.texts.append(index)
        elif word == "define" or word == "undef":
            out.made.setdefault(heads[index], []).append(index)
        elif word in OPENING:
            arms.append([index])
            above.append(now)
            now = len(arms) - 1
        elif word == "endif" or word in TURNING:
            if now >= 0:
                arms[now].append(index)
                now = above[now] if word == "endif" else now
        elif word in INCLUDES:
            if heads[index]:
                out.includes.append(index)
        elif word == "pragma" and part.text.strip() == "once":
            out.once.append(index)
    while now >= 0:
        out.unclosed.append(now)
        now = above[now]
    return out
