"""A rule by what somebody calls it."""

from __future__ import annotations

from collections.abc import Mapping

from tlblint.findings import names, own
from tlblint.io.errors import InputError


def find(rules: Mapping[str, own.RuleInfo], name: str) -> own.RuleInfo:
    """The rule with this code (any case) or slug. Raises InputError."""
    code = names.code_of(rules, name)
    if code is None:
        raise InputError(name, "no such rule", names.advice(rules, name))
    return rules[code]
