"""The shipped table: what calls mean, what is in scope, what can be skipped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tlblint.roles import RoleTable, load_roles
from tlblint.roles.generation import FEATURES, NEWEST
from tlblint.roles.kinds import KINDS

OLD: frozenset[str] = frozenset()
ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def new(api: Mapping[str, str]) -> RoleTable:
    return load_roles(api, NEWEST)


@pytest.fixture(scope="module")
def old(api: Mapping[str, str]) -> RoleTable:
    return load_roles(api, OLD)


def kinds(table: RoleTable, name: str, nargs: int) -> list[str]:
    role = table.resolve(name, nargs)
    assert role is not None, f"{name}/{nargs}"
    return [effect.kind for effect in role.effects]


def bound(table: RoleTable, name: str, nargs: int) -> list[dict[str, str]]:
    role = table.resolve(name, nargs)
    assert role is not None, f"{name}/{nargs}"
    return [dict(effect.bind) for effect in role.effects]


@pytest.mark.parametrize(
    ("name", "nargs", "expected"),
    [
        ("ptep_clear_flush", 3, ["entry.clear", "flush.now"]),
        ("pte_alloc_map_lock", 4, ["sleep", "ptl.acquire"]),
        ("tlb_finish_mmu", 1, ["flush.gather", "gather.end"]),
        ("tlb_start_ptes", 1, ["section.open", "flush.batched"]),
        ("double_pt_lock", 2, ["ptl.acquire", "ptl.acquire"]),
        ("page_vma_mapped_walk", 1, ["ptl.release", "ptl.acquire"]),
        ("softleaf_entry_wait_on_locked", 2, ["ptl.release", "sleep"]),
        ("mmu_notifier_invalidate_range_start", 1, ["sleep", "notifier.start"]),
        ("pte_clear_soft_dirty", 1, ["value.derive"]),
        ("flush_tlb_fix_spurious_fault", 3, []),
    ],
)
def test_effects_in_their_order(new: RoleTable, name: str, nargs: int, expected: list[str]) -> None:
    assert kinds(new, name, nargs) == expected


@pytest.mark.parametrize(
    ("name", "nargs", "index", "expected"),
    [
        ("pte_offset_map_rw_nolock", 5, 0, {"ptl": "*4", "pte": "ret", "mm": "0", "pmd": "1"}),
        ("pte_offset_map_ro_nolock", 4, 0, {"ptl": "*3", "pte": "ret", "mm": "0", "pmd": "1"}),
        ("folio_walk_start", 4, 0, {"ptl": "0.ptl", "pte": "0.ptep"}),
        ("follow_pte", 4, 0, {"ptl": "*3", "pte": "*2"}),
        ("follow_pte", 6, 2, {"ptl": "*5", "pte": "*3"}),
        ("tlb_remove_huge_tlb_entry", 4, 0, {"tlb": "1", "pte": "2"}),
        ("tlb_flush_pte_range", 3, 0, {"tlb": "0"}),
        ("tlb_flush_pte_range", 4, 0, {"tlb": "0", "pte": "1"}),
        ("set_tlb_ubc_flush_pending", 2, 0, {"mm": "0", "value": "1"}),
        ("set_tlb_ubc_flush_pending", 4, 0, {"mm": "0", "value": "1"}),
        ("huge_ptep_get", 1, 0, {"pte": "0", "value": "ret"}),
        ("huge_ptep_get", 3, 0, {"pte": "2", "value": "ret", "mm": "0"}),
        ("ptep_modify_prot_commit", 5, 0, {"pte": "2", "old": "3", "value": "4", "vma": "0", "mm": "0.vm_mm"}),
    ],
)
def test_the_number_of_arguments_chooses(new: RoleTable, name: str, nargs: int, index: int, expected: dict[str, str]) -> None:
    assert bound(new, name, nargs)[index] == expected


def test_a_wrong_number_of_arguments_is_no_role(new: RoleTable) -> None:
    assert new.resolve("set_pte_at", 3) is None
    assert new.resolve("no_such_function", 0) is None


def test_any_number_of_arguments(new: RoleTable) -> None:
    assert [kinds(new, "get_user_pages", count) for count in (4, 5)] == [["sleep"], ["sleep"]]


def test_mapping_may_fail_only_where_it_can(old: RoleTable, new: RoleTable) -> None:
    def outcome(table: RoleTable) -> list[str]:
        role = table.resolve("pte_offset_map_lock", 4)
        assert role is not None
        return [effect.when for effect in role.effects]

    assert (outcome(old), outcome(new)) == (["always"], ["ret!=0"])


def test_unsharing_by_generation(old: RoleTable, new: RoleTable) -> None:
    assert (kinds(old, "huge_pmd_unshare", 4), kinds(new, "huge_pmd_unshare", 4)) == (["entry.clear"], ["flush.record"])


def test_the_old_lazy_names_never_nest(old: RoleTable, new: RoleTable) -> None:
    for table in (old, new):
        role = table.resolve("arch_enter_lazy_mmu_mode", 0)
        assert role is not None and role.effects[0].attrs == frozenset()
    role = new.resolve("lazy_mmu_mode_enable", 0)
    assert role is not None and role.effects[0].attrs == {"nests"}


def test_a_clear_that_flushes_says_so(new: RoleTable) -> None:
    """The mark on the clear and the flush beside it must agree: rules use the one, the engine the other."""
    for role in new.roles():
        for effect in role.effects:
            if effect.kind == "entry.clear":
                assert ("flushed" in effect.attrs) == any(other.kind == "flush.now" for other in role.effects), role.name


def test_atomic_or_plain(new: RoleTable) -> None:
    for role in new.roles():
        for effect in role.effects:
            if effect.kind == "entry.clear":
                assert len(effect.attrs & {"atomic", "plain"}) == 1, role.name
                assert "atomic" in effect.attrs or "value" not in dict(effect.bind), role.name


def test_relevant_names(new: RoleTable) -> None:
    relevant = new.relevant()
    assert {b"set_pte_at", b"ptep_get_and_clear", b"pte_unmap_unlock", b"flush_tlb_range", b"lazy_mmu_mode_enable", b"tlb_gather_mmu"} <= relevant
    assert {b"inc_tlb_flush_pending", b"try_to_unmap_flush", b"pte_lockptr", b"flush_tlb_batched_pending", b"tlb_end_ptes"} <= relevant
    assert not relevant & {b"spin_lock", b"cond_resched", b"pte_dirty", b"pte_present", b"set_page_dirty", b"PageAnon", b"ptep_get", b"mk_pte", b"put_page"}


@pytest.mark.parametrize("features", [OLD, NEWEST, FEATURES])
def test_prefilter_misses_nothing(api: Mapping[str, str], features: frozenset[str]) -> None:
    table = load_roles(api, features)
    needles = table.prefilter()
    assert len(needles) <= 18
    assert [name for name in table.relevant() if not any(needle in name for needle in needles)] == []
    assert not any(needle in b"int main(void) { spin_lock(&a); put_page(p); return schedule_timeout(1); }" for needle in needles)


def test_every_feature_combination_that_a_role_names_is_known(api: Mapping[str, str]) -> None:
    import tomllib

    named = {role[key] for text in api.values() for role in tomllib.loads(text).get("role", ()) for key in ("requires", "unless") if key in role}
    assert named <= FEATURES
    assert named  # or the test sees nothing


def test_the_readme_lists_every_kind_and_word() -> None:
    text = (ROOT / "rules" / "api" / "README.md").read_text(encoding="utf-8")
    for kind, what in KINDS.items():
        head, _, tail = kind.partition(".")
        assert f"`{kind}`" in text or (f"`{head}." in text and f"`.{tail}`" in text), kind
        for word in what.attrs:
            assert f"`{word}`" in text, (kind, word)


def test_every_role_says_where_it_is_seen(api: Mapping[str, str]) -> None:
    import tomllib

    roles = [(file, role) for file, text in api.items() for role in tomllib.loads(text).get("role", ())]
    assert [(file, role["names"]) for file, role in roles if not role.get("source")] == []
