"""``tlblint rules`` and ``tlblint explain``: the catalogue and the manual of one rule."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence

from tlblint.app import spine as spines
from tlblint.app.spine import Loader, Wanted
from tlblint.findings import own
from tlblint.io.errors import InputError


def catalogue(rule_files: Sequence[str] = (), loader: Loader | None = None) -> Mapping[str, own.RuleInfo]:
    """All rules by code, the tool's own among them."""
    return own.by_code((loader or spines.load)(Wanted(rule_files=tuple(rule_files))).rules)


def as_text(rules: Mapping[str, own.RuleInfo]) -> str:
    """One line a rule: code, severity, confidence, slug, title."""
    wide = max((len(rule.slug) for rule in rules.values()), default=0)
    return "".join(f"{code}  {r.severity:<7}  {r.confidence:<6}  {r.slug:<{wide}}  {r.title}".rstrip() + "\n" for code, r in rules.items())


def as_json(rules: Mapping[str, own.RuleInfo]) -> str:
    """``{"schema": "tlblint-rules/1", "rules": [...]}``, sorted by code."""
    rows = [{"code": r.code, "slug": r.slug, "severity": r.severity, "confidence": r.confidence, "title": r.title, "text": r.text} for r in rules.values()]
    return json.dumps({"schema": "tlblint-rules/1", "rules": rows}, indent=2) + "\n"


def find(rules: Mapping[str, own.RuleInfo], name: str) -> own.RuleInfo:
    """The rule with this code (any case) or slug. Raises InputError."""
    for rule in rules.values():
        if name.upper() == rule.code or name.lower() == rule.slug:
            return rule
    near = difflib.get_close_matches(name.upper(), list(rules), 1) or difflib.get_close_matches(name.lower(), [rule.slug for rule in rules.values()], 1)
    raise InputError(name, "no such rule", f"did you mean {near[0]}?" if near else "'tlblint rules' lists them")


def manual(rule: own.RuleInfo) -> str:
    """The rule's manual as it stands in its file; a heading is added where the text has none."""
    text = _prose_first(rule.text.strip("\n") + "\n")
    return text if text.startswith("# ") else f"# {rule.code} {rule.slug}\n\n{rule.title[:1].upper()}{rule.title[1:]}.\n\n{text}"


def _prose_first(text: str) -> str:
    """The manual without its machine-readable block in the way: that goes to the end."""
    block = re.search(r"^```toml\n.*?^```\n", text, re.DOTALL | re.MULTILINE)
    return text if block is None else text.replace(block[0], "", 1).rstrip("\n") + "\n\n## The automaton\n\n" + block[0]
