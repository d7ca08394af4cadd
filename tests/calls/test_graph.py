"""The call graph, on small C: which calls are seen, how they are made, and what is held there."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tlblint.app.graph import Shipped, shipped
from tlblint.calls.graph import CallGraph, Edge, Node, build
from tlblint.calls.program import Program
from tlblint.calls.select import around, changing
from tlblint.flow import facts_of

TYPES = """
typedef struct { unsigned long pte; } pte_t;
typedef struct { unsigned long pmd; } pmd_t;
"""
WALKED = """
static int one(pte_t *pte, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	ptep_set_wrprotect(walk->mm, addr, pte);
	return 0;
}
"""


@pytest.fixture(scope="module")
def data() -> Shipped:
    return shipped((), {})


def graph_of(data: Shipped, files: Mapping[str, str], *wanted: str) -> CallGraph:
    """The graph of all functions of some files."""
    facts, sources = [], {}
    for path, text in files.items():
        raw = sources[path] = (TYPES + text).encode()
        every = frozenset(word.encode() for word in raw.decode().replace("(", " ").replace("*", " ").split())
        facts.append(facts_of(path, raw, data.config(path), frozenset(), every))
    return build(Program(facts), sources, data.kernel, frozenset(wanted))


def calls(graph: CallGraph) -> set[tuple[str, str, str, str]]:
    """(caller, callee, kind, via) of every edge."""
    return {(graph.nodes[e.caller].name, graph.nodes[e.callee].name, e.kind, e.via) for e in graph.edges}


def node(graph: CallGraph, name: str, path: str | None = None) -> Node:
    (found,) = [n for n in graph.nodes if n.name == name and path in (None, n.path)]
    return found


def edge(graph: CallGraph, caller: str, callee: str) -> Edge:
    (found,) = [e for e in graph.edges if (graph.nodes[e.caller].name, graph.nodes[e.callee].name) == (caller, callee)]
    return found


def test_direct_calls_and_effects(data: Shipped) -> None:
    graph = graph_of(data, {"mm/a.c": """
static void low(struct mm_struct *mm, unsigned long addr, pte_t *pte)
{
	ptep_get_and_clear(mm, addr, pte);
}
void high(struct mm_struct *mm, unsigned long addr, pte_t *pte)
{
	if (addr)
		low(mm, addr, pte);
	low(mm, 0, pte);
}
"""})  # fmt: skip
    assert calls(graph) == {("high", "low", "direct", "")}
    assert edge(graph, "high", "low").sites == 2
    assert node(graph, "low").effects == ("entry.clear",) and node(graph, "low").changes
    assert node(graph, "high").effects == () and not node(graph, "high").changes


def test_statics_of_one_name_are_told_apart(data: Shipped) -> None:
    text = """
