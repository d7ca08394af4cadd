"""``tlblint rules`` and ``tlblint explain``: the catalogue and the manual of one rule."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tlblint.findings.heads import head
from tlblint.io import data

if TYPE_CHECKING:
    from tlblint.app.spine import Loader
    from tlblint.findings.own import RuleInfo


def catalogue(rule_files: Sequence[str] = (), loader: Loader | None = None) -> Mapping[str, RuleInfo]:
    """All rules by code, the tool's own among them. Where only those that ship are asked for, it is their heads that are read."""
    quick = None if rule_files or loader else heads()
    if quick is not None:
        return quick
    from tlblint.app import spine
    from tlblint.findings.own import by_code

    return by_code((loader or spine.load)(spine.Wanted(rule_files=tuple(rule_files))).rules)


def heads() -> Mapping[str, RuleInfo] | None:
    """The heads of the rules that ship, by code, sorted; None when one is not written as they are."""
    files = {name: raw for name, raw in data.files(data.root("rules"), ".md").items() if name.startswith("TLB")}
    try:
        found = [head(name, raw.decode()) for name, raw in files.items()]
    except UnicodeDecodeError:
        return None
    known = {one.code: one for one in sorted(one for one in found if one is not None)}
    return known if len(known) == len(files) else None


def as_text(rules: Mapping[str, RuleInfo]) -> str:
    """One line a rule: code, severity, confidence, slug, title, and "(preview)" behind those that run only with --preview."""
    wide = max((len(rule.slug) for rule in rules.values()), default=0)
    return "".join(f"{code}  {r.severity:<7}  {r.confidence:<6}  {r.slug:<{wide}}  {_titled(r)}\n" for code, r in rules.items())


def _titled(rule: RuleInfo) -> str:
    return rule.title + (" (preview)" if rule.status == "preview" else "")


def as_json(rules: Mapping[str, RuleInfo]) -> str:
    """``{"schema": "tlblint-rules/1", "rules": [...]}``, sorted by code."""
    keys = ("code", "slug", "severity", "confidence", "status", "title", "text")
    rows = [{key: getattr(rule, key) for key in keys} for rule in rules.values()]
    return json.dumps({"schema": "tlblint-rules/1", "rules": rows}, indent=2) + "\n"


def manual(rule: RuleInfo) -> str:
    """The rule's manual as it stands in its file; a heading is added where the text has none."""
    text = _prose_first(rule.text.strip("\n") + "\n")
    return text if text.startswith("# ") else f"# {rule.code} {rule.slug}\n\n{rule.title[:1].upper()}{rule.title[1:]}.\n\n{text}"


def _prose_first(text: str) -> str:
    """The manual without its machine-readable block in the way: that goes to the end."""
    block = re.search(r"^```toml\n.*?^```\n", text, re.DOTALL | re.MULTILINE)
    return text if block is None else text.replace(block[0], "", 1).rstrip("\n") + "\n\n## The automaton\n\n" + block[0]
