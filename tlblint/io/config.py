"""Settings and where each came from: built in, then the tree's file, then ``git config tlblint.*``, then flags.

The tree's file belongs to whoever wrote the tree. It can choose rules, profiles and thresholds; it cannot name
commands or output files, and the baseline and rule files that it names must lie in the tree.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from tlblint.io import git
from tlblint.io.errors import InputError, Unreadable
from tlblint.io.tree import Tree

LEVELS = ("error", "warning", "note", "never")


class Key(msgspec.Struct, frozen=True):
    """One setting. ``kind``: "words", "word", "bool", "jobs" (a whole number), "file" or "files"."""

    name: str
    kind: str
    default: Any
    choices: tuple[str, ...] = ()
    help: str = ""


KEYS = (
    Key("profile", "words", (), help="flush models to judge by; empty: all shipped ones"),
    Key("select", "words", (), help="rule codes to run; empty: all"),
    Key("ignore", "words", (), help="rule codes not to run"),
    Key("format", "words", ("full",), help="output formats"),
    Key("fail-on", "word", "error", LEVELS, "lowest severity that makes the exit status 1"),
    Key("fail-on-incomplete", "bool", False, help="exit status 3 when something could not be analysed"),
    Key("baseline", "file", None, help="file of known findings"),
    Key("rules", "files", (), help="more rule files"),
    Key("jobs", "jobs", 0, help="processes; 0: one per processor"),
    Key("sim", "bool", True, help="judge findings by simulation"),
    Key("sim-budget", "jobs", 400, help="milliseconds' worth of simulation for one finding"),
    Key("cache", "bool", True, help="use what earlier runs have left, and leave something"),
    Key("color", "word", "auto", ("auto", "always", "never"), "colour"),
)
BY_NAME = {key.name: key for key in KEYS}


class Setting(msgspec.Struct, frozen=True):
    """A value and its origin: "default", "tlblint.toml", "git config (global)", "--jobs" ..."""

    value: Any
    origin: str


Settings = Mapping[str, Setting]


def load(tree: Tree | None, directory: str, flags: Mapping[str, Any]) -> Settings:
    """All settings. ``flags`` holds what the command line gave; None and () there mean not given. Raises InputError."""
    settings = {key.name: Setting(key.default, "default") for key in KEYS}
    if tree is not None:
        settings.update(from_tree(tree))
    settings.update(from_git(directory))
    for name, value in flags.items():
        if value is not None and value != ():
            settings[name] = Setting(value, f"--{'no-' if value is False else ''}{name}")
    return settings


def from_tree(tree: Tree) -> dict[str, Setting]:
    """The settings of ``tlblint.toml`` or of ``[tool.tlblint]`` in ``pyproject.toml`` at the top of the tree."""
    for name in ("tlblint.toml", "pyproject.toml"):
        if tree.holds(name) is None:
            continue
        try:
            raw = tree.read(name)
        except Unreadable as error:
            if name == "pyproject.toml":
                continue
            raise InputError(name, f"cannot be read: {error.why}") from None
        if name == "pyproject.toml" and b"tlblint" not in raw:
            continue
        table = _toml(raw, name)
        if name == "pyproject.toml":
            tool = table.get("tool")
            table = tool.get("tlblint") if isinstance(tool, dict) else None  # type: ignore[assignment]
            if table is None:
                continue
        if not isinstance(table, dict):
            raise InputError(name, "[tool.tlblint] is not a table")
        return {key: Setting(_in_tree(tree, name, key, value), name) for key, value in _checked(table, name).items()}
    return {}


def from_git(directory: str) -> dict[str, Setting]:
    """The settings of ``git config tlblint.*``: ``tlblint.failOn`` and ``tlblint.fail-on`` both name ``fail-on``.

    Keys of other tools below ``tlblint.`` are none of ours, so an unknown one is passed over. A list is given by repeating the key.
    """
    compact = {name.replace("-", ""): name for name in BY_NAME}
    gathered: dict[str, list[str]] = {}
    origins: dict[str, str] = {}
    local: set[str] = set()
    for scope, _, key, value in git.settings(directory):
        name = compact.get(key.removeprefix("tlblint.").replace("-", "").lower())
        if name is None:
            continue
        origin = f"git config ({scope})"
        if origins.get(name) != origin:
            gathered[name] = []
        gathered[name].append(value)
        origins[name] = origin
        (local.add if scope in ("local", "worktree") else local.discard)(name)
    found = {}
    for name, values in gathered.items():
        where = f"git config tlblint.{name}"
        value = _checked({name: _from_text(BY_NAME[name], values, where)}, where)[name]
        found[name] = Setting(_resolved(BY_NAME[name], value, directory, where, name in local), origins[name])
    return found


def _from_text(key: Key, values: list[str], where: str) -> Any:
    if key.kind in ("words", "files"):
        return [word for value in values for word in re.split(r"[,\s]+", value) if word]
    last = values[-1]
    if key.kind == "bool":
        if last.lower() in ("", "true", "yes", "on", "1"):
            return True
        if last.lower() in ("false", "no", "off", "0"):
            return False
        raise InputError(where, f"{last!r} is not a boolean", "write true or false")
    if key.kind == "jobs":
        if not last.isdigit():
            raise InputError(where, f"{last!r} is not a whole number" if key.name != "jobs" else f"{last!r} is not a number of processes")
        return int(last)
    return last


def _toml(raw: bytes, name: str) -> dict[str, Any]:
    import tomllib  # where there is no such file nobody needs it

    try:
        return tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"{name}:{line}", "not UTF-8", "save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        said = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
        if said and said[2]:
            raise InputError(f"{name}:{said[2]}:{said[3]}", f"not valid TOML: {said[1]}") from None
        raise InputError(f"{name}:{raw.count(10) + 1}", f"not valid TOML: {said[1] if said else error}") from None
    except ValueError:  # what tomllib leaves to int(), which bounds the work on a long number
        long = re.search(rb"[0-9][0-9_]{4000}", raw)
        place = f":{raw.count(10, 0, long.start()) + 1}" if long else ""
        raise InputError(f"{name}{place}", "a number is too long", "no setting takes one of thousands of digits") from None
    except RecursionError:
        raise InputError(name, "lists or tables are nested too deeply", "no setting takes a list in a list") from None


def _checked(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The table with every key known and every value of its kind. Raises InputError."""
    good = {}
    for name, value in table.items():
        key = BY_NAME.get(name)
        if key is None:
            raise InputError(where, f"unknown setting {name!r}", "known ones: " + ", ".join(sorted(BY_NAME)))
        good[name] = _typed(key, value, where)
        if key.name == "format" and any("=" in word for word in good[name]):
            raise InputError(where, "format must not name an output file", "use -f FORMAT=FILE on the command line")
    return good