static void walk(struct mm_struct *mm, unsigned long addr, pte_t *pte)
{
	%s(mm, addr, pte);
}
void %s(struct mm_struct *mm, unsigned long addr, pte_t *pte)
{
	walk(mm, addr, pte);
}
"""
    graph = graph_of(data, {"mm/a.c": text % ("ptep_get_and_clear", "a"), "mm/b.c": text % ("ptep_set_wrprotect", "b")})
    for caller, path, kind in (("a", "mm/a.c", "entry.clear"), ("b", "mm/b.c", "entry.demote")):
        called = graph.nodes[edge(graph, caller, "walk").callee]
        assert (called.path, called.effects) == (path, (kind,))


@pytest.mark.parametrize(
    ("walker", "table"),
    [
        ("static const struct mm_walk_ops ops = { .pte_entry = one };\nvoid go(struct mm_struct *mm)\n{\n\twalk_page_range(mm, 0, 1, &ops, 0);\n}\n", "ops"),
        ("void go(struct mm_struct *mm)\n{\n\tconst struct mm_walk_ops ops = { .pte_entry = one };\n\n\twalk_page_range(mm, 0, 1, &ops, 0);\n}\n", "ops"),
        ("void go(struct mm_struct *mm)\n{\n\tstruct mm_walk_ops w;\n\n\tw.pte_entry = one;\n\twalk_page_range(mm, 0, 1, &w, 0);\n}\n", "w"),
        ("static const struct mm_walk_ops ops = { .pte_entry = one };\nvoid go(struct mm_struct *mm)\n{\n"
         "\tstruct mm_walk walk = { .ops = &ops, .mm = mm };\n\n\twalk_pgd_range(0, 1, &walk);\n}\n", "ops"),
    ],
)  # fmt: skip
def test_walks_lead_to_their_callbacks(data: Shipped, walker: str, table: str) -> None:
    graph = graph_of(data, {"mm/a.c": WALKED + walker})
    assert calls(graph) == {("go", "one", "table", f"mm_walk_ops.pte_entry of {table}")}
    assert [(held.what, held.by) for held in node(graph, "one").enters] == [("PTL", "walker")]
    assert node(graph, "one").slots == ("mm_walk_ops.pte_entry",)


def test_tables_of_one_name_belong_to_their_functions(data: Shipped) -> None:
    one = "static bool {0}_one(struct folio *f, struct vm_area_struct *vma, unsigned long a, void *arg)\n{{\n\tflush_tlb_page(vma, a);\n\treturn true;\n}}\n"
    rmap = "void {0}(struct folio *folio)\n{{\n\tstruct rmap_walk_control rwc = {{\n\t\t.rmap_one = {0}_one,\n\t}};\n\n\trmap_walk(folio, &rwc);\n}}\n"
    graph = graph_of(data, {"mm/rmap.c": one.format("a") + one.format("b") + rmap.format("a") + rmap.format("b")})
    via = "rmap_walk_control.rmap_one of rwc"
    assert calls(graph) == {("a", "a_one", "table", via), ("b", "b_one", "table", via)}


def test_an_object_of_the_function_hides_a_table_of_that_name(data: Shipped) -> None:
    text = "static const struct mm_walk_ops ops = { .pte_entry = one };\nvoid go(struct mm_struct *mm)\n{\n\tstruct mm_walk_ops ops = {};\n\n"
    assert calls(graph_of(data, {"mm/a.c": WALKED + text + "\twalk_page_range(mm, 0, 1, &ops, 0);\n}\n"})) == set()


def test_a_slot_that_a_condition_chooses(data: Shipped) -> None:
    graph = graph_of(data, {"mm/rmap.c": """
static bool small(struct folio *f, struct vm_area_struct *vma, unsigned long a, void *arg)
{
	return true;
}
static bool large(struct folio *f, struct vm_area_struct *vma, unsigned long a, void *arg)
{
	return true;
}
void go(struct folio *folio)
{
	struct rmap_walk_control rwc = {
		.rmap_one = folio_test_large(folio) ? large : small,
		.arg = 0,
	};

	rmap_walk(folio, &rwc);
}
"""})  # fmt: skip
    via = "rmap_walk_control.rmap_one of rwc"
    assert calls(graph) == {("go", "small", "table", via), ("go", "large", "table", via)}


def test_functions_that_are_handed_over(data: Shipped) -> None:
    graph = graph_of(data, {"mm/a.c": """
static int fill(pte_t *pte, unsigned long addr, void *data)
{
	set_pte_at(data, addr, pte, make());
	return 0;
}
int go(struct mm_struct *mm)
{
	int fill_local = 0;

	on_each_cpu(fill, fill_local, 1);
	return apply_to_page_range(mm, 0, 4096, fill, mm);
}
int shadowed(struct mm_struct *mm, pte_fn_t fill)
{
	return apply_to_page_range(mm, 0, 4096, fill, mm);
}
"""})  # fmt: skip
    assert calls(graph) == {("go", "fill", "table", "argument of apply_to_page_range()"), ("go", "fill", "table", "argument of on_each_cpu()")}
    assert {(h.what, h.by) for h in node(graph, "fill").enters} == {("PTL", "walker"), ("lazy MMU mode", "walker")}


def test_notifier_operations(data: Shipped) -> None:
    graph = graph_of(data, {"mm/a.c": """
