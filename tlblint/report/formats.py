"""The formats by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from tlblint.report import checkpatch, concise, full, github, jsonout, mail, review, sarif
from tlblint.report.view import Report, Style


class Format(msgspec.Struct, frozen=True):
    """A printer. ``terminal``: its text may be coloured and takes the terminal's width and characters; others are always the same bytes.

    ``health_aside``: the caller prints summary and health on stderr, because every line of the output is a finding.
    ``repository``: for a program that knows places by their path in the repository, wherever it was called from.
    ``templates``: needs Style.templates, and says how to make the report again.
    """

    render: Callable[[Report, Style], str]
    terminal: bool = False
    health_aside: bool = False
    repository: bool = False
    templates: bool = False


def _html(report: Report, style: Style) -> str:
    """Imported on use: the template engine would cost every other run its start-up."""
    from tlblint.report import html

    return html.render(report, style)


FORMATS: Mapping[str, Format] = {
    "b4": Format(checkpatch.render),
    "b4-review": Format(review.render),
    "checkpatch": Format(checkpatch.render),
    "concise": Format(concise.render, terminal=True, health_aside=True),
    "full": Format(full.render, terminal=True),
    "github": Format(github.render, repository=True),
    "html": Format(_html, templates=True),
    "json": Format(jsonout.render),
    "jsonl": Format(jsonout.render_lines),
    "mail": Format(mail.render, health_aside=True),
    "sarif": Format(sarif.render),
}
