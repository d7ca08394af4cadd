"""The command line that judges one finding again."""

from __future__ import annotations

import re
import shlex

from tlblint.model.finding import Finding
from tlblint.report.text import clean
from tlblint.report.view import Report

_PLACES = ("--tree", "--rev", "--rules", "--preview")
"""Options without which ``tlblint check`` would look at another tree, or not know the rule."""
_ALONE = frozenset({"--preview"})
_PRINTED = re.compile(r"-f.*|--format(?:=.*)?")


def repeat(report: Report, finding: Finding) -> str:
    """``tlblint check`` with the one rule and file, on the tree that the report is about; of a series the series, as its files are nowhere else."""
    words = _words(report.command)
    if words[:2] == ["tlblint", "series"]:
        return clean(shlex.join([*_unprinted(words), "--select", finding.rule]))
    kept = _kept(words) if words[:2] in (["tlblint", "check"], ["tlblint", "report"]) else []
    return clean(shlex.join(["tlblint", "check", *kept, "--select", finding.rule])) + " " + _path(finding.path)


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:  # an unfinished quotation: nobody's command line
        return []


def _kept(words: list[str]) -> list[str]:
    out: list[str] = []
    for at, word in enumerate(words):
        name = word.partition("=")[0]
        if name in _PLACES:
            out += [word] if "=" in word or name in _ALONE else words[at : at + 2]
    return out


def _unprinted(words: list[str]) -> list[str]:
    """Without what says how to print."""
    out: list[str] = []
    skip = False
    for word in words:
        if not skip and not _PRINTED.fullmatch(word):
            out.append(word)
        skip = not skip and word in ("-f", "--format")
    return out


def _path(path: str) -> str:
    """A path as a shell takes it."""
    plain = clean(path)
    return plain if plain and all(char.isalnum() or char in "/._+-" for char in plain) else "'" + plain.replace("'", "'\\''") + "'"
