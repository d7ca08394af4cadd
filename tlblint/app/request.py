"""What a check is asked for, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from tlblint.app.shard import Rest, Shard
    from tlblint.io import config
    from tlblint.report.view import Report

Progress = Callable[[str, int, int], None]


def silent(what: str, done: int, total: int) -> None:
    """No progress."""


def unheard(text: str) -> None:
    """Nobody wants to know."""


class Request(msgspec.Struct, frozen=True):
    """What to check. ``flags``: settings given on the command line; see io.config.KEYS. ``preview``: run preview rules.
    ``excused``: find out what contracts keep quiet, which takes a second judging. ``shard``:
    report on a part of that, without the baseline. ``note`` is told what does not change a finding, ``stage`` what begins.
    ``executor``: "dask://HOST:PORT", a cluster that reads the files; "": this machine does."""

    cwd: str
    paths: tuple[str, ...] = ()
    tree: str | None = None
    revision: str | None = None
    flags: Mapping[str, Any] = msgspec.field(default_factory=dict)
    update_baseline: bool = False
    debug: bool = False
    progress: Progress = silent
    preview: bool = False
    excused: bool = False
    shard: Shard | None = None
    executor: str = ""
    note: Callable[[str], None] = unheard
    stage: Callable[[str], None] = unheard


class Outcome(msgspec.Struct, frozen=True):
    """A report, the settings it was made under, and the top of the tree that its paths start at. ``rest`` is what shards are put together by."""

    report: Report
    settings: config.Settings
    top: str
    rest: Rest | None = None
    place: Callable[[str], str] | None = None
    """How to show a path of the tree, when not as seen from the current directory."""
    command: str = ""
    """The command line that makes the report, when it is not that of this run."""
