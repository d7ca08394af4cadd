"""What predicates are executed with: the machines that ship, and the files of a tree."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from functools import cache

import msgspec

from tlblint.io import data
from tlblint.io.errors import InputError
from tlblint.predicates import profile as profiles
from tlblint.predicates.errors import DataError
from tlblint.predicates.models import KINDS, Models
from tlblint.predicates.profile import Profile

SHARED = frozenset(("models.toml", "helpers.toml", "protocols.toml"))


class Data(msgspec.Struct, frozen=True):
    """What ships: profiles, what is modelled, the helpers to look for, and sizes of structs."""

    profiles: tuple[Profile, ...]
    modelled: Models
    helpers: tuple[str, ...]
    sizes: dict[str, int]


def place() -> str:
    """The directory of the data."""
    return os.path.join(data.root("rules"), "predicates")


@cache
def shipped() -> Data:
    """The data of rules/predicates. Raises InputError."""
    try:
        found = data.files(place(), ".toml")
    except OSError:
        raise InputError(place(), "this installation lacks its data files", "install tlblint again") from None
    try:
        known = tuple(profiles.load(name, raw) for name, raw in found.items() if name not in SHARED)
        groups = tomllib.loads(found["models.toml"].decode())
        extra = tomllib.loads(found["helpers.toml"].decode())
    except (DataError, KeyError, ValueError) as error:
        raise InputError(place(), str(error)) from None
    if unknown := set(groups) - KINDS:
        raise InputError(os.path.join(place(), "models.toml"), f"unknown kind {min(unknown)!r}")
    return Data(known, Models.of(groups), tuple(extra["names"]), dict(extra["sizes"]))


def chosen(wanted: Sequence[str], known: Sequence[Profile]) -> tuple[Profile, ...]:
    """Profiles by name; all when none is named. Raises InputError."""
    by_name = {profile.name: profile for profile in known}
    for name in wanted:
        if name not in by_name:
            raise InputError(f"--profile {name}", "no such profile", f"the profiles of predicates are {', '.join(by_name)}")
    return tuple(by_name[name] for name in dict.fromkeys(wanted)) if wanted else tuple(known)
