"""Rules by the names that people write: the code in any case, or the slug."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tlblint.findings.own import RuleInfo


def code_of(rules: Mapping[str, RuleInfo], name: str) -> str | None:
    """The code of the rule called ``name`` ("TLB003", "tlb003" or "lazy-mode-unpaired"), or None."""
    if name.upper() in rules:
        return name.upper()
    return next((rule.code for rule in rules.values() if rule.slug == name.lower()), None)


def nearest(rules: Mapping[str, RuleInfo], name: str) -> str | None:
    """The code or slug that ``name`` may have been meant to be, or None when nothing is near."""
    import difflib

    slugs = [rule.slug for rule in rules.values()]
    begun = [slug for slug in slugs if len(name) > 2 and slug.startswith(name.lower())]
    found = begun[:1] or difflib.get_close_matches(name.upper(), list(rules), 1) or difflib.get_close_matches(name.lower(), slugs, 1)
    return found[0] if found else None


def advice(rules: Mapping[str, RuleInfo], name: str) -> str:
    """What to tell somebody who wrote the unknown ``name``."""
    near = nearest(rules, name)
    return f"did you mean {near}?" if near else "'tlblint rules' lists them"
