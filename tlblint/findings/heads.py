"""What a list of rules shows of a rule file, without its automaton: to read that takes the grammar, and with it most of the engine."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

_TITLE = re.compile(r"# (TLB\d{3}) ([a-z][a-z-]+)\s*\n")
_KEYS = ("title", "severity", "confidence", "status")
_LINE = re.compile(r'^(title|severity|confidence|status) = ("[^"\\\n]*")$', re.MULTILINE)
_START, _END = "```toml\n", "\n```"


class Head(NamedTuple):
    """A findings.own.RuleInfo and nothing more."""

    code: str
    slug: str
    severity: str
    confidence: str
    status: str
    title: str
    text: str
    path: str


def head(path: str, text: str) -> Head | None:
    """The head of a rule file as the shipped ones are written; None for one in which somebody else has to find it, or the mistake."""
    title, start = _TITLE.match(text), text.find(_START)
    end = text.find(_END, start)
    if title is None or start < 0 or end < 0:
        return None
    pairs = _LINE.findall(text, start, end)
    said = {key: str(json.loads(value)) for key, value in pairs}
    if len(pairs) != len(said) or not said.keys() >= set(_KEYS):
        return None
    return Head(title[1], title[2], said["severity"], said["confidence"], said["status"], said["title"], text, path)
