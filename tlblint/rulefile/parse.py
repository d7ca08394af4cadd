"""One rule file to a RuleSpec, every mistake with its line and column."""

from __future__ import annotations

import re
from typing import Any

from tlblint.engine.grammar import OBJECTS, GrammarError, RuleSpec, Transition, parse_transition

HEADINGS = ("What it finds", "Why it matters", "When this rule is wrong", "Examples", "References")
_TITLE = re.compile(r"# (TLB\d{3}) ([a-z][a-z-]+)\s*$")
_KEYS = {"title", "severity", "confidence", "status", "track", "states", "transitions", "needs", "where", "single", "placed_at_act", "definitions"}
LONGEST = 2000
"""Characters of the longest transition that is read."""

_WORDS = {
    "severity": ("error", "warning", "note"),
    "confidence": ("high", "medium", "low"),
    "status": ("stable", "preview"),
}


class RuleFileError(ValueError):
    """A mistake in a rule file: ``path``, 1-based ``line`` and ``column``, and what is wrong."""

    def __init__(self, path: str, line: int, column: int, what: str) -> None:
        super().__init__(f"{path}:{line}:{column}: {what}")
        self.path = path
        self.line = line
        self.column = column
        self.what = what


def parse_rule(path: str, text: str) -> RuleSpec:
    """Read a rule file. Raises RuleFileError; a RuleSpec that comes back can be run."""
    lines = text.splitlines()
    title = _TITLE.match(lines[0]) if lines else None
    if title is None:
        raise RuleFileError(path, 1, 1, "the first line must read '# TLBnnn slug'")
    first, block = _toml_block(path, lines)
    data = _decode(path, first, block)
    _headings(path, lines)
    states = data.get("states", {})
    known = frozenset(states)
    transitions = tuple(_transition(path, lines, item, known) for item in data.get("transitions", []))
    track = tuple(data.get("track", []))
    for name in track:
        if name not in OBJECTS:
            raise RuleFileError(path, _line_of(lines, "track"), 1, f"track names an unknown object '{name}'")
    if len(track) > 3:
        raise RuleFileError(path, _line_of(lines, "track"), 1, "track names at most three objects")
    where = tuple((state, tuple(features)) for state, features in data.get("where", {}).items())
    for state, _ in where:
        if state not in known and state != "start":
            raise RuleFileError(path, _line_of(lines, "where"), 1, f"where names an unknown state '{state}'")
    single, placed = tuple(data.get("single", [])), tuple(data.get("placed_at_act", []))
    for key, named in (("single", single), ("placed_at_act", placed)):
        for state in named:
            if state not in known:
                raise RuleFileError(path, _line_of(lines, key), 1, f"{key} names an unknown state '{state}'")
    return RuleSpec(title[1], title[2], str(data["title"]), data["severity"], data["confidence"], data["status"], track, tuple(states.items()), transitions,
                    tuple(data.get("needs", [])), where, single, placed, data.get("definitions", False), text, path)


def _toml_block(path: str, lines: list[str]) -> tuple[int, str]:
    try:
        start = lines.index("```toml") + 1
        end = lines.index("```", start)
    except ValueError:
        raise RuleFileError(path, 1, 1, "no ```toml block") from None
    return start, "\n".join(lines[start:end])


def _decode(path: str, first: int, block: str) -> dict[str, Any]:
    import tomllib  # most runs have the rules remembered

    try:
        data = tomllib.loads(block)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line, column = (int(place[1]), int(place[2])) if place else (len(block.splitlines()), 1)
        raise RuleFileError(path, first + line, column, str(error).split(" (at ")[0]) from None
    except ValueError:  # what tomllib leaves to int(), which bounds the work on a long number
        long = re.search(r"[0-9][0-9_]{4000}", block)
        raise RuleFileError(path, first + (block.count("\n", 0, long.start()) + 1 if long else 0), 1, "a number is too long") from None
    except RecursionError:
        raise RuleFileError(path, first, 1, "lists or tables are nested too deeply") from None
    for key in data:
        if key not in _KEYS:
            raise RuleFileError(path, first + _offset(block, key), 1, f"unknown key '{key}'")
    for key in ("title", "severity", "confidence", "status"):
        if key not in data:
            raise RuleFileError(path, first, 1, f"missing key '{key}'")
    for key, words in _WORDS.items():
        if data[key] not in words:
            raise RuleFileError(path, first + _offset(block, key), 1, f"{key} must be one of {', '.join(words)}")
    _shapes(path, first, block, data)
    return data


def _shapes(path: str, first: int, block: str, data: dict[str, Any]) -> None:
    for key in ("track", "transitions", "needs", "single", "placed_at_act"):
        held = data.get(key, [])
        if not isinstance(held, list) or not all(isinstance(item, str) for item in held):
            raise RuleFileError(path, first + _offset(block, key), 1, f"{key} must be a list of strings")
    if not isinstance(data["title"], str):
        raise RuleFileError(path, first + _offset(block, "title"), 1, "title must be a sentence in quotes")
    if not isinstance(data.get("definitions", False), bool):
        raise RuleFileError(path, first + _offset(block, "definitions"), 1, "definitions must be true or false")
    where = data.get("where", {})
    if not isinstance(where, dict) or not all(isinstance(item, list) and all(isinstance(word, str) for word in item) for item in where.values()):
        raise RuleFileError(path, first + _offset(block, "where"), 1, "where must map states to lists of profile features")
    states = data.get("states", {})
    if not isinstance(states, dict) or not all(isinstance(item, str) for item in states.values()):
        raise RuleFileError(path, first + _offset(block, "states"), 1, "states must map names to sentences")


def _offset(block: str, key: str) -> int:
    for number, line in enumerate(block.splitlines(), 1):
        if re.match(rf"\[?{re.escape(key)}\b", line):
            return number
    return 1


def _line_of(lines: list[str], text: str) -> int:
    return next((n for n, line in enumerate(lines, 1) if text in line), 1)


def _transition(path: str, lines: list[str], item: str, states: frozenset[str]) -> Transition:
    text = item.lstrip()  # the grammar's patterns take time cubic in a run of blanks at the start
    try:
        if len(item) > LONGEST:
            raise GrammarError(f"a transition is at most {LONGEST} characters", 0)
        return parse_transition(text, states)
    except GrammarError as error:
        number = next((n for n, line in enumerate(lines, 1) if item in line), _line_of(lines, item[:40]))
        column = max(lines[number - 1].find(item[:40]), 0) + len(item) - len(text) + error.column + 1
        raise RuleFileError(path, number, column, str(error)) from None


def _headings(path: str, lines: list[str]) -> None:
    found = [line[3:].strip() for line in lines if line.startswith("## ")]
    for heading in HEADINGS:
        if heading not in found:
            raise RuleFileError(path, len(lines), 1, f"missing heading '## {heading}'")