static int start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	return 0;
}
static const struct mmu_notifier_ops watch_ops = {
	.invalidate_range_start = start,
};
void go(struct watch *watch, struct mm_struct *mm)
{
	watch->mn.ops = &watch_ops;
	mmu_notifier_register(&watch->mn, mm);
}
"""})  # fmt: skip
    assert calls(graph) == {("go", "start", "table", "mmu_notifier_ops.invalidate_range_start of watch_ops")}


def test_macros_that_call(data: Shipped) -> None:
    graph = graph_of(data, {"include/linux/x.h": """
#define inner(mm, pte) \\
	do { /* never(mm) */ \\
		low(mm, 0, pte); \\
	} while (0)
#define outer(mm, pte) inner(mm, pte)
#define renamed low
#define clears(mm, pte) ptep_get_and_clear(mm, 0, pte)
""", "mm/a.c": """
void low(struct mm_struct *mm, unsigned long addr, pte_t *pte)
{
	ptep_set_wrprotect(mm, addr, pte);
}
void never(struct mm_struct *mm)
{
}
void go(struct mm_struct *mm, pte_t *pte)
{
	outer(mm, pte);
}
void other(struct mm_struct *mm, pte_t *pte)
{
	renamed(mm, 0, pte);
	clears(mm, pte);
}
"""})  # fmt: skip
    assert calls(graph) == {("go", "low", "macro", "outer"), ("other", "low", "macro", "renamed")}
    assert node(graph, "other").effects == ("entry.clear",)


def test_a_macro_of_another_file_is_another_macro(data: Shipped) -> None:
    user = "#define step(mm) {0}(mm)\nvoid {0}(struct mm_struct *mm)\n{{\n\tflush_tlb_mm(mm);\n}}\nvoid go_{0}(struct mm_struct *mm)\n{{\n\tstep(mm);\n}}\n"
    graph = graph_of(data, {"mm/a.c": user.format("a"), "mm/b.c": user.format("b")})
    assert calls(graph) == {("go_a", "a", "macro", "step"), ("go_b", "b", "macro", "step")}


def test_a_macro_of_the_file_wins_over_that_of_a_header(data: Shipped) -> None:
    both = "void a(struct mm_struct *mm)\n{\n}\nvoid b(struct mm_struct *mm)\n{\n}\nvoid go(struct mm_struct *mm)\n{\n\tstep(mm);\n}\n"
    header = "#define step(mm) a(mm)\n"
    assert calls(graph_of(data, {"include/x.h": header, "mm/a.c": both})) == {("go", "a", "macro", "step")}
    assert calls(graph_of(data, {"include/x.h": header, "mm/a.c": "#define step(mm) b(mm)\n" + both})) == {("go", "b", "macro", "step")}


def test_macros_that_end_in_themselves(data: Shipped) -> None:
    graph = graph_of(data, {"mm/a.c": "#define a(x) b(x)\n#define b(x) a(x)\nvoid go(int x)\n{\n\ta(x);\n}\n"})
    assert calls(graph) == set()


def test_architectures_have_their_own(data: Shipped) -> None:
    own = "{1}void hook(struct mm_struct *mm)\n{{\n\tflush_tlb_mm(mm);\n}}\nvoid use_{0}(struct mm_struct *mm)\n{{\n\thook(mm);\n}}\n"
    graph = graph_of(data, {"mm/a.c": own.format("mm", "__weak "), "arch/x86/mm/b.c": own.format("x86", ""), "arch/s390/mm/c.c": own.format("s390", "")})
    for caller, path in (("use_mm", "mm/a.c"), ("use_x86", "arch/x86/mm/b.c"), ("use_s390", "arch/s390/mm/c.c")):
        assert graph.nodes[edge(graph, caller, "hook").callee].path == path
    assert node(graph, "hook", "mm/a.c").weak and not node(graph, "hook", "arch/x86/mm/b.c").weak
    assert node(graph, "hook", "mm/a.c").overrides == ("arch/s390/mm/c.c", "arch/x86/mm/b.c")


def test_what_only_architectures_define(data: Shipped) -> None:
    own = "void hook(struct mm_struct *mm)\n{\n\tflush_tlb_mm(mm);\n}\n"
    graph = graph_of(data, {"mm/a.c": "void go(struct mm_struct *mm)\n{\n\thook(mm);\n}\n", "arch/x86/mm/b.c": own, "arch/s390/mm/c.c": own})
    assert {graph.nodes[e.callee].path for e in graph.edges} == {"arch/x86/mm/b.c", "arch/s390/mm/c.c"}


def test_twins_are_one_node(data: Shipped) -> None:
    graph = graph_of(data, {"mm/a.c": """
