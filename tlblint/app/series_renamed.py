"""Functions with a role that a series calls otherwise: the role goes with the body.

What a name stands for is in the role tables. Where a patch gives an API function another name and changes nothing else, the new name means
what the old one did. Looks at text alone, before anything is analysed: the names decide what is read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

import msgspec

from tlblint.io.apply import Applied
from tlblint.io.tree import Tree, is_c, read_all

_ASIDE = re.compile(rb'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"' rb"|'(?:\\.|[^'\\\n])*'", re.S)
_DEFINITION = re.compile(rb"^(?:[A-Za-z_][^;{}=#]*?\b)?(?P<name>[A-Za-z_]\w*)[ \t]*(?P<params>\([^;{}]*\))\s*\{", re.M)
_BEGINS = re.compile(rb"[A-Za-z_].*?\b(\w+)\(|(\w+)\(")
_TOKEN = re.compile(rb"\w+|\S")
ALIKE = 0.6
"""Share of its text that a function keeps when it is told to have been renamed and changed."""

_Body = tuple[tuple[bytes, ...], tuple[bytes, ...]]
"""The words of a function: parameters, and what stands between its braces."""


class Renamed(msgspec.Struct):
    """``names``: new name -> the one that it had in the base. ``notes``: sentences."""

    names: dict[str, str] = msgspec.field(default_factory=dict)
    notes: list[str] = msgspec.field(default_factory=list)


def renamed(tree: Tree, applied: Sequence[Applied], known: Collection[str]) -> Renamed:
    """What becomes of the functions ``known`` by name. Files are read only where a line goes on which one of them could begin."""
    out = Renamed()
    texts: dict[str, bytes | None] = {}
    for number, step in enumerate(applied, 1):
        paths = sorted(path for path in step.changed if is_c(path))
        texts.update(_base(tree, [path for path in paths if path not in texts]))
        before = {path: texts.get(path) or b"" for path in paths}
        after = {path: step.changed[path] or b"" for path in paths}
        texts.update(after)
        wanted = {name.encode() for name in (*known, *out.names)}
        if any(not wanted.isdisjoint(_begun(before[path], after[path])) for path in paths):
            _follow(number, _definitions(before.values()), _definitions(after.values()), wanted, out)
    return out


def _base(tree: Tree, paths: list[str]) -> dict[str, bytes | None]:
    return {**dict.fromkeys(paths), **read_all(tree, [path for path in paths if tree.holds(path) == "file"])[0]}


def _begun(before: bytes, after: bytes) -> set[bytes]:
    """Names of functions that could begin on a line that is gone."""
    gone = set(before.split(b"\n")).difference(after.split(b"\n"))
    return {match[1] or match[2] for line in gone if (match := _BEGINS.match(line)) is not None}


def _definitions(texts: Iterable[bytes]) -> dict[bytes, list[_Body]]:
    out: dict[bytes, list[_Body]] = {}
    for raw in texts:
        for name, body in _defined(_ASIDE.sub(_blank, raw)):
            out.setdefault(name, []).append(body)
    return out


def _blank(match: re.Match[bytes]) -> bytes:
    """Of literals what they say, of the rest nothing."""
    return match[0] if match[0][:1] in b"\"'" else b" "


def _defined(text: bytes) -> Iterator[tuple[bytes, _Body]]:
    for match in _DEFINITION.finditer(text):
        line_end = text.find(b"\n", match.end())
        short = text.rfind(b"}", match.end(), line_end if line_end >= 0 else len(text))
        end = short if short >= 0 else text.find(b"\n}", match.end())
        yield match["name"], (tuple(_TOKEN.findall(match["params"])), tuple(_TOKEN.findall(text[match.end() : end if end >= 0 else len(text)])))


def _follow(number: int, old: Mapping[bytes, list[_Body]], new: Mapping[bytes, list[_Body]], wanted: set[bytes], out: Renamed) -> None:
    """Add what one patch renames, and sentences on what it also changes."""
    gone = sorted((old.keys() - new.keys()) & wanted)
    fresh = sorted(new.keys() - old.keys() - wanted)
    pairs = {(here, there): implied for here in gone for there in fresh if (implied := _implied(old[here], new[there])) is not None}
    while loose := [pair for pair, implied in pairs.items() if not implied <= pairs.keys()]:
        for pair in loose:
            del pairs[pair]
    taken = {here: [there for one, there in pairs if one == here] for here in gone}
    for here in gone:
        was = out.names.pop(here.decode(), here.decode())
        if len(taken[here]) == 1 and sum(taken[here] == theirs for theirs in taken.values()) == 1:
            out.names[taken[here][0].decode()] = was
            out.notes.append(f"{taken[here][0].decode()}() is taken to be what {was}() was: patch {number} changes nothing but the name")
        elif (there := _changed(old[here], {name: new[name] for name in fresh})) is not None:
            out.notes.append(f"patch {number} makes {there.decode()}() of {was}() and changes it: what is known of {was}() is not taken to hold for it")


def _implied(old: list[_Body], new: list[_Body]) -> set[tuple[bytes, bytes]] | None:
    """The other renamings that make two functions equal, in every one of their definitions; None where nothing does."""
    if len(old) != len(new):
        return None
    out: set[tuple[bytes, bytes]] = set()
    for one, other in zip(old, new, strict=True):
        if one[0] != other[0] or len(one[1]) != len(other[1]):
            return None
        out.update((here, there) for here, there in zip(one[1], other[1], strict=True) if here != there)
    return out


def _changed(old: list[_Body], fresh: Mapping[bytes, list[_Body]]) -> bytes | None:
    """The new function that most looks like the old one, if one does."""
    rows = [(SequenceMatcher(None, old[0][1], bodies[0][1], autojunk=False).ratio(), name) for name, bodies in fresh.items()
            if bodies[0][0].count(b",") == old[0][0].count(b",")]  # fmt: skip
    ratio, name = max(rows, default=(0.0, b""))
    return name if ratio >= ALIKE else None
