"""Profiles: the shipped ones, and what is wrong with others."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tlblint.roles import ProfileData, RoleError, load_profile_data, load_profiles
from tlblint.roles.generation import NEWEST

NAMES = ["arm64", "powerpc-hash", "powerpc-radix", "riscv64", "s390", "sparc64", "x86-64", "x86-xen-pv"]
GOOD = 'name = "a"\narch = "b"\nfeatures = ["flush-real"]\nnote = "n"\nsource = ["f"]\n'


@pytest.fixture(scope="module")
def profiles(profile_texts: Mapping[str, str]) -> dict[str, ProfileData]:
    return {data.profile.name: data for data in load_profile_data(profile_texts)}


def test_all_are_there_in_order(profile_texts: Mapping[str, str]) -> None:
    assert [profile.name for profile in load_profiles(profile_texts)] == NAMES
    assert {name.removesuffix(".toml") for name in profile_texts} == set(NAMES)


def test_each_says_once_what_a_flush_is_worth(profiles: Mapping[str, ProfileData]) -> None:
    for data in profiles.values():
        assert len(data.profile.features & {"flush-real", "flush-empty", "flush-implied"}) == 1, data.profile.name
        assert data.profile.features & {"merge-vmas", "flush-per-vma"}, data.profile.name
        assert data.profile.note and data.source


def test_empty_flushes_mean_queues(profiles: Mapping[str, ProfileData]) -> None:
    for data in profiles.values():
        if "flush-empty" in data.profile.features:
            assert {"lazy-effective", "lazy-batches-flushes", "must-flush-under-ptl"} <= data.profile.features


def test_lazy_mode_matters_on(profiles: Mapping[str, ProfileData]) -> None:
    assert {name for name, data in profiles.items() if "lazy-effective" in data.profile.features} == {"powerpc-hash", "sparc64", "x86-xen-pv"}


@pytest.mark.parametrize(
    ("config", "feature"),
    [
        ("CONFIG_ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH", "batched-unmap"),
        ("CONFIG_MMU_GATHER_MERGE_VMAS", "merge-vmas"),
        ("CONFIG_MMU_GATHER_NO_GATHER", "no-gather"),
    ],
)
def test_configuration_and_features_agree(profiles: Mapping[str, ProfileData], config: str, feature: str) -> None:
    for name, data in profiles.items():
        assert data.config[config] == (feature in data.profile.features), name


def test_configuration_names(profiles: Mapping[str, ProfileData]) -> None:
    for data in profiles.values():
        assert all(name.startswith(("CONFIG_", "__HAVE_ARCH_")) for name in data.config)


@pytest.mark.parametrize(
    ("name", "generation", "features", "deferring"),
    [
        ("arm64", "6.1", NEWEST - {"batched-unmap:arm64"}, False),
        ("arm64", "6.1", NEWEST, True),  # a backport
        ("arm64", "unknown", NEWEST, True),
        ("riscv64", "6.9", NEWEST - {"batched-unmap:riscv"}, False),
        ("x86-64", "5.10", frozenset({"batched-unmap:x86"}), True),
        ("s390", "7.3", NEWEST, False),
    ],
)
def test_reclaim_defers_where_the_tree_says_so(
    profiles: Mapping[str, ProfileData], name: str, generation: str, features: frozenset[str], deferring: bool
) -> None:
    assert ("batched-unmap" in profiles[name].at(generation, features).features) == deferring


@pytest.mark.parametrize(("generation", "there"), [("6.15", False), ("6.16", True), ("7.0", True), ("6.9+", False), ("unknown", True)])
def test_what_no_declaration_tells_goes_by_the_release(profiles: Mapping[str, ProfileData], generation: str, there: bool) -> None:
    assert ("lazy-batches-barriers" in profiles["arm64"].at(generation, NEWEST).features) == there


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (GOOD.replace("flush-real", "flush-reel"), 3, "unknown profile feature 'flush-reel'"),
        (GOOD + '[[gained]]\nfeature = "batched-unmap"\nsince = "6.1"\n', 7, "'batched-unmap' is gained but not among the features"),
        (GOOD + '[[gained]]\nfeature = "flush-real"\nsince = "new"\n', 8, "'new' is not a release like 6.6"),
        (GOOD + '[config]\non = ["CONFIG_A"]\noff = ["CONFIG_A"]\n', 7, "CONFIG_A is both on and off"),
        (GOOD + "[config]\nof = []\n", 7, "Object contains unknown field `of`"),
        (GOOD.replace("arch =", "arc ="), 2, "Object contains unknown field `arc`"),
        (GOOD.replace('note = "n"\n', ""), 1, "Object missing required field `note`"),
    ],
)
def test_where_it_is_wrong(text: str, line: int, message: str) -> None:
    with pytest.raises(RoleError) as caught:
        load_profiles({"p.toml": text})
    assert (caught.value.file, caught.value.line, caught.value.message) == ("p.toml", line, message)


def test_two_of_one_name() -> None:
    with pytest.raises(RoleError, match=r"^q\.toml:1:9: the profile 'a' is described twice$"):
        load_profiles({"p.toml": GOOD, "q.toml": GOOD})
