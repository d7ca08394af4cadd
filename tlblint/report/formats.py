"""The formats by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tlblint.report import concise, full, jsonout
from tlblint.report.view import Report, Style


@dataclass(frozen=True, slots=True)
class Format:
    """A printer. ``terminal``: its text may be coloured and takes the terminal's width and characters; others are always the same bytes.

    ``health_aside``: the caller prints summary and health on stderr, because every line of the output is a finding.
    """

    render: Callable[[Report, Style], str]
    terminal: bool = False
    health_aside: bool = False


FORMATS: Mapping[str, Format] = {
    "concise": Format(concise.render, terminal=True, health_aside=True),
    "full": Format(full.render, terminal=True),
    "json": Format(jsonout.render),
    "jsonl": Format(jsonout.render_lines),
}
