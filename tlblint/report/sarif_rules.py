"""Rules as SARIF describes them."""

from __future__ import annotations

import re
from typing import Any

from tlblint.model.finding import Finding
from tlblint.report.text import clean
from tlblint.report.view import RuleView

LEVELS = {"error": "error", "warning": "warning", "note": "note"}
_PRECISION = {"high": "very-high", "medium": "high", "low": "medium"}
TAGS = ("kernel", "tlb")


def descriptor(code: str, rule: RuleView | None, example: Finding | None) -> dict[str, Any]:
    """A reportingDescriptor. Of a rule whose file is not at hand, what a finding says of it."""
    slug = rule.slug if rule is not None else example.slug if example is not None else code.lower()
    severity = rule.severity if rule is not None else example.severity if example is not None else "warning"
    confidence = rule.confidence if rule is not None else example.confidence if example is not None else "medium"
    title = clean(rule.title) if rule is not None else slug.replace("-", " ")
    found: dict[str, Any] = {
        "id": code,
        "name": _pascal(slug),
        "shortDescription": {"text": sentence(title)},
        "fullDescription": {"text": _first(rule.text, title) if rule is not None else sentence(title)},
        "defaultConfiguration": {"level": LEVELS[severity]},
        "properties": {"tags": list(TAGS), "precision": _PRECISION[confidence], "problem.severity": {"note": "recommendation"}.get(severity, severity)},
    }
    if rule is not None:
        found["help"] = {"text": f"{sentence(title)} 'tlblint explain {code}' prints the manual.", "markdown": manual(rule.text)}
    return found


def manual(text: str) -> str:
    """A rule's Markdown without its machine-readable block; control and format characters as escapes, line by line."""
    prose = re.sub(r"^```toml\n.*?^```\n", "", text, count=1, flags=re.DOTALL | re.MULTILINE)
    return "\n".join(clean(line.expandtabs(8)) for line in prose.strip("\n").split("\n")) + "\n"


def sentence(text: str) -> str:
    """A title as a sentence."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _pascal(slug: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", slug)) or "Rule"


def _first(text: str, title: str) -> str:
    """The first paragraph under "What it finds", at most 1,000 characters; the title when there is none."""
    match = re.search(r"^## What it finds\s*\n+(.+?)(?:\n\s*\n|\Z)", text, re.DOTALL | re.MULTILINE)
    return clean(" ".join(match[1].split()))[:1000] if match else sentence(title)
