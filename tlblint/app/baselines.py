"""The baseline file of a check: read, apply, refresh."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

from tlblint.findings import baseline
from tlblint.io import data
from tlblint.io.errors import InputError
from tlblint.io.output import write_file
from tlblint.model.finding import Finding
from tlblint.report.view import Stale


class Asked(Protocol):
    """What this module needs of a request."""

    @property
    def cwd(self) -> str: ...
    @property
    def update_baseline(self) -> bool: ...


def apply(findings: list[Finding], name: str | None, judged: Callable[[str, str], bool], asked: Asked) -> tuple[list[Finding], tuple[Stale, ...]]:
    """(findings with the known ones marked, entries that are no longer needed). Refreshes the file when asked to.

    ``judged`` says of a rule and a path whether this run would have found everything there. Other entries are kept.
    """
    if name is None:
        if asked.update_baseline:
            raise InputError("--update-baseline", "there is no baseline to update", "name one with --baseline FILE")
        return findings, ()
    path = os.path.join(asked.cwd, name)

    def in_scope(entry: baseline.Entry) -> bool:
        return judged(entry.rule, entry.path)

    entries = _read(path, name, missing_ok=asked.update_baseline)
    marked, unmatched = baseline.apply(findings, entries)
    if asked.update_baseline:
        fresh = baseline.updated(marked, entries, unmatched, in_scope)
        write_file(path, baseline.dump(fresh), "--baseline")
        marked, unmatched = baseline.apply(findings, fresh)
    return marked, tuple(Stale(entry.fingerprint, entry.rule, entry.path, entry.function) for entry in unmatched if in_scope(entry))


def raw(name: str | None, cwd: str) -> bytes | None:
    """The bytes of a baseline that can be read and is one; None without a name. Raises InputError."""
    if name is None:
        return None
    _read(os.path.join(cwd, name), name, missing_ok=False)
    return data.regular(os.path.join(cwd, name))


def _read(path: str, name: str, missing_ok: bool) -> tuple[baseline.Entry, ...]:
    try:
        return baseline.parse(data.regular(path))
    except FileNotFoundError:
        if missing_ok:
            return ()
        raise InputError(name, "no such baseline file", "create it with --update-baseline") from None
    except OSError as error:
        raise InputError(name, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    except baseline.BaselineError as error:
        raise InputError(f"{name}:{error.line}", error.what, "each line is: fingerprint rule path function reason") from None
