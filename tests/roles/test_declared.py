"""Names as a tree declares them, held against the tables: small headers, two architectures."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tlblint.model.ir import Block, FileFacts, Function
from tlblint.names.index import of_files
from tlblint.names.unit import Places
from tlblint.roles import RoleTable, load_roles
from tlblint.roles.declared import ROOTS, follow, meant, told_by
from tlblint.roles.local import own, renamed
from tlblint.roles.meant import Meant
from tlblint.syntax.config import Config

X86, ARM = "arch/x86/include/asm/pgtable.h", "arch/arm/include/asm/pgtable.h"
GENERIC = "include/linux/pgtable.h"
CLEAR = "ptep_get_and_clear"


@pytest.fixture(scope="module")
def table(api: Mapping[str, str]) -> RoleTable:
    return load_roles(api, frozenset())


def asked(table: RoleTable, files: Mapping[str, str], on: str = "", off: str = "") -> tuple[Meant, ...]:
    index = of_files({path: text.encode() for path, text in {X86: "\n", ARM: "\n", GENERIC: "#include <asm/pgtable.h>\n", **files}.items()})
    headers = {arch: index.lead_to(Places((f"arch/{arch}/include", "include")), ROOTS, follow) for arch in ("x86", "arm")}
    config = Config(frozenset(on.split()), frozenset(off.split()))
    return meant(table, index, headers, lambda arch: config)


def binds(table: RoleTable, name: str, nargs: int) -> dict[str, str] | None:
    role = table.resolve(name, nargs)
    return None if role is None else dict(role.effects[0].bind)


def test_what_is_as_the_table_has_it_is_nothing(table: RoleTable) -> None:
    text = f"static inline pte_t {CLEAR}(struct mm_struct *mm, unsigned long a, pte_t *p)\n{{\n}}\n#define pte_accessible pte_accessible\n"
    assert asked(table, {X86: text}) == ()


def test_another_name_has_the_role(table: RoleTable) -> None:
    more = asked(table, {GENERIC: f"#define vendor_clear {CLEAR}\n"})
    assert binds(told_by(table, more), "vendor_clear", 3) == binds(table, CLEAR, 3) != None  # noqa: E711
    assert "vendor_clear" not in table.names()


def test_arguments_are_where_the_macro_puts_them(table: RoleTable) -> None:
    more = asked(table, {GENERIC: f"#define vendor_clear(vma, p, a)\t\\\n\t({CLEAR}((vma)->vm_mm, (a), p))\n"})
    assert binds(told_by(table, more), "vendor_clear", 3) == {"pte": "1", "value": "ret", "mm": "0.vm_mm"}


def test_a_name_of_a_name(table: RoleTable) -> None:
    more = asked(table, {GENERIC: f"#define first(p, m, a) second(m, a, p)\n#define second(m, a, p) {CLEAR}(m, a, p)\n"})
    assert binds(told_by(table, more), "first", 3) == {"pte": "0", "value": "ret", "mm": "1"}


def test_the_configuration_says_which_role(table: RoleTable) -> None:
    text = "#ifdef CONFIG_EAGER\n#define vendor_clear ptep_clear_flush\n#else\n#define vendor_clear ptep_get_and_clear\n#endif\n"
    assert asked(table, {GENERIC: text}, on="CONFIG_EAGER") == (Meant("vendor_clear", 3, "ptep_clear_flush"),)
    assert asked(table, {GENERIC: text}, off="CONFIG_EAGER") == (Meant("vendor_clear", 3, "ptep_get_and_clear"),)


def test_an_architecture_for_itself(table: RoleTable) -> None:
    """Generic code cannot go by what only some mean; their own can."""
    files = {X86: "#define vendor_clear ptep_clear_flush\n", ARM: "void vendor_clear(int a, int b, int c);\n"}
    more = asked(table, files)
    assert more == (Meant("vendor_clear", 3, "ptep_clear_flush", None, "x86"),)
    assert told_by(table, more).resolve("vendor_clear", 3) is None


def test_an_architecture_that_knows_nothing_of_it_does_not_mind(table: RoleTable) -> None:
    assert [one.arch for one in asked(table, {X86: "#define vendor_clear ptep_clear_flush\n"})] == [""]


def test_a_macro_that_does_more_is_none(table: RoleTable) -> None:
    text = f"#define one(m, a, p) ({{ {CLEAR}(m, a, p); f(); }})\n#define two(m, a) {CLEAR}(m, a, g())\n#define three(a) ({CLEAR}(m, a, p) + 1)\n"
    assert asked(table, {GENERIC: text}) == ()


def test_a_parameter_more(table: RoleTable) -> None:
    head = f"pte_t {CLEAR}(struct vm_area_struct *vma, struct mm_struct *mm, unsigned long a, pte_t *p, bool full);\n"
    more = asked(table, {GENERIC: head})
    assert binds(table, CLEAR, 5) is None
    assert binds(told_by(table, more), CLEAR, 5) == {"pte": "3", "value": "ret", "mm": "1"}
    assert binds(told_by(table, more), CLEAR, 3) == binds(table, CLEAR, 3)


def test_an_object_that_is_not_there_any_more(table: RoleTable) -> None:
    assert asked(table, {GENERIC: f"pte_t {CLEAR}(unsigned long a, pte_t *p);\n"}) == ()
    assert asked(table, {GENERIC: f"pte_t {CLEAR}(struct mm_struct *a, struct mm_struct *b, unsigned long c, pte_t *p);\n"}) == ()


def test_something_else_under_a_name_with_a_role(table: RoleTable) -> None:
    more = asked(table, {GENERIC: f"int {CLEAR}(struct gpu *gpu, unsigned long a, struct gpu_pte *p);\n"})
    assert more == (Meant(CLEAR, 3, ""),)
    assert told_by(table, more).resolve(CLEAR, 3) is None
    assert table.resolve(CLEAR, 3) is not None


def facts(path: str, kind: str, static: bool = True) -> FileFacts:
    call = ("call", 1, CLEAR, (("v", "m"), ("n", 0), ("v", "p")), 7)
    body = (Block((call,), "return", None, (), 9),)
    caller = Function("g", path, 0, 9, (), "void", False, body, frozenset())
    callee = Function(CLEAR, path, 0, 9, (("m", kind), ("a", "unsigned long"), ("p", "pte_t *")), "pte_t", static, (), frozenset())
    return FileFacts(path, (caller, callee), (), (), 2, 0, ())


def test_a_file_that_has_its_own(table: RoleTable) -> None:
    other = facts("drivers/gpu.c", "struct gpu *")
    more = own(other, table)
    assert {one.name for one in more} == {CLEAR}
    (instr,) = renamed(other, more).functions[0].blocks[0].instrs
    assert table.resolve(instr[2], 3) is None and instr[3:] == other.functions[0].blocks[0].instrs[0][3:]
    assert own(facts("drivers/gpu.c", "struct mm_struct *"), table) == frozenset()
    assert own(facts("drivers/gpu.c", "struct gpu *", static=False), table) == frozenset()


def test_calls_of_an_architecture(table: RoleTable) -> None:
    one = Meant(CLEAR, 3, "ptep_clear_flush", ("0.vm_mm", "", "2"), "x86")
    (instr,) = renamed(facts("arch/x86/mm/a.c", "struct mm_struct *"), (one,)).functions[0].blocks[0].instrs
    assert instr == ("call", 1, "ptep_clear_flush", (("v", "m->vm_mm"), ("?",), ("v", "p")), 7)