#ifdef CONFIG_SOMETHING
static void twin(struct mm_struct *mm, unsigned long addr, pte_t *pte)
{
	ptep_get_and_clear(mm, addr, pte);
}
#else
static void twin(struct mm_struct *mm, unsigned long addr, pte_t *pte)
{
}
#endif
void go(struct mm_struct *mm, unsigned long addr, pte_t *pte)
{
	twin(mm, addr, pte);
}
"""})  # fmt: skip
    assert node(graph, "twin").variants == 2 and node(graph, "twin").effects == ("entry.clear",)
    assert calls(graph) == {("go", "twin", "direct", "")}


def test_header_inlines_are_for_everyone(data: Shipped) -> None:
    inline = "static inline void help(struct mm_struct *mm)\n{\n\tflush_tlb_mm(mm);\n}\n"
    graph = graph_of(data, {"include/linux/h.h": inline, "mm/a.c": "void go(struct mm_struct *mm)\n{\n\thelp(mm);\n}\n"})
    assert calls(graph) == {("go", "help", "direct", "")} and node(graph, "help").inline


def test_pointers_nobody_knows(data: Shipped) -> None:
    text = """
static const struct mm_walk_ops o = { .pte_entry = one };
void go(struct mm_walk *walk)
{
	walk->ops->pte_entry(0, 0, 0, walk);
	walk->other(1);
}
"""
    graph = graph_of(data, {"mm/a.c": WALKED + text})
    assert calls(graph) == {("go", "walk->ops->pte_entry", "unresolved", ""), ("go", "walk->other", "unresolved", "")}
    assert node(graph, "walk->ops->pte_entry").slots == ("one of 1 functions or more in tables",) and not node(graph, "walk->other").slots


LOCKED = """
static void inside(struct mm_struct *mm, unsigned long addr, pte_t *pte)
{
	ptep_get_and_clear(mm, addr, pte);
}
static void outside(struct mm_struct *mm)
{
	flush_tlb_mm(mm);
}
static void missed(struct mm_struct *mm)
{
	flush_tlb_mm(mm);
}
void go(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(mm, pmd, addr, &ptl);

	if (!pte) {
		missed(mm);
		return;
	}
	arch_enter_lazy_mmu_mode();
	inside(mm, addr, pte);
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
	outside(mm);
}
"""


def test_locks_at_calls(data: Shipped) -> None:
    graph = graph_of(data, {"mm/a.c": LOCKED})
    assert {callee: edge(graph, "go", callee).held for callee in ("inside", "outside", "missed")} == {
        "inside": ("lazy MMU mode", "ptl"),
        "outside": (),
        "missed": (),
    }
    assert [(h.what, h.by) for h in node(graph, "inside").enters] == [("PTL", "callers"), ("lazy MMU mode", "callers")]
    assert node(graph, "outside").enters == () and node(graph, "missed").enters == ()


def test_locks_go_down_through_helpers_and_only_as_far_as_callers_agree(data: Shipped) -> None:
    more = "static void deep(struct mm_struct *mm)\n{\n\tflush_tlb_mm(mm);\n}\n"
    text = LOCKED.replace("static void inside", more + "static void inside").replace("\tptep_get_and_clear(mm", "\tdeep(mm);\n\tptep_get_and_clear(mm")
    graph = graph_of(data, {"mm/a.c": text})
    assert {h.by for h in node(graph, "deep").enters} == {"callers"}
    graph = graph_of(data, {"mm/a.c": text + "void bare(struct mm_struct *mm)\n{\n\tdeep(mm);\n}\n"})
    assert {h.by for h in node(graph, "deep").enters} == {"some callers"} and {h.by for h in node(graph, "inside").enters} == {"callers"}


def test_the_callers_lock_ends_where_it_is_dropped(data: Shipped) -> None:
    graph = graph_of(data, {"mm/a.c": """
