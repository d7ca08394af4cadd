"""Machines as data: what a TLB may hold, what a flush reaches, what lazy MMU mode does."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable

import msgspec

from tlblint.sim.errors import ScenarioError, nearest

CHOICES = {
    "store_needs": ("dirty", "writable"),
    "entries": ("tlb", "hash"),
    "shootdown": ("ipi", "hypercall", "broadcast"),
    "lazy_mmu": ("nothing", "queue", "batch"),
    "modify": ("clear", "read"),
    "huge": ("same", "direct", "none"),
}


class Profile(msgspec.Struct, frozen=True):
    """``store_needs``: a cached entry lets a store through if it was writable and dirty (hardware walks again to set D), or
    if it was writable. ``hw_dirty``: hardware sets D. ``entries``: per-CPU TLBs or one hash table. ``shootdown``: how remote
    CPUs are reached; by "ipi" a CPU with interrupts off holds the flush up. ``skip_lazy``: flushes leave out CPUs in lazy
    TLB mode unless page tables were freed. ``leaf_only``: a flush without freed tables keeps walk caches. ``lazy_mmu``: what
    lazy MMU mode puts off: entry writes and the flushes behind them ("queue") or invalidations ("batch"). ``batch_step``: noting an entry for the batch
    is a step after its write. ``implied_flush``: changing a present entry invalidates it (in lazy mode that batches: notes it).
    ``empty_flush``: flush calls do nothing. ``modify``: what begins a modification takes the entry out ("clear"), or only reads it, and
    what ends it keeps the dirty bit that hardware has set meanwhile ("read"). ``huge``: huge entries are there and invalidated as small
    ones are ("same"), at once even in lazy mode ("direct"), or there are "none". ``flush_profiles``: the rules' profiles it runs.
    """

    name: str
    about: str = ""
    store_needs: str = "dirty"
    hw_dirty: bool = True
    entries: str = "tlb"
    shootdown: str = "ipi"
    skip_lazy: bool = False
    leaf_only: bool = False
    lazy_mmu: str = "nothing"
    batch_step: bool = False
    implied_flush: bool = False
    empty_flush: bool = False
    modify: str = "clear"
    huge: str = "same"
    flush_profiles: tuple[str, ...] = ()


def parse(name: str, text: str) -> Profile:
    """The profile that a TOML text describes. Raises ScenarioError with path ``name``."""
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ScenarioError(f"not TOML: {error}", path=name) from None
    known = Profile.__struct_fields__
    for key, value in table.items():
        _check(name, key, value, known)
    if "name" not in table:
        raise ScenarioError('"name" is missing', path=name)
    table["flush_profiles"] = tuple(table.get("flush_profiles", ()))
    return Profile(**table)


def _check(name: str, key: str, value: object, known: Iterable[str]) -> None:
    if key not in known:
        raise ScenarioError(f'unknown key "{key}"{nearest(key, known)}', path=name)
    if key in CHOICES and value not in CHOICES[key]:
        raise ScenarioError(f'"{key}" is {value!r}, expected one of {", ".join(CHOICES[key])}', path=name)
    kind = list if key == "flush_profiles" else bool if key in ("hw_dirty", "skip_lazy", "leaf_only", "batch_step", "implied_flush", "empty_flush") else str
    if not isinstance(value, kind) or (isinstance(value, list) and not all(isinstance(item, str) for item in value)):
        raise ScenarioError(f'"{key}" is {value!r}, expected a {"list of strings" if kind is list else kind.__name__}', path=name)


def find(profiles: Iterable[Profile], name: str) -> Profile:
    """The profile of that name. Raises ScenarioError that suggests the nearest."""
    by_name = {profile.name: profile for profile in profiles}
    if name not in by_name:
        raise ScenarioError(f'no profile "{name}"{nearest(name, by_name)}')
    return by_name[name]


def for_flush_profile(profiles: Iterable[Profile], name: str) -> tuple[Profile, ...]:
    """The machines on which the rules' flush profile ``name`` runs; () when none is modelled."""
    return tuple(profile for profile in profiles if name in profile.flush_profiles)
