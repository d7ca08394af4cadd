"""A part of a check that runs by itself: which files it reports on, and the document from which ``tlblint merge`` makes one report.

Every shard reads the whole tree, because callers and helpers decide; it judges only what reaches its files. Which shard a file belongs to
depends on its path alone.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from tlblint.io.config import Settings
from tlblint.io.errors import InputError
from tlblint.io.tree import Listing
from tlblint.model.digest import blake2b
from tlblint.model.finding import Finding
from tlblint.report.graph_view import GraphView
from tlblint.report.view import Place, Report

SCHEMA = "tlblint-shard/1"
MOST = 10_000


class Shard(msgspec.Struct, frozen=True):
    """Part ``number`` (1-based) of ``of``."""

    number: int
    of: int

    def __contains__(self, path: str) -> bool:
        name = blake2b(path.encode("utf-8", "surrogateescape"), digest_size=8).digest()
        return int.from_bytes(name) % self.of == self.number - 1


def parse(text: str) -> Shard:
    """``2/4``. Raises InputError."""
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]) <= MOST:
        raise InputError(f"--shard {text}", "not a part of a whole", f"write --shard 2/4 for the second of four; at most {MOST}")
    return Shard(int(match[1]), int(match[2]))


class Rest(msgspec.Struct, frozen=True):
    """What putting shards together takes beside their reports. ``tree``: a digest of all that was read. ``roots``: the PATHs, from the top.

    ``judged`` are the rules of which silence means something, ``unsure`` the paths with gaps; ``partial`` and ``lost`` count functions.
    """

    tree: str
    roots: tuple[str, ...]
    judged: tuple[str, ...]
    unsure: tuple[str, ...]
    partial: int
    lost: int
    plain: tuple[Finding, ...] = ()
    """The findings of the report, in its order, as they were before simulation, which passes over what a baseline knows; () without one."""


class Part(msgspec.Struct, frozen=True):
    """One shard as it is written. ``settings`` are those that printing and the exit status need, by name with their origin.

    ``asked`` is what else must be the same in all of them. ``top`` and ``cwd`` are each seen from the other: they
    turn paths of the tree into those to show. ``baseline`` is that file's bytes, None when none was named. ``command`` is the command line
    without the option.
    """

    schema: str
    shard: Shard
    asked: Mapping[str, Any]
    settings: Mapping[str, tuple[Any, str]]
    top: str
    cwd: str
    baseline: bytes | None
    command: str
    rest: Rest
    report: Report
    graphs: tuple[tuple[Place, GraphView], ...] = ()
    """Those of the report, which has none itself: JSON has no keys of many parts."""


def digest(context: Listing, contents: Mapping[str, bytes]) -> str:
    """A name for the files that a run saw: equal names, equal trees."""
    state = blake2b(digest_size=16)
    for path in context.paths:
        state.update(path.encode("utf-8", "surrogateescape") + b"\0")
    for path in sorted(contents):
        state.update(b"\0" + path.encode("utf-8", "surrogateescape") + b"\0" + blake2b(contents[path]).digest())
    return state.hexdigest()


SETTINGS = ("format", "fail-on", "fail-on-incomplete", "color", "baseline")


def part(
    report: Report, rest: Rest, settings: Settings, shard: Shard, top: str, cwd: str, asked: Mapping[str, Any], baseline: bytes | None, command: str
) -> Part:
    """The shard of a run that was made for it. ``asked``: what else it was asked. ``baseline``: the bytes of the file that the
    settings name."""
    chosen = {name: list(settings[name].value) for name in ("profile", "select", "ignore")}
    return Part(
        schema=SCHEMA,
        shard=shard,
        asked={**chosen, **asked},
        settings={name: (settings[name].value, settings[name].origin) for name in SETTINGS},
        top=os.path.relpath(top, cwd),
        cwd=os.path.relpath(cwd, top),
        baseline=baseline,
        command=command,
        rest=rest,
        report=replace(report, graphs={}),
        graphs=tuple(report.graphs.items()),
    )


def dump(one: Part) -> bytes:
    """The document. ASCII, so that file names of any bytes survive."""
    return json.dumps(msgspec.to_builtins(one), separators=(",", ":")).encode("ascii") + b"\n"


def load(raw: bytes, name: str) -> Part:
    """The shard in a document. Raises InputError."""
    try:
        found = json.loads(raw)
        if not isinstance(found, dict) or found.get("schema") != SCHEMA:
            raise InputError(name, "not a shard of a check", "name files that 'tlblint check --shard' printed")
        return msgspec.convert(found, Part, strict=True)
    except (ValueError, RecursionError, msgspec.ValidationError):
        raise InputError(name, "not a whole shard of a check", "it may be cut off, or of another version: run that shard again") from None


def placed(one: Part, path: str) -> str:
    """A path of the tree as the run of that shard would have shown it."""
    if not one.cwd.startswith(".."):
        return os.path.relpath(f"/{path}", os.path.join("/", one.cwd))
    return os.path.normpath(os.path.join(one.top, path))
