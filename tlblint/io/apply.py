"""A series applied patch by patch, in memory and a private temporary directory. The user's repository is only read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tlblint.io.errors import InputError
from tlblint.io.tree import Tree
from tlblint.model.series import Patch, Series


@dataclass(frozen=True, slots=True)
class Applied:
    """The state after one patch. ``changed``: full new content of the files that this patch touches, None for deleted ones.

    ``fit`` is "clean", "offset N" (the largest distance in lines, signed), or "3-way". ``notes``: what was named but not applied
    (symbolic links, submodules, binary files without data).
    """

    patch: Patch
    changed: Mapping[str, bytes | None]
    fit: str
    notes: tuple[str, ...] = ()


def apply_series(tree: Tree, series: Series) -> Iterator[Applied]:
    """One Applied a patch, in order; each patch sees the ones before it. ``tree`` is the base and is only read.

    Raises InputError, one line: which patch, file, hunk and line does not apply, against what base.
    """
    raise InputError(series.title, "not there yet")
    yield
