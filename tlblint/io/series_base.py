"""Which revision a series is meant for."""

from __future__ import annotations

from tlblint.io.errors import InputError
from tlblint.io.tree import Tree
from tlblint.model.series import Base, Series


def open_base(cwd: str, tree: str | None, base: str | None, series: Series) -> tuple[Tree, Base]:
    """The tree that ``series`` is applied to, and why that one: ``--base``, the start of the range, the ``base-commit:`` trailer when the
    repository has it, the revision whose blobs the ``index`` lines name, else HEAD. Outside of git: the directory as it is.

    ``tree`` is what --tree says (None: the git top above ``cwd``). The caller closes the tree. Raises InputError.
    """
    raise InputError("--base", "not there yet")
