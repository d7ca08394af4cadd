"""#if groups: evaluation, choice, variants."""

from __future__ import annotations

import pytest

from tests.syntax.support import TORTURE, by_name, parse
from tlblint.names.conditions import evaluate
from tlblint.syntax import Config


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("CONFIG_A", True),
        ("!CONFIG_A", False),
        ("defined(CONFIG_OFF)", False),
        ("defined CONFIG_OFF || IS_ENABLED(CONFIG_A)", True),
        ("UNKNOWN", None),
        ("UNKNOWN && 0", False),
        ("UNKNOWN || 1", True),
        ("1 + 2 * 3 == 7", True),
        ("(1 << 4) > 0x10", False),
        ("0 ? UNKNOWN : 2", True),
        ("LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)", None),
        ("defined(__PAGETABLE_PMD_FOLDED)", False),
        ("1 / 0", None),
        ("(", None),
        ("1 1", None),
        ("08", None),
        ("@", None),
    ],
)
def test_evaluate(text: str, value: bool | None) -> None:
    assert evaluate("if", text, Config(off=frozenset({"CONFIG_OFF"}))) is value


@pytest.mark.parametrize("text", ["(" * 5000, "!" * 5000, "1?" * 5000, "1*" * 5000 + "1", "9" * 6000])
def test_monstrous_conditions_do_not_crash(text: str) -> None:
    assert evaluate("if", text, Config()) in (None, True)


def group(text: str) -> str:
    return "void f(void)\n{\n\tflush_tlb_mm(mm);\n" + text + "\n}\n"


def test_two_variants_and_what_they_assume() -> None:
    parsed = parse(group("#ifdef CONFIG_X\n\tyes();\n#else\n\tno();\n#endif"))
    assert [(f.variant, f.assumed) for f in parsed.functions] == [(0, ("CONFIG_X",)), (1, ("!CONFIG_X",))]
    first, second = (f.text for f in parsed.functions)
    assert b"yes" in first and b"no()" not in first
    assert b"yes" not in second and b"no()" in second


def test_config_turns_the_variants_around() -> None:
    parsed = parse(group("#ifdef CONFIG_X\n\tyes();\n#endif"), Config(off=frozenset({"CONFIG_X"})))
    assert [(f.assumed, b"yes" in f.text) for f in parsed.functions] == [(("!CONFIG_X",), False), (("CONFIG_X",), True)]


@pytest.mark.parametrize("text", ["#if 0\n\tno(} ;\n#endif", "#ifdef CONFIG_X\n\t/* empty */\n#endif", "#if 1\n\tg();\n#endif", "#define A(x) { x\n\tg();"])
def test_no_second_variant(text: str) -> None:
    parsed = parse(group(text))
    assert [(f.variant, f.assumed, f.health) for f in parsed.functions] == [(0, (), ())]


def test_groups_on_one_macro_change_together() -> None:
    parsed = parse(group("#ifdef CONFIG_X\n\ttake();\n#endif\n\tg();\n#ifndef CONFIG_X\n\tother();\n#endif"))
    first, second = (f.text for f in parsed.functions)
    assert (b"take" in first, b"other" in first) == (True, False)
    assert (b"take" in second, b"other" in second) == (False, True)


def test_elif_chain() -> None:
    config = Config(off=frozenset({"CONFIG_A"}))
    parsed = parse(group("#if defined(CONFIG_A)\n\ta();\n#elif defined(CONFIG_B)\n\tb();\n#else\n\tc();\n#endif"), config)
    assert [name in parsed.functions[0].text for name in (b"a();", b"b();", b"c();")] == [False, True, False]
    assert [name in parsed.functions[1].text for name in (b"a();", b"b();", b"c();")] == [True, False, False]


def test_twins_are_both_there() -> None:
    parsed = parse("#ifdef CONFIG_X\nvoid f(void)\n{\n\tflush_tlb_mm(a);\n}\n#else\nvoid f(void)\n{\n\tset_pte_at(b);\n}\n#endif\n")
    assert [(f.name, f.variant, f.assumed) for f in parsed.functions] == [("f", 0, ()), ("f", 0, ())]


def test_split_if_else_and_straddling_heads() -> None:
    parsed = parse((TORTURE / "conditionals.c").read_bytes())
    assert by_name(parsed, "split_else", 1).assumed[0] == "!CONFIG_HUGE"
    assert b"regular:" not in by_name(parsed, "jump", 1).text
    straddle = by_name(parsed, "straddle")
    assert b"first(mm)" in straddle.text and b"second(mm)" not in straddle.text[straddle.start : straddle.end]
    assert by_name(parsed, "two_heads").health == ()


def test_nothing_is_dropped_in_silence() -> None:
    """A group that ties two functions together may cost one of them, but it is named."""
    first = "#ifdef CONFIG_X\nvoid f(void)\n{\n\tflush_tlb_mm(a);\n#else\nvoid g(void)\n{\n\tb();\n}\n"
    second = "void h(void)\n{\n\tset_pte_at(a);\n#endif\n\tflush_tlb_mm(c);\n}\n"
    parsed = parse(first + second + "void last(void)\n{\n\tset_pte_at(a);\n}\n")
    seen = {f.name for f in parsed.functions} | {n.function for n in parsed.not_analysed}
    assert {"f", "h", "last"} <= seen
    assert by_name(parsed, "last").health == ()