def _typed(key: Key, value: Any, where: str) -> Any:
    if key.kind in ("words", "files"):
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise InputError(where, f"{key.name} must be a list of strings")
        if not all(word.strip() for word in words):
            raise InputError(where, f"{key.name} holds an empty string", f"name something there, or leave it out of {key.name}")
        return tuple(words)
    if key.kind == "bool":
        if isinstance(value, bool):
            return value
        raise InputError(where, f"{key.name} must be true or false")
    if key.kind == "jobs":
        most = 1024 if key.name == "jobs" else 1_000_000
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
            return value
        raise InputError(where, f"{key.name} must be a whole number from 0 to {most}")
    if not isinstance(value, str):
        raise InputError(where, f"{key.name} must be a string")
    if not value.strip():
        raise InputError(where, f"{key.name} is empty", "write a value, or leave the setting out")
    if key.choices and value not in key.choices:
        raise InputError(where, f"{key.name} is {value!r}", "choose from " + ", ".join(key.choices))
    return value


def _resolved(key: Key, value: Any, directory: str, where: str, local: bool) -> Any:
    """File names of git settings made absolute. ``.git/config`` may have come with the tree: it may only name files in it."""
    if key.kind not in ("file", "files"):
        return value
    top = os.path.realpath(directory)
    paths = (value,) if isinstance(value, str) else value
    full = tuple(_contained(top, path, where) if local else os.path.join(top, os.path.expanduser(path)) for path in paths)
    return full[0] if isinstance(value, str) else full


def _in_tree(tree: Tree, where: str, name: str, value: Any) -> Any:
    """Make the files that the tree's own configuration names absolute, and refuse those outside of it."""
    kind = BY_NAME[name].kind
    if kind == "file":
        return _contained(tree.top, value, where)
    if kind == "files":
        return tuple(_contained(tree.top, path, where) for path in value)
    return value


def _contained(top: str, path: str, where: str) -> str:
    try:
        full = os.path.realpath(os.path.join(top, path))
    except ValueError:  # a NUL, or characters that file names cannot hold here
        raise InputError(where, f"{path!r} cannot be a file name", "name a file of the tree") from None
    if os.path.isabs(path) or not full.startswith(top.rstrip("/") + "/") or "/.git/" in full[len(top) :]:
        raise InputError(where, f"{path} lies outside of the tree", "a tree's own configuration may only name files in it")
    return full
