"""Prototypes and definitions of functions that a series touches, side by side."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from tlblint.hooks.changed import Outline, functions
from tlblint.hooks.judge import Fault
from tlblint.names.signatures import Signature, disagree, parameters


class Head(NamedTuple):
    """A prototype or definition that others can see."""

    path: str
    kind: str
    signature: Signature | None


def faults(paths: Iterable[str], outline: Callable[[str], Outline | None], raw: Callable[[str], bytes | None], names: Collection[str]) -> list[Fault]:
    """A fault for each definition of ``names`` that a prototype contradicts. ``raw``: the bytes of a file."""
    heads: dict[str, list[Head]] = {}
    for path in paths:
        for name, found in functions(outline(path), names).items():
            own = [Head(path, kind, parameters(head, name)) for kind, head in found if "static" not in head.split("(", 1)[0].split()]
            heads.setdefault(name, []).extend(own)
    return [fault for name, found in sorted(heads.items()) for fault in _of(name, found, raw)]


def _of(name: str, heads: Collection[Head], raw: Callable[[str], bytes | None]) -> list[Fault]:
    out = []
    for made in (head for head in heads if head.kind == "function" and head.path.endswith(".c")):
        for said in (head for head in heads if head.kind == "prototype" and head.path.endswith(".h") and _meant(head.path, made.path)):
            if disagree(made.signature, said.signature):
                message = f"{name}() is defined with ({_words(made)}), and {said.path} declares it with ({_words(said)})."
                out.append(Fault("prototype", f"{name} {made.path}", made.path, _line(raw(made.path) or b"", name), message))
                break
    return out


def _meant(header: str, source: str) -> bool:
    """Whether a prototype can be that of a definition: both generic, or not of different architectures."""
    arches = [path.split("/")[1] if path.startswith("arch/") else "" for path in (header, source)]
    return not arches[0] or arches[0] == arches[1]


def _words(head: Head) -> str:
    return ", ".join(head.signature) if head.signature else "void"


def _line(raw: bytes, name: str) -> int:
    """The line on which a definition names its function."""
    for found in re.finditer(rb"\b" + name.encode() + rb"[ \t]*\(", raw):
        rest = raw[found.end() : found.end() + 2000]
        end = min((at for at in (rest.find(b";"), rest.find(b"{")) if at >= 0), default=-1)
        if end >= 0 and rest[end : end + 1] == b"{" and b"\n}" not in rest[:end]:
            return raw.count(b"\n", 0, found.start()) + 1
    return 1
