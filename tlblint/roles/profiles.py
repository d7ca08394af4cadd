"""Flush models: an architecture, what its flushes and its lazy mode are worth, and the configuration to read code with."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tlblint.model.roles import Profile
from tlblint.roles.decode import RoleError, decode, locate
from tlblint.roles.generation import FEATURES

WORDS = frozenset(
    {
        "flush-real",  # flush_tlb_*() on return has reached every CPU
        "flush-empty",  # flush_tlb_*() compile to nothing: the entry change queues or does the invalidation
        "flush-implied",  # the entry change itself flushes, or marks the mm for a flush
        "flush-queued",  # inside lazy mode flushes are queued with the writes
        "lazy-effective",  # lazy mode delays something
        "lazy-batches-flushes",  # ... invalidations
        "lazy-batches-writes",  # ... the stores to the page table themselves
        "lazy-batches-barriers",  # ... only barriers for kernel mappings
        "lazy-disables-preemption",
        "must-flush-under-ptl",  # a new fault under the same PTL may meet the old hash entry
        "batched-unmap",  # reclaim may defer its flushes
        "merge-vmas",  # a gather may span VMAs: tlb_end_vma() does not flush
        "flush-per-vma",
        "no-gather",  # pages are freed as they come, not batched
        "hardware-dirty",  # hardware sets the dirty bit of a live entry
        "invalidate-ad-keeps-tlb",  # pmdp_invalidate_ad() does not flush
        "young-keeps-tlb",  # ptep_clear_flush_young() does not flush
    }
)


class _Gained(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    feature: str
    since: str


class _Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    on: tuple[str, ...] = ()
    off: tuple[str, ...] = ()


class _File(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    name: str
    arch: str
    features: tuple[str, ...]
    note: str
    source: tuple[str, ...]
    gained: tuple[_Gained, ...] = ()
    config: _Config = _Config()


class ProfileData(msgspec.Struct, frozen=True):
    """A profile with all its data.

    ``profile`` has the features of the newest kernel. ``gained`` are (feature, first release) of those that older kernels lack.
    ``config`` maps CONFIG_ names and __HAVE_ARCH_ style macros to whether they are set; a name that is absent is unknown.
    """

    profile: Profile
    gained: tuple[tuple[str, tuple[int, int]], ...]
    config: Mapping[str, bool]
    source: tuple[str, ...]

    def at(self, name: str, features: frozenset[str]) -> Profile:
        """The profile in a kernel of generation ``name`` with the generation's ``features``.

        Where the tree's own declarations tell ("batched-unmap:arm64"), they win over the release number.
        """
        lost = set()
        for feature, since in self.gained:
            told = f"{feature}:{self.profile.arch}"
            there = told in features if told in FEATURES else _release(name) is None or (_release(name) or since) >= since
            if not there:
                lost.add(feature)
        return Profile(self.profile.name, self.profile.arch, self.profile.features - lost, self.profile.note)


def _release(name: str) -> tuple[int, int] | None:
    head, _, tail = name.rstrip("+").partition(".")
    return (int(head), int(tail)) if head.isdigit() and tail.isdigit() else None


def load_profile_data(texts: Mapping[str, str]) -> tuple[ProfileData, ...]:
    """Profiles from ``texts`` (file name -> TOML text), in order of their names. Raises ``RoleError``."""
    found: dict[str, ProfileData] = {}
    for file in sorted(texts):
        text = texts[file]
        raw = decode(file, text, _File)
        _check(file, text, raw, found)
        gained = tuple((item.feature, _since(file, text, item.since)) for item in raw.gained)
        config = {**dict.fromkeys(raw.config.off, False), **dict.fromkeys(raw.config.on, True)}
        found[raw.name] = ProfileData(Profile(raw.name, raw.arch, frozenset(raw.features), raw.note), gained, config, raw.source)
    return tuple(found[name] for name in sorted(found))


def load_profiles(texts: Mapping[str, str]) -> tuple[Profile, ...]:
    """The profiles as they are for the newest kernel, in order of their names. Raises ``RoleError``."""
    return tuple(data.profile for data in load_profile_data(texts))


def _since(file: str, text: str, since: str) -> tuple[int, int]:
    release = _release(since)
    if release is None:
        raise RoleError(file, *locate(text, "gained", None, since), f"{since!r} is not a release like 6.6")
    return release


def _check(file: str, text: str, raw: _File, found: Mapping[str, ProfileData]) -> None:
    def fail(needle: str, message: str) -> RoleError:
        return RoleError(file, *locate(text, "", None, needle), message)

    if raw.name in found:
        raise fail(raw.name, f"the profile {raw.name!r} is described twice")
    for word in raw.features:
        if word not in WORDS:
            raise fail(word, f"unknown profile feature {word!r}")
    for item in raw.gained:
        if item.feature not in raw.features:
            raise fail(item.feature, f"{item.feature!r} is gained but not among the features")
    for name in raw.config.on:
        if name in raw.config.off:
            raise fail(name, f"{name} is both on and off")
