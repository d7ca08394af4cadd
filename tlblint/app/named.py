"""A rule by what somebody calls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tlblint.findings import names
from tlblint.io.errors import InputError

if TYPE_CHECKING:
    from tlblint.findings.own import RuleInfo


def find(rules: Mapping[str, RuleInfo], name: str) -> RuleInfo:
    """The rule with this code (any case) or slug. Raises InputError."""
    code = names.code_of(rules, name)
    if code is None:
        raise InputError(name, "no such rule", names.advice(rules, name))
    return rules[code]
