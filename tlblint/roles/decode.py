"""Strict decoding of TOML text, with the line and column of what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_AT = re.compile(r"\(at line (\d+), column (\d+)\)|\(at end of document\)")
_PATH = re.compile(r" - at `(?P<path>\$[^`]*)`")
_STEP = re.compile(r"\.(?P<key>[\w-]+)|\[(?P<index>\d+|\.\.\.)\]")
_QUOTED = re.compile(r"unknown field `(?P<name>[^`]+)`")


class RoleError(Exception):
    """A data file is wrong. ``line`` and ``column`` are 1-based."""

    def __init__(self, file: str, line: int, column: int, message: str) -> None:
        super().__init__(f"{file}:{line}:{column}: {message}")
        self.file = file
        self.line = line
        self.column = column
        self.message = message

    def __reduce__(self) -> tuple[type[RoleError], tuple[str, int, int, str]]:
        """Errors cross process pools: rebuild from the four parts, not from the printed text."""
        return type(self), (self.file, self.line, self.column, self.message)


def _strip_comments(text: str) -> str:
    """Blank out whole-line comments, keeping every offset, so that a search does not land in one."""
    return re.sub(r"^[ \t]*#[^\n]*", lambda hit: " " * len(hit[0]), text, flags=re.MULTILINE)


def _line_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def locate(text: str, table: str, index: int | None, needle: str = "") -> tuple[int, int]:
    """The 1-based line and column of ``needle`` inside the ``index``-th ``[[table]]`` of ``text``.

    With ``index`` None the whole text is searched. Falls back on the table's header, then on 1, 1.
    """
    plain = _strip_comments(text)
    start, end = 0, len(plain)
    if index is not None:
        heads = [hit.start() for hit in re.finditer(rf"^[ \t]*\[\[[ \t]*{re.escape(table)}[ \t]*\]\]", plain, re.MULTILINE)]
        if index < len(heads):
            start = heads[index]
            after = re.compile(r"^[ \t]*\[", re.MULTILINE).search(plain, plain.find("\n", start) + 1 or end)
            end = after.start() if after else end
    found = re.compile(rf"(?<![\w.-]){re.escape(needle)}(?![\w-])").search(plain, start, end) if needle else None
    return _line_column(plain, found.start() if found else start)


def holds(file: str, text: str, table: str) -> bool:
    """Whether ``text`` has a ``[[table]]``. A header that only nearly says so raises ``RoleError``, as does wrong TOML."""
    keys = parsed(file, text).keys()
    for key in keys - {table}:
        if key.lower().rstrip("s") == table:
            raise RoleError(file, *locate(text, "", None, key), f"[[{key}]] should be [[{table}]]")
    return table in keys


def decode(file: str, text: str, shape: type[T]) -> T:
    """Decode ``text`` as TOML into the msgspec struct ``shape``; unknown keys and wrong types raise ``RoleError``."""
    data = parsed(file, text)
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError as error:
        raise _shape_error(file, text, str(error)) from None


@lru_cache(maxsize=128)
def parsed(file: str, text: str) -> dict[str, Any]:
    """What a TOML text says. Nobody changes it: files are asked for their kind, then for what is in them. Raises RoleError."""
    if text in _KNOWN:
        return _KNOWN[text]
    import tomllib  # most runs have the tables remembered

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(file, text, str(error)) from None


_KNOWN: dict[str, dict[str, Any]] = {}


def know(tables: Mapping[str, dict[str, Any]]) -> None:
    """Take over what somebody has parsed before: text -> what it says. To parse the shipped tables takes longer than all else about them."""
    _KNOWN.update(tables)


def _syntax_error(file: str, text: str, message: str) -> RoleError:
    found = _AT.search(message)
    line, column = (int(found[1]), int(found[2])) if found and found[1] else _line_column(text, len(text))
    return RoleError(file, line, column, _AT.sub("", message).strip())


def _shape_error(file: str, text: str, message: str) -> RoleError:
    """Turn msgspec's ``$.role[3].effects[0].kind`` into a place in the text."""
    found = _PATH.search(message)
    steps = list(_STEP.finditer(found["path"])) if found else []
    table = steps[0]["key"] or "" if steps else ""
    index = int(steps[1]["index"]) if len(steps) > 1 and (steps[1]["index"] or "").isdigit() else None
    keys = [step["key"] for step in steps if step["key"]]
    unknown = _QUOTED.search(message)
    needle = unknown["name"] if unknown else keys[-1] if len(keys) > 1 or (index is None and keys) else ""
    line, column = locate(text, table, index, needle)
    return RoleError(file, line, column, _PATH.sub("", message))
