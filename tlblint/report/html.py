"""``-f html``: one file that needs nothing else, readable without script. Templates are in reports/templates."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from hashlib import sha256

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from tlblint.model.finding import Finding
from tlblint.report.html_page import page
from tlblint.report.html_rows import BARE, CLOSE, FULL, SHAPES, SHORT, STATES, VERDICTS, finding_view, state
from tlblint.report.text import clean, plural
from tlblint.report.view import SEVERITIES, Report, Style

FINDING = 15_000
"""Bytes of a finding; what is longer is shown shorter, until it fits."""
MANY = 60
"""Findings beyond which a browser that runs scripts keeps what is behind a finding as text until somebody opens it."""
SOFT, TIGHT, HARD = 2_000_000, 3_500_000, 5_000_000
"""Bytes of all findings after which the next ones are shown shorter and without source; bytes of a page, beyond which findings are left out."""


def render(report: Report, style: Style) -> str:
    """The page. ``style.templates`` must hold "page.html.j2", "finding.html.j2", "page.css" and "page.js"."""
    loader = DictLoader(dict(style.templates))
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, loader=loader, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )  # fmt: skip
    environment.globals.update(shapes=SHAPES, states=STATES, verdicts=VERDICTS, deferred=len(report.findings) > MANY)
    environment.filters["clean"] = clean
    text = _page(report, style, environment, HARD)
    over = _size(text) - HARD
    return text if over <= 0 else _page(report, style, environment, HARD - over)  # what stands around the findings takes its part


def _page(report: Report, style: Style, environment: Environment, room: int) -> str:
    """The page with at most ``room`` bytes of findings."""
    names = _names(report.findings)
    parts, notices = _parts(report, names, environment.get_template("finding.html.j2"), room)
    css, script = style.templates["page.css"].strip(), style.templates["page.js"].strip()
    return environment.get_template("page.html.j2").render(
        page=page(report, notices),
        groups=_groups(report, names, parts),
        policy=f"default-src 'none'; style-src {_hash(css)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'",
        css=Markup(css),
        script=Markup(script),
    )  # fmt: skip


def _size(text: str) -> int:
    """Bytes of a text as it is written."""
    return len(text.encode("utf-8", "backslashreplace"))


def _hash(text: str) -> str:
    """A source expression that allows exactly this text."""
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def _names(findings: Sequence[Finding]) -> list[str]:
    """An id for each finding: its fingerprint, numbered where several share one."""
    seen: dict[str, int] = {}
    names = []
    for finding in findings:
        seen[finding.fingerprint] = count = seen.get(finding.fingerprint, 0) + 1
        names.append(f"f-{finding.fingerprint}" + (f"-{count}" if count > 1 else ""))
    return names


def _parts(report: Report, names: Sequence[str], template: Template, room: int) -> tuple[dict[int, str], list[str]]:
    """(HTML of the findings that fit by their place, sentences on what was shortened). The gravest are served first."""
    parts: dict[int, str] = {}
    used, levels = 0, [0] * (BARE + 1)
    for at in sorted(range(len(report.findings)), key=lambda at: _grave(report.findings[at], at)):
        finding = report.findings[at]
        least = FULL if used < SOFT else SHORT if used < TIGHT else BARE
        for level in range(least, BARE + 1):
            html = template.render(f=finding_view(report, finding, names[at], level)).strip()
            size = _size(html)
            if size <= FINDING:
                break
        if used + size > room:
            break
        parts[at] = html
        used += size
        levels[level] += 1
    return parts, list(_notices(len(report.findings) - len(parts), levels))


def _grave(finding: Finding, at: int) -> tuple[bool, int, int]:
    return finding.suppressed_by is not None, SEVERITIES.index(finding.severity), at


def _notices(left: int, levels: Sequence[int]) -> Iterable[str]:
    if left:
        yield f"{plural(left, 'more finding')} would make this page too large: they are in the result that -f json writes."
    for count, what in zip(levels[CLOSE:], ("shorter excerpts", "shorter excerpts, without graph and mail", "places only"), strict=True):
        if count:
            yield f"{plural(count, 'finding')} shown with {what}, to keep the page small."


def _groups(report: Report, names: Sequence[str], parts: dict[int, str]) -> list[dict[str, object]]:
    """Findings by file, in the order of the report."""
    groups: dict[str, list[dict[str, object]]] = {}
    for at, finding in enumerate(report.findings):
        if at in parts:
            groups.setdefault(finding.path, []).append({"name": names[at], "finding": finding, "state": state(finding, report), "html": Markup(parts[at])})
    return [{"path": path, "rows": rows} for path, rows in groups.items()]
