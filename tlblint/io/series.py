"""``tlblint series RANGE | FILE... | -``: whatever holds a patch series, read into one record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from tlblint.io.errors import InputError
from tlblint.model.series import Series


def read_series(cwd: str, words: Sequence[str], tree: str | None = None, stdin: BinaryIO | None = None) -> Series:
    """The series that ``words`` name: one git range ``a..b``, or patch files, mailboxes, directories of patches, saved thread pages, or "-".

    A range is looked up in the repository at ``tree`` (None: at ``cwd``); other words are paths below ``cwd``. ``stdin``: what "-" reads
    (None: standard input). Nothing is written. Raises InputError, one line, for whatever cannot be read or holds no patch.
    """
    raise InputError(" ".join(words) or "series", "not there yet")
