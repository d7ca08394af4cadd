"""What ships in rules/api and rules/profiles, as those who build an analysis or a graph of calls want it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from tlblint.app.front import Configs
from tlblint.io import data
from tlblint.io.errors import InputError
from tlblint.roles import ProfileData
from tlblint.roles.decode import parsed


def texts(kind: str) -> dict[str, str]:
    """The TOML files of ``kind``, "api" or "profiles", by name. Raises InputError."""
    return {name: raw.decode() for name, raw in data.files(os.path.join(data.root("rules"), kind), ".toml").items()}


def role_files(api: Mapping[str, str]) -> dict[str, str]:
    """Those of the files that are tables of roles."""
    return {name: text for name, text in api.items() if name not in ("contracts.toml", "pure.toml", "scope.toml")}


def chosen(profiles: Sequence[ProfileData], names: tuple[str, ...]) -> tuple[ProfileData, ...]:
    """The profiles of these names, or all, sorted by name. Raises InputError."""
    known = {p.profile.name: p for p in profiles}
    for name in names:
        if name not in known:
            raise InputError(name, "unknown profile", f"known are {', '.join(sorted(known))}")
    return tuple(known[name] for name in sorted(names or known))


def configs(profiles: Sequence[ProfileData]) -> Configs:
    """The configuration to read code with: an architecture's own for its files, the first of x86-64 and the chosen for the rest."""
    return Configs([(item.profile.arch, item.config) for item in sorted(profiles, key=lambda p: (p.profile.name != "x86-64", p.profile.name))])


def starts(api: Mapping[str, str], kind: str) -> tuple[str, ...]:
    """The starts of paths that scope.toml lists as "outside" or "skipped"."""
    return tuple(path for item in parsed("scope.toml", api["scope.toml"])[kind] for path in item["paths"])


def pure(api: Mapping[str, str]) -> Callable[[str], bool]:
    """Whether a function of that name changes nothing, by pure.toml."""
    table = parsed("pure.toml", api["pure.toml"])
    names, prefixes, never = frozenset(table["names"]), tuple(table["prefixes"]), tuple(table["never"])

    @cache
    def is_pure(name: str) -> bool:
        return (name in names or name.startswith(prefixes)) and not name.startswith(never)

    return is_pure
