"""``tlblint config show``: every setting with where its value came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tlblint.io import config, data, git
from tlblint.io.config import BY_NAME as BY_NAME
from tlblint.io.tree import open_tree
from tlblint.report.text import clean


def configured(cwd: str, tree: str | None, revision: str | None, flags: Mapping[str, Any]) -> str:
    """One line a setting: name, value as in TOML, origin; then where the rules are. Outside of a tree: git's settings and the flags."""
    if tree is None and revision is None and git.toplevel(cwd) is None:
        return _table(config.load(None, cwd, flags))
    opened = open_tree(cwd, tree, revision)
    try:
        return _table(config.load(opened, opened.top, flags), opened.revision)
    finally:
        opened.close()


def _table(settings: config.Settings, revision: str | None = None) -> str:
    rows = [(name, _toml(setting.value), _origin(setting.origin, revision)) for name, setting in sorted(settings.items())]
    wide = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "".join(f"{name:<{wide[0]}} = {clean(value):<{wide[1]}}  # {origin}\n" for name, value, origin in rows) + _data()


def _data() -> str:
    """Rules, roles and contracts are meant to be read: say where an installed copy keeps them."""
    return f"# the interpreter runs as {data.form()}\n# rules, roles of kernel names, contracts and profiles: {clean(data.root('rules'))}\n"


def _origin(origin: str, revision: str | None) -> str:
    """The configuration file of a revision is not the one in the work tree."""
    return f"{origin} of {revision[:12]}" if revision and origin.endswith(".toml") else origin


def _toml(value: Any) -> str:
    import json

    return '""' if value is None else json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