static void before(struct vm_fault *vmf)
{
	flush_tlb_page(vmf->vma, vmf->address);
}
static void after(struct vm_fault *vmf)
{
	flush_tlb_page(vmf->vma, vmf->address);
}
static void fault(struct vm_fault *vmf)
{
again:
	before(vmf);
	spin_unlock(vmf->ptl);
	after(vmf);
	spin_lock(vmf->ptl);
	if (vmf->flags)
		goto again;
	spin_unlock(vmf->ptl);
}
void go(struct vm_fault *vmf)
{
	spin_lock(vmf->ptl);
	fault(vmf);
}
"""})  # fmt: skip
    assert [(h.what, h.by) for h in node(graph, "before").enters] == [("PTL", "callers")]
    assert node(graph, "after").enters == () and "ptl.release" in node(graph, "fault").effects


def test_primitives_are_effects_unless_they_are_asked_for(data: Shipped) -> None:
    text = {"mm/a.c": LOCKED}
    assert all(n.name != "ptep_get_and_clear" for n in graph_of(data, text).nodes)
    graph = graph_of(data, text, "ptep_get_and_clear")
    assert ("inside", "ptep_get_and_clear", "direct", "") in calls(graph)
    assert node(graph, "ptep_get_and_clear").kind == "undefined"


CHAIN = "".join(f"void f{n}(struct mm_struct *mm, pte_t *pte)\n{{\n\tf{n + 1}(mm, pte);\n}}\n" for n in range(6)) + (
    "void f6(struct mm_struct *mm, pte_t *pte)\n{\n\tptep_get_and_clear(mm, 0, pte);\n\tidle(mm);\n}\nvoid idle(struct mm_struct *mm)\n{\n}\n"
)


def test_a_part_is_cut_at_its_depth(data: Shipped) -> None:
    graph = graph_of(data, {"mm/a.c": CHAIN})
    at = {n.name: number for number, n in enumerate(graph.nodes)}
    part = around(graph, [at["f3"]], 2)
    assert {graph.nodes[n].name for n in part.nodes} == {"f1", "f2", "f3", "f4", "f5"}
    assert (part.above, part.below) == ({at["f1"]: 1}, {at["f5"]: 1})
    assert {graph.nodes[n].name for n in around(graph, [at["f3"]], 2, callees=False).nodes} == {"f1", "f2", "f3"}
    assert {graph.nodes[n].name for n in around(graph, [at["f3"]], 9, callers=False).nodes} == {"f3", "f4", "f5", "f6"}, "idle() changes nothing"
    whole = changing(graph, [at["f6"]], None)
    assert {graph.nodes[n].name for n in whole.nodes} == {f"f{n}" for n in range(7)} and len(whole.edges) == 6


def test_cycles_end(data: Shipped) -> None:
    text = "void a(struct mm_struct *mm)\n{\n\tb(mm);\n\ta(mm);\n\tflush_tlb_mm(mm);\n}\nvoid b(struct mm_struct *mm)\n{\n\ta(mm);\n}\n"
    graph = graph_of(data, {"mm/a.c": text})
    part = around(graph, [0], 50)
    assert len(part.nodes) == 2 and len(part.edges) == 3
