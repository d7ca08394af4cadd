"""Each step of normalisation, seen through the tree that comes out."""

from __future__ import annotations

import pytest

from tests.syntax.support import TORTURE, body, by_name, kinds, parse


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ("\tlist_for_each_entry(a, &mm->l, b) {\n\t\tg(a);\n\t}", ["while_statement"]),
        ("\tfor_each_cpu(a, b)\n\t\tg(a);", ["while_statement"]),
        ("\tfor_each_cpu(a, b)\n\t\t*a = 1;", ["while_statement"]),
        ("\tfor_each_empty() {\n\t\tg();\n\t}", ["for_statement"]),
        ("\tif (mm) for_each_x(mm) { g(); }", ["if_statement"]),
        ("\tscoped_guard(mutex, &m) {\n\t\tg();\n\t}", ["if_statement"]),
        ("\tscoped_guard(mutex, &m)\n\t\tg();", ["if_statement"]),
        ("\tbus_for_each_dev(a, b);", ["expression_statement"]),
        ("\tx = idr_for_each(a, b);", ["expression_statement"]),
        ("\tit_iter(m)->done = 1;", ["expression_statement"]),
        ("\tMACRO(a)\n\tg(a);", ["expression_statement", "expression_statement"]),
        ("\tMACRO(a)\n\tOTHER(b)\n\tTHIRD(c)\n\tg(a);", ["expression_statement"] * 4),
        ("\tNO_ARGUMENTS\n\tg(a);", ["expression_statement", "expression_statement"]),
        ("\tdo {\n\t\tg();\n\t} while_each_thing(a, b);", ["do_statement"]),
        ("\tx = min_t(unsigned long, a, b);", ["expression_statement"]),
        ("\tx = container_of(a, struct foo, b.c);", ["expression_statement"]),
        ("\tx = alloc_percpu(struct foo *);", ["expression_statement"]),
        ("\tx = offsetof(struct foo, a[n].b);", ["expression_statement"]),
        ("\ttypeof(*mm) y = *mm;", ["declaration"]),
        ("\tauto y = mm;", ["declaration"]),
        ("\tDECLARE_BITMAP(map, 4 * N) = { 0 };", ["declaration"]),
        ("\tasm volatile(NAME(x) \"a\" : : [n] \"r\" (mm));", ["gnu_asm_expression"]),
        ("\tg(\"} {\", '}', '\\'', \"\\\"}\");", ["expression_statement"]),
        ("\tg(a /* } */); // }", ["expression_statement"]),
        ("\tstruct foo __rcu *p = (struct foo __force *)mm;", ["declaration"]),
    ],
)  # fmt: skip
def test_statement(statements: str, expected: list[str]) -> None:
    got = kinds(body(statements))
    assert ["gnu_asm_expression" if "asm" in statements else k for k in got] == expected


def test_case_range_and_trailing_label() -> None:
    function = body("\tswitch (x) {\n\tcase A ... B:\n\t\tg();\n\tdefault:\n\t\t;\n\t}\n\tgoto out;\nout:\n\t;")
    assert kinds(function) == ["switch_statement", "goto_statement", "labeled_statement"]


def test_arguments_of_a_loop_keep_their_offsets() -> None:
    function = body("\tlist_for_each_entry(one, &mm->head, link)\n\t\tg(one);")
    at = function.text.index(b"one, &mm->head")
    node = function.node.descendant_for_byte_range(at, at + 3)
    assert node is not None and node.type == "identifier" and function.text[node.start_byte : node.end_byte] == b"one"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("static int __init f(void)", "f"),
        ("static vm_fault_t ODD f(struct vm_fault *vmf)\n\t__releases(vmf->ptl)", "f"),
        ("static struct page *NOT_KNOWN f(int a)", "f"),
        ("static ODD_ONE unsigned long f(int a)", "f"),
        ("static int __printf(1, 2)\nf(const char *x, ...)", "f"),
        ("static pte_t *__meminit f(struct a __user *b)", "f"),
        ("int (*f(int a))(int b)", "f"),
        ("SYSCALL_DEFINE2(f, int, a, unsigned long, b)", "f"),
        ("SYSCALL_DEFINE0(f)", "f"),
        ("DEFINE_IDTENTRY_RAW(f)", "f"),
    ],
)
def test_header(header: str, name: str) -> None:
    parsed = parse(header + "\n{\n\tflush_tlb_mm(mm);\n}\n")
    assert [(f.name, f.health) for f in parsed.functions] == [(name, ())]
    function = parsed.functions[0]
    declarator = function.node.child_by_field_name("declarator")
    assert declarator is not None and name.encode() in function.text[declarator.start_byte : declarator.end_byte]


def test_system_call_parameters_pair_up() -> None:
    function = parse("SYSCALL_DEFINE2(f, int, a, unsigned long, b)\n{\n\tflush_tlb_mm(mm);\n}\n").functions[0]
    declarator = function.node.child_by_field_name("declarator")
    assert declarator is not None
    parameters = declarator.child_by_field_name("parameters")
    assert parameters is not None
    assert [c.child_by_field_name("declarator") is not None for c in parameters.named_children] == [True, True]


@pytest.mark.parametrize(
    "statements",
    [
        "\tg(a, b;",
        "\tif (a { g(); }",
        "\tg(a, <, b);",
        "\tint nested(int a) { return a; }",
    ],
)
def test_damage_is_reported_and_not_passed_on(statements: str) -> None:
    parsed = parse("void ok(void)\n{\n\tset_pte_at(a);\n}\n\nvoid f(void)\n{\n\tflush_tlb_mm(mm);\n" + statements + "\n}\n")
    assert [n.function for n in parsed.not_analysed] == ["f"]
    assert [f.name for f in parsed.functions] == ["ok"]
    assert parsed.total == 2 and parsed.not_analysed[0].why


def test_torture_files_are_read_whole() -> None:
    for name, count in (("loops.c", 3), ("types.c", 9), ("conditionals.c", 6)):
        parsed = parse((TORTURE / name).read_bytes())
        assert parsed.not_analysed == (), name
        assert len([f for f in parsed.functions if not f.variant]) == count, [f.name for f in parsed.functions]


def test_odd_bytes() -> None:
    parsed = parse((TORTURE / "bytes.c").read_bytes())
    assert [f.name for f in parsed.functions] == ["odd_bytes", "nul"]
    assert by_name(parsed, "odd_bytes").health == ()
