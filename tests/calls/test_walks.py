"""Walks as functions: which callbacks they call, in what order, and with what."""

from __future__ import annotations

from tlblint.calls.program import Program
from tlblint.calls.walks import PARAMS, Walks
from tlblint.flow import facts_of
from tlblint.model.ir import Function
from tlblint.model.roles import Effect, Role
from tlblint.syntax import Config

SLOTS = {
    ("mm_walk_ops", "pre_vma"): {"mm": "2.mm", "vma": "2.vma"},
    ("mm_walk_ops", "pmd_entry"): {"mm": "3.mm", "vma": "3.vma"},
    ("mm_walk_ops", "post_vma"): {"mm": "0.mm", "vma": "0.vma"},
    ("rmap_walk_control", "rmap_one"): {"vma": "1", "private": "3"},
    ("apply_to_page_range", "fn"): {"pte": "0"},
}
ROLES = {
    ("walk_page_range", 5): Effect("walk.range", (("ops", "3"), ("private", "4"), ("mm", "0")), frozenset(), "always"),
    ("rmap_walk", 2): Effect("walk.range", (("ops", "1"),), frozenset({"rmap"}), "always"),
    ("apply_to_page_range", 5): Effect("walk.range", (("ops", "3"), ("private", "4"), ("mm", "0")), frozenset({"fn"}), "always"),
}

WALKED = b"""
static int open_it(unsigned long a, unsigned long b, struct mm_walk *walk) { set_pte(0, 0); return 0; }
static int each(pmd_t *pmd, unsigned long a, unsigned long b, struct mm_walk *walk) { set_pte(0, 0); return 0; }
static void close_it(struct mm_walk *walk) { set_pte(0, 0); }
static const struct mm_walk_ops ops = { .post_vma = close_it, .pmd_entry = each, .pre_vma = open_it, };
void start(struct mm_struct *mm, struct priv *p)
{
	set_pte(0, 0);
	walk_page_range(mm, 0, -1, &ops, p);
}
"""

CHOSEN = b"""
static bool one(struct folio *f, struct vm_area_struct *vma, unsigned long a, void *arg) { set_pte(0, 0); return true; }
static bool other(struct folio *f, struct vm_area_struct *vma, unsigned long a, void *arg) { set_pte(0, 0); return true; }
void start(struct folio *folio, int huge)
{
	struct rmap_walk_control rwc = { .rmap_one = huge ? one : other, .arg = (void *)huge, };

	set_pte(0, 0);
	rmap_walk(folio, &rwc);
}
"""

HANDED = b"""
static int fill(pte_t *pte, unsigned long a, void *data) { set_pte(pte, 0); return 0; }
void user(struct mm_struct *mm) { set_pte(0, 0); apply_to_page_range(mm, 0, 1, fill, 0); }
void kernel(void) { set_pte(0, 0); apply_to_page_range(&init_mm, 0, 1, fill, 0); }
"""


def _read(source: bytes) -> tuple[Program, Walks]:
    program = Program([facts_of("mm/a.c", source, Config(frozenset(), frozenset()), frozenset({b"set_pte"}))])

    def role(name: str, count: int) -> Role | None:
        effect = ROLES.get((name, count))
        return Role(name, count, "", (effect,), "") if effect is not None else None

    return program, Walks(program, SLOTS, role)


def _target(program: Program, walks: Walks, caller: str, callee: str) -> tuple[Function | None, tuple[object, ...]]:
    fn = program.functions[next(iter(program.by_name(caller)))]
    instr = next(i for block in fn.blocks for i in block.instrs if i[0] == "call" and i[2] == callee)
    index = walks.target(instr, fn)
    return (program.functions[index] if index is not None else None), walks.arguments(instr)


def _called(walk: Function) -> list[str]:
    return [instr[2] for block in walk.blocks for instr in block.instrs if instr[0] == "call"]


def test_a_table_is_opened_walked_and_closed_whatever_its_order() -> None:
    walk, args = _target(*_read(WALKED), "start", "walk_page_range")
    assert walk is not None
    assert _called(walk) == ["open_it", "each", "close_it"]
    assert walk.params == PARAMS
    assert args == (("v", "mm"), ("?",), ("v", "p"))


def test_a_failing_opening_ends_the_walk_and_the_closing_leads_to_the_next_vma() -> None:
    walk, _ = _target(*_read(WALKED), "start", "walk_page_range")
    assert walk is not None
    opening = next(block for block in walk.blocks if any(i[0] == "call" and i[2] == "open_it" for i in block.instrs))
    assert walk.blocks[opening.succs[0]].kind == "return"
    closing = next(block for block in walk.blocks if any(i[0] == "call" and i[2] == "close_it" for i in block.instrs))
    assert walk.blocks[closing.succs[0]].succs == (1,)


def test_callbacks_chosen_by_assignment_are_all_called() -> None:
    walk, args = _target(*_read(CHOSEN), "start", "rmap_walk")
    assert walk is not None
    assert sorted(_called(walk)) == ["one", "other"]
    assert args[2] == ("v", "rwc.arg")


def test_a_function_handed_over_is_walked_but_not_for_the_kernel() -> None:
    program, walks = _read(HANDED)
    walk, _ = _target(program, walks, "user", "apply_to_page_range")
    assert walk is not None and _called(walk) == ["fill"]
    only_kernel = HANDED.replace(b"apply_to_page_range(mm,", b"keep(mm,")
    assert _target(*_read(only_kernel), "kernel", "apply_to_page_range")[0] is None
